"""The documents of a case, as its pages offer them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.papers import offered
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say
from laporhub.web.i18n import Translator


def paper_links(
    rulebook: Rulebook, state: CaseState, actor: Actor, base: str, t: Translator, query: str = ""
) -> Sequence[tuple[str, str]]:
    """Title and address of each document that the actor may have now."""
    return [
        (say(paper.title, t.language, rulebook.language), f"{base}/documents/{quote(name)}.pdf{query}")
        for name, paper in offered(rulebook, state, actor)
    ]
