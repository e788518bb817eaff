"""kill -9 in the middle of a backfill by polling: the next start goes on from there, without gap or double."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_crash import SEED, Laporhub, free_port, killed, reached, small_government

from laporhub.simulators.mail import MailSimulator

pytestmark = pytest.mark.crash

ADDRESS = "lapor@kota.contoh.test"
MAILS, KILLS, PAGE = 200, 4, 20


def with_a_mailbox(folder: Path) -> Path:
    profile = small_government(folder) / "profile.yaml"
    text = profile.read_text(encoding="utf-8").replace("[web, sms, whatsapp]", "[web, sms, whatsapp, email]")
    channel = f"{{code: EM, title: Surel, account: {ADDRESS}}}"
    profile.write_text(text.replace("channels:\n", f"channels:\n  email: {channel}\n", 1), encoding="utf-8")
    return folder


class Office(Laporhub):
    """How far it is, as its database says."""

    def stored(self) -> int:
        return self._one("SELECT count(*) FROM messages")

    def position(self) -> tuple[int, int]:
        """Up to which mail the durable cursor is, and how many mails are stored beyond."""
        [(cursor,)] = self.rows("SELECT coalesce(max(cursor), '1:0:0') FROM polls WHERE provider = 'email'")
        last = int(str(cursor).split(":")[1])
        return last, self.stored() - last


async def test_kills_in_the_middle_of_a_backfill(tmp_path: Path) -> None:
    server, moments = MailSimulator(ADDRESS, lambda: datetime.now(UTC), copies=False), random.Random(SEED)
    for number in range(MAILS):
        server.arrives(
            f"warga{number}@warga.contoh.test", f"Lampu jalan nomor {number} mati sejak minggu lalu"
        )
    profile, interrupted, before = with_a_mailbox(tmp_path / "profile"), 0, 0
    async with server.running() as (_, told):
        variables = {f"LAPORHUB_EMAIL_{name.upper()}": value for name, value in told.items()}
        office = Office(
            tmp_path / "data", "http://127.0.0.1:9", variables | {"LAPORHUB_EMAIL_POLL_EVERY": "1"}
        )
        command = ("serve", "--port", str(free_port()), "--profile", str(profile))
        for _ in range(KILLS):
            async with office.running(*command) as process:
                target = office.stored() + moments.randint(PAGE // 2, 2 * PAGE)
                assert await reached(process, office.stored, target), await process.communicate()
                await killed(process)
            last, beyond = office.position()
            assert before <= last <= office.stored(), "the cursor is never ahead of what is durable"
            interrupted += beyond > 0
            before = last
        assert interrupted, "at least one kill fell into the middle of a page"
        assert before > 0, "and the cursor outlived them"
        async with office.running(*command) as process:
            assert await reached(process, office.stored, MAILS), await process.communicate()
            assert await reached(process, lambda: office.position()[0], MAILS), "the last page is done with"
    texts = [json.loads(str(body))["text"] for (body,) in office.rows("SELECT body FROM messages")]
    assert Counter(texts) == Counter(
        f"Lampu jalan nomor {number} mati sejak minggu lalu" for number in range(MAILS)
    )
    assert [row[0] for row in office.rows("SELECT count(*) FROM cases")] == [MAILS]
    assert [row[0] for row in office.rows("SELECT count(*) FROM dead_letters")] == [0]
