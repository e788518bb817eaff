"""A report as a document: which numbers are shown, in which words, and how they were counted. Pure."""

from __future__ import annotations

from laporhub.pipeline.figures import Figures, Report
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.reports.chapters import chapters
from laporhub.reports.names import Names
from laporhub.reports.parts import (
    Amount,
    Document,
    Tile,
    Translate,
    change,
    part,
)


def document(report: Report, rulebook: Rulebook, t: Translate) -> Document:
    """The whole report in the translator's language."""
    names = Names(rulebook, t)
    return Document(
        language=t.language,
        title=_title(report, names),
        subject=names.subject(report),
        period=names.period(report.period),
        facts=_facts(report, names),
        notice=_notice(report, names),
        tiles=_tiles(report, rulebook, t),
        sections=tuple(chapters(report, names)),
        remarks=_remarks(report, t),
    )


def _title(report: Report, names: Names) -> str:
    """As the standard calls the reports of this kind of period."""
    rules = names.rulebook.profile.reports
    called = next((rule.title for rule in rules if rule.every == report.kind and rule.title), None)
    return names.say(called) if called else names.t("Laporan evaluasi pengaduan")


def _facts(report: Report, names: Names) -> tuple[tuple[str, str], ...]:
    t = names.t
    return (
        (t("Periode"), f"{names.period(report.period)} ({report.first:%d-%m-%Y} – {report.last:%d-%m-%Y})"),
        (t("Dihitung sampai"), names.moment(report.at)),
        (t("Pembanding"), names.period(report.period_before)),
        (t("Standar pelayanan"), names.rulebook.profile.source),
    )


def _notice(report: Report, names: Names) -> str:
    t = names.t
    if report.at <= report.start:
        return t("Periode ini belum dimulai.")
    if report.figures.is_empty:
        return t("Tidak ada aduan dalam periode ini, dan tidak ada yang masih terbuka.")
    if not report.is_final:
        return t("Periode ini belum berakhir: angka masih akan berubah.")
    return ""


# ── the numbers at the top ───────────────────────────────────────────────────────────────────────


def _measures(figures: Figures, rulebook: Rulebook, t: Translate) -> dict[str, Amount]:
    """What is compared with the period before."""
    routing = figures.routing
    return {
        t("Aduan masuk"): Amount(figures.cases),
        t("Aduan selesai"): Amount(figures.closed),
        t("Tepat waktu, dari tenggat standar yang berakhir"): _in_time(figures, rulebook),
        t("Aduan yang melewati tenggat"): Amount(figures.late_cases),
        t("Dikembalikan instansi"): Amount(figures.returned),
        t("Ditolak"): Amount(figures.rejected),
        t("Rata-rata lama sampai selesai (jam)"): Amount(figures.mean_hours, "hours"),
        t("Nilai pelapor (1–5)"): Amount(figures.rating, "stars"),
        t("Saran instansi tepat"): part(routing.first_right, routing.judged),
        t("Masih terbuka pada akhir periode"): Amount(figures.open),
        t("Lewat tenggat pada akhir periode"): Amount(figures.overdue),
    }


def _in_time(figures: Figures, rulebook: Rulebook) -> Amount:
    kept = [clock for name, clock in figures.clocks.items() if name in rulebook.standard_clocks]
    return part(sum(each.in_time for each in kept), sum(each.in_time + each.late for each in kept))


def _tiles(report: Report, rulebook: Rulebook, t: Translate) -> tuple[Tile, ...]:
    now, before = (_measures(each, rulebook, t) for each in (report.figures, report.before))
    return tuple(Tile(title, now[title], before[title], change(now[title], before[title])) for title in now)


def _remarks(report: Report, t: Translate) -> tuple[str, ...]:
    received = (
        t("Masuk: aduan yang diterima dalam periode ini.")
        if report.unit is None
        else t("Masuk: aduan yang diteruskan kepada instansi ini dalam periode ini, dihitung sekali.")
    )
    return (
        received,
        t("Selesai: aduan yang berakhir dalam periode ini, kapan pun masuknya; termasuk yang ditolak."),
        t(
            "Tepat waktu dan terlambat: tenggat yang berakhir dalam periode ini. "
            "Selama pelapor ditanya, tenggat berhenti."
        ),
        t(
            "Lama (jam) adalah waktu sebenarnya, termasuk malam dan hari libur; tenggatnya dihitung menurut standar."
        ),
        t(
            "Saran tepat: instansi yang pertama disarankan sistem adalah yang memegang aduan pada akhir periode."
        ),
        t(
            "Laporan ini tidak memuat identitas pelapor. Angka dihitung dari catatan kejadian, "
            "dan tidak berubah lagi setelah periodenya berakhir."
        ),
    )
