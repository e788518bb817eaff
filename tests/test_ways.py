"""What staff see and can do about replies that do not get through, before and after they write them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from support import ADMIN, SUPERVISOR, unit_admin, whatsapp
from test_publisher import PLACE, Platform, publisher_of
from web_hub import PROFILE, UNIT, Web, web_on

from laporhub.hub import channel_health
from laporhub.hub.channel_health import Checker
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import DeliveryStatus
from laporhub.pipeline.connector import Connector
from laporhub.pipeline.connector_abilities import Health, Window
from laporhub.pipeline.errors import Conflict, Forbidden, NotFound, Refused
from laporhub.pipeline.store import channels, polls
from laporhub.pipeline.tracking import Query
from laporhub.web import delivery
from laporhub.web.i18n import translator


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with web_on(tmp_path) as opened:
        yield opened


async def undelivered(web: Web, number: int = 7, reason: str = "refuse") -> CaseState:
    """A WhatsApp case whose response the platform refuses."""
    receipt = await web.hub.receive(PROFILE, "whatsapp", whatsapp(number, location=PLACE))
    platform = Platform()
    web.hub.publisher = publisher_of(web.hub, platform, web.clock)
    await web.hub.act(receipt.case_id, "dispose", {"unit": UNIT}, ADMIN)
    await web.hub.act(receipt.case_id, "respond", {"response": "Sudah ditambal."}, unit_admin(UNIT))
    await sent(web)
    await web.hub.act(receipt.case_id, "approve", {}, ADMIN)
    platform.script.append(reason)
    await sent(web)
    return web.case(receipt.ticket)


async def sent(web: Web) -> None:
    while await web.hub.publisher.send_due():
        pass


def last_reply(state: CaseState) -> str:
    return list(state.replies)[-1]


# ── before ──


async def test_before_writing_staff_see_whether_the_channel_takes_it(web: Web) -> None:
    receipt = await web.hub.receive(PROFILE, "whatsapp", whatsapp(1, location=PLACE))
    await web.sign_in("disposisi")
    page = f"/staff/cases/{receipt.ticket}"
    assert (
        "Pelapor menerima pesan lewat WhatsApp sampai 24 Nov 2026 09.00 WIB."
        in (await web.browser.get(page)).text
    )
    assert 'name="undelivered"' not in (await web.browser.get(page)).text
    web.clock.forward(hours=25)
    await web.sign_in("disposisi")
    closed = (await web.browser.get(page)).text
    assert "WhatsApp sudah tertutup: pesan tidak terkirim." in closed
    assert 'name="undelivered"' in closed


async def test_a_closed_channel_is_refused_until_the_person_says_that_they_know(web: Web) -> None:
    receipt = await web.hub.receive(PROFILE, "whatsapp", whatsapp(1, location=PLACE))
    web.clock.forward(hours=25)
    await web.sign_in("disposisi")
    page, action = f"/staff/cases/{receipt.ticket}", f"/staff/cases/{receipt.ticket}/do/ask"
    typed = {"f_question": "Di sebelah mana pasar?"}
    refused = await web.submit(page, action, typed)
    assert refused.status_code == 409
    assert "Di sebelah mana pasar?" in refused.text, "nothing typed is lost"
    assert web.case(receipt.ticket).status == "received"
    assert (await web.submit(page, action, {**typed, "undelivered": "1"})).status_code == 303
    assert web.case(receipt.ticket).status == "needs_info"


async def test_the_api_refuses_it_too(web: Web) -> None:
    receipt = await web.hub.receive(PROFILE, "whatsapp", whatsapp(1, location=PLACE))
    web.clock.forward(hours=25)
    ask, who = f"/api/v1/cases/{receipt.ticket}/actions/ask", web.bearer("disposisi")
    refused = await web.browser.post(ask, json={"question": "Di mana?"}, headers=who)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:laporhub:problem:window_closed")
    taken = await web.browser.post(ask, json={"question": "Di mana?", "undelivered": True}, headers=who)
    assert taken.status_code == 200
    unanswering = f"/api/v1/cases/{receipt.ticket}/actions/verify"
    again = await web.browser.post(unanswering, json={}, headers=who)
    assert again.status_code == 200, "a step that says nothing to the reporter needs no channel"


async def test_channels_that_always_take_it_and_pages_are_open(web: Web) -> None:
    page = await web.report(1)
    text = await web.hub.receive(PROFILE, "sms", whatsapp(2, sid="S1", author_id="+6281100000002"))
    web.clock.forward(days=3)
    assert web.hub.way(web.case(page.ticket)).kind == "page"
    assert web.hub.way(web.case(text.ticket)).window == Window("open")
    web.hub.ring.erase(web.case(text.ticket).reporter)
    assert web.hub.way(web.case(text.ticket)).kind == "nowhere"


# ── after ──


async def test_a_reply_that_failed_is_shown_with_its_words_and_why_and_can_be_told_by_hand(web: Web) -> None:
    state = await undelivered(web)
    await web.sign_in("disposisi")
    listed = (await web.browser.get("/staff?tab=undelivered")).text
    assert state.ticket in listed
    assert "pelapor berhenti menerima pesan (21610)" in listed
    assert '<span class="alert">1</span>' in listed
    page = f"/staff/cases/{state.ticket}"
    shown = (await web.browser.get(page)).text
    assert "Belum sampai ke pelapor" in shown
    assert "readonly" in shown
    action = f"{page}/replies/{last_reply(state)}/conveyed"
    assert (await web.submit(page, action)).status_code == 303
    after = web.case(state.ticket)
    assert after.status == "answered", "the case goes on as if it had been delivered"
    assert (after.replies[last_reply(state)].status, after.replies[last_reply(state)].reason) == (
        "delivered",
        "by_hand",
    )
    told = [e for e in web.hub.events(state.id) if e.data.kind == "reply_updated"][-1]
    assert (told.actorid, told.time) == ("disposisi", web.clock()), "who and when is on record"
    shown = (await web.browser.get(page)).text
    assert "disampaikan sendiri oleh petugas" in shown
    assert "Belum sampai ke pelapor" not in shown
    assert web.hub.tracking.find(Query((PROFILE,), undelivered=True), web.clock()).cases == []


async def test_a_reply_that_waits_is_not_sent_after_it_was_told_by_hand(web: Web) -> None:
    receipt = await web.hub.receive(PROFILE, "whatsapp", whatsapp(1, location=PLACE))
    state = web.case(receipt.ticket)
    platform = Platform()
    web.hub.publisher = publisher_of(web.hub, platform, web.clock)
    await web.hub.convey(state.id, last_reply(state), ADMIN)
    await sent(web)
    assert platform.calls == []
    with pytest.raises(Conflict):
        await web.hub.convey(state.id, last_reply(state), SUPERVISOR)


async def test_only_those_who_answer_reporters_may_say_so(web: Web) -> None:
    state = await undelivered(web)
    with pytest.raises(Forbidden):
        await web.hub.convey(state.id, last_reply(state), unit_admin(UNIT))
    with pytest.raises(Forbidden):
        await web.hub.redirect(state.id, last_reply(state), "sms", unit_admin(UNIT))
    assert web.case(state.ticket).replies == state.replies
    with pytest.raises(NotFound):
        await web.hub.convey(state.id, "r_none", ADMIN)


async def test_it_can_be_said_on_another_channel_where_the_same_phone_is_proven(web: Web) -> None:
    other = whatsapp(7, "Aduan lain lewat SMS di Desa Contoh", sid="S7", author_id="+6281100000007")
    await web.hub.receive(PROFILE, "sms", other)
    state = await undelivered(web, 7)
    assert list(web.hub.elsewhere(state)) == ["sms"]
    await web.sign_in("disposisi")
    page = f"/staff/cases/{state.ticket}"
    assert "Kirim lewat SMS" in (await web.browser.get(page)).text
    moved = await web.submit(page, f"{page}/replies/{last_reply(state)}/elsewhere")
    assert moved.status_code == 303
    sms = Platform()
    web.hub.publisher = publisher_of(web.hub, sms, web.clock, "sms")
    await sent(web)
    assert [(each.to, "ditambal" in each.text) for each in sms.arrived][-1] == ("+6281100000007", True)
    after = web.case(state.ticket)
    assert after.status == "answered"
    assert (await web.browser.get(page)).text.count("lewat SMS") == 1
    await web.hub.redirect(state.id, last_reply(state), "sms", ADMIN)
    assert web.case(state.ticket).replies == after.replies, "pressing twice says it once"


async def test_a_phone_that_was_only_typed_in_proves_nothing(web: Web) -> None:
    typed = whatsapp(7, sid="S7", author_id="+6281100000007", verified=False)
    await web.hub.receive(PROFILE, "sms", typed)
    state = await undelivered(web, 7)
    assert list(web.hub.elsewhere(state)) == []
    with pytest.raises(Refused):
        await web.hub.redirect(state.id, last_reply(state), "sms", ADMIN)


def test_every_fate_of_a_reply_is_told_apart() -> None:
    t = translator("id")
    fates = [delivery.fate(status, None, t) for status in get_args(DeliveryStatus)]
    fates += [delivery.fate("failed", "by_hand", t), delivery.fate("delivered", "by_hand", t)]
    fates += [delivery.fate("failed", "window_closed", t)]
    assert len(set(fates)) == len(fates)
    assert delivery.why("unreachable (30003)", t) == "nomor tidak dapat dihubungi (30003)"
    assert delivery.why("rejected (63999)", t) == "rejected (63999)", (
        "what nobody explained is shown as it is"
    )


# ── channels ──


class Checked:
    """A connector that can only be asked how our account stands."""

    able = True

    def __init__(self, *said: Health | Exception) -> None:
        self.said = list(said)

    async def check(self, account: str) -> Health:
        word = self.said.pop(0)
        if isinstance(word, Exception):
            raise word
        return word


def of(web: Web, channel: str) -> object:
    return next(each for each in web.hub.channels() if each.channel == channel)


def checker(web: Web, connector: Checked) -> Checker:
    connectors: dict[str, Connector] = {"hotline": connector}  # type: ignore[dict-item]
    return Checker(web.hub, web.hub.rulebooks, connectors, web.clock)


async def test_the_page_of_channels_says_what_stands_and_what_does_not(web: Web) -> None:
    state = await undelivered(web)
    ends: datetime = web.clock() + timedelta(days=2)
    connector = Checked(Health(ok=True, expires_at=ends, facts={"kuota": "90%"}), ZeroDivisionError())
    await checker(web, connector).check_due()
    await web.hub.write(
        lambda connection: polls.advance(connection, "x", "@LaporGub_", web.clock(), "7", "402: no credits")
    )
    await web.sign_in("gubernur")
    page = (await web.browser.get("/staff/channels")).text
    for said in ("belum tersambung", "Token habis 25 Nov 2026", "kuota: 90%", "402: no credits"):
        assert said in page, said
    assert f'tab=undelivered&amp;channel={state.channel}">1</a>' in page
    stands = of(web, "whatsapp")
    assert (stands.sent, stands.failed, stands.waiting) == (2, 1, 0)  # type: ignore[attr-defined]
    assert stands.last_in == stands.last_out == web.clock()  # type: ignore[attr-defined]
    await checker(web, connector).check_due()
    assert len(connector.said) == 1, "asked again only after ten minutes"
    web.clock.forward(minutes=10)
    await checker(web, connector).check_due()
    assert (of(web, "hotline").ok, of(web, "hotline").reason) == (False, "ZeroDivisionError")  # type: ignore[attr-defined]


async def test_whoever_watches_has_replies_counted_only_now_and_then(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    await undelivered(web)
    counted: list[datetime] = []
    count = channel_health._replies
    monkeypatch.setattr(
        channel_health,
        "_replies",
        lambda connection, since: counted.append(since) or count(connection, since),
    )
    for _ in range(5):
        metrics = (await web.browser.get("/metrics")).text
        assert f'laporhub_channel_failed_24h{{channel="whatsapp",profile="{PROFILE}"}} 1.0' in metrics
    assert len(counted) == 1
    web.clock.forward(seconds=15)
    await web.browser.get("/metrics")
    assert len(counted) == 2, "and what is shown is never old"


async def test_a_dead_token_is_said_in_red_with_the_remedy(web: Web) -> None:
    await undelivered(web, reason="dead")
    await web.sign_in("disposisi")
    page = (await web.browser.get("/staff/channels")).text
    assert '<p class="trouble">Pengiriman dihentikan: platform menolak akun kami' in page
    assert "Perbarui token" in page
    metrics = (await web.browser.get("/metrics")).text
    assert f'laporhub_channel_dead{{channel="whatsapp",profile="{PROFILE}"}} 1.0' in metrics
    assert f'laporhub_channel_waiting{{channel="whatsapp",profile="{PROFILE}"}} 1.0' in metrics
    assert "+62" not in metrics, "no account and no person"


async def test_what_a_platform_leaves_us_is_a_number_to_be_watched(web: Web) -> None:
    told = Health(ok=True, left={"GET /2/mentions": 0.25}, credits={"USD": 12.5})
    await checker(web, Checked(told)).check_due()
    metrics = (await web.browser.get("/metrics")).text
    channel = 'channel="hotline"'
    ratio = f'laporhub_channel_limit_left_ratio{{{channel},limit="GET /2/mentions",profile="{PROFILE}"}} 0.25'
    assert ratio in metrics
    assert f'laporhub_channel_credits{{{channel},currency="USD",profile="{PROFILE}"}} 12.5' in metrics
    web.clock.forward(minutes=10)
    await checker(web, Checked(Health(ok=False, reason="no answer"))).check_due()
    metrics = (await web.browser.get("/metrics")).text
    assert "USD" not in metrics and "GET /2" not in metrics, "what is not known any more has no value"


async def test_replies_that_a_closed_window_kept_back_are_counted(web: Web) -> None:
    await undelivered(web, 7)
    await undelivered(web, 8, "late")
    stands = of(web, "whatsapp")
    assert (stands.failed, stands.too_late) == (2, 1)  # type: ignore[attr-defined]
    metrics = (await web.browser.get("/metrics")).text
    assert f'laporhub_channel_too_late_24h{{channel="whatsapp",profile="{PROFILE}"}} 1.0' in metrics
    await web.sign_in("gubernur")
    assert "lewat waktu membalas: 1" in (await web.browser.get("/staff/channels")).text
    web.clock.forward(days=1, minutes=1)
    assert of(web, "whatsapp").too_late == 0  # type: ignore[attr-defined]


def test_what_an_earlier_version_kept_of_an_account_is_still_shown() -> None:
    assert channels.details('{"balance": "3 USD"}') == {"facts": {"balance": "3 USD"}}
    assert channels.details(None) == {"facts": {}}


@pytest.mark.parametrize(
    ("who", "shown", "status"),
    [("gubernur", ("WhatsApp", "Instagram"), 200), ("x", ("@LaporGub_",), 200), ("pupr", (), 403)],
)
async def test_everybody_sees_their_own_channels(
    web: Web, who: str, shown: Sequence[str], status: int
) -> None:
    await web.sign_in(who)
    page = await web.browser.get("/staff/channels")
    assert page.status_code == status
    for name in shown:
        assert name in page.text
    assert who != "x" or "whatsapp:" not in page.text
