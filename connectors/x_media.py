"""Files and places in what X sends. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from laporhub.pipeline.messages import Attachment, Location

Json: TypeAlias = Mapping[str, Any]

_TYPES = {"photo": "image/jpeg", "video": "video/mp4", "animated_gif": "video/mp4"}


def attachments(item: Json, includes: Json) -> Iterator[Attachment]:
    """The files that a post or direct message names, where their addresses were included."""
    known = {str(each.get("media_key")): each for each in map(_map, _list(includes.get("media")))}
    for key in _list(_map(item.get("attachments")).get("media_keys")):
        media = known.get(str(key), {})
        url = media.get("url") or _best(media.get("variants")) or media.get("preview_image_url")
        if isinstance(url, str) and url:
            yield Attachment(url=url, media_type=_TYPES.get(str(media.get("type"))))


def legacy(data: Json) -> Iterator[Attachment]:
    """The one file of a direct message as the webhook has it."""
    media = _map(_map(data.get("attachment")).get("media"))
    url = _best(_map(media.get("video_info")).get("variants")) or media.get("media_url_https")
    if isinstance(url, str) and url:
        yield Attachment(url=url, media_type=_TYPES.get(str(media.get("type"))))


def place(post: Json, includes: Json) -> Location | None:
    """Where the author says they are: degrees, and the name of a place that X knows."""
    geo = _map(post.get("geo"))
    found = [
        each for each in map(_map, _list(includes.get("places"))) if each.get("id") == geo.get("place_id")
    ]
    name = found[0].get("full_name") if found and geo.get("place_id") else None
    return _location(_map(geo.get("coordinates")), name if isinstance(name, str) else None)


def shared_place(data: Json) -> Location | None:
    """A pin in a direct message."""
    shared = _map(_map(_map(data.get("attachment")).get("location")).get("shared_coordinate"))
    return _location(_map(shared.get("coordinates")), None)


def _location(point: Json, name: str | None) -> Location | None:
    degrees = _list(point.get("coordinates"))
    if len(degrees) == 2 and all(isinstance(each, int | float) for each in degrees):
        lon, lat = degrees  # GeoJSON: east first
        if -90 <= lat <= 90 and -180 <= lon <= 180:
            return Location(address=name, lat=lat, lon=lon)
    return Location(address=name) if name else None


def _best(variants: object) -> str | None:
    """The address of the film in its best quality."""
    films = [each for each in map(_map, _list(variants)) if each.get("content_type") == "video/mp4"]
    rates = [
        (rate if isinstance(rate := _rate(each), int) else 0, str(each.get("url") or "")) for each in films
    ]
    return max(rates)[1] or None if rates else None


def _rate(variant: Json) -> object:
    return variant.get("bit_rate", variant.get("bitrate"))


def _map(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
