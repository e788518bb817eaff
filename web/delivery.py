"""How replies get to their reporters, in words: the way, the fate, and why one did not arrive. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.channel_state import Way
from laporhub.pipeline.commands import DeliveryStatus
from laporhub.pipeline.connector import BY_HAND, NOT_TOLD
from laporhub.pipeline.errors import Conflict
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_workflow import Transition
from laporhub.web import words
from laporhub.web.history import Entry, channel_title
from laporhub.web.i18n import Translator

ANYWAY = "undelivered"
"""The field by which a person says that they know that a reply does not arrive by itself."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """A reply that a person must see to: what it says, and where else it could be said (channel and its title)."""

    reply_id: str
    text: str
    why: str
    failed: bool
    elsewhere: Sequence[tuple[str, str]] = ()


def fate(status: DeliveryStatus | None, reason: str | None, t: Translator) -> str:
    """What became of a reply, with the reason where there is one."""
    if status is None:
        return ""
    if status == "delivered" and reason == BY_HAND:
        return t("disampaikan sendiri oleh petugas")
    if status == "failed" and reason == BY_HAND:
        return t("perlu disampaikan sendiri oleh petugas")
    said = {
        "queued": t("menunggu dikirim"),
        "sent": t("terkirim"),
        "delivered": t("sampai"),
        "read": t("dibaca"),
        "failed": t("gagal terkirim"),
    }[status]
    return f"{said}: {why(reason, t)}" if status == "failed" and reason else said


def why(reason: str | None, t: Translator) -> str:
    """A failure's reason; a code that nobody has explained is shown as it is."""
    word, _, code = (reason or "").partition(" ")
    known = {
        "window_closed": t("waktu membalas di kanal ini sudah lewat"),
        "opted_out": t("pelapor berhenti menerima pesan"),
        "blocked": t("pelapor memblokir akun kami"),
        "unreachable": t("nomor tidak dapat dihubungi"),
        "invalid_number": t("nomor tidak ada"),
        "not_a_mobile": t("bukan nomor ponsel"),
        "filtered": t("disaring oleh operator"),
        "daily_limit": t("batas harian akun tercapai"),
        "template_paused": t("templat dihentikan oleh platform"),
        "template_unknown": t("platform tidak mengenal templatnya"),
        "template_refused": t("platform menolak isi templatnya"),
        "refused": t("platform menolak pesannya"),
        "duplicate": t("platform menganggapnya pesan yang sama"),
        "too_long": t("terlalu panjang untuk kanal ini"),
        "gateway_error": t("gateway menolak pesannya"),
        NOT_TOLD: t("tidak diketahui apakah sampai; periksa sebelum mengirim lagi"),
        "no_address": t("alamat pelapor tidak ada lagi"),
        "erased": t("data pelapor sudah dihapus"),
        "gone": t("pesan pelapor sudah tidak ada"),
        BY_HAND: t("perlu disampaikan sendiri oleh petugas"),
    }.get(word)
    return f"{known} {code}".strip() if known else reason or t("tanpa keterangan dari platform")


def way_line(rulebook: Rulebook, state: CaseState, way: Way, t: Translator) -> str:
    """Whether the channel takes a reply now, before anybody writes one."""
    channel = channel_title(rulebook, state.channel, t)
    match way.kind:
        case "page":
            return t("Pelapor membacanya di halaman pelacakan.")
        case "unable":
            return t(
                "%(channel)s belum tersambung: pesan menunggu. Sampaikan sendiri, lalu tandai.",
                channel=channel,
            )
        case "nowhere":
            return t("Alamat pelapor sudah dihapus: pesan tidak akan sampai.")
    until = _until(way.window.until, rulebook, t)
    match way.window.state:
        case "human":
            return t(
                "%(channel)s hanya menerima tulisan petugas%(until)s; pesan otomatis tidak terkirim.",
                channel=channel,
                until=until,
            )
        case "closed" if way.templates:
            return t("%(channel)s sudah tertutup: hanya templat yang terkirim.", channel=channel)
        case "closed":
            return t(
                "%(channel)s sudah tertutup: pesan tidak terkirim. Sampaikan dengan cara lain.",
                channel=channel,
            )
        case _:
            return t("Pelapor menerima pesan lewat %(channel)s%(until)s.", channel=channel, until=until)


def _until(at: datetime | None, rulebook: Rulebook, t: Translator) -> str:
    return t(" sampai %(at)s", at=words.date_time(at, rulebook, t)) if at else ""


def check_way(way: Way, step: Transition, *, anyway: bool) -> None:
    """Raises `Conflict` where the step's reply certainly does not arrive, unless the person knows."""
    if step.reply and not anyway and way.is_shut(step.reply):
        raise Conflict(
            "The reporter's channel takes no reply now: send it with 'undelivered' to do it all the same, "
            "and tell the reporter in another way",
            code="window_closed",
        )


def stuck(
    rulebook: Rulebook,
    said: Sequence[Entry],
    way: Way,
    elsewhere: Sequence[str],
    t: Translator,
) -> list[Stuck]:
    """The replies, the newest of each purpose, that failed, or wait for a channel that nobody has set up."""
    newest = {entry.purpose: entry for entry in said if entry.reply_id}
    places = [(channel, channel_title(rulebook, channel, t)) for channel in elsewhere]
    found = []
    for entry in newest.values():
        failed = entry.delivery == "failed"
        if failed or (entry.delivery == "queued" and way.kind == "unable"):
            told = why(entry.reason, t) if failed else t("kanal ini belum tersambung")
            found.append(Stuck(entry.reply_id, entry.text, told, failed, places if failed else ()))
    return found
