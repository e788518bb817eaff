"""Sends reports by e-mail when a period is over: each once to each receiver that the profile names.

Any number of processes may do it at once. Who gets what is written down first; then whoever claims a row sends it. A
mail of which nobody knows whether it arrived is looked up in our own mailbox before it is sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from sqlalchemy import Connection

from laporhub.pipeline.connector import Connector, Enclosure, Failed, Outgoing, Sent
from laporhub.pipeline.errors import LaporHubError, Refused, RetryLater, StopChannel
from laporhub.pipeline.figures import Report
from laporhub.pipeline.periods import Every, Period, latest, parse_period
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema import is_address
from laporhub.pipeline.report_post import Receiver, ReportPost
from laporhub.pipeline.staff import Account
from laporhub.pipeline.store import report_posts
from laporhub.pipeline.tracking import Query, Tracking
from laporhub.reports.document import document
from laporhub.reports.letter import letter
from laporhub.reports.render import render
from laporhub.web.i18n import translator

SETTLED: Final = timedelta(minutes=10)
"""How long after a period its last events may still be on their way to the database."""
MISSED_AT_MOST: Final = 12
"""How many periods are caught up with after a long time away."""
FORMS: Final = ("pdf", "xlsx")
_LEASE: Final = timedelta(minutes=10)
_LOOK_AGAIN: Final = timedelta(minutes=3)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=6)
_EVERY_SECONDS: Final = 60.0

logger = structlog.get_logger(__name__)


class Source(Protocol):
    """What it needs of a hub."""

    @property
    def rulebooks(self) -> Mapping[str, Rulebook]: ...
    @property
    def tracking(self) -> Tracking: ...
    def report(self, profile: str, period: Period, unit: str | None = None) -> Report: ...
    def staff(self) -> Iterable[Account]: ...
    def next_post(self, now: datetime) -> ReportPost | None: ...
    def is_posted(self, profile: str, period: Period) -> bool: ...
    async def write(self, job: Callable[[Connection], object]) -> None: ...


@dataclass(frozen=True, slots=True)
class Mailer:
    """What sends, and from which address: the profile's own, or `sender`."""

    connector: Connector
    senders: Mapping[str, str]
    """Profile → our address."""


