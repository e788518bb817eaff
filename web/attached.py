"""Files that came with messages, as pages show them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.web import words
from laporhub.web.i18n import Translator


def is_picture(file: CaseFile) -> bool:
    """Whether it can be shown: it was decoded."""
    return file.width is not None


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as a page shows it; empty addresses for what cannot be opened."""

    label: str
    url: str = ""
    preview: str = ""
    note: str = ""


def shown(
    files: Sequence[CaseFile],
    base: str,
    t: Translator,
    query: str = "",
    told: Callable[[CaseFile], str] | None = None,
) -> Mapping[str, Sequence[Shown]]:
    """Message → its files. `base` is the page's own address, `query` what opens it; `told` is what staff may know."""
    found: defaultdict[str, list[Shown]] = defaultdict(list)
    for each in files:
        label = each.name or t("Lampiran %(number)s", number=each.position + 1)
        address = f"{base}/files/{each.id}?{query}"
        if each.status != "kept":
            one = Shown(label, note=_stands(each, t))
        elif is_picture(each):
            one = Shown(label, address, f"{address}&variant=preview", told(each) if told else "")
        else:
            one = Shown(label, address, note=f"{each.media_type}, {(each.size or 0) / 1024:.0f} kB")
        found[each.message_id].append(one)
    return found


def camera(file: CaseFile, rulebook: Rulebook, t: Translator) -> str:
    """What a picture said of itself, for staff."""
    said = []
    if file.taken_at is not None:
        said.append(t("Diambil %(at)s", at=words.date_time(file.taken_at, rulebook, t)))
    if file.lat is not None and file.lon is not None:
        said.append(t("di %(place)s", place=f"{file.lat:.5f}, {file.lon:.5f}"))
    return " ".join(said)


def taken_where(files: Iterable[CaseFile]) -> str:
    """Where the first picture that says so was taken, in degrees; "" if none does. A hint: it may be an old picture."""
    told = (each for each in files if each.status == "kept" and each.lat is not None and each.lon is not None)
    return next((f"{each.lat:.5f}, {each.lon:.5f}" for each in told), "")


def _stands(file: CaseFile, t: Translator) -> str:
    """How far a file got that cannot be opened."""
    if file.status == "waiting":
        return t("sedang diambil")
    return {
        "expired": t("dihapus karena masa simpannya sudah habis"),
        "erased": t("dihapus bersama data pelapornya"),
        "gone": t("tidak ada lagi di tempat asalnya"),
        "too_large": t("terlalu besar"),
        "type": t("jenis berkas yang tidak kami simpan"),
        "empty": t("kosong"),
        "address": t("alamatnya tidak dapat dibuka"),
        "unreachable": t("tidak dapat diambil"),
    }.get(file.reason or "", t("tidak dapat disimpan"))
