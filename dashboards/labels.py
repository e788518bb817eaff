"""What fields and their codes are called on the screen: field names here, codes from the profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from laporhub.dashboards.describe import words
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import Text, say

FIELDS: Final[Mapping[str, Text]] = {
    "account": words("Akun kanal", "Channel account"),
    "active": words("Masih di instansi ini", "Still this agency's"),
    "actor_role": words("Peran pelaku", "Actor's role"),
    "actor_unit": words("Instansi pelaku", "Actor's agency"),
    "address": words("Alamat kejadian", "Address"),
    "alarm": words("Pengingat", "Alarm"),
    "answered_at": words("Ditanggapi", "Answered"),
    "attachments": words("Lampiran", "Attachments"),
    "attention": words("Perlu perhatian", "Needs attention"),
    "case_id": words("Aduan", "Case"),
    "channel": words("Kanal", "Channel"),
    "clock": words("Tenggat", "Clock"),
    "clocks_kept": words("Tenggat terpenuhi", "Limits kept"),
    "clocks_late": words("Tenggat terlewati", "Limits missed"),
    "clocks_running": words("Tenggat berjalan", "Limits running"),
    "closed_at": words("Selesai", "Closed"),
    "district": words("Kecamatan", "District"),
    "due_at": words("Tenggat terdekat", "Due"),
    "escalate_to": words("Diteruskan kepada", "Escalated to"),
    "failed_replies": words("Balasan gagal terkirim", "Replies that failed"),
    "flags": words("Tanda isi", "Flags"),
    "hours_open": words("Lama penanganan (jam)", "Hours open"),
    "kind": words("Jenis kejadian", "Kind of event"),
    "late": words("Lewat tenggat", "Late"),
    "messages": words("Pesan pelapor", "Messages"),
    "missing": words("Kelengkapan yang kurang", "What is missing"),
    "opened_at": words("Masuk", "Received"),
    "place": words("Tempat", "Place"),
    "point": words("Titik lokasi", "Point"),
    "profile": words("Layanan", "Service"),
    "rating": words("Nilai pelapor", "Rating"),
    "region": words("Kabupaten/kota", "Regency or city"),
    "replies": words("Balasan", "Replies"),
    "review": words("Perlu diperiksa", "To be reviewed"),
    "sequence": words("Urutan", "Sequence"),
    "status": words("Status", "Status"),
    "status_from": words("Status semula", "Status before"),
    "status_to": words("Status baru", "Status after"),
    "automatic": words("Disposisi otomatis", "Disposed by itself"),
    "suggested_probability": words("Keyakinan saran", "Probability of the suggestion"),
    "suggested_unit": words("Instansi yang disarankan", "Suggested agency"),
    "suggestion_in_top3": words("Tiga saran memuat keputusan", "Among the first three suggestions"),
    "suggestion_right": words("Saran sesuai keputusan", "Suggestion was right"),
    "suggestion_sure": words("Saran yakin", "Suggestion was sure"),
    "text": words("Isi aduan", "Text"),
    "ticket": words("Nomor tiket", "Ticket"),
    "time": words("Waktu", "Time"),
    "topic": words("Topik", "Topic"),
    "transition": words("Langkah", "Step"),
    "unit": words("Instansi tujuan", "Agency"),
    "updated_at": words("Terakhir berubah", "Last change"),
    "urgency": words("Urgensi", "Urgency"),
    "village": words("Desa/kelurahan", "Village"),
    "waiting": words("Menunggu dibaca", "Not read yet"),
}
"""Names of fields, by field. A field without a name here is shown by its own."""

AUTOMATIC: Final[Mapping[str, Text]] = {
    "given": words("Belum ditanggapi", "Nobody acted yet"),
    "kept": words("Diterima instansi", "Taken up by the agency"),
    "returned": words("Dikembalikan", "Given back"),
}

URGENCY: Final[Mapping[str, Text]] = {
    "normal": words("Biasa", "Normal"),
    "high": words("Tinggi", "High"),
    "critical": words("Darurat", "Critical"),
}


def field_label(field: str, language: str) -> str:
    """The field's name in the language."""
    return say(FIELDS.get(field, field), language)


def codes(rulebook: Rulebook, language: str) -> dict[str, dict[str, str]]:
    """Field → code → what it is called, from the profile: states, channels, units, steps, clocks, requirements.

    What an earlier version had is called by its last title there: its cases are counted, too.
    """
    profile = rulebook.profile
    versions = [book.profile for book in rulebook.every_edition]

    def titles(items: Iterable[tuple[str, Text]]) -> dict[str, str]:
        return {code: say(title, language, *profile.languages) for code, title in items}

    states = titles((name, state.title) for each in versions for name, state in each.states.items())
    clocks = titles((name, clock.title) for each in versions for name, clock in each.clocks.items())
    needs = titles((name, need.title) for each in versions for name, need in each.requirements.items())
    units = {name: unit.short or unit.title for name, unit in rulebook.units.items()}
    return {
        **dict.fromkeys(("status", "status_from", "status_to"), states),
        **dict.fromkeys(("clock", "clocks_running", "clocks_late", "clocks_kept"), clocks),
        **dict.fromkeys(("missing", "review"), needs),
        **dict.fromkeys(("unit", "suggested_unit", "actor_unit"), units),
        "channel": titles((name, channel.title) for name, channel in profile.channels.items()),
        "transition": titles(
            (name, step.title) for each in versions for name, step in each.transitions.items()
        ),
        "escalate_to": titles((name, role.title) for name, role in profile.roles.items()),
        "urgency": titles(URGENCY.items()),
        "automatic": titles(AUTOMATIC.items()),
        "profile": {profile.name: say(profile.title, language, *profile.languages)},
    }
