"""Made-up complaints with the unit they belong to, for tests of routing."""

from __future__ import annotations

import random

from laporhub.classifiers.labels import Where
from laporhub.classifiers.training import Case

MATTERS = {
    "roads": ("jalan berlubang", "aspal mengelupas", "trotoar pecah", "jembatan retak"),
    "water": ("air ledeng mati", "pipa bocor", "meteran air rusak", "air keruh berbau"),
    "lights": ("lampu jalan padam", "tiang lampu roboh", "pju mati", "lampu penerangan berkedip"),
}
VILLAGES = {"Mawar": "Kulon", "Melati": "Kulon", "Kenanga": "Wetan", "Dahlia": "Wetan", "Cempaka": "Wetan"}
_BEFORE = ("mohon diperiksa", "sudah lama", "di depan rumah", "tolong pak", "lapor", "sejak kemarin")
_AFTER = ("bahaya sekali", "terima kasih", "kapan diperbaiki", "warga resah", "belum ada tindakan")


def sentence(matter: str, chance: random.Random) -> str:
    return f"{chance.choice(_BEFORE)} {matter} {chance.choice(_AFTER)} nomor {chance.randrange(100)}"


def made_up_cases(count: int, *, seed: int = 1, wrong: float = 0.0) -> list[Case]:
    """In the order of time; `wrong` is the share of labels that are not right."""
    chance = random.Random(seed)
    cases = []
    for number in range(count):
        unit = chance.choice(sorted(MATTERS))
        text = sentence(chance.choice(MATTERS[unit]), chance)
        label = chance.choice(sorted(MATTERS)) if chance.random() < wrong else unit
        cases.append(Case(text, label, name=f"LG-{number:04d}"))
    return cases


def office_cases(count: int, *, seed: int = 1) -> list[Case]:
    """Some are for the office of their village."""
    chance = random.Random(seed)
    cases = []
    for each in made_up_cases(count, seed=seed):
        village = chance.choice(sorted(VILLAGES))
        where = Where(village, VILLAGES[village])
        if chance.random() < 0.4:
            cases.append(Case(sentence("pungli iuran rt", chance), f"Kelurahan {village}", where))
        else:
            cases.append(Case(each.text, f"Dinas {each.label}", where))
    return cases
