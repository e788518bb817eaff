"""Made-up people who may say and do anything, and how they are searched for."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from random import Random

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import SYSTEM, Actor
from laporhub.pipeline.messages import Attachment, Inbound, Location
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_workflow import Transition

NAME, MAIL, NIK = "Sulastri Contohwati", "sulastri.contohwati@contoh.example", "3374010101900001"
SUBSCRIBERS = ("12345", "12346", "12347")
"""The ends of the made-up numbers of three who share a name: 0811 000 and these."""
CONFIDED = "bendahara menyimpan kuitansinya"
PLACE = "Jalan Contoh, Desa Contohan, Kabupaten Batang"
TEXTS = (
    f"Jalan provinsi di {PLACE} berlubang sejak minggu lalu, dua motor jatuh",
    f"Internet di ruang pelayanan {PLACE} putus sejak pagi. Hubungi 0811-0001-2345 atau {MAIL}. Salam, {NAME}",
    f"Nama saya {NAME}, NIK {NIK}, HP 081100012345: lampu jalan di {PLACE} mati sejak kemarin",
    "tolong pak",
    "tidak ada",
    f"di {PLACE}",
    f"ralat: di Jalan Contoh Baru, rumah {NAME}",
    "selesai",
    "nilai 4",
    "belum beres, masih rusak",
    f"Aduan baru: sampah menumpuk di {PLACE} sejak hari Minggu, telepon 0811 0001 2345",
)
WRITTEN = (
    "Sudah kami kerjakan hari ini.",
    f"Ibu {NAME} sudah kami hubungi di 0811-0001-2345",
    f"Balas ke {MAIL}, NIK {NIK}",
)
"""What staff writes."""

# ── whoever is looked for ────────────────────────────────────────────────────────────────────────


def numbers(end: str) -> tuple[str, ...]:
    """One number as people and platforms write it."""
    return f"+62811000{end}", f"0811000{end}", f"0811-000{end[0]}-{end[1:]}", f"0811 000{end[0]} {end[1:]}"


@cache
def spellings() -> tuple[bytes, ...]:
    """As it might lie somewhere: small and large, in an address, in UTF-16, in base64 at each offset."""
    found: list[bytes] = []
    for fact in (NAME, MAIL, NIK, CONFIDED, *(way for end in SUBSCRIBERS for way in numbers(end))):
        plain = fact.removeprefix("+62")
        found += [plain.encode(), plain.upper().encode(), plain.replace(" ", "%20").encode()]
        found.append(plain.encode("utf-16-le"))
        for shift in range(3):
            encoded = base64.b64encode(b"x" * shift + plain.encode())
            found.append(encoded[4 if shift else 0 : -4])
    return tuple(dict.fromkeys(found))


def traces(of: bytes) -> list[bytes]:
    return [spelling for spelling in spellings() if spelling in of]


class HashSeals:
    """Seals that nobody opens."""

    def seal(self, reporter: str, plain: str, now: datetime) -> str:  # noqa: ARG002 - as the vault has it
        return f"v1.{sha256(plain.encode()).hexdigest()}"


# ── what people do ───────────────────────────────────────────────────────────────────────────────


def says(book: Rulebook, channel: str, number: int, chance: Random, **more: object) -> Inbound:
    """Anything that a citizen may send: with and without a place, private, anonymous, with others' data in it."""
    end = chance.choice(SUBSCRIBERS)
    phone, chat = f"+62811000{end}", book.profile.channels[channel].delivery == "push"
    name = chance.choice((NAME, NAME, None))
    # roads bear names, too: in a place only the name that its reporter gave is taken for one
    home = f"Rumah {NAME}, {PLACE}" if name else PLACE
    given: dict[str, object] = {
        "external_id": f"in-{number}",
        "author_id": f"whatsapp:{phone}" if chat else f"tel:{phone}",
        "text": chance.choice(TEXTS),
        "name": name,
        "phone": chance.choice((phone, phone, None)),
        "email": chance.choice((MAIL, None)),
        "verified": chat,
        "thread": None if chat else f"in-{number}",
        "private": chance.random() < 0.2,
        "anonymous": chance.random() < 0.2,
        "location": chance.choice((None, Location(address=home, lat=-6.9, lon=109.7))),
    }
    if chance.random() < 0.5:
        given["attachments"] = (
            Attachment(url=f"https://contoh.example/{number}", name=f"surat {NAME} 0811-0001-2345.pdf"),
        )
    return Inbound.model_validate(given | more)


def staff(book: Rulebook, unit: str | None, account: str) -> list[Actor]:
    """One of each role; of those who work for a unit, somebody of this one."""
    return [
        Actor(id=f"{name}-{account}", role=name, unit=unit if role.scope == "unit" else None)
        for name, role in book.profile.roles.items()
    ]


def filled(
    book: Rulebook, state: CaseState, step: Transition, chance: Random, ticket: str | None
) -> dict[str, str]:
    """The step's form as somebody may fill it in properly; `ticket` is another case's."""
    others = [unit for unit in book.units if unit != state.unit and unit not in state.parts]
    units = list(state.parts) if step.release else others
    kinds: dict[str, Sequence[str]] = {
        "text": WRITTEN,
        "items": (f"2 buah konektor\n1 switch milik {NAME}", "1 unit router"),
        "unit": units or list(book.units),
        "rating": "12345",
        "case": [ticket or "LGWA-0000-0000-0000"],
        "photo": ["inline:" + "0" * 64],
    }
    return {
        name: chance.choice(list(field.options) if field.options else kinds[field.type])
        for name, field in step.fields.items()
        if field.required or chance.random() < 0.3
    }


def spoiled(form: dict[str, str], chance: Random) -> dict[str, str]:
    """The same form with a mistake in it."""
    name = chance.choice([*form, "extra"])
    wrong = chance.choice((None, "", "tidak-ada", "9"))
    return {**{key: value for key, value in form.items() if key != name}, **({name: wrong} if wrong else {})}


def any_actor(book: Rulebook, state: CaseState, chance: Random) -> Actor:
    """Anybody: of this unit or another, the reporter or another one, the hub itself, somebody made up."""
    unit = chance.choice([state.unit, *state.parts, *list(book.units)[:2]])
    return chance.choice(
        [
            *staff(book, unit, chance.choice("ab")),
            Actor(id=state.reporter, role="reporter"),
            Actor(id="p_somebody", role="reporter"),
            SYSTEM,
            Actor(id="x", role="made_up"),
        ]
    )
