"""WhatsApp through the whole hub: statuses in any order, and answers after the window has closed."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ADMIN, COMPLETE, SUPERVISOR, Clock, hub_on, laporgub, unit_admin, whatsapp

from laporhub.hub.hub import Hub
from laporhub.hub.settings import Settings
from laporhub.hub.simulated import platforms_of, with_platform
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.events import ReplyUpdated
from laporhub.pipeline.tracking import Query
from laporhub.profiles import __file__ as profiles
from laporhub.simulators.citizens import complaints
from laporhub.simulators.serving import serving
from laporhub.simulators.twilio import TwilioSimulator

PROFILE, WHATSAPP = "laporgub-jateng", "whatsapp:+628112920200"
CITIZEN = "whatsapp:+6281100000001"
PLAIN = 'account: "whatsapp:+628112920200", provider: twilio}'
WITH_TEMPLATES = (
    'account: "whatsapp:+628112920200", provider: twilio, '
    "templates: {response: {content: HX1, variables: [ticket, unit, text]}}}"
)


@dataclass
class Place:
    hub: Hub
    twilio: TwilioSimulator
    clock: Clock

    async def answered(self, answer: str = "Sudah kami tambal hari ini.") -> str:
        """A case that was answered, its acknowledgement sent at once and its answer a day and a half later."""
        receipt = await self.hub.receive(PROFILE, "whatsapp", whatsapp(1))
        await self.send_all()
        self.clock.forward(hours=36)
        await self.hub.act(receipt.case_id, "dispose", {"unit": "dinas-pupr"}, ADMIN)
        await self.hub.act(receipt.case_id, "respond", {"response": answer}, unit_admin("dinas-pupr"))
        await self.hub.act(receipt.case_id, "approve", {}, SUPERVISOR)
        await self.send_all()
        return receipt.case_id

    async def send_all(self) -> None:
        while await self.hub.publisher.send_due():
            pass

    def case(self, case_id: str) -> CaseState:
        return self.hub._case(case_id)

    async def report(self, forms: list[tuple[str, dict[str, str]]]) -> None:
        for url, form in forms:
            await self.hub.take(PROFILE, None, "twilio", Raw(urlencode(form).encode(), url=url))


@asynccontextmanager
async def place(folder: Path, *, templates: bool) -> AsyncIterator[Place]:
    profile: str | Path = PROFILE
    if templates:
        profile = Path(shutil.copytree(Path(profiles).parent / PROFILE, folder / "profil"))
        rules = profile / "profile.yaml"
        text = rules.read_text()
        assert PLAIN in text
        rules.write_text(text.replace(PLAIN, WITH_TEMPLATES))
    clock = Clock()
    nowhere = "http://127.0.0.1:1/hooks/twilio"
    twilio = TwilioSimulator("AC1", "t", [WHATSAPP], nowhere, None, clock)
    twilio.network.templates["HX1"] = "Laporan {{1}} dijawab {{2}}: {{3}}"
    async with serving(twilio) as url:
        account = {"twilio_account_sid": "AC1", "twilio_auth_token": "t", "twilio_api_url": url}
        async with hub_on(folder / "data", clock, profile=str(profile), **account) as hub:
            yield Place(hub, twilio, clock)
    await twilio.aclose()


async def test_after_the_window_the_answer_goes_by_template(tmp_path: Path) -> None:
    async with place(tmp_path, templates=True) as there:
        case = there.case(await there.answered())
        said = [text for who, text in there.twilio.conversation(CITIZEN) if who == "outbound"]
        assert said[-1].startswith(f"Laporan {case.ticket} dijawab ")
        assert "Sudah kami tambal hari ini." in said[-1]
        [answer] = [reply for reply in case.replies.values() if reply.purpose == "response"]
        assert answer.status == "sent"


async def test_the_template_s_callback_counts_for_the_whole_answer(tmp_path: Path) -> None:
    async with place(tmp_path, templates=True) as there:
        name = await there.answered()
        await there.report(there.twilio._statuses)
        [answer] = [reply for reply in there.case(name).replies.values() if reply.purpose == "response"]
        assert answer.status == "read"


async def test_without_a_template_a_person_must_find_another_way(tmp_path: Path) -> None:
    async with place(tmp_path, templates=False) as there:
        case = there.case(await there.answered())
        [answer] = [reply for reply in case.replies.values() if reply.purpose == "response"]
        assert (answer.status, answer.reason) == ("failed", "window_closed")


STATUSES = ("queued", "sent", "delivered", "read")


@settings(max_examples=12)
@given(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=8), st.booleans(), st.integers())
async def test_statuses_only_rise_whatever_their_order(
    tmp_path_factory: pytest.TempPathFactory, told: list[str], fails: bool, seed: int
) -> None:
    async with place(tmp_path_factory.mktemp("hub"), templates=False) as there:
        receipt = await there.hub.receive(PROFILE, "whatsapp", whatsapp(1))
        await there.send_all()
        url = there.twilio.log[-1].form["StatusCallback"]
        sid = there.twilio.network.messages[-1].sid
        words = [*told, *(["undelivered"] if fails else [])]
        Random(seed).shuffle(words)
        for word in [*words, *words]:
            form = {"MessageSid": sid, "MessageStatus": word}
            form |= {"ErrorCode": "30003"} if word == "undelivered" else {}
            await there.report([(url, form)])
        seen = [e.data.status for e in there.hub.events(receipt.case_id) if isinstance(e.data, ReplyUpdated)]
        rises = [STATUSES.index(status) for status in seen if status in STATUSES]
        assert rises == sorted(set(rises)), f"{words} → {seen}"
        last = next(iter(there.case(receipt.case_id).replies.values())).status
        best = max((STATUSES.index(word) for word in told), default=0)
        if best >= 2:  # it did arrive, and nothing that is said later takes that back
            assert last == STATUSES[best]
        else:
            assert last == ("failed" if fails else "sent")


# ── platforms as the demo plays them ──


@pytest.mark.parametrize(
    "provider", ["twilio", "sms"]
)  # the others: test_x_in_a_hub, test_hub_meta, test_hotline_life
async def test_a_played_platform_and_a_hub_understand_each_other(tmp_path: Path, provider: str) -> None:
    clock, rules = Clock(), laporgub()
    (platform,) = (
        each for each in platforms_of(rules, "http://127.0.0.1:1", clock) if each.provider == provider
    )
    async with platform.running() as (address, told):
        asked = Settings(data=tmp_path, profile=PROFILE)
        ready = with_platform(asked, provider, told)
        assert address.startswith("http://127.0.0.1:")
        given = {
            name: getattr(ready, name) for name in ("connectors", "twilio_account_sid", "twilio_api_url")
        }
        token = ready.twilio_auth_token.get_secret_value() if ready.twilio_auth_token else None
        async with hub_on(tmp_path, clock, **given, twilio_auth_token=token) as hub:
            assert hub._connectors[provider].able
            channel = "sms" if provider == "sms" else "whatsapp"
            person = next(each for each in complaints(1) if each.channel == channel)
            await platform.citizen_writes(channel, person)  # nobody hears it at that address
            await hub.receive(PROFILE, channel, whatsapp(1, author_id=_address(channel)))
            assert await hub.publisher.send_due() == 1
            (case,) = hub.tracking.find(Query((PROFILE,)), clock()).cases
            assert {reply.status for reply in case.replies.values()} == {"sent"}
            assert COMPLETE[:20] in case.text


def _address(channel: str) -> str:
    return "+6281100000001" if channel == "sms" else CITIZEN
