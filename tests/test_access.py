"""What of a case each role is shown is what the profile says, on the page, in the API, in lists and units' topics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from histories import SAID, histories, history, last, moved, said
from hypothesis import given
from hypothesis import strategies as st
from support import ADMIN, laporgub, unit_admin
from web_hub import PROFILE, UNIT, Web, web_on

from laporhub.pipeline.access import Eyes, events_as_seen, eyes_of, eyes_of_units, state_as_seen
from laporhub.pipeline.commands import Words
from laporhub.pipeline.events import Drafted, Located, MessageAdded, Noted, Transitioned
from laporhub.pipeline.fanout import forwarded
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_workflow import Fact

BOOK = laporgub()
FACTS: tuple[Fact, ...] = ("text", "place", "files", "notes", "draft", "staff")
NOTE, DRAFT, REASON = "Sudah ditelepon kemarin", "Rumusan yang belum disetujui", "Lengkapi ukuran lubangnya"


def changed(book: Rulebook, roles: dict[str, dict[str, object]] | None = None, **fields: object) -> Rulebook:
    """The rules with other `hides` for roles, and other `seen_by` for `transition__field`."""
    profile = book.profile
    given_ = {
        name: role.model_copy(update=(roles or {}).get(name, {})) for name, role in profile.roles.items()
    }
    steps = dict(profile.transitions)
    for name, seen_by in fields.items():
        step, _, field = name.partition("__")
        inputs = dict(steps[step].fields)
        inputs[field] = inputs[field].model_copy(update={"seen_by": seen_by})
        steps[step] = steps[step].model_copy(update={"fields": inputs})
    return replace(book, profile=profile.model_copy(update={"roles": given_, "transitions": steps}))


def eyes(*hides: Fact) -> Eyes:
    return Eyes(frozenset(hides), frozenset({"admin_unit", "unit"}))


@given(histories, st.sets(st.sampled_from(FACTS)))
def test_what_is_hidden_is_in_nothing_that_is_left(events: list[Any], hides: set[Fact]) -> None:
    seen = events_as_seen(BOOK, events, eyes(*hides))
    state = state_as_seen(last(events), eyes(*hides))
    for event in seen:
        data = event.data
        if isinstance(data, MessageAdded):
            assert "text" not in hides or (data.text == "" and data.sealed_text is None)
            assert "files" not in hides or data.attachments == ()
            assert "place" not in hides or data.location is None or data.location.lat is None
            assert "place" not in hides or data.taken is None
        assert not (isinstance(data, Located) and "place" in hides)
        assert not (isinstance(data, Noted) and "notes" in hides)
        assert not (isinstance(data, Drafted) and "draft" in hides)
        if "staff" in hides and event.actorrole not in ("system", "reporter"):
            assert event.actorid == ""
    if "text" in hides:
        assert SAID not in state.text and state.said == ()
        assert all(not unit.reasons for unit in (state.suggestion.units if state.suggestion else ()))
    if "place" in hides:
        assert not any(each.taken for each in state.said)
    if "draft" in hides:
        assert state.draft is None


@given(histories)
def test_who_is_spared_nothing_sees_everything(events: list[Any]) -> None:
    assert events_as_seen(BOOK, events, eyes()) == events
    assert state_as_seen(last(events), eyes()) == last(events)


def test_a_role_that_there_is_not_sees_nothing() -> None:
    assert eyes_of(BOOK, "orang-lain").hides == frozenset(FACTS)


def test_a_field_is_seen_by_the_roles_and_groups_it_names() -> None:
    step = moved("returned", reason=Words(text=REASON)).but({"transition": "return"})
    for seen_by, role, sees in [
        (("tppm",), "admin_x", True),
        (("admin_x",), "admin_x", True),
        (("tppm",), "admin_unit", False),
        ((), "admin_x", False),
        (None, "pimpinan", True),
    ]:
        book = changed(BOOK, return__reason=seen_by)
        [*_, event] = events_as_seen(book, history(1, [step]), eyes_of(book, role))
        assert isinstance(event.data, Transitioned)
        assert ("reason" in event.data.fields) is sees, (seen_by, role)


def test_a_units_topic_has_only_what_a_role_of_units_sees() -> None:
    from laporhub.pipeline.events import Assigned

    unit = next(iter(BOOK.units))
    events = [
        *history(
            1, [Assigned(unit=unit), said("rahasia"), moved("x", note=Words(text=REASON))], profile=PROFILE
        )
    ]
    events[-1] = events[-1].but({"data": events[-1].data.but({"transition": "dispose"})})
    told = "".join(str(record.value) for record in forwarded(events, None, BOOK))
    assert SAID in told and REASON in told
    blind = changed(BOOK, {"admin_unit": {"hides": ("text",)}}, dispose__note=("tppm",))
    assert eyes_of_units(blind).hides == {"text"}
    told = "".join(str(record.value) for record in forwarded(events, None, blind))
    assert SAID not in told.replace(f"{SAID} jalan", "") and REASON not in told


# ── on the pages ──


async def busy(web: Web) -> str:
    """A case with words, note, draft and a reason, in the hands of its unit."""
    receipt = await web.disposed(1)
    await web.hub.note(receipt.case_id, NOTE, ADMIN)
    await web.hub.act(receipt.case_id, "respond", {"response": DRAFT}, unit_admin(UNIT))
    await web.hub.act(receipt.case_id, "revise", {"reason": REASON}, ADMIN)
    return receipt.ticket


def shows(web: Web, monkeypatch: pytest.MonkeyPatch, book: Rulebook) -> None:
    monkeypatch.setattr(web.hub, "_books", {PROFILE: book})


HIDDEN: list[tuple[Fact, str]] = [
    ("text", "berlubang"),
    ("notes", NOTE),
    ("draft", DRAFT),
    ("place", "Jalan Contoh"),
    ("staff", ADMIN.id),
]


@pytest.mark.parametrize(("fact", "words"), HIDDEN)
async def test_what_a_role_is_spared_is_on_no_page_and_in_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fact: Fact, words: str
) -> None:
    async with web_on(tmp_path) as web:
        ticket = await busy(web)
        bearer = web.bearer("gubernur")
        await web.sign_in("gubernur")

        async def everything() -> str:
            pages = (f"/staff/cases/{ticket}", "/staff?tab=all")
            answers = (f"/api/v1/cases/{ticket}", f"/api/v1/cases/{ticket}/events", "/api/v1/cases")
            return "".join(
                [
                    *[(await web.browser.get(page)).text for page in pages],
                    *[(await web.browser.get(answer, headers=bearer)).text for answer in answers],
                ]
            )

        assert words in await everything()
        shows(web, monkeypatch, changed(BOOK, {"admin_gubernur": {"hides": (fact,)}}))
        assert words not in await everything()


async def test_who_is_spared_the_words_finds_no_case_by_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web_on(tmp_path) as web:
        ticket = await busy(web)
        bearer = web.bearer("gubernur")

        async def found(q: str) -> int:
            answer = await web.browser.get("/api/v1/cases", params={"q": q}, headers=bearer)
            return len(answer.json()["cases"])

        assert (await found("berlubang"), await found("tidakadakata")) == (1, 0)
        shows(web, monkeypatch, changed(BOOK, {"admin_gubernur": {"hides": ("text",)}}))
        assert await found("berlubang") == await found("tidakadakata")
        assert await found(ticket) == 1


async def test_a_leader_sees_neither_notes_nor_what_tppm_and_unit_tell_each_other(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        ticket = await busy(web)
        seen = {}
        for name in ("pimpinan", "pupr", "gubernur"):
            answer = await web.browser.get(f"/api/v1/cases/{ticket}/events", headers=web.bearer(name))
            seen[name] = (NOTE in answer.text, REASON in answer.text)
        assert seen == {"pimpinan": (False, False), "pupr": (True, True), "gubernur": (True, True)}
