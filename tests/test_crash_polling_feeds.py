"""kill -9 in the middle of a backfill from X, Facebook, Instagram and Twilio: these hand out the newest first, page
by page."""

from __future__ import annotations

import json
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from test_crash import (
    ACCOUNT,
    OFFICE,
    SEED,
    TOKEN,
    Laporhub,
    free_port,
    killed,
    phone,
    reached,
    small_government,
)

from laporhub.simulators.meta import MetaSimulator
from laporhub.simulators.meta_network import Network, Where
from laporhub.simulators.serving import serving
from laporhub.simulators.twilio import TwilioSimulator
from laporhub.simulators.x import XSimulator

pytestmark = pytest.mark.crash

SAID, KILLS = 240, 3
NOWHERE = "http://127.0.0.1:9"


def words(number: int) -> str:
    return f"Lampu jalan nomor {number} mati sejak minggu lalu"


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def x_with_posts() -> AsyncIterator[Mapping[str, str]]:
    """Three pages of posts that no event told of."""
    x = XSimulator("@kota_contoh", f"{NOWHERE}/hooks/x", now)
    for number in range(SAID):
        await x.citizen_posts(f"warga{number}", f"@kota_contoh {words(number)}", push=False)
    async with x.running() as (_, told):
        yield {f"LAPORHUB_X_{name.upper()}": value for name, value in told.items()} | {
            "LAPORHUB_X_POLL_EVERY": "1"
        }


@asynccontextmanager
async def with_comments(where: Where) -> AsyncIterator[Mapping[str, str]]:
    """Under one post, so many that they go on beyond the page of posts."""
    network = Network("1234", "Kota Contoh", "17841", "@kota.contoh", now, seed=SEED)
    meta = MetaSimulator(network, f"{NOWHERE}/hooks/meta")
    for number in range(SAID):
        await meta.citizen_comments(where, f"Warga {number}", words(number))
    async with serving(meta) as url:
        yield {f"LAPORHUB_META_{name.upper()}": value for name, value in meta.settings(url).items()} | {
            "LAPORHUB_META_POLL_EVERY": "10"
        }


@asynccontextmanager
async def whatsapp_without_hooks() -> AsyncIterator[Mapping[str, str]]:
    """Two pages of messages, one every second, of which no hook told."""
    began = now() - timedelta(hours=1)
    at = iter(began + timedelta(seconds=number) for number in range(SAID))
    twilio = TwilioSimulator(ACCOUNT, TOKEN, [OFFICE], NOWHERE, None, lambda: next(at, now()), seed=SEED)
    for number in range(SAID):
        twilio.network.receive(phone(number), words(number))
    async with serving(twilio) as url:
        yield {"LAPORHUB_TWILIO_API_URL": url}
    await twilio.aclose()


class Office(Laporhub):
    """How far it is, as its database says."""

    def stored(self) -> int:
        return self._one("SELECT count(*) FROM messages")

    def wait(self) -> None:
        """Time passes: whoever was killed had claimed the account, and nobody else asks until its time has come."""
        with closing(sqlite3.connect(self.data / "hub.db")) as connection, connection:
            connection.execute("UPDATE polls SET polled_at = 0")


def government_on(folder: Path, channel: str, rules: str | None) -> Path:
    """`rules` None: the channel is one of the sample profile's."""
    profile = small_government(folder) / "profile.yaml"
    if rules is None:
        return folder
    text = profile.read_text(encoding="utf-8").replace(
        "[web, sms, whatsapp]", f"[web, sms, whatsapp, {channel}]"
    )
    profile.write_text(text.replace("channels:\n", f"channels:\n  {channel}: {rules}\n", 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("played", "channel", "rules"),
    [
        (x_with_posts, "x", '{code: XX, title: X, account: "@kota_contoh"}'),
        (
            partial(with_comments, "facebook"),
            "facebook",
            "{code: FB, title: FB, account: Kota Contoh, provider: meta}",
        ),
        (
            partial(with_comments, "instagram"),
            "instagram",
            '{code: IG, title: IG, account: "@kota.contoh", provider: meta}',
        ),
        (whatsapp_without_hooks, "whatsapp", None),
    ],
    ids=["x", "facebook", "instagram", "twilio"],
)
async def test_kills_in_the_middle_of_a_backfill(
    tmp_path: Path,
    played: Callable[[], AbstractAsyncContextManager[Mapping[str, str]]],
    channel: str,
    rules: str | None,
) -> None:
    profile, moments = government_on(tmp_path / "profile", channel, rules), random.Random(SEED)
    command = ("serve", "--port", str(free_port()), "--profile", str(profile))
    async with played() as variables:
        office, unfinished = Office(tmp_path / "data", NOWHERE, variables), 0
        for _ in range(KILLS):
            async with office.running(*command) as process:
                target = min(office.stored() + moments.randint(20, 60), SAID)
                assert await reached(process, office.stored, target), await process.communicate()
                await killed(process)
            unfinished += office.stored() < SAID
            office.wait()
        assert unfinished == KILLS, "each kill fell into the middle of the backfill"
        async with office.running(*command) as process:
            assert await reached(process, office.stored, SAID), await process.communicate()
    texts = Counter(json.loads(str(body))["text"] for (body,) in office.rows("SELECT body FROM messages"))
    assert texts == Counter(words(number) for number in range(SAID))
    assert [row[0] for row in office.rows("SELECT count(*) FROM cases")] == [SAID]
    assert [row[0] for row in office.rows("SELECT count(*) FROM dead_letters")] == [0]
