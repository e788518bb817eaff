"""A hub's parts, and what can be read of it: cases, their files and who wrote, how channels stand."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import text

from laporhub.hub.channel_health import Channels
from laporhub.hub.engine_port import Engine
from laporhub.hub.erasing import Eraser
from laporhub.hub.ground import Ground
from laporhub.hub.joining import Joiner
from laporhub.hub.keeping import Store
from laporhub.hub.reporting import Reporter
from laporhub.hub.ways import Ways
from laporhub.pipeline import ids
from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.channel_state import ChannelHealth
from laporhub.pipeline.connector import Connector
from laporhub.pipeline.door import merged_identity
from laporhub.pipeline.embedded.engine import Sink
from laporhub.pipeline.errors import Forbidden, NotFound
from laporhub.pipeline.events import CaseEvent, MessageAdded
from laporhub.pipeline.figures import Report
from laporhub.pipeline.hub_port import Identity
from laporhub.pipeline.periods import Period
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.publisher import Publisher
from laporhub.pipeline.report_post import ReportPost
from laporhub.pipeline.said import as_shown
from laporhub.pipeline.staff import Account
from laporhub.pipeline.store import cases, files, log, persons, pictures, report_posts
from laporhub.pipeline.store.accounts import AccountStore
from laporhub.pipeline.store.reporter_names import names_of
from laporhub.pipeline.tracking import Tracking

logger = structlog.get_logger(__name__)
_NEARLY_THE_SAME: Final = 3
"""Bits by which the fingerprints of two pictures may differ, of 64."""


class Reading:
    """A hub as readers see it. Everything that the other parts need is kept here."""

    def __init__(
        self,
        *,
        ground: Ground,
        engine: Engine,
        publisher: Publisher,
        tracking: Tracking,
        sink: Sink | None,
        connectors: Mapping[str, Connector],
        store: Store,
        now: Callable[[], datetime],
    ) -> None:
        """`sink` is what writes the tracking rows within the engine's transactions, where it does."""
        self._books = ground.rulebooks
        self.tracking = tracking
        self.sink = sink
        self.accounts = AccountStore(ground.database)
        self.publisher = publisher
        self.ring = ground.ring
        self.audit = ground.audit
        self.base_url = ground.base_url
        self.now = now
        self.database = ground.database
        self.engine = engine
        self._door = ground.door
        self._connectors = connectors
        self._ways = Ways(ground.database, ground.ring, connectors, now)
        self._channels = Channels(ground.database, ground.rulebooks, connectors, now)
        self.files_store = store
        self.eraser = Eraser(ground.database, ground.ring, store, ground.audit, ground.rulebooks, now)
        self.web_secret = ground.secrets.web
        self._reporter = Reporter(ground.database, ground.rulebooks, now)
        self._joiner = Joiner(ground.database, engine, ground.ring, ground.secrets.web, now)

    @property
    def rulebooks(self) -> Mapping[str, Rulebook]:
        """As they hold now; a case has those of its own version (`Rulebook.of`)."""
        now = self.now()
        return {name: book.on(now) for name, book in self._books.items()}

    def case(self, ticket: str) -> CaseState | None:
        canonical = ids.parse_ticket(ticket)
        if canonical is None:
            return None
        with self.database.connect() as connection:
            return cases.case_by_ticket(connection, canonical)

    def report(self, profile: str, period: Period, unit: str | None = None) -> Report:
        return self._reporter.report(profile, period, unit)

    def report_posts(self, profile: str, period: Period) -> Sequence[ReportPost]:
        with self.database.connect() as connection:
            return report_posts.of_period(connection, profile, period.name)

    def is_posted(self, profile: str, period: Period) -> bool:
        """Whether it was decided who gets the reports of the period."""
        with self.database.connect() as connection:
            return report_posts.is_planned(connection, profile, period.name)

    def next_post(self, now: datetime) -> ReportPost | None:
        """The report that has waited longest to be sent."""
        with self.database.connect() as connection:
            return report_posts.due(connection, now, tuple(self.rulebooks))

    def staff(self) -> Sequence[Account]:
        return self.accounts.all()

    def events(self, case_id: str) -> Sequence[CaseEvent]:
        with self.database.connect() as connection:
            state = cases.load_cases(connection, [case_id]).get(case_id)
            history = log.case_events(connection, case_id, state.opened_at) if state else []
        return as_shown(history)

    def same_person(self, state: CaseState) -> Sequence[CaseState]:
        with self.database.connect() as connection:
            if not persons.opened(connection, state):
                return []
            theirs = [each for each in persons.cases_of(connection, state.reporter) if each != state.id]
            found = cases.load_cases(connection, theirs)
        return [found[each] for each in theirs]

    def files(self, case_id: str) -> Sequence[CaseFile]:
        with self.database.connect() as connection:
            return files.of_case(connection, case_id)

    def files_of(self, case_ids: Collection[str]) -> Mapping[str, Sequence[CaseFile]]:
        with self.database.connect() as connection:
            return files.of_cases(connection, case_ids)

    def same_pictures(self, state: CaseState) -> Sequence[CaseState]:
        with self.database.connect() as connection:
            mine = [each for each in files.of_case(connection, state.id) if each.field is None]
            alike = [found for each in mine for found in pictures.alike(connection, each, _NEARLY_THE_SAME)]
            theirs = {each.case_id for each in alike if each.by_reporter} - {state.id}
            return list(cases.load_cases(connection, sorted(theirs)).values())

    def with_pictures_like(self, profile: str, fingerprints: Collection[str]) -> Sequence[CaseState]:
        with self.database.connect() as connection:
            alike = [
                found
                for each in fingerprints
                for found in pictures.like(connection, profile, each, _NEARLY_THE_SAME)
            ]
            theirs = {each.case_id for each in alike if each.by_reporter}
            return list(cases.load_cases(connection, sorted(theirs)).values())

    def file(self, row: CaseFile, variant: str = "") -> bytes | None:
        name = f"{row.digest}.{variant}" if variant else row.digest
        return self.files_store.get(row.reporter, name) if row.digest and name else None

    def tracking_token(self, case_id: str) -> str:
        signed = hmac.digest(self.web_secret, f"track {case_id}".encode(), "sha256")
        return base64.b32encode(signed).decode().lower()[:24]

    def unseal(self, case_id: str, account: str, reason: str) -> Identity:
        state = self._case(case_id)
        if state.anonymous:
            raise Forbidden("The reporter asked to stay anonymous: nobody is told who it is")
        self.audit.record(account, "unseal", state.ticket, reason, self.now())
        return self.own_identity(case_id)

    def own_identity(self, case_id: str) -> Identity:
        said = [event.data for event in self.events(case_id) if isinstance(event.data, MessageAdded)]
        opened = [self.ring.open(each.sealed_identity) for each in said if each.sealed_identity]
        return merged_identity(plain for plain in opened if plain)

    def _names(self, state: CaseState) -> tuple[str, ...]:
        """What its reporter is called, for redaction alone."""
        return names_of(self.database, self.ring, state)

    def unseal_words(self, state: CaseState, sealed: str) -> str | None:  # noqa: ARG002
        return self.ring.open(sealed)

    def channels(self) -> Sequence[ChannelHealth]:
        return self._channels.all()

    def ready(self) -> Mapping[str, str]:
        try:
            with self.database.connect() as connection:
                connection.execute(text("SELECT 1"))
            database = "ok"
        except Exception as error:
            logger.error("the database cannot be read", exc_info=error)
            database = "cannot be read: see the log"
        stopped = ", ".join(self.publisher.stopped_accounts)
        return {
            "database": database,
            "engine": self.engine.health,
            "accounts": f"stopped: {stopped}" if stopped else "ok",
        }

    def _case(self, case_id: str) -> CaseState:
        if (latest := self.engine.latest(case_id)) is not None:
            return latest
        with self.database.connect() as connection:
            state = cases.load_cases(connection, [case_id]).get(case_id)
        if state is None:
            raise NotFound(f"there is no case {case_id}")
        return state

    def _rulebook(self, profile: str) -> Rulebook:
        try:
            return self._books[profile].on(self.now())
        except KeyError:
            raise NotFound(f"This hub does not serve the profile {profile!r}") from None

    def _connector(self, provider: str) -> Connector:
        try:
            return self._connectors[provider]
        except KeyError:
            raise NotFound(f"There is no connector {provider!r}") from None