class Poster:
    """See the module."""

    def __init__(self, hub: Source, mailer: Mailer, now: Callable[[], datetime]) -> None:
        self._hub = hub
        self._mailer = mailer
        self._now = now

    async def run(self) -> None:
        """Until cancelled; a failure is logged and tried again."""
        while True:
            try:
                await self.plan()
                while await self.send_one():
                    pass
            except Exception as error:
                logger.error("reports could not be sent", exc_info=error)
            await asyncio.sleep(_EVERY_SECONDS)

    # ── who gets what ────────────────────────────────────────────────────────────────────────────

    async def plan(self) -> None:
        """Puts the reports of the periods that are over on their way."""
        for profile, period, receivers in await asyncio.to_thread(lambda: list(self._owed())):
            now = self._now()
            await self._hub.write(
                lambda connection, name=profile, about=period, to=receivers, at=now: report_posts.plan(  # type: ignore[misc]
                    connection, name, about.name, to, at
                )
            )

    def _owed(self) -> Iterator[tuple[str, Period, list[Receiver]]]:
        staff = list(self._hub.staff())
        for name in self._mailer.senders:
            book = self._hub.rulebooks[name]
            for every in dict.fromkeys(rule.every for rule in book.profile.reports):
                receivers = receivers_of(book, every, staff)
                for period in self._missing(book, every) if receivers else ():
                    yield name, period, receivers

    def _missing(self, book: Rulebook, every: Every) -> list[Period]:
        """The newest that is over and, if some were sent before, those since then; a hub that never sent any does not
        begin with old ones, and owes nothing for a time when it had no case yet.
        """
        period, found = latest(every, self._now() - SETTLED, book.calendar.zone), list[Period]()
        for _ in range(MISSED_AT_MOST):
            if self._hub.is_posted(book.name, period):
                return found
            if not self._was_in_use(book.name, period):
                break
            found.append(period)
            period = period.before
        return found[:1]

    def _was_in_use(self, profile: str, period: Period) -> bool:
        query = Query((profile,), opened_to=period.end, order="oldest", limit=1)
        return bool(self._hub.tracking.find(query, self._now()).cases)

    # ── sending ──────────────────────────────────────────────────────────────────────────────────

    async def send_one(self) -> bool:
        """Sends, or looks up, the report that waits longest. Whether there was one."""
        post = await asyncio.to_thread(self._hub.next_post, self._now())
        if post is None:
            return False
        mail = await self._mail(post)
        claimed: list[bool] = []
        now = self._now()
        await self._hub.write(
            lambda connection: claimed.append(report_posts.claim(connection, post, now, _LEASE))
        )
        if not claimed[-1] or mail is None:
            return True
        if isinstance(mail, Refused):
            await self._settle(post, "failed", why=str(mail))
        else:
            await self._deliver(post, mail)
        return True

    async def _mail(self, post: ReportPost) -> Outgoing | Refused | None:
        """The mail, made before the row is claimed: that may take a while. What is refused (its unit is no more) never
        can be made; None where it cannot be made now: it is tried again when the claim is over.
        """
        try:
            return await asyncio.to_thread(self._composed, post)
        except Refused as refused:
            return refused
        except Exception as error:
            logger.error("a report could not be made", period=post.period, exc_info=error)
            return None

    def _composed(self, post: ReportPost) -> Outgoing:
        book = self._hub.rulebooks[post.profile]
        period = parse_period(post.period, book.calendar.zone)
        report = self._hub.report(post.profile, period, post.unit)
        t = translator(post.language)
        made = document(report, book, t)
        files = [render(report, book, form, t) for form in FORMS]
        return Outgoing(
            reply_id=post.id,
            part=0,
            to=f"mailto:{post.receiver}",
            account=self._mailer.senders[post.profile],
            text=letter(made, t),
            last_inbound_at=None,
            attempted_at=post.attempted_at if post.status == "sending" and post.attempted_at else self._now(),
            purpose="report",
            subject=f"{made.title}: {made.subject}, {made.period}",
            files=tuple(Enclosure(file.name, file.media_type, file.data) for file in files),
        )

    async def _deliver(self, post: ReportPost, mail: Outgoing) -> None:
        connector, was_tried = self._mailer.connector, post.status == "sending"
        status = "sending" if was_tried else "pending"
        try:
            if was_tried and await connector.look_up(mail, frozenset()) is not None:
                await self._settle(post, "sent")
                return
            status = "pending"  # until the mail server has it, a refusal means that it was not taken
            outcome = await connector.publish(mail)
        except (RetryLater, StopChannel) as error:
            after = error.after if isinstance(error, RetryLater) else None
            await self._settle(
                post, status, pause=max(timedelta(seconds=after or 0), _pause(post)), why=str(error)
            )
        except LaporHubError as error:
            await self._settle(post, status, pause=_LONGEST_PAUSE, why=str(error))
        else:
            match outcome:
                case Sent():
                    await self._settle(post, "sent")
                case Failed(reason=reason):
                    await self._settle(post, "failed", why=reason)
                case _:
                    await self._settle(post, "sending", pause=_LOOK_AGAIN, why=outcome.reason)

    async def _settle(
        self, post: ReportPost, status: str, *, pause: timedelta | None = None, why: str | None = None
    ) -> None:
        now = self._now()
        next_at = None if pause is None else now + pause
        await self._hub.write(
            lambda connection: report_posts.settle(connection, post.id, status, now, next_at, why)
        )
        logger.info("report", profile=post.profile, period=post.period, status=status, reason=why)


def receivers_of(book: Rulebook, every: Every, staff: Iterable[Account]) -> list[Receiver]:
    """Who gets these reports, by the profile's addresses and roles; a role of units gets its own unit's.

    Each address once for each report; accounts without an address get none.
    """
    found: dict[tuple[str, str | None], Receiver] = {}
    named = dict.fromkeys(name for rule in book.profile.reports if rule.every == every for name in rule.to)
    for name in named:
        for receiver in (
            [Receiver(name, None, book.language)] if is_address(name) else _of_role(book, name, staff)
        ):
            found.setdefault((receiver.address.lower(), receiver.unit), receiver)
    return list(found.values())


def _of_role(book: Rulebook, role: str, staff: Iterable[Account]) -> Iterator[Receiver]:
    for each in staff:
        account = each.at(book.name)
        if account.role == role and book.name in account.profiles and account.email:
            of_units = book.profile.roles[role].scope == "unit"
            if account.unit or not of_units:
                yield Receiver(account.email, account.unit if of_units else None, account.language)


def _pause(post: ReportPost) -> timedelta:
    longer: int = 2 ** min(post.attempts, 10)
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * longer)
