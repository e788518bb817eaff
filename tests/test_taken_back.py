"""What reporters rewrite or take back on their platform: the case stays, the words are shown to nobody."""

from __future__ import annotations

import io
import itertools
import json
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support import COMPLETE, SUPERVISOR, Clock, Stub, hub_on, laporgub

from laporhub.connectors import download
from laporhub.connectors.download import Fetched
from laporhub.hub.blobs import FolderBlobs
from laporhub.hub.compose import keeper
from laporhub.hub.hub import Hub
from laporhub.pipeline import said
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.connector import Outcome, Outgoing, Parsed, Raw, Sent, Withdrawn
from laporhub.pipeline.connector_abilities import Greeting
from laporhub.pipeline.decide import decide
from laporhub.pipeline.errors import RetryLater
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.fanout import forwarded
from laporhub.pipeline.intake import add_to, interpret, withdrawal
from laporhub.pipeline.messages import Attachment, Inbound, Location, Message
from laporhub.pipeline.store import cases
from laporhub.pipeline.tracking import Query
from laporhub.web import history
from laporhub.web.i18n import translator

PROFILE, OFFICE = "laporgub-jateng", "@LaporGub_"
SECRET = "Nama saya Warga Contoh, nomor 0811 0000 0001"
PLACE = Location(address="Jalan Contoh, Batang")


class Square:
    """A public platform in JSON: what its citizens say, rewrite and delete."""

    able = True

    def verify(self, raw: Raw) -> None:
        pass

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        given = json.loads(raw.body)
        if given.pop("deleted", False):
            return [Withdrawn(given["external_id"], given.get("author_id"), given.get("account"))]
        return [Inbound.model_validate({"author_id": "u1", "account": OFFICE} | given)]

    def split(self, text: str) -> Sequence[str]:
        return [text]

    async def publish(self, outgoing: Outgoing) -> Outcome:
        return Sent(f"P-{outgoing.reply_id}")

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | None:
        return None

    def acknowledge(self, raw: Raw) -> Greeting:
        return Greeting("ok")


@asynccontextmanager
async def hub_on_the_square(folder: Path, clock: Clock | None = None) -> AsyncIterator[Hub]:
    async with hub_on(folder, clock) as hub:
        hub._connectors = {**hub._connectors, "x": Square()}
        yield hub


async def says(hub: Hub, **payload: object) -> None:
    await hub.take(PROFILE, None, "x", Raw(json.dumps(payload, default=str).encode()))


def every_case(hub: Hub) -> list[CaseState]:
    with hub.database.connect() as connection:
        return [state for some in cases.every_case(connection) for state in some]


def only_case(hub: Hub) -> CaseState:
    [state] = every_case(hub)
    return state


def kinds(hub: Hub, state: CaseState) -> list[str]:
    return [event.data.kind for event in hub.events(state.id)]


def found(hub: Hub, words: str) -> int:
    return len(hub.tracking.find(Query((PROFILE,), text=words), hub.now()).cases)


# ── the words, added up ──


def message(number: int, text: str, replaces: int | None = None, **more: object) -> Message:
    given: dict[str, object] = {
        "id": f"m_{number}", "profile": PROFILE, "channel": "x", "account": OFFICE, "external_id": str(number),
        "conversation": "v", "reporter": "p", "text": text, "sealed_identity": "v1.k.x",
        "replaces": None if replaces is None else f"m_{replaces}", "received_at": Clock()(),
    }  # fmt: skip
    return Message.model_validate(given | more)


TEXTS = st.text(st.sampled_from("ab \n"), max_size=9)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), TEXTS, st.just(0)),
        st.tuples(st.just("edit"), TEXTS, st.integers(0, 9)),
        st.tuples(st.just("withdraw"), st.just(""), st.integers(0, 9)),
    ),
    max_size=12,
)


RULES = laporgub()


@given(first=TEXTS, acts=ACTS)
def test_the_state_holds_what_stands_and_nothing_else(first: str, acts: list[tuple[str, str, int]]) -> None:
    """Whatever is rewritten and taken back, in any order, what remains is joined in the order it was first said."""
    rules, numbers = RULES, itertools.count(1)
    opening = interpret(rules, message(0, first), None)
    state = None
    for event in decide(rules, None, opening, Stub(), "LGXX-0000-0000-0000"):
        state = evolve(state, event)
    assert state is not None
    stands: dict[int, str | None] = {0: first}
    for act, text, which in acts:
        root = which % len(stands)
        if act == "withdraw":
            command = withdrawal(f"m_{list(stands)[root]}", state, Clock()())
            stands[list(stands)[root]] = None
        else:
            number = next(numbers)
            edited = list(stands)[root] if act == "edit" else None
            if edited is not None and stands[edited] is None:
                continue  # the batch refuses those
            command = add_to(message(number, text, edited), state)  # type: ignore[assignment]
            stands[number if edited is None else edited] = text
        for event in decide(rules, state, command, Stub()):
            state = evolve(state, event)
    assert state.text == "\n".join(text for text in stands.values() if text)
    assert [each.gone for each in state.said] == [text is None for text in stands.values()]
    assert state.messages == len(stands)


