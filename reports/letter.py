"""What stands in the mail that a report comes with: the numbers at its top. Pure."""

from __future__ import annotations

from laporhub.reports.parts import Document, Translate, written


def letter(document: Document, t: Translate) -> str:
    """Plain text."""
    tiles = [f"{tile.title}: {written(tile.amount, document.language)}" for tile in document.tiles]
    told = [document.notice, ""] if document.notice else []
    end = t("Laporan lengkap ada di lampiran. Surat ini dikirim otomatis dan tidak memuat identitas pelapor.")
    return "\n".join((document.title, document.subject, document.period, "", *told, *tiles, "", end, ""))
