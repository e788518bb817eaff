"""Citizens who complain, for demos and loads: endless, believable, and all made up. Pure, by seed."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Literal, NamedTuple, TypeAlias

from laporhub.pipeline.messages import Location
from laporhub.simulators.citizen_texts import (
    ANSWERS,
    CLOSINGS,
    COMPLAINTS,
    LANDMARKS,
    OPENINGS,
    ROADS,
    SCHOOLS,
    SINCE,
    Base,
)

DemoChannel: TypeAlias = Literal["whatsapp", "sms", "web", "app", "x", "facebook", "instagram", "hotline"]

AGAIN = 0.15
"""The share of complaints about something that another citizen has just reported."""
_CHANNELS: Mapping[DemoChannel, int] = {
    **{"whatsapp": 36, "web": 20, "app": 12, "sms": 8},
    **{"facebook": 8, "instagram": 6, "x": 6, "hotline": 4},
}
_NETWORKS = frozenset({"x", "facebook", "instagram"})
"""Where people have a name, and no number."""
_STYLES = {"formal": 30, "casual": 30, "javanese": 12, "angry": 12, "vague": 10, "off_topic": 6}


class _Spot(NamedTuple):
    """Where: regency or city, district, village, and degrees near by."""

    kab: str
    kec: str
    desa: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class DemoComplaint:
    """One made-up complaint. Complaints of one `incident` are about the same thing.

    `phone` is in E.164 without any prefix; forms may come without one, networks tell none. `location` is what
    the citizen gave apart from the words: a form's fields, a pin on WhatsApp.
    """

    channel: DemoChannel
    phone: str | None
    name: str | None
    text: str
    location: Location | None
    topic: str
    incident: int
    private: bool = False


@dataclass(frozen=True, slots=True)
class _Incident:
    number: int
    base: Base
    slots: Mapping[str, str]
    spot: _Spot


def complaints(seed: int) -> Iterator[DemoComplaint]:
    """The same complaints for the same seed, without end."""
    rng = random.Random(seed)
    recent: deque[_Incident] = deque(maxlen=20)
    for number in count(1):
        if recent and rng.random() < AGAIN:
            incident = _seen_by_another(rng, rng.choice(recent))
        else:
            incident = _incident(rng, number)
            if incident.base.style not in ("vague", "off_topic"):
                recent.append(incident)
        yield _complaint(rng, incident)


def staff_answer(unit_title: str, text: str, rng: random.Random) -> str:
    """What a unit may answer to a complaint."""
    answers = next(
        answers for pattern, answers in ANSWERS.items() if re.search(rf"(^|\b)({pattern})", text.casefold())
    )
    return rng.choice(answers).format(unit=unit_title)


def _incident(rng: random.Random, number: int) -> _Incident:
    style = rng.choices(list(_STYLES), list(_STYLES.values()))[0]
    base = rng.choice([base for base in COMPLAINTS if base.style == style])
    spot = rng.choice(_SPOTS)
    place = {"kab": spot.kab, "kec": spot.kec, "desa": spot.desa}
    slots = place | {
        "jalan": rng.choice(ROADS).format(**place),
        "patokan": rng.choice(LANDMARKS),
        "sejak": rng.choice(SINCE),
        "sekolah": rng.choice(SCHOOLS),
        "berapa": str(rng.randint(2, 9)),
    }
    return _Incident(number, base, slots, spot)


def _seen_by_another(rng: random.Random, incident: _Incident) -> _Incident:
    """The same thing at the same place in somebody else's words."""
    same = [base for base in COMPLAINTS if base.topic == incident.base.topic and base.style != "vague"]
    return _Incident(incident.number, rng.choice(same), incident.slots, incident.spot)


def _complaint(rng: random.Random, incident: _Incident) -> DemoComplaint:
    channel = rng.choices(list(_CHANNELS), list(_CHANNELS.values()))[0]
    style = incident.base.style
    words = _sentences(incident.base.text.format(**incident.slots))
    text = f"{rng.choice(OPENINGS[style])}{words}{rng.choice(CLOSINGS[style])}"
    person = rng.randrange(10_000)
    is_form = channel in ("web", "app")
    return DemoComplaint(
        channel=channel,
        phone=None if channel in _NETWORKS or (is_form and rng.random() < 0.1) else f"+62800000{person:04d}",
        name=None if channel == "sms" else f"Warga Contoh {person:04d}",
        text=_as_sms(text) if channel == "sms" else text,
        location=_location(rng, incident, is_form=is_form),
        topic=incident.base.topic,
        incident=incident.number,
        private=is_form and incident.base.topic in ("labour", "illegal_fee"),
    )