def test_an_older_version_that_comes_late_changes_nothing() -> None:
    rules, clock = RULES, Clock()
    state = None
    for event in decide(rules, None, interpret(rules, message(0, COMPLETE), None), Stub(), "T"):
        state = evolve(state, event)
    assert state is not None
    newer, older = clock.forward(minutes=2), clock.at.replace(minute=1)
    for event in decide(rules, state, add_to(message(2, "kedua", 0, sent_at=newer), state), Stub()):
        state = evolve(state, event)
    assert decide(rules, state, add_to(message(1, "pertama", 0, sent_at=older), state), Stub()) == []
    assert state.text == "kedua"


def test_very_long_words_stay_within_what_the_state_keeps() -> None:
    rules = RULES
    state = None
    for event in decide(rules, None, interpret(rules, message(0, "a" * 15_000), None), Stub(), "T"):
        state = evolve(state, event)
    assert state is not None
    for command in (add_to(message(1, "b" * 15_000), state), add_to(message(2, "c"), state)):
        for event in decide(rules, state, command, Stub()):
            state = evolve(state, event)
    assert len(state.text) == said.TEXT_KEPT
    for event in decide(rules, state, withdrawal("m_0", state, Clock()()), Stub()):
        state = evolve(state, event)
    assert set(state.text) == {"b"}


# ── through the hub ──


async def test_a_deleted_message_leaves_ticket_history_and_clocks_and_no_words(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on_the_square(tmp_path, clock) as hub:
        photo = [Attachment(url="https://files.example/1.jpg").model_dump()]
        await says(
            hub, external_id="1", text=f"{COMPLETE}. {SECRET}", location=PLACE.model_dump(), attachments=photo
        )
        before = only_case(hub)
        assert found(hub, "Contoh") == 1
        clock.forward(hours=1)
        await says(hub, external_id="1", deleted=True, account=OFFICE)
        await says(hub, external_id="1", deleted=True)  # and once more, without the account
        state = only_case(hub)
        assert (state.ticket, state.status) == (before.ticket, before.status)
        assert state.clocks == before.clocks, "no clock begins anew"
        assert (state.text, state.location, state.attachments) == ("", None, 0)
        assert found(hub, "Contoh") == 0
        assert kinds(hub, state).count("message_withdrawn") == 1
        assert kinds(hub, state).count("reply_queued") == kinds(hub, before).count("reply_queued")
        shown = json.dumps([event.model_dump(mode="json") for event in hub.events(state.id)])
        assert "Pasar Contoh" not in shown
        assert "files.example" not in shown
        [entry, *_] = history.conversation(RULES, state, hub.events(state.id), translator("id"))
        assert (entry.text, entry.attachments, entry.fate) == ("", (), "withdrawn")
        attention = hub.tracking.find(Query((PROFILE,), attention=True), clock())
        assert [each.ticket for each in attention.cases] == [state.ticket], "a person is told"


async def test_the_sealed_original_is_taken_out_of_the_database(tmp_path: Path) -> None:
    async with hub_on_the_square(tmp_path) as hub:
        await says(hub, external_id="1", text=f"{COMPLETE}. {SECRET}", name="Warga Contoh")
        await says(
            hub, external_id="2", text=f"Nomor kami juga 0811 0000 0002. {COMPLETE}", name="Warga Contoh"
        )
        await says(hub, external_id="1", deleted=True)
    connection = sqlite3.connect(tmp_path / "hub.db")
    bodies = [json.loads(body) for (body,) in connection.execute("SELECT body FROM events ORDER BY id")]
    heard = [body["data"] for body in bodies if body["data"]["kind"] == "message_added"]
    stored = [
        json.loads(body) for (body,) in connection.execute('SELECT body FROM messages ORDER BY "offset"')
    ]
    connection.close()
    assert ["sealed_text" in each for each in heard] == [False, True]
    assert [bool(each.get("sealed_text")) for each in stored] == [False, True]
    assert all("sealed_identity" in each for each in heard), "who it was is not forgotten by it"


def small(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (shade, 90, 90)).save(out, "JPEG")
    return out.getvalue()


PHOTO, OTHER = "https://files.example/1.jpg", "https://files.example/2.jpg"


@asynccontextmanager
async def keeping(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Hub, Clock]]:
    """A hub on the square that can fetch two photos."""

    async def fetch(url: str, *_: object) -> Fetched:
        return Fetched({PHOTO: small(1), OTHER: small(2)}[url], None)

    monkeypatch.setattr(download, "fetch", fetch)
    clock = Clock()
    async with hub_on_the_square(folder, clock) as hub:
        yield hub, clock


