"""What an officer asks about a comment is asked in private, where the platform takes that; else in public."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support import COMPLETE
from test_hub_meta import ADMINS, REST, Town, a_town, on_both

from laporhub.pipeline.connector import NOT_TOLD
from laporhub.simulators.meta_answers import Failure
from laporhub.simulators.meta_network import Said, Where

QUESTION = "Apakah nomor Anda 0811 2345 678?"


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with a_town(tmp_path) as made:
        yield made


def private(town: Town) -> list[Said]:
    return [said for said in town.ours() if said.citizen]


def public(town: Town) -> list[Said]:
    """After the receipt, which is always for everybody to see."""
    return [said for said in town.ours() if not said.citizen][1:]


def question(town: Town) -> tuple[str, str | None]:
    """What became of it, and why."""
    [case] = town.cases()
    [asked] = [reply for reply in case.replies.values() if reply.purpose == "question"]
    return asked.status, asked.reason


async def noted(town: Town, where: Where) -> Said:
    """A comment, and our receipt under it."""
    comment = await town.meta.citizen_comments(where, "Warga Contoh", COMPLETE)
    await town.heard()
    assert [said.parent for said in town.ours()] == [comment.id]
    return comment


async def ask(town: Town, where: Where) -> None:
    await town.hub.act(town.cases()[0].id, "ask", {"question": QUESTION}, ADMINS[where])
    await town.heard()


async def settled(town: Town) -> None:
    """All that is to be tried again has been."""
    while town.hub.publisher.next_due() is not None:
        town.clock.forward(minutes=10)
        await town.heard()


@on_both
async def test_it_is_asked_in_private_in_full_and_the_answer_goes_on_with_the_case(
    town: Town, where: Where
) -> None:
    await noted(town, where)
    await ask(town, where)
    [asked] = private(town)
    assert public(town) == []
    assert (asked.citizen, asked.where) == (town.meta.network.citizen(where, "Warga Contoh"), where)
    assert QUESTION in asked.text, "nobody else reads it, so nothing is left out"
    assert question(town) == ("sent", None)
    await town.meta.citizen_messages(where, "Warga Contoh", REST)
    await town.heard()
    [case] = town.cases()
    assert (case.messages, case.status) == (2, "received")


async def test_a_visitors_post_is_answered_in_private_too(town: Town) -> None:
    await town.meta.visitor_posts("Warga Contoh", COMPLETE)
    await town.heard()
    await ask(town, "facebook")
    assert (len(private(town)), public(town)) == (1, [])


@on_both
async def test_a_comment_has_one_and_a_further_comment_another(town: Town, where: Where) -> None:
    comment = await noted(town, where)
    await ask(town, where)
    await ask(town, where)
    assert (len(private(town)), len(public(town))) == (1, 1)
    assert public(town)[0].parent == comment.id
    assert "2345" not in public(town)[0].text, "everybody can read it"
    await town.meta.citizen_comments(where, "Warga Contoh", "Di Kabupaten Batang", under=comment)
    await town.heard()
    await ask(town, where)
    assert len(private(town)) == 2


@on_both
async def test_where_somebody_at_the_office_has_done_so_already_it_is_said_in_public(
    town: Town, where: Where
) -> None:
    comment = await noted(town, where)
    town.meta.network.answered_privately.add(comment.id)
    await ask(town, where)
    assert ([said.parent for said in public(town)], private(town)) == ([comment.id], [])
    assert question(town) == ("sent", None)


@pytest.mark.parametrize("code", [10, 200, 10902, 551])
async def test_what_the_platform_does_not_take_in_private_stops_nothing(town: Town, code: int) -> None:
    comment = await noted(town, "facebook")
    town.meta.failures.append(Failure.refused(code))
    await ask(town, "facebook")
    assert ([said.parent for said in public(town)], private(town)) == ([comment.id], [])
    assert town.hub.publisher.stopped_accounts == []


async def test_after_a_week_it_is_said_in_public(town: Town) -> None:
    comment = await noted(town, "facebook")
    town.clock.forward(days=7, minutes=1)
    town.meta.log.clear()
    await ask(town, "facebook")
    assert [said.parent for said in public(town)] == [comment.id]
    assert not any(entry.path.endswith("/messages") for entry in town.meta.log), "and not tried in private"


async def test_a_dead_token_loses_nothing_and_says_nothing_in_public(town: Town) -> None:
    await noted(town, "facebook")
    town.meta.dead.add(town.meta.token)
    await ask(town, "facebook")
    assert (private(town), public(town)) == ([], [])
    town.meta.dead.clear()
    await settled(town)
    assert (len(private(town)), public(town)) == (1, [])


@on_both
@pytest.mark.parametrize("taken", [True, False])
async def test_a_private_reply_whose_fate_is_unknown_is_said_once(
    town: Town, where: Where, taken: bool
) -> None:
    await noted(town, where)
    town.meta.failures.append(Failure.drop(taken=taken))
    await ask(town, where)
    await settled(town)
    assert (len(private(town)), public(town)) == (1, [])
    assert question(town) == ("sent", None)


@on_both
@pytest.mark.parametrize("taken", [True, False])
async def test_of_unknown_fate_after_a_refusal_in_private_it_is_looked_for_in_public(
    town: Town, where: Where, taken: bool
) -> None:
    await noted(town, where)
    town.meta.failures += [Failure.refused(10903), Failure.drop(taken=taken)]
    await ask(town, where)
    await settled(town)
    # What was not taken in public may be taken in private the second time: never in both.
    assert (len(public(town)), len(private(town))) == ((1, 0) if taken else (0, 1))
    assert question(town) == ("sent", None)


async def test_where_the_platform_says_it_was_answered_and_nobody_finds_it_a_person_is_asked(
    town: Town,
) -> None:
    await noted(town, "instagram")
    town.meta.failures.append(Failure.drop(taken=True))
    await ask(town, "instagram")
    town.meta.network.directs.clear()  # it lies where the list of conversations does not show it
    await settled(town)
    assert (private(town), public(town)) == ([], [])
    assert question(town) == ("failed", NOT_TOLD)
