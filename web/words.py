"""Times, places and refusals in words. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from babel.dates import format_datetime
from babel.units import format_unit

from laporhub.pipeline.case_state import CaseState, Clock
from laporhub.pipeline.classifier import Place
from laporhub.pipeline.errors import LaporHubError, Refused, RetryLater
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.web.i18n import Translator

_DATE = {"id": "d MMM y HH.mm", "en": "d MMM y HH:mm"}
_ZONES = {"Asia/Jakarta": "WIB", "Asia/Pontianak": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}


def date_time(at: datetime, rulebook: Rulebook, t: Translator) -> str:
    """Local date and time with the zone as Indonesians write it, e.g. "22 Nov 2026 10.15 WIB"."""
    zone = rulebook.profile.time_zone
    local = format_datetime(at, _DATE[t.language], tzinfo=rulebook.calendar.zone, locale=t.language)
    return f"{local} {_ZONES.get(zone, zone)}"


def span(length: timedelta, t: Translator, *, whole_days: bool = True) -> str:
    """A length of time in whole minutes, hours or, from 36 hours, days (unless not wanted): "3 jam"."""
    minutes = max(1, int(abs(length).total_seconds() // 60))
    if minutes < 60:
        return format_unit(minutes, "duration-minute", locale=t.language)
    if minutes < 36 * 60 or not whole_days:
        return format_unit(minutes // 60, "duration-hour", locale=t.language)
    return format_unit(minutes // (24 * 60), "duration-day", locale=t.language)


def ago(at: datetime, now: datetime, t: Translator) -> str:
    return t("%(span)s lalu", span=span(now - at, t))


def running(state: CaseState) -> list[tuple[str, Clock]]:
    """The clocks that tick, the one due first in front."""
    ticking = [(name, clock) for name, clock in state.clocks.items() if clock.status == "running"]
    return sorted(ticking, key=lambda item: (item[1].due_at, item[0]))


def is_late(state: CaseState, now: datetime) -> bool:
    """Whether a clock of a case that goes on is past its time."""
    return state.closed_at is None and any(clock.due_at < now for _, clock in running(state))


def time_left(name: str, due_at: datetime, now: datetime, rulebook: Rulebook, t: Translator) -> str:
    """ "Sisa 3 hari kerja", "Sisa 5 jam" or "Lewat tenggat 2 hari"."""
    if due_at < now:
        return t("Lewat tenggat %(span)s", span=span(now - due_at, t))
    rule = rulebook.profile.clocks.get(name)
    days = rulebook.calendar.working_days_between(now, due_at)
    if rule is not None and rule.limit.measure == "working_days" and days > 1:
        return t.many("Sisa %(count)s hari kerja", "Sisa %(count)s hari kerja", days)
    if rule is not None and rule.limit.measure == "working_seconds":
        left = rulebook.calendar.service_time_between(now, due_at)
        return t("Sisa %(span)s waktu layanan", span=span(left, t, whole_days=False))
    return t("Sisa %(span)s", span=span(due_at - now, t))


def place(state: CaseState) -> str:
    """Where it happened, from what the reporter gave or the classifier read; "" if nobody knows."""
    where = state.location
    if where is not None:
        parts = dict.fromkeys(part for part in (where.address, where.village, where.district) if part)
        if parts:
            return ", ".join(parts)
    if (guess := told_place(state)) is not None:
        return guess.name
    if where is not None and where.lat is not None and where.lon is not None:
        return f"{where.lat:.5f}, {where.lon:.5f}"
    return ""


def region(state: CaseState) -> str:
    """As `place`, for those who do not know the case: no address, and no point."""
    where = state.location
    parts = dict.fromkeys(part for part in (where.village, where.district) if part) if where else {}
    guess = told_place(state)
    return ", ".join(parts) or (guess.name if guess else "")


def told_place(state: CaseState) -> Place | None:
    """What the classifier read in the words."""
    guess = state.suggestion.place if state.suggestion else None
    return guess and guess.told()


def photo_region(state: CaseState) -> str:
    """The region in which a photo was taken, where nothing else tells; "" else."""
    guess = state.suggestion.place if state.suggestion else None
    return guess.name if guess is not None and guess.by_photo else ""


def flag(name: str, t: Translator) -> str:
    """What the classifier saw, for the person who looks; a flag of another classifier by its name."""
    sayings = {
        "urgent": t("mendesak"),
        "abusive": t("kata kasar"),
        "sara": t("SARA"),
        "threat": t("ancaman"),
        "spam": t("iklan atau penipuan"),
        "empty": t("tanpa isi"),
        "test": t("hanya uji coba"),
        "where": t("wilayahnya belum disebut"),
    }
    return sayings.get(name, name)


def refusal(error: LaporHubError, t: Translator) -> str:
    """Why something was not done and what to do, for the person who tried.

    What only the operator can mend is told in general: the details are for the log.
    """
    if isinstance(error, RetryLater):
        return t("Sistem sedang sibuk. Teks Anda masih ada: coba kirim lagi sebentar lagi.")
    sayings = {
        "forbidden": t("Peran Anda tidak boleh melakukan langkah ini pada laporan ini."),
        "not_found": t("Laporan atau langkah ini tidak ada, atau bukan bagian Anda."),
        "conflict": t(
            "Laporan ini sudah berubah sejak Anda membukanya. Periksa perubahannya, lalu kirim lagi."
        ),
        "wrong_state": t("Langkah ini tidak lagi mungkin karena status laporan sudah berubah."),
        "window_closed": t(
            "Kanal pelapor sudah tertutup: pesan tidak akan terkirim. Centang bahwa Anda menyampaikannya sendiri."
        ),
        "arrived": t("Pesan itu sudah sampai, atau sudah dikirim lagi."),
        "on_its_way": t("Pesan itu sedang dikirim. Muat ulang halaman sebentar lagi."),
        "not_there": t("Kanal itu tidak lagi menerima pesan untuk pelapor ini."),
        "too_late": t("Batas waktu untuk langkah ini sudah lewat."),
        "too_often": t("Langkah ini sudah dilakukan sebanyak yang diperbolehkan untuk laporan ini."),
        "same_person": t("Langkah ini harus dilakukan petugas lain, bukan yang memutuskan sebelumnya."),
        "parts_open": t(
            "Bagian jawaban dari instansi lain belum masuk. Tunggu, atau batalkan permintaannya."
        ),
        "already_there": t("Instansi itu sudah menangani laporan ini."),
        "not_asked": t("Instansi itu tidak sedang diminta membantu."),
        "no_lead": t("Belum ada instansi penanggung jawab: disposisikan dulu."),
        "unknown_unit": t("Instansi itu tidak ada, atau tidak ada lagi. Pilih instansi lain."),
        "no_such_case": t("Tidak ada laporan dengan nomor itu, atau bukan bagian Anda."),
        "private_case": t(
            "Laporan itu rahasia: jawabannya tidak boleh sampai ke pelapor lain. Gabungkan sebaliknya, atau jangan."
        ),
        "itself": t("Laporan tidak dapat digabungkan dengan dirinya sendiri."),
        "follows_itself": t("Laporan itu sendiri sudah digabungkan: sebut nomor laporan utamanya."),
        "has_ended": t("Laporan itu sudah berakhir: pilih laporan yang masih ditangani."),
        "not_a_photo": t("Berkas itu bukan foto yang dapat dibaca. Kirim JPEG, PNG, atau WebP."),
        "missing_field": t("Isian ini wajib diisi."),
        "bad_field": t("Isian ini tidak sesuai dengan pilihan yang ada."),
        "unknown_field": t("Formulir ini sudah berubah. Muat ulang halaman."),
        "too_large": t("Paling banyak 3 foto, masing-masing 10 MB."),
        "too_long": t("Teks terlalu panjang."),
    }
    if not isinstance(error, Refused):
        return t("Ada yang tidak beres di sistem kami. Pengelola perlu memperbaikinya; coba lagi nanti.")
    return sayings.get(error.code) or str(error)
