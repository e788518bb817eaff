"""The chapters of a report: tables and charts of its figures. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from laporhub.pipeline.figures import Counts, Figures, Report, UnitFigures
from laporhub.reports.names import Names
from laporhub.reports.parts import Amount, Cell, Chart, Section, Table, Translate, change, part

_LONGEST_CHART = 12
"""Bars of a lying chart; the table has all."""


def chapters(report: Report, names: Names) -> Iterator[Section]:
    """All of them; none where there is nothing to tell."""
    t, figures = names.t, report.figures
    if figures.is_empty:
        return
    yield _course(figures, names)
    yield Section(
        t("Aduan masuk"),
        charts=tuple(_charts(figures, names)),
        tables=tuple(_divided(report, names)),
        note=t("Pembagian aduan yang masuk dalam periode ini, menurut keadaannya pada akhir periode."),
    )
    yield _limits(report, names)
    yield _endings(report, names)
    if report.unit is None:
        yield _units(figures, names)
    yield _ratings(report, names)
    yield _routing(report, names)


def _course(figures: Figures, names: Names) -> Section:
    t = names.t
    days = tuple(names.part(each) for each in figures.opened_on)
    opened = tuple(float(number) for number in figures.opened_on.values())
    closed = tuple(float(number) for number in figures.closed_on.values())
    series = ((t("Aduan masuk"), opened), (t("Aduan selesai"), closed))
    return Section(
        t("Masuk dan selesai"), charts=(Chart(t("Masuk dan selesai"), days, series, standing=True),)
    )


def _charts(figures: Figures, names: Names) -> Iterator[Chart]:
    t = names.t
    for title, counts, called in (
        (t("Menurut kanal"), figures.by_channel, names.channel),
        (t("Menurut topik"), figures.by_topic, names.topic),
        (t("Menurut tempat"), figures.by_place, names.place),
    ):
        shown = [(called(name), float(number)) for name, number in counts.items() if name][:_LONGEST_CHART]
        if shown:
            titles, numbers = zip(*shown, strict=True)
            yield Chart(title, titles, ((t("Aduan"), numbers),))


def _divided(report: Report, names: Names) -> Iterator[Table]:
    t, now, before = names.t, report.figures, report.before
    divisions: list[tuple[str, Counts, Counts, Callable[[str], str]]] = [
        (t("Kanal"), now.by_channel, before.by_channel, names.channel),
        (t("Topik"), now.by_topic, before.by_topic, names.topic),
        (t("Instansi"), now.by_unit, before.by_unit, names.unit),
        (t("Tempat (kabupaten/kota)"), now.by_place, before.by_place, names.place),
        (t("Status"), now.by_status, before.by_status, names.status),
        (t("Urgensi"), now.by_urgency, before.by_urgency, names.urgency),
    ]
    for title, counts, earlier, called in divisions:
        if counts:
            yield _compared(title, t("Aduan"), counts, earlier, called, t)


def _compared(
    title: str, what: str, counts: Counts, before: Counts, called: Callable[[str], str], t: Translate
) -> Table:
    """Counts with their share, beside those of the period before; what there was only then comes last."""
    whole = sum(counts.values())
    every = [*counts, *(name for name in before if name not in counts)]
    rows = tuple(
        (
            called(name),
            now := Amount(counts.get(name, 0)),
            part(counts.get(name, 0), whole),
            earlier := Amount(before.get(name, 0)),
            change(now, earlier),
        )
        for name in every
    )
    return Table(title, (title, what, t("Bagian"), t("Periode sebelumnya"), t("Perubahan")), rows)


def _limits(report: Report, names: Names) -> Section:
    t, clocks = names.t, report.figures.clocks
    order = [*names.rulebook.profile.clocks, *clocks]
    shown = [name for name in dict.fromkeys(order) if name in clocks]
    standard = names.rulebook.standard_clocks
    rows: list[tuple[Cell, ...]] = []
    for name in shown:
        clock, before = clocks[name], report.before.clocks.get(name)
        rows.append(
            (
                names.clock(name) if name in standard else t("%(clock)s (tambahan)", clock=names.clock(name)),
                names.limit(name),
                Amount(clock.in_time),
                Amount(clock.late),
                now := part(clock.in_time, clock.in_time + clock.late),
                change(
                    now,
                    part(before.in_time, before.in_time + before.late) if before else Amount(None, "share"),
                ),
                Amount(clock.running),
                Amount(clock.overdue),
                Amount(clock.median_hours, "hours"),
                Amount(clock.most_hours, "hours"),
            )
        )
    columns = (
        t("Tenggat waktu"), t("Batas"), t("Tepat waktu"), t("Terlambat"), t("Bagian tepat waktu"),
        t("Perubahan (poin)"), t("Masih berjalan"), t("Lewat tenggat"), t("Separuh dalam (jam)"),
        t("90 %% dalam (jam)"),
    )  # fmt: skip
    ended = [name for name in shown if clocks[name].in_time + clocks[name].late]
    chart = Chart(
        t("Tenggat yang berakhir dalam periode"),
        tuple(names.clock(name) for name in ended),
        (
            (t("Tepat waktu"), tuple(float(clocks[name].in_time) for name in ended)),
            (t("Terlambat"), tuple(float(clocks[name].late) for name in ended)),
        ),
    )
    return Section(
        t("Standar waktu"),
        charts=(chart,) if ended else (),
        tables=(Table(t("Tenggat waktu"), columns, tuple(rows)),),
        note="" if rows else t("Tidak ada tenggat yang berjalan atau berakhir dalam periode ini."),
    )


def _endings(report: Report, names: Names) -> Section:
    t, now, before = names.t, report.figures, report.before
    tables = []
    if now.by_outcome:
        tables.append(
            _compared(t("Berakhir sebagai"), t("Aduan"), now.by_outcome, before.by_outcome, names.status, t)
        )
    if now.by_reason:
        tables.append(
            _compared(t("Alasan penolakan"), t("Aduan"), now.by_reason, before.by_reason, names.reason, t)
        )
    note = "" if now.by_reason else t("Tidak ada aduan yang ditolak dalam periode ini.")
    return Section(t("Penyelesaian dan penolakan"), tables=tuple(tables), note=note)


def _units(figures: Figures, names: Names) -> Section:
    t = names.t
    columns = (
        t("Instansi"), t("Diterima"), t("Selesai"), t("Dikembalikan"), t("Bagian tepat waktu"),
        t("Melewati tenggat"), t("Nilai (1–5)"), t("Terbuka"), t("Lewat tenggat"),
    )  # fmt: skip
    busiest = sorted(figures.units.items(), key=lambda item: (-item[1].received, -item[1].open, item[0]))
    rows: tuple[tuple[Cell, ...], ...] = tuple((names.unit(name), *_unit_row(unit)) for name, unit in busiest)
    chart = _unit_chart(dict(busiest[:_LONGEST_CHART]), names)
    return Section(
        t("Kinerja instansi"),
        charts=(chart,) if rows else (),
        tables=(Table(t("Instansi"), columns, rows),) if rows else (),
        note="" if rows else t("Belum ada aduan yang diteruskan kepada instansi."),
    )


def _unit_row(unit: UnitFigures) -> tuple[Amount, ...]:
    return (
        Amount(unit.received),
        Amount(unit.closed),
        Amount(unit.returned),
        part(unit.in_time, unit.in_time + unit.late),
        Amount(unit.late_cases),
        Amount(unit.stars / unit.ratings if unit.ratings else None, "stars"),
        Amount(unit.open),
        Amount(unit.overdue),
    )


def _unit_chart(units: Mapping[str, UnitFigures], names: Names) -> Chart:
    t = names.t
    return Chart(
        t("Instansi dengan aduan terbanyak"),
        tuple(names.unit_short(name) for name in units),
        (
            (t("Diterima"), tuple(float(unit.received) for unit in units.values())),
            (t("Selesai"), tuple(float(unit.closed) for unit in units.values())),
        ),
    )


def _ratings(report: Report, names: Names) -> Section:
    t, given, before = names.t, report.figures.ratings, report.before.ratings
    if not given:
        return Section(t("Nilai dari pelapor"), note=t("Belum ada nilai dari pelapor dalam periode ini."))
    stars = {str(star): given.get(str(star), 0) for star in range(5, 0, -1)}
    earlier = {star: before.get(star, 0) for star in stars}
    chart = Chart(
        t("Nilai dari pelapor"),
        tuple(stars),
        ((t("Penilaian"), tuple(float(number) for number in stars.values())),),
    )
    table = _compared(t("Nilai"), t("Penilaian"), stars, earlier, str, t)
    return Section(t("Nilai dari pelapor"), charts=(chart,), tables=(table,))


def _routing(report: Report, names: Names) -> Section:
    t = names.t
    routing, before = report.figures.routing, report.before.routing
    if not routing.judged and not routing.automatic:
        return Section(
            t("Saran instansi dan keputusan"),
            note=t("Belum ada aduan yang punya saran dan sudah diputuskan instansinya."),
        )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (title, Amount(right), now := part(right, whole), change(now, part(earlier, whole_before)))
        for title, right, whole, earlier, whole_before in (
            (
                t("Saran pertama tepat"),
                routing.first_right,
                routing.judged,
                before.first_right,
                before.judged,
            ),
            (
                t("Tiga saran memuat keputusan"),
                routing.in_top3,
                routing.judged,
                before.in_top3,
                before.judged,
            ),
            (t("Saran yang yakin"), routing.sure, routing.judged, before.sure, before.judged),
            (
                t("Sistem ragu, diserahkan ke petugas"),
                routing.judged - routing.sure,
                routing.judged,
                before.judged - before.sure,
                before.judged,
            ),
            (
                t("Tepat di antara yang yakin"),
                routing.sure_right,
                routing.sure,
                before.sure_right,
                before.sure,
            ),
            *(
                (
                    (
                        t("Disposisi otomatis yang kemudian dikembalikan"),
                        routing.automatic_returned,
                        routing.automatic,
                        before.automatic_returned,
                        before.automatic,
                    ),
                )
                if routing.automatic
                else ()
            ),
        )
    )
    columns = (t("Saran instansi"), t("Aduan"), t("Bagian"), t("Perubahan (poin)"))
    return Section(
        t("Saran instansi dan keputusan"),
        tables=(Table(t("Saran instansi"), columns, rows), *_routing_by_unit(report, names)),
        note=t("Dihitung atas %(count)s aduan yang punya saran dan instansi.", count=routing.judged),
    )


def _routing_by_unit(report: Report, names: Names) -> list[Table]:
    """Of the units that people gave judged cases to; none where that is one unit's own report."""
    t, before = names.t, report.before.units
    judged = {name: unit for name, unit in report.figures.units.items() if unit.judged}
    if report.unit is not None or not judged:
        return []
    rows: list[tuple[Cell, ...]] = []
    for name, unit in sorted(judged.items(), key=lambda item: (-item[1].judged, item[0])):
        was = before.get(name, UnitFigures())
        now = part(unit.first_right, unit.judged)
        rows.append(
            (names.unit(name), Amount(unit.judged), now, change(now, part(was.first_right, was.judged)))
        )
    columns = (t("Instansi"), t("Aduan"), t("Saran pertama tepat"), t("Perubahan (poin)"))
    return [Table(t("Ketepatan saran per instansi"), columns, tuple(rows))]
