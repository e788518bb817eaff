"""What the Graph API shows of what was said: objects, and what is listed under them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from laporhub.simulators.meta_fields import Item
from laporhub.simulators.meta_network import Network, Said, Where


def shape(network: Network, said: Said) -> Item:
    """A post or comment."""
    if said.where == "instagram":
        return _instagram(network, said)
    shown: dict[str, Any] = {
        "id": said.id,
        "message": said.text,
        "from": {"id": said.author, "name": said.name},
        "created_time": _iso(said.created),
        "comments": lambda args: _comments(network, said, args),
    }
    return shown | ({"parent": {"id": said.parent}} if said.parent else {})


def _instagram(network: Network, said: Said) -> Item:
    shown: dict[str, Any] = {"id": said.id, "timestamp": _iso(said.created)}
    if not said.post:
        under = [c for c in network.comments if c.post == said.id and not c.parent and not c.is_gone]
        return shown | {"caption": said.text, "comments": lambda _: [shape(network, each) for each in under]}
    shown |= {"text": said.text, "username": said.name, "from": {"id": said.author, "username": said.name}}
    shown |= {"parent_id": said.parent} if said.parent else {}
    replies = [c for c in network.comments if c.parent == said.id and not c.is_gone]
    return shown | {"replies": lambda _: [shape(network, each) for each in replies]}


def _comments(network: Network, on: Said, args: Mapping[str, str]) -> Sequence[Item]:
    """Oldest first unless told otherwise; under a post only topmost ones unless all are wanted."""
    found = [c for c in network.comments if not c.is_gone and on.id in (c.post, c.parent)]
    if not on.post and args.get("filter") != "stream":
        found = [comment for comment in found if not comment.parent]
    found.sort(key=lambda each: each.created, reverse=args.get("order") == "reverse_chronological")
    return [shape(network, each) for each in found]


def conversations(network: Network, where: Where, citizen: str | None) -> Sequence[Item]:
    """With each citizen, the latest first."""
    talks: dict[str, list[Said]] = {}
    for said in network.directs:  # newest first
        if said.where == where and citizen in (None, said.citizen):
            talks.setdefault(said.citizen, []).append(said)
    return [
        {
            "id": f"t_{who}",
            "updated_time": _iso(talk[0].created),
            "messages": lambda _, talk=talk: [_message(network, each) for each in talk if not each.is_gone],
        }
        for who, talk in talks.items()
    ]


def _message(network: Network, said: Said) -> Item:
    is_ours = said.author != said.citizen
    label = "name" if said.where == "facebook" else "username"
    citizen = {"id": said.citizen, label: said.name}
    office = {"id": network.ours(said.where), label: network.our_name(said.where)}
    urls = [each.get("payload", {}).get("url") for each in said.attachments]
    files = [
        {"id": f"a{n}", "mime_type": "image/jpeg", "image_data": {"url": u}} for n, u in enumerate(urls) if u
    ]
    return {
        "id": said.id,
        "message": said.text,
        "from": office if is_ours else citizen,
        "to": {"data": [citizen if is_ours else office]},
        "created_time": _iso(said.created),
    } | ({"attachments": {"data": files}} if files else {})


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
