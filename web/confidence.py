"""Who the reporter is and what is said in confidence, in words for pages. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from laporhub.pipeline.hub_port import Confidence, Identity
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say
from laporhub.pipeline.replies import join
from laporhub.web.history import unit_title
from laporhub.web.i18n import Translator

_OWN_SCHEMES = ("tel:", "mailto:", "anon:", "call:")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing said: `side` is "reporter" or "hub", as in a conversation."""

    at: datetime
    side: str
    by: str
    text: str


def confidences(rulebook: Rulebook, said: Iterable[Confidence], t: Translator) -> list[Line]:
    gone = t("Tidak dapat dibaca lagi: identitas pelapor sudah dihapus.")
    return [
        Line(
            each.at,
            "reporter" if each.role == "reporter" else "hub",
            _by(rulebook, each, t),
            gone if each.text is None else each.text,
        )
        for each in said
    ]


def confidants(rulebook: Rulebook, t: Translator, *beside: str) -> str:
    """Who reads the confidential discussion; `beside` the roles that the profile names."""
    roles = [role for role in rulebook.profile.roles.values() if role.confidential]
    titles = [
        t("instansi yang menangani")
        if role.scope == "unit"
        else say(role.title, t.language, rulebook.language)
        for role in roles
    ]
    return join(list(dict.fromkeys((*beside, *titles))), t.language)


def handle_of(who: Identity | None) -> str:
    """The reporter's account on a platform. What a form made of their number or address is none."""
    handle = (who and who.handle) or ""
    return "" if handle.startswith(_OWN_SCHEMES) else handle


def _by(rulebook: Rulebook, said: Confidence, t: Translator) -> str:
    if said.role == "reporter":
        return t("Pelapor")
    if said.unit:
        return unit_title(rulebook, said.unit)
    role = rulebook.profile.roles.get(said.role)
    return say(role.title, t.language, rulebook.language) if role else said.role
