"""A report says what the events say: as a slow recount does, as the dashboards do, as the lists do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from histories import HOUR, history, moved, reply, said, some_histories, started, suggested
from hypothesis import given
from hypothesis import strategies as st
from lens_recount import Recount as Lens
from lens_recount import same
from report_recount import Recount
from support import ADMIN, MONDAY, form, laporgub
from test_case_life import Life

from laporhub.dashboards.grid import panels
from laporhub.dashboards.leaders import leaders
from laporhub.dashboards.lens import lens
from laporhub.pipeline.commands import Note, Words
from laporhub.pipeline.counting import figures, make_report
from laporhub.pipeline.events import Assigned, CaseEvent, ClockAlarmed, ClockStopped, Rated, Transitioned
from laporhub.pipeline.figures import Figures
from laporhub.pipeline.periods import Period, parse_period
from laporhub.pipeline.profile.section import say
from laporhub.sinks.documents import event_document

RULES = laporgub()
ZONE = RULES.calendar.zone
NOVEMBER = parse_period("2026-11", ZONE)
LATER = datetime(2027, 3, 1, tzinfo=UTC)
Histories = list[list[CaseEvent]]


# ── made-up histories that reach across months ───────────────────────────────────────────────────


def of_the_profile(event: CaseEvent) -> CaseEvent:
    """The steps of made-up histories under the names of the real profile."""
    data, given = event.data, {"profile": RULES.name}
    if isinstance(data, Transitioned) and data.ends:
        given["data"] = data.but({"transition": "reject" if event.sequence % 3 else "close"})
    return event.but(given)


@st.composite
def spread(draw: st.DrawFn) -> Histories:
    """Cases of August to January, their events minutes to weeks apart."""
    found = []
    for events in draw(some_histories):
        at = datetime(2026, 9, 20, tzinfo=UTC) + timedelta(hours=draw(st.integers(0, 24 * 100)))
        moved_on, status = [], "received"
        for event in events:
            at += timedelta(minutes=draw(st.sampled_from((1, 90, 60 * 30, 60 * 24 * 12))))
            event = of_the_profile(event).but({"time": at})
            if isinstance(step := event.data, Transitioned):
                event, status = event.but({"data": step.but({"source": status})}), step.target
            moved_on.append(event)
        found.append(moved_on)
    return found


periods = st.sampled_from(
    ["2026-10", "2026-11", "2026-12", "2026-Q4", "2026", "2026-11-01..2026-11-23", "2027-01"]
).map(lambda written: parse_period(written, ZONE))
units = st.sampled_from([None, "dishub", "pdam"])


def as_json(histories: Histories) -> list[dict[str, Any]]:
    return [json.loads(event.model_dump_json()) for events in histories for event in events]


def agrees(made: Figures, counted: dict[str, Any]) -> None:
    whole = made.model_dump(mode="json")
    for name, wanted in counted.items():
        if name == "clocks":
            assert {
                clock: {key: whole["clocks"][clock][key] for key in each} for clock, each in wanted.items()
            } == wanted
            assert whole["clocks"].keys() == wanted.keys()
        elif name == "routing":
            assert {key: whole["routing"][key] for key in wanted} == wanted
        elif name in ("mean_hours", "median_hours"):
            assert whole[name] == pytest.approx(wanted, abs=0.002), name
        else:
            assert whole[name] == wanted, name


@given(spread(), periods, units, st.sampled_from([LATER, datetime(2026, 11, 20, 5, tzinfo=UTC)]))
def test_figures_are_what_a_slow_recount_of_the_events_gives(
    histories: Histories, period: Period, unit: str | None, now: datetime
) -> None:
    report = make_report(histories, RULES, period, unit, now)
    for made, of in ((report.figures, period), (report.before, period.before)):
        agrees(made, Recount(as_json(histories), of.start, of.end, min(of.end, now), unit).figures())


@given(spread(), periods)
def test_the_parts_of_a_report_add_up(histories: Histories, period: Period) -> None:
    made = figures(histories, RULES, period, None, LATER)
    for divided in (
        made.by_channel,
        made.by_status,
        made.by_unit,
        made.by_topic,
        made.by_urgency,
        made.by_place,
    ):
        assert sum(divided.values()) == made.cases
    assert sum(made.opened_on.values()) == made.cases
    assert sum(made.closed_on.values()) == made.closed == sum(made.by_outcome.values())
    assert sum(made.by_reason.values()) == made.rejected
    assert tuple(made.opened_on) == tuple(made.closed_on) == period.parts
    assert made.overdue <= made.open


@given(spread(), periods)
def test_a_units_own_report_says_of_it_what_the_whole_report_says(
    histories: Histories, period: Period
) -> None:
    whole = figures(histories, RULES, period, None, LATER)
    for name, line in whole.units.items():
        own = figures(histories, RULES, period, name, LATER)
        assert own.units == {name: line}
        assert (own.cases, own.closed, own.returned) == (line.received, line.closed, line.returned)
        assert (own.late_cases, own.open, own.overdue) == (line.late_cases, line.open, line.overdue)
        assert own.rating == (line.stars / line.ratings if line.ratings else None)


@given(spread(), periods, st.data())
def test_a_period_that_is_over_stays_as_it_was(
    histories: Histories, period: Period, data: st.DataObject
) -> None:
    """Whatever happens later, and in whichever order cases are read."""
    then = make_report(histories, RULES, period, None, period.end)
    known = [[event for event in events if event.time < period.end] for events in histories]
    shuffled = data.draw(st.permutations([events for events in known if events]))
    assert make_report(shuffled, RULES, period, None, LATER) == then.but({"at": min(period.end, LATER)})


@given(spread(), st.sampled_from(["2026-Q4", "2026"]))
def test_what_happened_in_a_year_is_what_happened_in_its_months(histories: Histories, written: str) -> None:
    whole = figures(histories, RULES, long := parse_period(written, ZONE), None, LATER)
    months = [figures(histories, RULES, parse_period(each, ZONE), None, LATER) for each in long.parts]
    for name in ("cases", "rejected", "returned"):
        assert getattr(whole, name) == sum(getattr(month, name) for month in months)
    for clock, kept in whole.clocks.items():
        ended = [month.clocks[clock] for month in months if clock in month.clocks]
        assert (kept.in_time, kept.late) == (sum(e.in_time for e in ended), sum(e.late for e in ended))


# ── the leaders' dashboard ───────────────────────────────────────────────────────────────────────

PANELS = {say(panel.title, "id"): panel for panel in panels(leaders(RULES))}


def shown(title: str, histories: Histories, period: Period) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """What Kibana counts for a panel of the leaders' page in that span of time."""
    docs = [event_document(e) for events in histories for e in events if period.start <= e.time < period.end]
    return Lens(lens(PANELS[title], "view", "id"), docs, LATER, RULES.profile.time_zone).rows()


