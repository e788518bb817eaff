"""The contract suite of connectors: every connector through a real hub, and `contract_of`, which is all a plug-in
needs in its tests:

    TestTelegram = contract_of(TelegramSpecimen())

docs/connector-spec.md says what each test is for. Needs the extra `contract`: pytest and hypothesis.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import count

import pytest
from hypothesis import strategies as st

from laporhub.connectors.contract import Greeting, Reading, Signed, SignedBody, Unhooked, damaged, prove
from laporhub.connectors.specimen import FakePlatform, Said, Specimen
from laporhub.hub.contract_ground import (
    Journal,
    dying_after_a_message,
    everything_kept,
    journal,
    secrets_in,
)
from laporhub.hub.contract_running import Ground, Running, ThroughHub
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.connector_abilities import Checks, Greets, Polls

STAFF = Actor(id="suite", role="admin_gubernur")
ANSWER = "Lubang di depan Pasar Contoh sudah ditambal."


class Delivered(ThroughHub):
    """What is handed to the hub, posted or from a file."""

    def test_repeated_shuffled_batched_and_interrupted_each_message_is_there_once(
        self, ground: Ground
    ) -> None:
        numbers = count()

        async def check(running: Running, order: list[int], at_once: int, dies_in: int | None) -> None:
            said = self.crowd(running.clock, f"n{next(numbers)}")
            todo = [said[number % len(said)] for number in [*order, *range(len(said))]]
            for number, start in enumerate(range(0, len(todo), at_once)):
                payloads = self.specimen.batch(todo[start : start + at_once])
                if number == dies_in:  # the first is stored, and the platform hears nothing of it
                    with dying_after_a_message(running.hub):
                        for raw in payloads:
                            with suppress(AssertionError, ConnectionError):
                                await running.deliver(raw)
                    await running.restart()
                for raw in payloads:
                    await running.deliver(raw)
            everything.extend(said)
            assert sorted(each.external_id for each in running.stored()) == self.expected(everything)

        everything: list[Said] = []
        drawn = (st.lists(st.integers(0, 3), max_size=8), st.integers(1, 4), st.none() | st.integers(0, 3))
        with self.lasting(ground) as (runner, running, _):
            prove(lambda *one: runner.run(check(running, *one)), *drawn, examples=12)

    def test_what_nobody_knows_is_kept_as_unsupported(self, ground: Ground) -> None:
        async def check() -> None:
            async with self.hub(ground) as (running, _):
                payloads = self.specimen.unsupported(self.crowd(running.clock)[0])
                for raw in payloads:
                    await running.deliver(raw)
                assert [each.kind for each in running.stored()] == ["unsupported"] * len(payloads)
                assert running.hub.dead_letters() == []

        asyncio.run(check())


class ByHook(Delivered):
    """What is posted."""

    def test_no_payload_is_ever_answered_by_an_error_of_ours(self, ground: Ground) -> None:
        async def post(running: Running, raw: Raw) -> None:
            status = await running.post(self.specimen.posted(raw))
            assert status < 500, f"{status} to {raw.body[:500]!r}"

        with self.lasting(ground) as (runner, running, _):
            odd = damaged(self.specimen.payload(self.crowd(running.clock)[0]))
            prove(lambda raw: runner.run(post(running, raw)), odd, examples=100)

    def test_oversized_is_refused(self, ground: Ground) -> None:
        async def check() -> None:
            async with self.hub(ground) as (running, _):
                large = Raw(b" " * 2**21, "application/json")
                assert await running.post(self.specimen.posted(large)) == 413
                assert running.stored() == []

        asyncio.run(check())

    def test_unsigned_and_stale_are_refused(self, ground: Ground) -> None:
        async def check() -> None:
            async with self.hub(ground) as (running, _):
                said = self.crowd(running.clock)[0]
                sound = self.specimen.posted(self.specimen.payload(said))
                if self.specimen.hook == "signed":
                    assert await running.post(Raw(sound.body, sound.content_type, None, sound.url)) == 403
                if (stale := self.specimen.stale(said)) is not None:
                    assert await running.post(stale) == 403
                assert running.stored() == []

        asyncio.run(check())


class Secretive(ThroughHub):
    """Who writes stays at the door."""

    def test_who_writes_is_in_no_stream_no_table_and_no_log(self, ground: Ground) -> None:
        async def check(written: Journal) -> None:
            async with self.hub(ground) as (running, platform):
                said = self.crowd(running.clock)
                await self.bring(running, platform, said)
                if self.specimen.hook in ("signed", "open"):
                    broken = self.specimen.payload(said[0])
                    await running.post(self.specimen.posted(Raw(broken.body[:-3], broken.content_type)))
                await running.send()
                kept = everything_kept(running.hub.database) + written.lines
                assert len(running.stored()) == len(said)
                for author in {each.author for each in said}:
                    for secret in self.specimen.identity(author):
                        found = [line[:300] for line in kept if secret in line]
                        assert not found, "identity in the clear"
                for secret in secrets_in(self.specimen.settings if platform is None else platform.settings):
                    found = [line[:300] for line in kept if secret in line]
                    assert not found, "a secret of ours in the clear"

        with journal() as written:
            asyncio.run(check(written))

    async def bring(self, running: Running, platform: FakePlatform | None, said: Sequence[Said]) -> None:
        """All of these into the hub, the way this platform has."""
        for each in said:
            if platform is not None:
                platform.arrives(each)
            if self.specimen.hook != "none":
                await running.deliver(self.specimen.payload(each))
        if self.specimen.hook == "none":
            await running.poll()


class Polling(Secretive):
    """A platform that is asked."""

    def test_killed_in_the_middle_of_a_backfill_there_is_no_gap_and_nothing_twice(
        self, ground: Ground
    ) -> None:
        numbers = count()
        everything: list[Said] = []

        async def check(
            running: Running, platform: FakePlatform, deaths: list[int], by_hook_too: set[int]
        ) -> None:
            number = next(numbers)
            said = [each for tag in "abc" for each in self.crowd(running.clock, f"{tag}{number}")]
            for each in said:
                platform.arrives(each)
            for some in by_hook_too if self.specimen.hook != "none" else ():
                await running.deliver(self.specimen.payload(said[some]))
            for death in deaths:
                await running.poll(dies_after=death)
                await running.restart()
            await running.poll()
            late = Said(
                f"akhir{number}", 0, "Jalan di depan Pasar Contoh Batang masih rusak", running.clock()
            )
            platform.arrives(late)
            await running.poll()
            everything.extend([*said, late])
            assert sorted(each.external_id for each in running.stored()) == self.expected(everything)

        drawn = (st.lists(st.integers(0, 8), max_size=3), st.sets(st.integers(0, 8)))
        with self.lasting(ground) as (runner, running, platform):
            assert platform is not None
            prove(lambda *one: runner.run(check(running, platform, *one)), *drawn, examples=8)


class Answering(Secretive):
    """A platform that is talked to."""

    def test_the_answer_goes_where_the_question_came_from(self, ground: Ground) -> None:
        async def check() -> None:
            async with self.hub(ground) as (running, platform):
                assert platform is not None
                said = [each for each in self.crowd(running.clock) if not each.id.endswith("dua")]
                await self.bring(running, platform, said)
                await running.send()
                cases = {self.specimen.where(each): running.case_of(each) for each in said}
                assert len({case.id for case in cases.values()}) == len(said), "conversations are mixed up"
                for case in cases.values():
                    await running.hub.act(case.id, "answer", {"response": f"{ANSWER} {case.ticket}"}, STAFF)
                await running.send()
                for where, case in cases.items():
                    texts = " ".join(each.text for each in platform.heard() if each.where == where)
                    assert texts.count(case.ticket) >= 2, (
                        f"acknowledgement and answer are not at {where}: {texts}"
                    )
                    others = {other.ticket for other in cases.values()} - {case.ticket}
                    assert not [ticket for ticket in others if ticket in texts], "an answer went astray"
                assert {each.where for each in platform.heard()} == set(cases)

        asyncio.run(check())

    @pytest.mark.parametrize("taken", [True, False], ids=["taken", "lost"])
    def test_an_unknown_outcome_is_looked_up_and_nothing_is_sent_twice(
        self, ground: Ground, taken: bool
    ) -> None:
        async def check() -> None:
            async with self.hub(ground) as (running, platform):
                assert platform is not None
                said = self.crowd(running.clock)[0]
                await self.bring(running, platform, [said])
                platform.break_next(taken=taken)
                await running.send()
                await running.restart()
                await running.send()
                texts = [each.text for each in platform.heard()]
                assert len(set(texts)) == len(texts), f"said twice: {texts}"
                (reply,) = running.case_of(said).replies.values()
                if self.specimen.looks_up:
                    assert running.case_of(said).ticket in " ".join(texts), "it never arrived"
                    assert reply.status in ("sent", "delivered", "read")
                else:
                    assert reply.status == "failed", "nobody is told that it may not have arrived"

        asyncio.run(check())

    def test_what_is_long_arrives_whole_and_resumes_where_it_stopped(self, ground: Ground) -> None:
        async def check() -> None:
            async with self.hub(ground) as (running, platform):
                assert platform is not None
                said = self.crowd(running.clock)[0]
                await self.bring(running, platform, [said])
                await running.send()
                before = len(platform.heard())
                words = [f"langkah{number}" for number in range(300)]
                await running.hub.act(
                    running.case_of(said).id, "answer", {"response": " ".join(words)}, STAFF
                )
                if self.specimen.looks_up:  # otherwise it ends there, with a person
                    platform.break_next(taken=False)
                await running.send()
                texts = [each.text for each in platform.heard()][before:]
                found = [word for word in " ".join(texts).split() if word.startswith("langkah")]
                assert found == words

        asyncio.run(check())

    def test_how_the_account_stands_can_be_asked(self, ground: Ground) -> None:
        async def check() -> None:
            async with self.hub(ground) as (running, _):
                if isinstance(running.connector, Checks):
                    assert (await running.connector.check(self.specimen.account)).ok

        asyncio.run(check())


def contract_of(specimen: Specimen) -> type[Reading]:
    """The test class of a connector: all parts of the contract that apply to what it can do.

    Raises AssertionError where the connector can do something that its specimen does not show.
    """
    connector = specimen.connector
    parts: list[type] = [Reading, ByHook if specimen.hook in ("signed", "open") else Unhooked]
    parts += [Delivered] * (specimen.hook == "files")
    parts += [SignedBody if specimen.signs_body else Signed] * (specimen.hook == "signed")
    parts += [Greeting] * isinstance(connector, Greets)
    plays = type(specimen).platform is not Specimen.platform
    assert plays or not isinstance(connector, Polls), (
        f"{specimen.provider} is polled: its specimen needs platform()"
    )
    assert plays or specimen.hook != "none", f"{specimen.provider} has no hook: its specimen needs platform()"
    parts += [Polling] * isinstance(connector, Polls) + [Answering if plays else Secretive]
    bases = sorted(dict.fromkeys(parts), key=lambda part: -len(part.__mro__))
    return type(f"Contract of {specimen.provider}", tuple(bases), {"specimen": specimen})
