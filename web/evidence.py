"""Photos of what was done, as staff and the reporter see them, and what staff is warned about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.evidence import Doubt, is_answered
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.web.attached import Shown, camera, shown
from laporhub.web.i18n import Translator


def photos_for_staff(
    rulebook: Rulebook,
    files: Sequence[CaseFile],
    doubts: Mapping[str, Sequence[Doubt]],
    base: str,
    t: Translator,
) -> list[Shown]:
    """Each with what its camera said, and what is odd about it."""
    photos = [each for each in files if each.field is not None]

    def told(file: CaseFile) -> str:
        odd = [_said(doubt, t) for doubt in doubts.get(file.id, ())]
        return " · ".join(filter(None, (camera(file, rulebook, t), *odd)))

    return _labelled(photos, shown(photos, base, t, told=told), t)


def photos_for_reporter(
    rulebook: Rulebook, state: CaseState, files: Sequence[CaseFile], base: str, t: Translator, query: str
) -> list[Shown]:
    """None before the answer that they belong to has been sent."""
    photos = [each for each in files if each.field is not None]
    return (
        _labelled(photos, shown(photos, base, t, query), t) if photos and is_answered(rulebook, state) else []
    )


def _labelled(
    photos: Sequence[CaseFile], by_message: Mapping[str, Sequence[Shown]], t: Translator
) -> list[Shown]:
    found = [one for name in dict.fromkeys(each.message_id for each in photos) for one in by_message[name]]
    return [replace(one, label=t("Foto %(number)s", number=number)) for number, one in enumerate(found, 1)]


def _said(doubt: Doubt, t: Translator) -> str:
    match doubt.kind:
        case "before":
            return t("Periksa: diambil sebelum laporan masuk")
        case "future":
            return t("Periksa: jam kamera lebih maju dari waktu pengiriman")
        case "far":
            far = f"{doubt.metres / 1000:.1f} km" if doubt.metres >= 1000 else f"{doubt.metres} m"
            return t("Periksa: diambil %(far)s dari lokasi laporan", far=far)
        case "no_time":
            return t("Foto tidak menyebut waktu")
        case "no_place":
            return t("Foto tidak menyebut tempat")
        case "reused":
            return t("Periksa: foto yang sama ada di laporan %(tickets)s", tickets=", ".join(doubt.tickets))
        case "own":
            return t("Periksa: foto ini sama dengan foto pelapor")
