"""The hub as the web, the API and the command line see it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.channel_state import ChannelHealth, Way
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.connector_abilities import Greeting
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.evidence import Doubt
from laporhub.pipeline.figures import Report
from laporhub.pipeline.messages import Inbound, InlineFile
from laporhub.pipeline.notices import Notice
from laporhub.pipeline.periods import Period
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.report_post import ReportPost
from laporhub.pipeline.staff import Account, Accounts
from laporhub.pipeline.tracking import Tracking


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message that is now durable."""

    message_id: str
    case_id: str
    ticket: str
    status: str
    received_at: datetime
    duplicate: bool
    missing: tuple[str, ...] = ()
    """Titles of what the reporter is asked for."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A reporter's unsealed identity."""

    name: str | None
    phone: str | None
    email: str | None
    handle: str | None


@dataclass(frozen=True, slots=True)
class Confidence:
    """One thing said in confidence: `role` is "reporter" or staff's; `text` None once the reporter was erased."""

    at: datetime
    role: str
    unit: str | None
    actor: str
    text: str | None


class HubPort(Protocol):
    """All that the web and the command line may ask of a running hub, whichever its engine."""

    @property
    def rulebooks(self) -> Mapping[str, Rulebook]:
        """The profiles served, by name, as they hold now; the first is the default."""
        ...

    @property
    def tracking(self) -> Tracking: ...

    @property
    def accounts(self) -> Accounts: ...

    async def receive(self, profile: str, channel: str, inbound: Inbound) -> Receipt:
        """Seals a message and hands it to the engine. Durable when it returns. Raises `Refused`."""
        ...

    async def hook(self, profile: str, connector: str, raw: Raw) -> Greeting:
        """A platform's webhook: verified, parsed, durable when it returns what the platform is answered.

        Raises `Forged`, and `NotFound` for a platform that there is not; what cannot be parsed is kept in the dead
        letter and counts as taken.
        """
        ...

    def greet(self, connector: str, query: Mapping[str, str]) -> Greeting:
        """The answer to a platform that asks whether the hook is ours. Raises `Forged`, `NotFound`."""
        ...

    def takes_get(self, connector: str) -> bool:
        """Whether this platform delivers by GET, which then is no such question."""
        ...

    async def act(
        self,
        case_id: str,
        transition: str,
        fields: Mapping[str, str],
        actor: Actor,
        seen: int | None = None,
        photos: Mapping[str, Sequence[InlineFile]] | None = None,
    ) -> CaseState:
        """Takes a transition; `photos` are those of its photo fields. Read-your-own-write: what `tracking` says next
        includes it. Raises `Refused`.
        """
        ...

    async def note(self, case_id: str, text: str, actor: Actor) -> CaseState: ...

    def way(self, state: CaseState) -> Way:
        """Whether the reporter's channel would take a reply now. Blocking."""
        ...

    def elsewhere(self, state: CaseState) -> Sequence[str]:
        """Other channels on which the same reporter, by a verified phone, can be answered now. Blocking."""
        ...

    def same_person(self, state: CaseState) -> Sequence[CaseState]:
        """Other cases that the reporter of this one surely opened, the newest first: by an account or a phone that the
        platform vouches for, never by a name or number that was typed. Nothing of who stays anonymous. Blocking.
        """
        ...

    def post_of(self, state: CaseState) -> str | None:
        """The address, on its platform, of what the reporter wrote last, where there is one. Blocking."""
        ...

    async def convey(self, case_id: str, reply_id: str, actor: Actor) -> CaseState:
        """The actor told the reporter themselves. Read-your-own-write, as `act`. Raises `Refused`."""
        ...

    async def redirect(self, case_id: str, reply_id: str, channel: str, actor: Actor) -> CaseState:
        """What could not be delivered is said on another channel of `elsewhere`. Raises `Refused`."""
        ...

    def channels(self) -> Sequence[ChannelHealth]:
        """How every channel stands, in the profiles' order. Blocking."""
        ...

    def report(self, profile: str, period: Period, unit: str | None = None) -> Report:
        """The evaluation report of a profile, or of one of its units. Raises `NotFound`. Blocking."""
        ...

    def report_posts(self, profile: str, period: Period) -> Sequence[ReportPost]:
        """To whom the reports of the period go by e-mail, and how far they got. Blocking."""
        ...

    def case(self, ticket: str) -> CaseState | None:
        """By ticket, however it was typed: spaces, dashes and lower case do not matter. Blocking."""
        ...

    def events(self, case_id: str) -> Sequence[CaseEvent]:
        """The whole history, oldest first. Blocking."""
        ...

    def files(self, case_id: str) -> Sequence[CaseFile]:
        """What came with the case's messages, in order. Blocking."""
        ...

    def files_of(self, case_ids: Collection[str]) -> Mapping[str, Sequence[CaseFile]]:
        """As `files`, for some cases; those without any are left out. Blocking."""
        ...

    def same_pictures(self, state: CaseState) -> Sequence[CaseState]:
        """Other cases, of anybody, with which a picture came that looks like one which came with this. Blocking."""
        ...

    def with_pictures_like(self, profile: str, fingerprints: Collection[str]) -> Sequence[CaseState]:
        """Cases to which a reporter sent a picture that looks like one of these (see `media.fingerprint`). Blocking."""
        ...

    def file(self, file: CaseFile, variant: str = "") -> bytes | None:
        """Its bytes; of a picture also the variants "shown" and "preview". None when it is not kept, or erased.

        Blocking.
        """
        ...

    def notices(self, profile: str, account: Account, most: int = 100) -> Sequence[tuple[int, Notice]]:
        """What the account's unit or role was told, the newest first, each with its number. Blocking."""
        ...

    def unread_notices(self, profile: str, account: Account) -> int:
        """How many of them came since the account last said that it has read them. Blocking."""
        ...

    async def read_notices(self, profile: str, account: Account, upto: int) -> None:
        """The account has read all up to this number."""
        ...

    def doubts(self, state: CaseState) -> Mapping[str, Sequence[Doubt]]:
        """Photo of what was done → what staff is warned about it: time, place, whether it was seen before. Blocking."""
        ...

    def hand_over_file(self, state: CaseState, account: str) -> bytes:
        """The case as a ZIP archive for another government, without identity; who had it is audited. Blocking."""
        ...

    def tracking_token(self, case_id: str) -> str:
        """The reporter's secret for this case; the same each time."""
        ...

    def unseal(self, case_id: str, account: str, reason: str) -> Identity:
        """Opens who the reporter is, and writes an audit record of who looked and why, before it is opened. Blocking.

        Raises `Forbidden` where the reporter asked to stay anonymous.
        """
        ...

    def own_identity(self, case_id: str) -> Identity:
        """Who the reporter said they are, for the reporter alone; nothing once they were erased. Blocking."""
        ...

    async def confide(self, case_id: str, text: str, actor: Actor, key: str) -> CaseState:
        """Says something in the confidential discussion. The same `key` and words are said once. Raises `Refused`."""
        ...

    def confidential(self, state: CaseState, actor: Actor) -> Sequence[Confidence]:
        """What was said in confidence, opened; that staff read it is on record. Raises `Forbidden`. Blocking."""
        ...

    def unseal_words(self, state: CaseState, sealed: str) -> str | None:
        """Opens a sealed text for its own reporter; None when the reporter's key was erased. Blocking."""
        ...

    def ready(self) -> Mapping[str, str]:
        """Part of the hub → "ok" or what is wrong. Blocking."""
        ...