async def kept(hub: Hub, clock: Clock) -> None:
    """All that is due now and in the next hour."""
    for _ in range(8):
        while await keeper(hub, {}).keep_due():
            pass
        clock.forward(minutes=10)


def blobs(folder: Path) -> list[Path]:
    return [path for path in (folder / "files").rglob("*") if path.is_file()]


def attached(*urls: str) -> list[dict[str, Any]]:
    return [Attachment(url=url).model_dump() for url in urls]


async def test_photos_of_a_deleted_message_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with keeping(tmp_path, monkeypatch) as (hub, clock):
        await says(hub, external_id="1", text=COMPLETE, attachments=attached(PHOTO))
        await says(hub, external_id="2", text="Ini juga", attachments=attached(OTHER))
        await kept(hub, clock)
        assert len(blobs(tmp_path)) == 6, "as they came, large, small"
        await says(hub, external_id="1", deleted=True)
        [left] = hub.files(only_case(hub).id)
        await kept(hub, clock)
        assert len(blobs(tmp_path)) == 3
        assert hub.file(left) == small(2)
        with hub.database.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM files").scalar() == 1


async def test_photos_of_a_rewritten_message_are_deleted_unless_they_came_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with keeping(tmp_path, monkeypatch) as (hub, clock):
        await says(hub, external_id="1", text=COMPLETE, attachments=attached(PHOTO, OTHER))
        await kept(hub, clock)
        await says(hub, external_id="1#2", replaces="1", text=f"{COMPLETE}!", attachments=attached(PHOTO))
        await kept(hub, clock)
        [left] = hub.files(only_case(hub).id)
        assert hub.file(left) == small(1)
        assert len(blobs(tmp_path)) == 3


async def test_a_photo_that_is_being_fetched_while_its_message_is_deleted_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with keeping(tmp_path, monkeypatch) as (hub, clock):
        await says(hub, external_id="1", text=COMPLETE, attachments=attached(PHOTO))
        honest = download.fetch

        async def slow(url: str, *given: Any) -> Fetched:
            await says(hub, external_id="1", deleted=True)
            return await honest(url, *given)

        monkeypatch.setattr(download, "fetch", slow)
        await kept(hub, clock)
        assert list(hub.files(only_case(hub).id)) == []
        assert blobs(tmp_path) == []


async def test_deleting_a_photo_is_tried_until_its_store_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with keeping(tmp_path, monkeypatch) as (hub, clock):
        await says(hub, external_id="1", text=COMPLETE, attachments=attached(PHOTO))
        await kept(hub, clock)

        def away(*_: object) -> None:
            raise RetryLater("away")

        with monkeypatch.context() as patch:
            patch.setattr(FolderBlobs, "delete", away)
            await says(hub, external_id="1", deleted=True)
            for _ in range(20):
                await kept(hub, clock)
        assert len(blobs(tmp_path)) == 3
        clock.forward(hours=6)
        await kept(hub, clock)
        assert blobs(tmp_path) == []


async def test_a_rewritten_message_has_its_new_words_everywhere(tmp_path: Path) -> None:
    async with hub_on_the_square(tmp_path) as hub:
        await says(hub, external_id="1", text=COMPLETE, phone="+6281100000001", location=PLACE.model_dump())
        unit = next(iter(hub.rulebooks[PROFILE].units))
        await hub.act(only_case(hub).id, "dispose", {"unit": unit}, SUPERVISOR)
        before = only_case(hub)
        edit = {"external_id": "1#2", "replaces": "1", "text": "Lampu jalan mati di Desa Contohan"}
        await says(hub, **edit)
        await says(hub, **edit)
        state = only_case(hub)
        assert state.text == "Lampu jalan mati di Desa Contohan"
        assert (found(hub, "berlubang"), found(hub, "lampu")) == (0, 1)
        assert (state.clocks, state.status, state.unit) == (before.clocks, before.status, unit)
        assert len(state.replies) == len(before.replies), "nobody is answered for a correction"
        said_now = history.conversation(RULES, state, hub.events(state.id), translator("id"))
        assert [(e.text, e.fate) for e in said_now if e.side == "reporter"] == [
            ("", "rewritten"),
            (state.text, "rewrites"),
        ]
        await hub.note(state.id, "Sudah dibaca.", SUPERVISOR)
        await says(hub, external_id="1", deleted=True)  # a deletion names the first id, or the edit's
        assert only_case(hub).text == ""
        assert found(hub, "lampu") == 0


