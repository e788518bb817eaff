"""Reports go out when their period is over: to each receiver once, whatever breaks on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import typer.testing
from sqlalchemy import Connection, Engine
from support import Clock, form, hub_on, laporgub

from laporhub.hub.cli import app
from laporhub.hub.compose import mailer
from laporhub.hub.hub import Hub
from laporhub.hub.posting import Mailer, Poster, receivers_of
from laporhub.hub.settings import Settings
from laporhub.pipeline.connector import Failed, Outcome, Outgoing, Sent, StatusUpdate, Unknown
from laporhub.pipeline.counting import make_report
from laporhub.pipeline.errors import NotFound, RetryLater, StopChannel
from laporhub.pipeline.figures import Report
from laporhub.pipeline.periods import Period, parse_period
from laporhub.pipeline.profile.schema import Report as Rule
from laporhub.pipeline.report_post import Receiver, ReportPost
from laporhub.pipeline.staff import Account
from laporhub.pipeline.store import report_posts
from laporhub.pipeline.store.database import open_database, writer
from laporhub.pipeline.tracking import Page, Query
from laporhub.simulators.mail import MailSimulator

OFFICE = "lapor@contoh.test"
RULES = laporgub()
NAME = RULES.name
ZONE = RULES.calendar.zone
NOVEMBER = parse_period("2026-11", ZONE)
HEAD, DEPUTY = "kepala@contoh.test", "wakil@contoh.test"
FIRST_CASE = datetime(2026, 10, 20, tzinfo=UTC)
NOVEMBER_OVER = datetime(2026, 12, 1, 0, 15, tzinfo=ZONE)


def leader(name: str, email: str | None, **more: Any) -> Account:
    return Account(name, (NAME,), "pimpinan", email=email, **more)


# ── who ──────────────────────────────────────────────────────────────────────────────────────────


def book_with(*rules: Rule) -> Any:
    return replace(RULES, profile=RULES.profile.model_copy(update={"reports": rules}))


def test_receivers_are_addresses_and_the_accounts_of_roles_each_once() -> None:
    book = book_with(
        Rule(every="month", to=(HEAD, "pimpinan")),
        Rule(every="month", to=("admin_unit",)),
        Rule(every="year", to=("wali@contoh.test",)),
    )
    staff = [
        leader("kepala", HEAD.upper()),
        leader("wakil", DEPUTY, language="en"),
        leader("tanpa", None),
        Account("lain", ("kota-lain",), "pimpinan", email="lain@contoh.test"),
        Account("pupr", (NAME,), "admin_unit", "dinas-pupr", email="pupr@contoh.test"),
        Account("tanpa-unit", (NAME,), "admin_unit", email="tanpa-unit@contoh.test"),
        Account("disposisi", (NAME,), "admin_disposisi", email="disposisi@contoh.test"),
    ]
    assert receivers_of(book, "month", staff) == [
        Receiver(HEAD, None, "id"),
        Receiver(DEPUTY, None, "en"),
        Receiver("pupr@contoh.test", "dinas-pupr", "id"),
    ]
    assert receivers_of(book, "year", staff) == [Receiver("wali@contoh.test", None, "id")]
    assert receivers_of(book, "quarter", staff) == []


def test_the_operator_is_told_who_gets_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("IMAP_HOST", "x"), ("SMTP_HOST", "x"), ("USERNAME", OFFICE), ("PASSWORD", "x")):
        monkeypatch.setenv(f"LAPORHUB_EMAIL_{name}", value)
    shell = typer.testing.CliRunner()
    asked = ["doctor", "--data", str(tmp_path)]
    assert "nobody gets those of laporgub-jateng for each month" in shell.invoke(app, asked).output
    added = ["user", "add", "kepala", "--role", "pimpinan", "--email", HEAD, "--data", str(tmp_path)]
    assert shell.invoke(app, added).exit_code == 0
    assert "✓ reports by e-mail: ok" in shell.invoke(app, asked).output


# ── a hub and a mail server ──────────────────────────────────────────────────────────────────────


@dataclass
class Office:
    """A hub whose leaders get reports by mail."""

    hub: Hub
    clock: Clock
    server: MailSimulator
    poster: Poster

    async def goes_on(self, **span: float) -> None:
        """Time passes, and what is due is done."""
        self.clock.forward(**span)
        await self.poster.plan()
        while await self.poster.send_one():
            pass

    def posts(self, period: str = "2026-11") -> list[tuple[str, str]]:
        found = self.hub.report_posts(NAME, parse_period(period, ZONE))
        return [(post.receiver, post.status) for post in found]

    def mails(self) -> list[tuple[str, EmailMessage]]:
        return [
            (to, message_from_bytes(body, policy=policy.default))  # type: ignore[misc]
            for to, body in self.server.sent
        ]


@asynccontextmanager
async def office(folder: Path, clock: Clock, server: MailSimulator, told: Any) -> AsyncIterator[Office]:
    settings = {"connectors": {"email": dict(told)}}
    async with hub_on(folder, clock, **settings) as hub:
        by = mailer(Settings(data=folder, **settings), hub.rulebooks, hub._connectors)
        assert by is not None
        yield Office(hub, clock, server, Poster(hub, by, clock))


@pytest.fixture
async def leaders_office(tmp_path: Path) -> AsyncIterator[Office]:
    """It is the last night of November; two leaders have an address, and there were complaints."""
    clock = Clock(datetime(2026, 11, 23, 2, tzinfo=UTC))
    server = MailSimulator(OFFICE, clock)
    async with server.running() as (_, told), office(tmp_path / "data", clock, server, told) as made:
        for account in (leader("kepala", HEAD), leader("wakil", DEPUTY, language="en")):
            made.hub.accounts.save(account, "kata-sandi-percobaan")
        for number in range(3):
            await made.hub.receive(NAME, "web", form(number))
        clock.at = NOVEMBER_OVER.astimezone(UTC) - timedelta(minutes=30)
        yield made


async def test_when_a_month_is_over_each_leader_gets_its_report_once(leaders_office: Office) -> None:
    await leaders_office.goes_on()
    assert leaders_office.mails() == [], "November is not over"
    await leaders_office.goes_on(minutes=30)
    assert leaders_office.posts() == [(HEAD, "sent"), (DEPUTY, "sent")]
    mails = dict(leaders_office.mails())
    assert mails.keys() == {HEAD, DEPUTY}
    assert mails[HEAD]["Subject"] == "Laporan evaluasi pengaduan: LaporGub Jawa Tengah, November 2026"
    assert mails[DEPUTY]["Subject"].endswith("LaporGub Jawa Tengah, November 2026")
    assert mails[HEAD]["From"].endswith(OFFICE)
    body = mails[HEAD].get_body()
    assert body is not None and "Aduan masuk: 3" in body.get_content()
    files = {part.get_filename(): part.get_content() for part in mails[HEAD].iter_attachments()}
    assert {name: data[:4] for name, data in files.items()} == {
        f"{NAME}-2026-11.pdf": b"%PDF",
        f"{NAME}-2026-11.xlsx": b"PK\x03\x04",
    }
    for _ in range(3):
        await leaders_office.goes_on(hours=9)
    assert len(leaders_office.mails()) == 2


async def test_no_report_holds_who_reported_or_what_they_said(leaders_office: Office) -> None:
    await leaders_office.goes_on(minutes=30)
    for _, mail in leaders_office.mails():
        for part in mail.walk():
            raw = part.get_payload(decode=True) or b""
            assert not [said for said in (b"+62811000", b"Warga Contoh", b"Pasar Contoh") if said in raw]  # type: ignore[operator]


async def test_after_a_restart_nothing_is_sent_again_and_what_was_missed_is(
    leaders_office: Office, tmp_path: Path
) -> None:
    await leaders_office.goes_on(minutes=30)
    assert len(leaders_office.mails()) == 2
    leaders_office.clock.at = datetime(2027, 2, 3, tzinfo=UTC)
    again = Poster(leaders_office.hub, leaders_office.poster._mailer, leaders_office.clock)
    await again.plan()
    while await again.send_one():
        pass
    assert leaders_office.posts("2026-12") == leaders_office.posts("2027-01") == leaders_office.posts()
    assert leaders_office.posts("2026") == [(HEAD, "sent"), (DEPUTY, "sent")], "the year is over, too"
    assert len(leaders_office.mails()) == 8


async def test_a_mail_that_may_have_arrived_is_looked_up_and_not_sent_twice(leaders_office: Office) -> None:
    leaders_office.server.failures.append("taken")
    await leaders_office.goes_on(minutes=30)
    assert sorted(status for _, status in leaders_office.posts()) == ["sending", "sent"]
    await leaders_office.goes_on(minutes=15)
    assert leaders_office.posts() == [(HEAD, "sent"), (DEPUTY, "sent")]
    assert sorted(to for to, _ in leaders_office.mails()) == [HEAD, DEPUTY]


@pytest.mark.parametrize("failure", ["lost", "busy"])
async def test_a_mail_that_did_not_arrive_is_sent_again_later(leaders_office: Office, failure: Any) -> None:
    leaders_office.server.failures.append(failure)
    await leaders_office.goes_on(minutes=30)
    assert len(leaders_office.mails()) == 1
    await leaders_office.goes_on(minutes=15)
    assert sorted(to for to, _ in leaders_office.mails()) == [HEAD, DEPUTY]
    assert leaders_office.posts() == [(HEAD, "sent"), (DEPUTY, "sent")]


async def test_an_address_that_does_not_exist_keeps_no_other_from_it(leaders_office: Office) -> None:
    leaders_office.server.unknown.add(HEAD)
    await leaders_office.goes_on(minutes=30)
    await leaders_office.goes_on(hours=10)
    assert leaders_office.posts() == [(HEAD, "failed"), (DEPUTY, "sent")]


async def test_a_report_that_comes_back_is_told_on_the_page(leaders_office: Office) -> None:
    await leaders_office.goes_on(minutes=30)
    [post] = [p for p in leaders_office.hub.report_posts(NAME, NOVEMBER) if p.receiver == HEAD]
    await leaders_office.hub._take_status(StatusUpdate(post.id, "failed", None, "bounced (5.1.1)", 0))
    assert leaders_office.posts() == [(HEAD, "failed"), (DEPUTY, "sent")]
    await leaders_office.hub._take_status(StatusUpdate("q_nobody", "failed"))
    await leaders_office.goes_on(hours=10)
    assert len(leaders_office.mails()) == 2


async def test_a_hub_that_had_no_case_yet_owes_no_report(tmp_path: Path) -> None:
    clock = Clock(NOVEMBER_OVER.astimezone(UTC))
    server = MailSimulator(OFFICE, clock)
    async with server.running() as (_, told), office(tmp_path, clock, server, told) as made:
        made.hub.accounts.save(leader("kepala", HEAD), "kata-sandi-percobaan")
        await made.goes_on()
        assert made.posts() == []
        await made.hub.receive(NAME, "web", form(1))
        await made.goes_on(days=3)
        assert (made.posts(), made.mails()) == ([], []), "the case is of December"


async def test_without_a_mailbox_nothing_is_sent_and_nothing_breaks(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        assert mailer(Settings(data=tmp_path), hub.rulebooks, hub._connectors) is None


# ── many at once, on both databases ──────────────────────────────────────────────────────────────


@dataclass
class Post:
    """A mail server as its rules are: it takes what it is given, and can be asked what it took. `breaks` says how the
    next mails end: the line breaks before or after it was taken, or it is busy, or refuses the account.
    """

    able: bool = True
    taken: list[str] = field(default_factory=list)
    breaks: list[str] = field(default_factory=list)

    async def publish(self, outgoing: Outgoing) -> Outcome:
        await asyncio.sleep(0)
        how = self.breaks.pop() if self.breaks else ""
        if how == "busy":
            raise RetryLater("busy", after=1)
        if how == "stopped":
            raise StopChannel("the password")
        if how == "refused":
            return Failed("rejected (550)")
        if how != "lost":
            self.taken.append(outgoing.to)
        if how in ("lost", "unsure"):
            return Unknown("no answer")
        if how == "killed":
            raise asyncio.CancelledError
        return Sent(outgoing.reply_id)

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | None:
        return Sent(outgoing.reply_id) if outgoing.to in self.taken else None


@dataclass
class Source:
    """What a poster needs of a hub, on a bare database."""

    database: Engine
    accounts: list[Account]
    rulebooks: dict[str, Any] = field(default_factory=lambda: {NAME: RULES})
    tracking: Any = None

    def __post_init__(self) -> None:
        self.tracking = self

    def find(self, query: Query, now: datetime) -> Page:
        assert query.opened_to is not None
        return Page([object()] if query.opened_to > FIRST_CASE else [], None)  # type: ignore[list-item]

    def report(self, profile: str, period: Period, unit: str | None = None) -> Report:
        return make_report([], RULES, period, unit, period.end)

    def staff(self) -> list[Account]:
        return self.accounts

    def next_post(self, now: datetime) -> ReportPost | None:
        with self.database.connect() as connection:
            return report_posts.due(connection, now, [NAME])

    def is_posted(self, profile: str, period: Period) -> bool:
        with self.database.connect() as connection:
            return report_posts.is_planned(connection, profile, period.name)

    async def write(self, job: Callable[[Connection], object]) -> None:
        def run() -> None:
            with writer(self.database).begin() as connection:
                job(connection)

        await asyncio.to_thread(run)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    sqlite = request.param == "sqlite"
    engine = open_database(tmp_path / "hub.db" if sqlite else request.getfixturevalue("postgres"))
    yield engine
    engine.dispose()


async def works(poster: Poster) -> None:
    await poster.plan()
    while await poster.send_one():
        pass


async def test_several_processes_send_each_report_once_whatever_breaks(database: Engine) -> None:
    clock = Clock(NOVEMBER_OVER.astimezone(UTC))
    staff = [leader(f"pimpinan-{number}", f"pimpinan{number}@contoh.test") for number in range(6)]
    post, wanted = Post(), sorted(f"mailto:{account.email}" for account in staff)
    post.breaks = ["", "lost", "stopped", "unsure", "busy", ""]
    posters = [Poster(Source(database, staff), Mailer(post, {NAME: OFFICE}), clock) for _ in range(3)]  # type: ignore[arg-type]
    for _ in range(40):
        await asyncio.gather(*(works(poster) for poster in posters))
        clock.forward(minutes=20)
    assert sorted(post.taken) == wanted
    with database.connect() as connection:
        found = report_posts.of_period(connection, NAME, "2026-11")
    assert [each.status for each in found] == ["sent"] * 6
    assert all(each.next_at is None for each in found)


async def test_who_is_killed_while_the_mail_server_has_it_sends_it_no_second_time(database: Engine) -> None:
    clock, post = Clock(NOVEMBER_OVER.astimezone(UTC)), Post(breaks=["killed"])
    source = Source(database, [leader("kepala", HEAD)])
    with pytest.raises(asyncio.CancelledError):
        await works(Poster(source, Mailer(post, {NAME: OFFICE}), clock))  # type: ignore[arg-type]
    another = Poster(source, Mailer(post, {NAME: OFFICE}), clock)  # type: ignore[arg-type]
    await works(another)
    assert post.taken == [f"mailto:{HEAD}"], "it is left alone until the lease is over"
    clock.forward(minutes=11)
    await works(another)
    assert post.taken == [f"mailto:{HEAD}"]
    with database.connect() as connection:
        [found] = report_posts.of_period(connection, NAME, "2026-11")
    assert found.status == "sent"


async def test_who_is_to_get_a_report_is_decided_once(database: Engine) -> None:
    clock, post = Clock(NOVEMBER_OVER.astimezone(UTC)), Post()
    source = Source(database, [leader("kepala", HEAD)])
    poster = Poster(source, Mailer(post, {NAME: OFFICE}), clock)  # type: ignore[arg-type]
    await works(poster)
    source.accounts.append(leader("wakil", DEPUTY))
    await works(poster)
    assert post.taken == [f"mailto:{HEAD}"]
    clock.at = datetime(2027, 1, 1, tzinfo=UTC)
    await works(poster)
    assert sorted(post.taken) == sorted([f"mailto:{HEAD}"] * 3 + [f"mailto:{DEPUTY}"] * 2), (
        "December, and the year"
    )


@dataclass
class Restructured(Source):
    """The unit has left `units.yaml` since its report was put on its way."""

    asked: int = 0

    def report(self, profile: str, period: Period, unit: str | None = None) -> Report:
        if unit is not None:
            self.asked += 1
            raise NotFound(f"There is no unit {unit!r}")
        return super().report(profile, period, unit)


async def test_the_report_of_a_unit_that_is_no_more_is_given_up_and_says_why(database: Engine) -> None:
    clock, post = Clock(NOVEMBER_OVER.astimezone(UTC)), Post()
    source = Restructured(database, [])
    receivers = [Receiver("bubar@contoh.test", "dinas-bubar", "id"), Receiver(HEAD, None, "id")]
    await source.write(lambda each: report_posts.plan(each, NAME, "2026-11", receivers, clock()))
    poster = Poster(source, Mailer(post, {NAME: OFFICE}), clock)  # type: ignore[arg-type]
    for _ in range(3):
        await works(poster)
        clock.forward(minutes=20)
    with database.connect() as connection:
        found = {each.receiver: each for each in report_posts.of_period(connection, NAME, "2026-11")}
    given_up = found["bubar@contoh.test"]
    assert (given_up.status, given_up.next_at, source.asked) == ("failed", None, 1)
    assert "dinas-bubar" in (given_up.reason or "")
    assert (found[HEAD].status, post.taken) == ("sent", [f"mailto:{HEAD}"])