def _location(rng: random.Random, incident: _Incident, *, is_form: bool) -> Location | None:
    """Forms ask for the place; on WhatsApp a few send a pin; who is vague or lost gives none."""
    spot = incident.spot
    if incident.base.style in ("vague", "off_topic"):
        return None
    lat, lon = (round(degrees + rng.uniform(-0.01, 0.01), 5) for degrees in (spot.lat, spot.lon))
    if is_form:
        address = f"{incident.slots['jalan']}, {spot.kab}"
        pinned = rng.random() < 0.4
        return Location(
            address=address,
            lat=lat if pinned else None,
            lon=lon if pinned else None,
            district=spot.kec,
            village=spot.desa,
        )
    return Location(lat=lat, lon=lon) if rng.random() < 0.1 else None


def _sentences(text: str) -> str:
    """A slot may begin a sentence."""
    return (
        re.sub(r"(?<=[a-z]\. )[a-z]", lambda letter: letter[0].upper(), text) if text[:1].isupper() else text
    )


def _as_sms(text: str) -> str:
    """As people type on small keys: no emoji, some words short."""
    plain = "".join(char for char in text if char < "\u2600").strip()
    for long, short in (("yang", "yg"), ("tidak", "tdk"), ("dengan", "dgn"), ("sudah", "sdh")):
        plain = re.sub(rf"\b{long}\b", short, plain)
    return plain


_SPOTS = (
    _Spot("Kota Semarang", "Tembalang", "Sendangmulyo", -7.03, 110.47),
    _Spot("Kota Semarang", "Pedurungan", "Palebon", -7.01, 110.46),
    _Spot("Kota Semarang", "Gunungpati", "Sekaran", -7.05, 110.39),
    _Spot("Kabupaten Semarang", "Bergas", "Karangjati", -7.18, 110.43),
    _Spot("Kabupaten Semarang", "Ambarawa", "Kupang", -7.26, 110.40),
    _Spot("Kabupaten Demak", "Sayung", "Sriwulan", -6.95, 110.49),
    _Spot("Kabupaten Demak", "Mranggen", "Batursari", -7.03, 110.51),
    _Spot("Kabupaten Kendal", "Kaliwungu", "Krajankulon", -6.96, 110.25),
    _Spot("Kota Pekalongan", "Pekalongan Utara", "Krapyak", -6.87, 109.68),
    _Spot("Kabupaten Pekalongan", "Kedungwuni", "Podo", -6.97, 109.65),
    _Spot("Kabupaten Batang", "Limpung", "Limpung", -7.00, 109.92),
    _Spot("Kabupaten Pemalang", "Randudongkal", "Randudongkal", -7.10, 109.32),
    _Spot("Kabupaten Tegal", "Slawi", "Slawi Kulon", -6.98, 109.14),
    _Spot("Kabupaten Brebes", "Bumiayu", "Kalierang", -7.25, 109.01),
    _Spot("Kabupaten Banyumas", "Ajibarang", "Pancasan", -7.41, 109.08),
    _Spot("Kabupaten Banyumas", "Purwokerto Utara", "Bobosan", -7.40, 109.24),
    _Spot("Kabupaten Cilacap", "Majenang", "Sindangsari", -7.30, 108.76),
    _Spot("Kabupaten Kebumen", "Gombong", "Wonokriyo", -7.61, 109.51),
    _Spot("Kabupaten Wonosobo", "Kejajar", "Dieng", -7.21, 109.91),
    _Spot("Kabupaten Magelang", "Muntilan", "Gunungpring", -7.59, 110.28),
    _Spot("Kabupaten Boyolali", "Ampel", "Candi", -7.45, 110.53),
    _Spot("Kabupaten Klaten", "Delanggu", "Gatak", -7.62, 110.70),
    _Spot("Kabupaten Sukoharjo", "Kartasura", "Pabelan", -7.56, 110.77),
    _Spot("Kota Surakarta", "Laweyan", "Sondakan", -7.57, 110.79),
    _Spot("Kabupaten Karanganyar", "Colomadu", "Malangjiwan", -7.53, 110.75),
    _Spot("Kabupaten Wonogiri", "Baturetno", "Baturetno", -7.98, 110.93),
    _Spot("Kabupaten Grobogan", "Gubug", "Gubug", -7.05, 110.67),
    _Spot("Kabupaten Blora", "Cepu", "Balun", -7.15, 111.58),
    _Spot("Kabupaten Rembang", "Lasem", "Soditan", -6.69, 111.44),
    _Spot("Kabupaten Pati", "Juwana", "Bajomulyo", -6.71, 111.15),
    _Spot("Kabupaten Kudus", "Jati", "Ngembal Kulon", -6.82, 110.85),
    _Spot("Kabupaten Jepara", "Tahunan", "Ngabul", -6.62, 110.69),
)