@pytest.mark.parametrize("order", [*itertools.permutations(["said", "edited", "deleted"])])
@pytest.mark.parametrize("names", ["1", "1#2"])
async def test_in_whatever_order_they_come(tmp_path: Path, order: tuple[str, ...], names: str) -> None:
    """Deleted last or first: afterwards no word of it is there, and nothing is kept twice or in the dead letter."""
    payloads: dict[str, dict[str, object]] = {
        "said": {"external_id": "1", "text": COMPLETE},
        "edited": {"external_id": "1#2", "replaces": "1", "text": f"{COMPLETE} sekali"},
        "deleted": {"external_id": names, "deleted": True},
    }
    async with hub_on_the_square(tmp_path) as hub:
        for name in order:
            await says(hub, **payloads[name])
        states = every_case(hub)
        assert len(states) <= 1
        if names == "1":
            assert [state.text for state in states if state.text] == []
            assert found(hub, "berlubang") == 0
        assert hub.dead_letters() == []


async def test_a_correction_can_complete_a_complaint(tmp_path: Path) -> None:
    async with hub_on_the_square(tmp_path) as hub:
        await says(hub, external_id="1", text="tolong pak", phone="+6281100000001")
        assert only_case(hub).status == "needs_info"
        asked = len(only_case(hub).replies)
        await says(hub, external_id="1#2", replaces="1", text="tolong pak ya", phone="+6281100000001")
        assert len(only_case(hub).replies) == asked, "not asked again for each correction"
        await says(hub, external_id="1#3", replaces="1", text=COMPLETE, location=PLACE.model_dump(),
                   phone="+6281100000001", sent_at=hub.now())  # fmt: skip
        assert only_case(hub).status == "received"


async def test_a_case_of_an_earlier_release_is_told_apart_by_its_history(tmp_path: Path) -> None:
    """Its stored state does not say whose words are whose."""
    async with hub_on_the_square(tmp_path) as hub:
        await says(hub, external_id="1", text=COMPLETE)
        await says(hub, external_id="2", text="Tambahan: depan warung Contohan")
        name = only_case(hub).id
    connection = sqlite3.connect(tmp_path / "hub.db")
    (body,) = connection.execute("SELECT state FROM cases").fetchone()
    state = json.loads(body)
    del state["said"]
    connection.execute("UPDATE cases SET state = ? WHERE id = ?", (json.dumps(state), name))
    connection.commit()
    connection.close()
    async with hub_on_the_square(tmp_path) as hub:
        await says(hub, external_id="1", deleted=True)
        assert only_case(hub).text == "Tambahan: depan warung Contohan"
        assert len(only_case(hub).said) == only_case(hub).messages == 2


async def test_units_are_told_to_forget_the_words(tmp_path: Path) -> None:
    async with hub_on_the_square(tmp_path) as hub:
        await says(hub, external_id="1", text=COMPLETE)
        await says(hub, external_id="2", text="Tambahan kedua")
        unit = next(iter(hub.rulebooks[PROFILE].units))
        await hub.act(only_case(hub).id, "dispose", {"unit": unit}, SUPERVISOR)
        await says(hub, external_id="2#2", replaces="2", text="Tambahan ketiga")
        await says(hub, external_id="1", deleted=True)
        told = forwarded(hub.events(only_case(hub).id), None, hub.rulebooks[PROFILE])
    last = {}
    for record in told:
        assert record.value is not None
        data = json.loads(record.value)["data"]
        last[data["kind"]] = data
    assert last["message_withdrawn"]["said"] == "Tambahan ketiga"
    assert last["message_added"]["replaces"] != last["message_added"]["message_id"]
    assert last["message_added"]["said"].endswith("Tambahan ketiga")


async def test_a_case_that_has_ended_stays_ended(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on_the_square(tmp_path, clock) as hub:
        await says(hub, external_id="1", text=COMPLETE)
        reject = {"reason": "unclear", "explanation": "Tidak jelas."}
        await hub.act(only_case(hub).id, "reject", reject, SUPERVISOR)
        replies = len(only_case(hub).replies)
        await says(hub, external_id="1#2", replaces="1", text="Tolong ya")
        await says(hub, external_id="1", deleted=True)
        state = only_case(hub)
        assert (state.status, state.text, len(state.replies)) == ("rejected", "", replies)
        assert state.suggestion is not None
        assert all(not unit.reasons for unit in state.suggestion.units)
