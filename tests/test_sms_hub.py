"""SMS by a gateway, through the whole hub: in, joined, answered, reported; whatever comes twice or out of order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from support import ADMIN, SUPERVISOR, Clock, hub_on, unit_admin

from laporhub.connectors.sms import SmsOverTwilio
from laporhub.hub.hub import Hub
from laporhub.hub.joining import GAP
from laporhub.hub.settings import Settings
from laporhub.hub.web import listening, web_server
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.events import MessageAdded
from laporhub.pipeline.messages import Inbound
from laporhub.pipeline.store.tables import fragments
from laporhub.pipeline.tracking import Query
from laporhub.simulators.serving import serving
from laporhub.simulators.sms import SmsSimulator

PROFILE, OFFICE, CITIZEN = "laporgub-jateng", "+628112920200", "+62811000001"
LONG = (
    "Lapor, jalan provinsi di depan Pasar Contoh Kabupaten Batang berlubang sejak minggu lalu. Sudah dua motor jatuh "
    "malam hari karena lampu juga mati. Kami warga Desa Contoh mohon segera ditambal sebelum ada korban lagi. Suwun."
)


@dataclass
class Place:
    """A hub that listens, and the gateway before it."""

    hub: Hub
    gateway: SmsSimulator
    clock: Clock
    url: str

    def cases(self) -> list[CaseState]:
        return list(self.hub.tracking.find(Query((PROFILE,), limit=50), self.clock()).cases)

    def said(self, case: CaseState) -> list[str]:
        return [e.data.text for e in self.hub.events(case.id) if isinstance(e.data, MessageAdded)]

    async def send_all(self) -> None:
        while await self.hub.publisher.send_due():
            pass


@pytest.fixture(params=["agregator", "kannel"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        yield await placed(stack, request.param, tmp_path)


async def placed(stack: AsyncExitStack, style: str, folder: Path) -> Place:
    clock = Clock()
    listener = listening("127.0.0.1", 0)
    stack.callback(listener.close)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    gateway = SmsSimulator(style, [OFFICE], f"{url}/hooks/sms/{style}", clock)
    stack.push_async_callback(gateway.aclose)
    address = await stack.enter_async_context(serving(gateway))
    keys = gateway.keys
    told = {
        "gateway": style,
        "url": address,
        "user": keys.user,
        "password": keys.password,
        "secret": keys.secret,
    }
    hub = await stack.enter_async_context(hub_on(folder, clock, public_url=url, connectors={"sms": told}))
    server = web_server(hub, Settings(data=folder, public_url=url))
    running = asyncio.create_task(server.serve(sockets=[listener]))

    async def stop() -> None:
        server.should_exit = True
        await running

    stack.push_async_callback(stop)
    return Place(hub, gateway, clock, url)


async def test_an_sms_is_answered_by_sms_in_order(place: Place) -> None:
    assert await place.gateway.citizen_says(CITIZEN, LONG) in ([200], [200, 200])
    (case,) = place.cases()
    assert case.channel == "sms"
    assert place.said(case) == [LONG]
    await place.hub.act(case.id, "dispose", {"unit": "dinas-pupr"}, ADMIN)
    await place.hub.act(case.id, "respond", {"response": "Sudah kami tambal."}, unit_admin("dinas-pupr"))
    await place.hub.act(case.id, "approve", {}, SUPERVISOR)
    await place.send_all()
    said = place.gateway.conversation(CITIZEN)
    assert [who for who, _ in said] == ["inbound", *["outbound"] * (len(said) - 1)]
    assert case.ticket in said[1][1]
    assert "Sudah kami tambal." in said[-1][1]
    await place.gateway.deliver(duplicate=True, shuffle=True)
    (case,) = place.cases()
    assert {reply.status for reply in case.replies.values()} == {"delivered"}


async def test_what_never_arrived_goes_back_to_a_person(place: Place) -> None:
    await place.gateway.citizen_says(CITIZEN, LONG)
    place.gateway.unreachable.add(CITIZEN)
    await place.send_all()
    await place.gateway.deliver(shuffle=True, duplicate=True)
    (case,) = place.cases()
    reasons = {reply.reason for reply in case.replies.values()}
    assert reasons == {"unreachable (absent)" if place.gateway.style == "agregator" else "gateway_error (2)"}


async def test_what_comes_twice_is_one_message(place: Place) -> None:
    await place.gateway.citizen_says(CITIZEN, LONG, shuffle=True, times=2)
    await place.gateway.repeat()
    (case,) = place.cases()
    assert place.said(case) == [LONG]


async def test_a_stranger_is_refused_and_leaves_nothing(place: Place) -> None:
    style = place.gateway.style
    said = urlencode(
        {"msisdn": "62811000001", "from": CITIZEN, "message": "a", "text": "a", "id": "1", "time": "1"}
    )
    async with httpx.AsyncClient() as stranger:
        posted = await stranger.post(f"{place.url}/hooks/sms/{style}", content=said)
        asked = await stranger.get(f"{place.url}/hooks/sms/{style}?{said}")
        elsewhere = await stranger.get(f"{place.url}/hooks/sms/lain?{said}&token={place.gateway.keys.secret}")
    assert (posted.status_code, elsewhere.status_code) == (403, 403 if style == "kannel" else 404)
    assert asked.status_code == (403 if style == "kannel" else 404)
    assert (place.cases(), place.hub.dead_letters()) == ([], [])


async def test_what_nobody_understands_is_kept_and_can_be_replayed(place: Place) -> None:
    headers = {"X-Callback-Token": place.gateway.keys.secret}
    query = f"token={place.gateway.keys.secret}"
    async with httpx.AsyncClient(headers=headers) as gateway:
        if place.gateway.style == "kannel":
            answer = await gateway.get(f"{place.url}/hooks/sms/kannel?{query}&text=tanpa+pengirim")
        else:
            answer = await gateway.post(f"{place.url}/hooks/sms/agregator", content=b"message=tanpa+pengirim")
    assert answer.status_code == 200
    (letter,) = place.hub.dead_letters()
    _, raw = place.hub.dead_letter(letter.id)
    assert raw is not None
    assert b"tanpa+pengirim" in raw.body


# ── long messages in pieces ──


def piece(number: int, total: int, text: str, reference: str = "7", name: str = "m") -> Raw:
    fields = {
        "message_id": f"{name}-{number}",
        "msisdn": "62811000001",
        "to": "628112920200",
        "message": text,
        "part_ref": reference,
        "part_no": str(number),
        "part_total": str(total),
    }
    return Raw(urlencode(fields).encode())


async def take(hub: Hub, raw: Raw) -> None:
    await hub.take(PROFILE, None, "sms", raw)


def texts(hub: Hub) -> list[str]:
    found = hub.tracking.find(Query((PROFILE,), limit=50, order="oldest"), hub.now()).cases
    return [
        event.data.text
        for case in found
        for event in hub.events(case.id)
        if isinstance(event.data, MessageAdded)
    ]


WORDS = [
    "Jalan rusak di depan ",
    "Pasar Contoh Kabupaten Bat",
    "ang sejak minggu lalu, mohon ",
    "segera ditambal",
]
deliveries = st.lists(st.integers(1, 4), max_size=6).flatmap(
    lambda more: st.permutations([1, 2, 3, 4, *more])
)


@settings(max_examples=25)
@given(deliveries)
async def test_in_any_order_and_any_number_of_times_it_is_one_message(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    async with hub_on(tmp_path_factory.mktemp("hub")) as hub:
        for number in order:
            await take(hub, piece(number, 4, WORDS[number - 1]))
        assert texts(hub) == ["".join(WORDS)]
        with hub.database.connect() as connection:
            assert {row.sealed for row in connection.execute(select(fragments))} == {""}


async def test_pieces_survive_a_restart_and_say_nothing_in_the_clear(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        await take(hub, piece(2, 2, "Kabupaten Batang"))
        assert texts(hub) == []
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("hub.db*"))
    assert b"Kabupaten Batang" not in stored
    assert b"811000001" not in stored
    async with hub_on(tmp_path) as hub:
        await take(hub, piece(1, 2, "Jalan rusak di "))
        assert texts(hub) == ["Jalan rusak di Kabupaten Batang"]


async def test_a_crash_between_storing_and_answering_makes_no_second_message(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        await take(hub, piece(1, 2, "Jalan rusak di "))
        done, hub._joiner.done = hub._joiner.done, _dies  # type: ignore[method-assign]
        with pytest.raises(ConnectionError):
            await take(hub, piece(2, 2, "Kabupaten Batang"))
        hub._joiner.done = done  # type: ignore[method-assign]
        await take(hub, piece(2, 2, "Kabupaten Batang"))
        assert texts(hub) == ["Jalan rusak di Kabupaten Batang"]


async def _dies(whole: object, *, refused: bool = False) -> None:
    raise ConnectionError("killed")


async def test_what_never_comes_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        for number in (1, 4):
            await take(hub, piece(number, 4, WORDS[number - 1]))
        clock.forward(minutes=9)
        assert await hub.join_overdue() == 0
        clock.forward(minutes=2)
        assert await hub.join_overdue() == 1
        assert await hub.join_overdue() == 0
        assert texts(hub) == [f"{WORDS[0]}{GAP}{WORDS[3]}"]
        await take(hub, piece(2, 4, WORDS[1]))
        await take(hub, piece(3, 4, WORDS[2]))
        assert [text.replace(GAP.strip(), "").strip() for text in texts(hub)[1:]] == [
            (WORDS[1] + WORDS[2]).strip()
        ], "late, but not lost"


async def test_a_reference_that_is_used_again_begins_anew(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        for name, more in (("m", "pertama"), ("n", "kedua")):
            await take(hub, piece(1, 2, f"Laporan {more}: ", name=name))
            await take(hub, piece(2, 2, "jalan rusak", name=name))
        assert texts(hub) == ["Laporan pertama: jalan rusak", "Laporan kedua: jalan rusak"]


async def test_finished_pieces_are_forgotten_after_a_day(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        await take(hub, piece(1, 2, "Jalan "))
        await take(hub, piece(2, 2, "rusak"))
        clock.forward(hours=25)
        await hub.join_overdue()
        with hub.database.connect() as connection:
            assert connection.execute(select(fragments)).all() == []


# ── a hub that has only Twilio ──


async def test_without_a_gateway_twilios_account_answers_and_hears(tmp_path: Path) -> None:
    account = {"twilio_account_sid": "AC1", "twilio_auth_token": "t"}
    async with hub_on(tmp_path, **account) as hub:
        assert isinstance(hub._connectors["sms"], SmsOverTwilio)
        form = {"MessageSid": "SM1", "From": CITIZEN, "To": OFFICE, "Body": "Jalan rusak di Kabupaten Batang"}
        await hub.take(PROFILE, None, "twilio", Raw(urlencode(form).encode()))
        (case,) = hub.tracking.find(Query((PROFILE,)), hub.now()).cases
        assert case.channel == "sms"
        assert hub.publisher.next_due() is not None, "it can be answered"


async def test_without_anything_sms_wait(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        await hub.receive(
            PROFILE,
            "sms",
            Inbound(
                external_id="1", author_id=CITIZEN, text="Jalan rusak di Kabupaten Batang", phone=CITIZEN
            ),
        )
        assert hub.publisher.next_due() is None
