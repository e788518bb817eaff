"""Duplicates: merged and separated in a running hub, every reporter told on their own channel."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import ADMIN, SUPERVISOR, Clock, form, hub_on, laporgub, unit_admin, whatsapp

from laporhub.hub.hub import Hub
from laporhub.pipeline.access import Eyes, events_as_seen, state_as_seen
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor, Delivery, Redirect, Repeated
from laporhub.pipeline.errors import Conflict, Forbidden, Refused
from laporhub.pipeline.events import ReplyQueued, Transitioned
from laporhub.pipeline.evolve import evolve

UNIT = "dinas-pupr"


def told(hub: Hub, ticket: str) -> list[str]:
    state = hub.case(ticket)
    assert state is not None
    return [reply.purpose for reply in state.replies.values()]


def case(hub: Hub, ticket: str) -> CaseState:
    state = hub.case(ticket)
    assert state is not None
    return state


async def two(hub: Hub) -> tuple[str, str]:
    """The tickets of a report by form, and of one about the same by WhatsApp."""
    main = await hub.receive("laporgub-jateng", "web", form(1))
    double = await hub.receive("laporgub-jateng", "whatsapp", whatsapp(2))
    return main.ticket, double.ticket


async def merge(hub: Hub, double: str, main: str, actor: Actor = ADMIN) -> CaseState:
    return await hub.act(case(hub, double).id, "merge", {"into": main}, actor)


async def answer(hub: Hub, ticket: str, text: str = "Sudah kami tambal.") -> None:
    of = case(hub, ticket).id
    await hub.act(of, "dispose", {"unit": UNIT}, ADMIN)
    await hub.act(of, "respond", {"response": text}, unit_admin(UNIT))
    await hub.act(of, "approve", {}, ADMIN)


async def test_both_reporters_hear_of_one_answer_each_on_their_channel(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, double = await two(hub)
        assert (await merge(hub, double, main)).status == "merged"
        await answer(hub, main)
        assert told(hub, double) == ["ack", "merged", "disposed", "response"]
        said = [e.data for e in hub.events(case(hub, double).id) if isinstance(e.data, ReplyQueued)]
        assert {each.channel for each in said} == {"whatsapp"}
        assert "Sudah kami tambal." in said[-1].text and double in said[-1].text and main not in said[-1].text
        await hub.act(case(hub, main).id, "close", {}, ADMIN)
        assert case(hub, double).status == "closed", "it ends with the one that it follows"


async def test_what_is_sealed_for_one_reporter_is_told_to_no_other(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, double = await two(hub)
        await merge(hub, double, main)
        await answer(hub, main, "Petugas sudah menelepon Anda di 0811 0000 1234.")
        mine, theirs = (
            [e.data for e in hub.events(case(hub, ticket).id) if isinstance(e.data, ReplyQueued)][-1]
            for ticket in (main, double)
        )
        assert mine.sealed and not theirs.sealed and theirs.pattern is None
        assert "0811" not in theirs.text


async def test_a_private_case_answers_nobody_but_its_own_reporter(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        secret = await hub.receive("laporgub-jateng", "web", form(1, private=True))
        double = await hub.receive("laporgub-jateng", "whatsapp", whatsapp(2))
        with pytest.raises(Refused) as refused:
            await merge(hub, double.ticket, secret.ticket)
        assert refused.value.code == "private_case"
        assert (await merge(hub, secret.ticket, double.ticket)).status == "merged", (
            "the other way round it may"
        )


async def test_separated_again_it_goes_its_own_way(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, double = await two(hub)
        await merge(hub, double, main)
        state = await hub.act(case(hub, double).id, "split", {"reason": "Ruas lain."}, ADMIN)
        assert (state.status, state.main) == ("verified", None)
        assert case(hub, main).followers == {}
        await answer(hub, main)
        assert told(hub, double) == ["ack", "merged", "separated"]
        assert state.clocks["disposition"].status == "running"


async def test_who_reopens_theirs_follows_no_more(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, double = await two(hub)
        await merge(hub, double, main)
        await answer(hub, main)
        await hub.act(case(hub, main).id, "close", {}, ADMIN)
        theirs = case(hub, double)
        reporter = Actor(id=theirs.reporter, role="reporter")
        after = await hub.act(theirs.id, "reopen", {"reason": "Di tempat saya belum."}, reporter)
        assert (after.status, after.main) == ("verified", None)
        assert case(hub, main).followers == {}


async def chain(hub: Hub) -> tuple[str, str, str]:
    """The tickets of a case, of one that follows it, and of one that follows that one."""
    main, last = await two(hub)
    middle = (await hub.receive("laporgub-jateng", "web", form(3))).ticket
    await merge(hub, last, middle)
    await merge(hub, middle, main)
    return main, middle, last


async def test_a_chain_of_duplicates_is_told_to_its_end(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, middle, last = await chain(hub)
        await answer(hub, main)
        assert told(hub, last)[-1] == told(hub, middle)[-1] == "response"
        await hub.act(case(hub, main).id, "close", {}, ADMIN)
        assert {case(hub, ticket).status for ticket in (main, middle, last)} == {"closed"}


async def test_what_cannot_be_followed_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, double = await two(hub)
        third = (await hub.receive("laporgub-jateng", "web", form(3))).ticket
        hidden = (await hub.receive("laporgub-jateng", "hotline", form(4))).ticket
        await merge(hub, double, main)
        before = case(hub, third)

        async def refused(ticket: str) -> str:
            with pytest.raises(Refused) as error:
                await merge(hub, third, ticket)
            return error.value.code

        assert await refused("LGWP-0000-0000-0000") in ("no_such_case", "bad_field")
        assert await refused(third) == "itself"
        assert await refused(double) == "follows_itself"
        assert await refused(hidden) == "no_such_case", "what the actor may not see does not exist for them"
        await hub.act(case(hub, main).id, "reject", {"reason": "unclear", "explanation": "x"}, ADMIN)
        assert await refused(main) == "has_ended"
        assert case(hub, third) == before


async def test_two_cases_never_follow_each_other(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, double = await two(hub)
        await merge(hub, double, main)
        with pytest.raises(Conflict):
            await merge(hub, main, double)


async def test_states_are_the_sum_of_their_events_on_both_sides(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        main, double = await two(hub)
        await merge(hub, double, main, SUPERVISOR)
        await answer(hub, main)
        for ticket in (main, double):
            summed: CaseState | None = None
            for event in hub.events(case(hub, ticket).id):
                summed = evolve(summed, event)
            assert summed == case(hub, ticket)
    async with hub_on(tmp_path, clock) as again:
        assert case(again, double).main == case(again, main).id


def words(hub: Hub, ticket: str, purpose: str) -> list[str]:
    said = [event.data for event in hub.events(case(hub, ticket).id)]
    return [each.text for each in said if isinstance(each, ReplyQueued) and each.purpose == purpose]


async def test_the_words_reach_the_end_of_a_chain_of_duplicates(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, middle, last = await chain(hub)
        await answer(hub, main)
        for ticket in (middle, last):
            (said,) = words(hub, ticket, "response")
            assert "Sudah kami tambal." in said and ticket in said
            assert len(words(hub, ticket, "disposed")) == 1


async def by_phone(hub: Hub) -> tuple[str, str, str]:
    """The tickets of a case by WhatsApp, of one that follows it, and of one that follows that one."""
    tickets = [(await hub.receive("laporgub-jateng", "whatsapp", whatsapp(n))).ticket for n in (1, 2, 3)]
    main, middle, last = tickets
    await merge(hub, last, middle)
    await merge(hub, middle, main)
    return main, middle, last


async def comes_to_pass(hub: Hub, ticket: str, kind: type[Delivery | Redirect], **more: object) -> None:
    """Something that concerns the newest reply of the case."""
    state = case(hub, ticket)
    reply = list(state.replies)[-1]
    of = {"id": f"d_{kind.__name__}_{reply}", "profile": state.profile, "case_id": state.id, "at": Clock()()}
    await hub.engine.submit(command=kind.model_validate({**of, "reply_id": reply, **more}))


async def fails(hub: Hub, ticket: str) -> None:
    await comes_to_pass(hub, ticket, Delivery, status="failed", reason="opted_out")


async def test_an_answer_that_is_said_again_is_not_said_again_to_those_who_have_it(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, middle, last = await by_phone(hub)
        await answer(hub, main)
        await fails(hub, main)
        await hub.act(case(hub, main).id, "resend", {}, ADMIN)
        assert [len(words(hub, ticket, "response")) for ticket in (main, middle, last)] == [2, 1, 1]


async def test_whom_the_answer_did_not_reach_hears_it_when_it_is_said_again(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, middle, last = await by_phone(hub)
        await answer(hub, main)
        await fails(hub, main)
        await fails(hub, last)
        await hub.act(case(hub, main).id, "resend", {}, ADMIN)
        assert [len(words(hub, ticket, "response")) for ticket in (main, middle, last)] == [2, 1, 2]
        first, second = words(hub, last, "response")
        assert first == second and "Sudah kami tambal." in second


async def test_an_answer_that_is_said_elsewhere_is_said_to_its_own_reporter_only(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, middle, last = await by_phone(hub)
        await answer(hub, main)
        await fails(hub, main)
        await fails(hub, middle)
        there = {
            "channel": "sms",
            "account": "+6281100000000",
            "conversation": "v_sms",
            "text": "Sekali lagi.",
        }
        await comes_to_pass(hub, main, Redirect, actor=ADMIN, **there)
        assert [len(words(hub, ticket, "response")) for ticket in (main, middle, last)] == [2, 1, 1]


# ── the follower goes the way of the one that it follows ─────────────────────────────────────────


def last_step(hub: Hub, ticket: str) -> Transitioned:
    return [e.data for e in hub.events(case(hub, ticket).id) if isinstance(e.data, Transitioned)][-1]


async def test_a_rejection_is_one_for_all_with_its_reason_and_each_may_object(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, middle, last = await by_phone(hub)
        why = {"reason": "unclear", "explanation": "Hubungi 0811 0000 1234 bila ada bukti."}
        await hub.act(case(hub, main).id, "reject", why, ADMIN)
        for ticket in (middle, last):
            assert case(hub, ticket).status == "rejected", "closed would say that it is solved"
            (said,) = words(hub, ticket, "rejected")
            assert ticket in said and "terlalu umum" in said and "bila ada bukti" in said
            assert "0811 0000 1234" not in said
            assert last_step(hub, ticket).fields["reason"] == "unclear"
        theirs = case(hub, middle)
        reporter = Actor(id=theirs.reporter, role="reporter")
        after = await hub.act(theirs.id, "appeal", {"reason": "Laporan saya jelas."}, reporter)
        assert (after.status, after.main) == ("appealed", None)
        assert case(hub, main).status == case(hub, last).status == "rejected"


async def test_a_handed_over_one_takes_its_followers_along(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, double = await two(hub)
        await merge(hub, double, main)
        office = {"receiver": "regency", "office": "Pemerintah Kota Contoh"}
        await hub.act(case(hub, main).id, "hand_over", office, ADMIN)
        assert case(hub, double).status == "handed_over"
        (said,) = words(hub, double, "handed_over")
        assert "Pemerintah Kota Contoh" in said and double in said
        assert dict(last_step(hub, double).fields).keys() == office.keys(), "its file names the office, too"


async def test_reopened_it_is_handled_again_with_all_who_follow_it_and_they_are_told(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, middle, last = await by_phone(hub)
        await answer(hub, main)
        await comes_to_pass(hub, main, Delivery, status="sent")
        await hub.act(case(hub, main).id, "close", {}, ADMIN)
        assert {case(hub, ticket).status for ticket in (main, middle, last)} == {"closed"}
        await hub.act(case(hub, main).id, "reopen", {"reason": "Lubang lagi."}, ADMIN)
        for ticket, follows in ((middle, main), (last, middle)):
            state = case(hub, ticket)
            assert (state.status, state.main, state.closed_at) == ("merged", case(hub, follows).id, None)
            (said,) = words(hub, ticket, "resumed")
            assert ticket in said and main not in said
            assert words(hub, ticket, "reopened") == [], "they have told us nothing to be thanked for"
        await hub.act(case(hub, main).id, "answer", {"response": "Ditambal lagi."}, ADMIN)
        assert "Ditambal lagi." in words(hub, last, "response")[-1]
        await comes_to_pass(hub, main, Delivery, status="sent")
        await hub.act(case(hub, main).id, "close", {}, ADMIN)
        assert {case(hub, ticket).status for ticket in (main, middle, last)} == {"closed"}


async def test_reopened_before_its_end_the_followers_are_told_that_the_answer_was_not_the_last(
    tmp_path: Path,
) -> None:
    async with hub_on(tmp_path) as hub:
        main, double = await two(hub)
        await merge(hub, double, main)
        await answer(hub, main)
        await hub.act(case(hub, main).id, "reopen", {"reason": "Belum selesai."}, ADMIN)
        assert case(hub, double).status == "merged" and len(words(hub, double, "resumed")) == 1


async def test_an_objection_that_is_granted_counts_for_those_who_follow(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, double = await two(hub)
        await merge(hub, double, main)
        await hub.act(case(hub, main).id, "reject", {"reason": "unclear", "explanation": "x"}, ADMIN)
        reporter = Actor(id=case(hub, main).reporter, role="reporter")
        await hub.act(case(hub, main).id, "appeal", {"reason": "Jelas."}, reporter)
        assert case(hub, double).status == "rejected", "nothing is decided yet"
        await hub.act(case(hub, main).id, "grant", {"explanation": "Benar."}, SUPERVISOR)
        assert case(hub, double).status == "merged" and len(words(hub, double, "resumed")) == 1


REFUSED = {"reason": "unclear", "explanation": "Kurang jelas."}
OTHER_SUPERVISOR = Actor(id="gub-lain", role="admin_gubernur")


async def test_nobody_decides_on_an_objection_to_a_refusal_of_theirs_that_came_by_the_main_report(
    tmp_path: Path,
) -> None:
    async with hub_on(tmp_path) as hub:
        main, *followers = await by_phone(hub)
        await hub.act(case(hub, main).id, "reject", REFUSED, SUPERVISOR)
        for ticket in reversed(followers):
            theirs = case(hub, ticket)
            reporter = Actor(id=theirs.reporter, role="reporter")
            await hub.act(theirs.id, "appeal", {"reason": "Laporan saya jelas."}, reporter)
            for step in ("uphold", "grant"):
                with pytest.raises(Forbidden) as refused:
                    await hub.act(theirs.id, step, {"explanation": "Tetap."}, SUPERVISOR)
                assert refused.value.code == "same_person"
            after = await hub.act(theirs.id, "grant", {"explanation": "Benar."}, OTHER_SUPERVISOR)
            assert after.status == "verified"
            summed: CaseState | None = None
            for event in hub.events(theirs.id):
                summed = evolve(summed, event)
            assert summed == after


async def test_what_a_reporter_does_names_them_in_no_other_case(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, double = await two(hub)
        await merge(hub, double, main)
        await answer(hub, main)
        first = case(hub, main)
        await hub.act(first.id, "close", {}, Actor(id=first.reporter, role="reporter"))
        assert case(hub, double).status == "closed" and last_step(hub, double).repeats is None
        assert first.reporter not in "".join(e.model_dump_json() for e in hub.events(case(hub, double).id))


async def test_who_refused_is_told_to_nobody_who_is_spared_of_staffs_names(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        main, double = await two(hub)
        await merge(hub, double, main)
        await hub.act(case(hub, main).id, "reject", REFUSED, SUPERVISOR)
        assert last_step(hub, double).repeats == Repeated(step="reject", by=SUPERVISOR.id)
        spared = Eyes(frozenset({"staff"}), frozenset())
        seen = events_as_seen(laporgub(), hub.events(case(hub, double).id), spared)
        assert SUPERVISOR.id not in "".join(each.model_dump_json() for each in seen)
        assert SUPERVISOR.id not in state_as_seen(case(hub, double), spared).model_dump_json()
