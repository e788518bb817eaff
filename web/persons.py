"""Other cases of the person who opened this one, for staff: only what is proven, and only what they may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.workflow import may_see
from laporhub.web.desk import Session
from laporhub.web.history import channel_title, status_title
from laporhub.web.i18n import Translator
from laporhub.web.site import Site


@dataclass(frozen=True, slots=True)
class Other:
    """Another case: where it is, how it stands, and what proves that the same person opened it."""

    ticket: str
    url: str
    status: str
    channel: str
    opened_at: datetime
    proof: str


def others(site: Site, session: Session, rulebook: Rulebook, state: CaseState, t: Translator) -> list[Other]:
    """The newest first. Blocking."""
    return [
        Other(
            ticket=each.ticket,
            url=f"/staff/cases/{quote(each.ticket)}",
            status=status_title(rulebook, each.status, t),
            channel=channel_title(rulebook, each.channel, t),
            opened_at=each.opened_at,
            proof=_proof(rulebook, state, each, t),
        )
        for each in site.hub.same_person(state)
        if may_see(rulebook, each, session.actor)
    ]


def _proof(rulebook: Rulebook, state: CaseState, other: CaseState, t: Translator) -> str:
    """On two channels one pseudonym only comes of one phone that both vouch for."""
    if other.channel == state.channel:
        return t("akun yang sama di %(channel)s", channel=channel_title(rulebook, other.channel, t))
    return t("nomor HP yang sama, terbukti di kedua kanal")
