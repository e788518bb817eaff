"""How the channels stand, for those who see to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request, Response

from laporhub.pipeline.channel_state import ChannelHealth
from laporhub.pipeline.errors import Forbidden
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.staff import Account
from laporhub.web import words
from laporhub.web.desk import Staff, menu, profile_of, profiles_of, scope, sees_channels
from laporhub.web.history import channel_title
from laporhub.web.i18n import Translator
from laporhub.web.site import render, site_of, translator_of

router = APIRouter(include_in_schema=False)

_SOON: Final = timedelta(days=7)
"""How long before its end a token is spoken of."""
_SILENT: Final = timedelta(hours=1)
"""How long a platform that is polled may not have been asked."""


@dataclass(frozen=True, slots=True)
class Row:
    """One channel, in words. `troubles` are what is wrong and what to do, worst first."""

    health: ChannelHealth
    title: str
    state: str
    troubles: tuple[str, ...]
    error_rate: str
    account: str
    undelivered: int


@router.get("/staff/channels", name="channels")
def channels(request: Request, session: Staff, profile: str | None = None) -> Response:
    site, account = site_of(request), session.account
    rulebook = profile_of(site, account, profile)
    if not sees_channels(rulebook, account):
        raise Forbidden("This role works on its own unit's cases only")
    t, now = translator_of(request, account), site.settings.now()
    shown = [each for each in site.hub.channels() if _is_theirs(each, rulebook, account)]
    query = replace(scope(rulebook, account), undelivered=True)
    counted = site.hub.tracking.count(query, "channel", now)
    return render(
        request,
        "channels.html",
        rulebook=rulebook,
        account=account,
        session=session,
        private=True,
        rows=[_row(each, rulebook, counted.get(each.channel, 0), now, t) for each in shown],
        profiles=profiles_of(site, account),
        menu=menu(site, account, rulebook),
    )


def _is_theirs(health: ChannelHealth, rulebook: Rulebook, account: Account) -> bool:
    role = rulebook.profile.roles[account.role]
    return health.profile == rulebook.name and (role.scope == "all" or health.channel in role.channels)


def _row(health: ChannelHealth, rulebook: Rulebook, undelivered: int, now: datetime, t: Translator) -> Row:
    troubles = _troubles(health, now, rulebook, t)
    if not health.configured:
        state = t("belum tersambung")
    elif troubles:
        state = t("bermasalah")
    else:
        state = t("baik")
    return Row(
        health=health,
        title=channel_title(rulebook, health.channel, t),
        state=state,
        troubles=tuple(troubles),
        error_rate="" if health.error_rate is None else f"{health.error_rate:.0%}",
        account=_account(health, now, rulebook, t),
        undelivered=undelivered,
    )


def _troubles(health: ChannelHealth, now: datetime, rulebook: Rulebook, t: Translator) -> list[str]:
    found = []
    if health.dead:
        found.append(
            t(
                "Pengiriman dihentikan: platform menolak akun kami (%(why)s). Perbarui token atau sandi akun, "
                "lalu mulai ulang hub.",
                why=health.rests_why or "",
            )
        )
    elif health.rests_until is not None:
        found.append(
            t(
                "Platform tidak menjawab (%(why)s): dicoba lagi %(at)s.",
                why=health.rests_why or "",
                at=words.date_time(health.rests_until, rulebook, t),
            )
        )
    if health.ok is False and not health.dead:
        found.append(t("Pemeriksaan akun: %(why)s", why=health.reason or ""))
    if health.expires_at is not None and health.expires_at - now < _SOON:
        at = words.date_time(health.expires_at, rulebook, t)
        found.append(
            t("Token sudah habis sejak %(at)s: buat yang baru.", at=at)
            if health.expires_at <= now
            else t("Token habis %(at)s: buat yang baru sebelum itu.", at=at)
        )
    if health.poll_trouble:
        found.append(t("Pesan masuk tidak dapat diambil: %(why)s", why=health.poll_trouble))
    elif health.configured and health.polled_at is not None and now - health.polled_at > _SILENT:
        found.append(t("Pesan masuk terakhir diambil %(ago)s.", ago=words.ago(health.polled_at, now, t)))
    return found


def _account(health: ChannelHealth, now: datetime, rulebook: Rulebook, t: Translator) -> str:
    """What the platform said of it, besides trouble."""
    said = [f"{name}: {value}" for name, value in health.facts.items()]
    if health.expires_at is not None and health.expires_at - now >= _SOON:
        said.append(t("token sampai %(at)s", at=words.date_time(health.expires_at, rulebook, t)))
    if health.checked_at is not None and health.ok is not None:
        said.append(t("diperiksa %(ago)s", ago=words.ago(health.checked_at, now, t)))
    return " · ".join(said)
