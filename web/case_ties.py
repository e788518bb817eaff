"""What else hangs on a case, for its page: photos of what was done, other units at it, other cases about the same, the
file to hand it over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.events import CaseEvent, Merged
from laporhub.pipeline.handover import may_hand_over
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.workflow import may_see
from laporhub.web.attached import Shown
from laporhub.web.evidence import photos_for_staff
from laporhub.web.history import unit_title
from laporhub.web.i18n import Translator
from laporhub.web.site import Site


@dataclass(frozen=True, slots=True)
class Ties:
    """`parts`: unit → its part, "" while it is to come. `main` and `followers` are tickets, `open` those of them that
    the reader may open; `file` is an address.
    """

    photos: Sequence[Shown]
    parts: tuple[tuple[str, str], ...]
    main: str
    followers: tuple[str, ...]
    open: frozenset[str]
    file: str


def ties(
    site: Site,
    rulebook: Rulebook,
    state: CaseState,
    actor: Actor,
    events: Sequence[CaseEvent],
    files: Sequence[CaseFile],
    t: Translator,
) -> Ties:
    """Blocking."""
    page = f"/staff/cases/{quote(state.ticket)}"
    doubts = site.hub.doubts(state) if any(each.field for each in files) else {}
    merged = [event.data.ticket for event in events if isinstance(event.data, Merged)]
    main = merged[-1] if state.main and merged else ""
    followers = tuple(sorted(state.followers.values()))
    near = [found for ticket in (main, *followers) if ticket and (found := site.hub.case(ticket))]
    return Ties(
        photos=photos_for_staff(rulebook, files, doubts, page, t),
        parts=tuple(
            (unit_title(rulebook, unit), part.words.text if part.words else "")
            for unit, part in state.parts.items()
        ),
        main=main,
        followers=followers,
        open=frozenset(other.ticket for other in near if may_see(rulebook, other, actor)),
        file=f"{page}/hand-over.zip" if may_hand_over(rulebook, state, actor) else "",
    )