@given(spread(), periods)
def test_the_report_has_the_numbers_of_the_leaders_dashboard(histories: Histories, period: Period) -> None:
    made = figures(histories, RULES, period, None, LATER)
    standard = [clock for name, clock in made.clocks.items() if name in RULES.standard_clocks]
    in_time, ended = sum(c.in_time for c in standard), sum(c.in_time + c.late for c in standard)
    for title, number in (
        ("Aduan masuk", made.cases),
        ("Aduan selesai", made.closed),
        ("Tepat waktu", in_time / ended if ended else None),
        ("Aduan terlambat", made.late_cases),
        ("Kepuasan pelapor", made.rating),
    ):
        assert same(shown(title, histories, period)[()][0], number), title
    donut = shown("Kanal", histories, period)
    assert {key: number for (key,), (number,) in donut.items()} == made.by_channel
    stars = shown("Nilai dari pelapor", histories, period)
    assert {str(key): number for (key,), (number,) in stars.items()} == made.ratings
    for (unit,), (_, late, prompt, rating) in shown("Kinerja per instansi", histories, period).items():
        line = made.units.get(unit)
        if line is None:
            assert (late, prompt, rating) == (0, None, None)
            continue
        assert late == line.late_cases
        assert same(prompt, line.in_time / (line.in_time + line.late) if line.in_time + line.late else None)
        assert same(rating, line.stars / line.ratings if line.ratings else None)


# ── one case, told ───────────────────────────────────────────────────────────────────────────────


def test_one_case_told_in_full() -> None:
    steps = [
        suggested("dishub", "pdam", sure=True),
        started("first_response"),
        Assigned(unit="pdam"),
        ClockStopped(clock="first_response", late=False),
        Assigned(unit=None, previous="pdam"),
        Assigned(unit="dishub"),
        started("unit_response"),
        ClockAlarmed(clock="unit_response", alarm="0", late=True),
        ClockStopped(clock="unit_response", late=True),
        Transitioned(transition="close", source="answered", target="closed", ends=True),
        Rated(rating=4),
    ]
    made = figures([[of_the_profile(e) for e in history(1, steps)]], RULES, NOVEMBER, None, LATER)
    assert (made.cases, made.closed, made.returned, made.late_cases, made.open) == (1, 1, 1, 1, 0)
    assert (made.by_topic, made.by_place, made.by_unit) == ({"jalan": 1}, {"33.25": 1}, {"dishub": 1})
    assert (made.clocks["first_response"].in_time, made.clocks["unit_response"].late) == (1, 1)
    assert made.clocks["first_response"].median_hours == pytest.approx(2 / 60, abs=0.001)
    assert made.routing.model_dump() == {
        "judged": 1, "first_right": 1, "in_top3": 1, "sure": 1, "sure_right": 1,
        "automatic": 0, "automatic_returned": 0,
    }  # fmt: skip
    assert (made.units["pdam"].received, made.units["pdam"].returned) == (1, 1)
    assert (made.units["dishub"].late, made.units["dishub"].stars) == (1, 4)
    assert made.rating == 4
    assert made.opened_on["2026-11-23"] == 1


@pytest.mark.parametrize(
    ("then", "counted"),
    [
        ([], (0, 0, 1, 0)),
        (["kept"], (1, 1, 1, 0)),
        (["returned"], (0, 0, 1, 1)),
        (["returned", "again"], (1, 0, 1, 1)),
    ],
)
def test_what_was_disposed_automatically_is_judged_once_people_acted(
    then: list[str], counted: tuple[int, int, int, int]
) -> None:
    by_the_unit = {"actorrole": "admin_unit", "actorunit": "dishub"}
    happens = {
        "kept": (Transitioned(transition="respond", source="disposed", target="answered"), by_the_unit),
        "returned": (Assigned(unit=None, previous="dishub"), by_the_unit),
        "again": (Assigned(unit="pdam"), {"actorrole": "admin_gubernur"}),
    }
    steps = [(suggested("dishub"), {}), (Assigned(unit="dishub"), {}), *(happens[name] for name in then)]
    events = [of_the_profile(event) for event in history(1, [data for data, _ in steps])]
    first = len(events) - len(steps)
    told = [
        event.but({"actorrole": "system", "actorunit": None, **(steps[n - first][1] if n >= first else {})})
        for n, event in enumerate(events)
    ]
    found = figures([told], RULES, NOVEMBER, None, LATER).routing
    assert (found.judged, found.first_right, found.automatic, found.automatic_returned) == counted


def test_a_midnight_belongs_to_the_day_that_begins_on_the_offices_clock() -> None:
    midnight = datetime(2026, 10, 31, 17, tzinfo=UTC)  # 00.00 WIB
    first = history(1, at=midnight - timedelta(minutes=1))[:1]
    last = history(2, at=midnight - timedelta(minutes=2))[:1]
    made = make_report([first, last], RULES, NOVEMBER, None, LATER)
    assert (made.figures.cases, made.before.cases) == (1, 1)
    assert (made.figures.opened_on["2026-11-01"], made.before.opened_on["2026-10-31"]) == (1, 1)


def test_a_rejection_has_the_reason_that_was_chosen_and_never_what_was_typed() -> None:
    chosen = Transitioned(
        transition="reject", source="received", target="rejected", ends=True, fields={"reason": "unclear"}
    )
    typed = chosen.but({"fields": {"reason": "Siti Contohwati bohong"}})
    made = figures([history(1, [chosen]), history(2, [typed])], RULES, NOVEMBER, None, LATER)
    assert (made.rejected, made.by_reason) == (2, {"": 1, "unclear": 1})


def step(name: str, source: str, target: str, **fields: Any) -> Transitioned:
    ends = RULES.profile.states[target].final
    return Transitioned(transition=name, source=source, target=target, ends=ends, fields=fields)


def test_a_rating_after_the_end_closes_no_case_again() -> None:
    closed, rated = step("close", "answered", "closed"), step("rate", "closed", "closed")
    events = history(1, [closed, rated])
    events[-1] = events[-1].but({"time": NOVEMBER.end + HOUR})
    december = parse_period("2026-12", ZONE)
    report = make_report([events], RULES, december, None, LATER)
    assert (report.before.closed, report.figures.closed) == (1, 0)
    for month, number in ((NOVEMBER, 1), (december, 0)):
        assert shown("Aduan selesai", [events], month)[()][0] == number


def test_an_objection_that_is_turned_down_is_no_second_rejection() -> None:
    steps = [
        step("reject", "received", "rejected", reason="unclear"),
        step("appeal", "rejected", "appealed"),
        step("uphold", "appealed", "rejected"),
    ]
    events = history(1, steps)
    made = figures([events], RULES, NOVEMBER, None, LATER)
    assert (made.closed, made.rejected, made.by_reason) == (1, 1, {"unclear": 1})
    events[-1] = events[-1].but({"time": NOVEMBER.end + HOUR})
    made = figures([events], RULES, parse_period("2026-12", ZONE), None, LATER)
    assert (made.closed, made.rejected, made.by_reason) == (1, 0, {}), (
        "it ended again, and was rejected before"
    )


def test_a_case_closed_by_a_machine_whose_clock_is_behind_is_in_one_month() -> None:
    life = Life()
    life.says("web", form(1))
    life.now = NOVEMBER.end + timedelta(seconds=5)
    life.applies(
        Note(
            id="n",
            profile=RULES.name,
            case_id=life.case.id,
            at=life.now,
            actor=ADMIN,
            words=Words(text="Catatan."),
        )
    )
    life.now -= timedelta(seconds=10)
    life.does(ADMIN, "reject", reason="unclear", explanation="Tidak jelas.")
    assert [event.time for event in life.events] == sorted(event.time for event in life.events)
    report = make_report([life.events], RULES, parse_period("2026-12", ZONE), None, LATER)
    assert (report.before.closed, report.figures.closed) == (0, 1)


def test_a_case_that_is_open_and_past_its_time_counts_until_it_moves() -> None:
    events = history(1, [started("first_response")])
    assert figures([events], RULES, NOVEMBER, None, MONDAY + HOUR).overdue == 0
    late = figures([events], RULES, NOVEMBER, None, LATER)
    assert (late.open, late.overdue, late.clocks["first_response"].overdue) == (1, 1, 1)
    december = figures([events], RULES, parse_period("2026-12", ZONE), None, LATER)
    assert (december.cases, december.open, december.overdue) == (0, 1, 1)


def test_nothing_of_what_anybody_said_or_is_gets_into_a_report() -> None:
    steps = [said("lagi"), moved("disposed", note="ucapan"), reply("r"), suggested("dishub")]
    report = make_report([history(1, steps)], RULES, NOVEMBER, None, LATER)
    text = report.model_dump_json()
    assert not [mark for mark in ("reporter-mark", "sealed-mark", "ucapan", "LG", "Contoh") if mark in text]


def test_without_any_case_a_report_is_empty_and_says_so() -> None:
    report = make_report([], RULES, NOVEMBER, None, LATER)
    assert report.figures.is_empty and report.is_final
    assert (report.figures.rating, report.figures.mean_hours) == (None, None)
