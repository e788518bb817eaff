"""The hotline: call records and transcripts come in, and officers ring back, so nothing is sent from here."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import orjson
from babel.dates import format_datetime
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from laporhub.connectors import calls, hotline_payload
from laporhub.connectors.asterisk import UNIQUE_ID
from laporhub.connectors.calls import Call
from laporhub.connectors.config import configured
from laporhub.connectors.transcriber import SOUND, FasterWhisper, Transcriber
from laporhub.connectors.web import e164
from laporhub.pipeline.connector import BY_HAND, Failed, Ignored, Outcome, Outgoing, Parsed, Raw, Sent
from laporhub.pipeline.errors import Forged, Misconfigured, Unparsable
from laporhub.pipeline.messages import Attachment, Inbound

SECRET_HEADER = "x-hotline-secret"  # noqa: S105 - a header's name
SIGNATURE_HEADER = "x-hotline-signature"
_JSON = "application/json"


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("no such time zone: write it as Asia/Jakarta") from None
    return name


def _phrases(value: object) -> object:
    return (
        tuple(each.strip() for each in value.split(",") if each.strip()) if isinstance(value, str) else value
    )


class HotlineConfig(BaseModel):
    """`secret`: what the telephone system shows (`proof`: as it is, or by a signature). `time_zone`: the zone of times
    that come without one. `office_words`: what officers say when they take a call, separated by commas, beside the
    usual. `answered`: whether a call record without a transcript is a task to write it up; "ignore" where officers
    fill in the form while they listen. `audio_model`: a folder with a faster-whisper model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    secret: SecretStr | None = Field(None, min_length=16)
    proof: Literal["secret", "signature"] = "secret"
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Jakarta"
    office_words: Annotated[tuple[str, ...], BeforeValidator(_phrases)] = ()
    answered: Literal["task", "ignore"] = "task"
    audio_model: Path | None = None


CONFIG = HotlineConfig


class HotlineConnector:
    """See `Connector`. A reply is a call: an officer makes it."""

    able = True

    def __init__(self, config: HotlineConfig | None = None, transcriber: Transcriber | None = None) -> None:
        self._config = config or HotlineConfig()
        self._zone = ZoneInfo(self._config.time_zone)
        self._office_words = (*calls.OFFICE_WORDS, *self._config.office_words)
        self._transcriber = transcriber

    def verify(self, raw: Raw) -> None:
        """Raises `Forged` unless the header shows the secret, or signs address and body with it."""
        secret = self._config.secret
        if secret is None:
            raise Forged("the hotline's hook is closed: set LAPORHUB_HOTLINE_SECRET")
        shown, expected = self._proof(raw, secret.get_secret_value().encode())
        if not hmac.compare_digest(shown.encode(), expected):
            raise Forged(f"the header {self._header} does not match LAPORHUB_HOTLINE_SECRET")

    @property
    def _header(self) -> str:
        return SECRET_HEADER if self._config.proof == "secret" else SIGNATURE_HEADER

    def _proof(self, raw: Raw, secret: bytes) -> tuple[str, bytes]:
        shown = (raw.headers or {}).get(self._header, "")
        if self._config.proof == "secret":
            return shown, secret
        signed = raw.url.encode() + b"\n" + raw.body
        return shown, f"sha256={hmac.digest(secret, signed, 'sha256').hex()}".encode()

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        """A message a call. Raises `Unparsable`."""
        found = hotline_payload.calls(raw.body, hotline_payload.beside(raw.url))
        return [self._message(call) for call in found] or [
            Ignored("a call that went out, or from desk to desk")
        ]

    def split(self, text: str) -> Sequence[str]:
        """An officer reads any length."""
        return [text]

    async def publish(self, outgoing: Outgoing) -> Outcome:  # noqa: ARG002
        """Nobody is rung by a machine."""
        return Failed(BY_HAND)

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | None:  # noqa: ARG002
        return None

    def gather(self, files: Sequence[Path]) -> Iterator[Raw]:
        """The calls in files that belong together: call records, transcripts, and sound where there is a model.

        Call record and transcript meet by their id, which a transcript's file may have in its name.
        Raises `OSError`, and `Misconfigured` for sound without a model.
        """
        found: list[Call] = []
        for path in files:
            beside = {"call_id": _id_in(path)}
            try:
                body = self._heard(path) if path.suffix.lower() in SOUND else path.read_bytes()
            except Unparsable:
                yield Raw(path.read_bytes(), "application/octet-stream")  # for the dead letter
                continue
            for piece in _pieces(body, beside):
                try:
                    found += hotline_payload.calls(piece, beside)
                except Unparsable:
                    yield Raw(piece, "text/plain")  # for the dead letter
        for call in calls.merged(found):
            yield Raw(orjson.dumps(asdict(call)), _JSON)

    def _heard(self, sound: Path) -> bytes:
        if self._transcriber is None:
            if self._config.audio_model is None:
                raise Misconfigured(
                    f"{sound.name} is sound: set LAPORHUB_HOTLINE_AUDIO_MODEL to the folder of a faster-whisper model, "
                    "and install laporhub[audio]; or give its transcript"
                )
            self._transcriber = FasterWhisper(self._config.audio_model)
        return orjson.dumps(self._transcriber.transcribe(sound))

    def _message(self, call: Call) -> Parsed:
        phone = _number(call.caller)
        words = calls.complaint(call, self._office_words)
        if not words and call.answered is False:
            return self._missed(call, phone)
        if not words and call.revision == calls.CALL_RECORD and self._config.answered == "ignore":
            return Ignored("a call record: an officer took the call down")
        record = call.revision == calls.CALL_RECORD
        return Inbound(
            external_id=_external_id(call, call.revision),
            # The call, not the number: a transcript must find its call record whether or not it knows the number,
            # and whoever rings from a number proves little by that.
            author_id=f"call:{call.call_id}",
            thread=call.call_id,
            text=words or self._to_write_up(call),
            whole=self._whole(call) if words else None,
            kind="text" if words else "unsupported",
            replaces=None if record else _external_id(call, call.revision - 1),
            sent_at=self._at(call.started_at),
            attachments=_sound(call),
            name=call.name,
            phone=phone,
        )

    def _missed(self, call: Call, phone: str | None) -> Parsed:
        """Several missed calls from one number are one task: to ring back."""
        if phone is None:
            return Ignored("a missed call without a number: nobody can be rung back")
        return Inbound(
            external_id=_external_id(call, call.revision),
            author_id=f"tel:{phone}",
            thread="missed",
            text=f"Panggilan tak terjawab{self._on(call)}. Hubungi kembali penelepon ini.",
            kind="unsupported",
            sent_at=self._at(call.started_at),
            phone=phone,
        )

    def _to_write_up(self, call: Call) -> str:
        spoken = f", {call.seconds // 60} menit {call.seconds % 60} detik" if call.seconds else ""
        number = "" if _number(call.caller) else " Nomor penelepon tidak diketahui."
        return (
            f"Panggilan terjawab{self._on(call)}{spoken}, belum ada transkripnya.{number} "
            "Tanyakan kepada petugas yang menerima, atau dengarkan rekamannya, lalu tulis isinya."
        )

    def _on(self, call: Call) -> str:
        at = self._at(call.started_at)
        if at is None:
            return ""
        return format_datetime(at, " 'pada' d MMMM y 'pukul' HH.mm", tzinfo=self._zone, locale="id")

    def _whole(self, call: Call) -> str:
        facts = [f"Panggilan {call.call_id}{self._on(call)}"]
        facts += [f"petugas {call.agent}"] if call.agent else []
        facts += [f"ditranskripsi oleh {call.asr_model}"] if call.asr_model else []
        return f"{', '.join(facts)}.\n{calls.transcript(call, self._office_words)}"

    def _at(self, started_at: datetime | None) -> datetime | None:
        if started_at is None or not 1990 <= started_at.year <= 2200:  # a clock that nobody has set
            return None
        local = started_at if started_at.tzinfo else started_at.replace(tzinfo=self._zone)
        return local.astimezone(UTC)


def connector(settings: Mapping[str, Any]) -> HotlineConnector:
    """None at all are enough to read files. Raises `Misconfigured`."""
    return HotlineConnector(configured("hotline", HotlineConfig, settings))


def _external_id(call: Call, revision: int) -> str:
    return f"{call.call_id}:{revision}"


def _pieces(body: bytes, beside: Mapping[str, str]) -> Sequence[bytes]:
    """The file as one, or, where that cannot be read and it is JSON Lines, its lines: a broken one hides no others."""
    try:
        hotline_payload.calls(body, beside)
    except Unparsable:
        lines = [line for line in body.splitlines() if line.strip()]
        if len(lines) > 1 and all(line.lstrip().startswith(b"{") for line in lines):
            return lines
    return [body]


def _id_in(path: Path) -> str:
    """Asterisk's uniqueid where the file's name has one, else the name."""
    found = UNIQUE_ID.search(path.stem)
    return found[0] if found else path.stem


def _number(caller: str | None) -> str | None:
    """E.164 where such a number can exist, else the digits as they came; None for hidden numbers."""
    typed = (caller or "").strip().removeprefix("tel:")
    if "<" in typed:
        typed = typed.partition("<")[2].partition(">")[0]
    digits = "".join(char for char in typed if char.isascii() and char.isdecimal())
    if len(digits) < 6:
        return None
    with_country = e164(f"+{digits}") if digits.startswith("62") else None  # trunks leave out the plus
    return with_country or e164(typed) or digits[:15]


def _sound(call: Call) -> tuple[Attachment, ...]:
    url = call.recording or ""
    if not url.startswith(("https://", "http://")) or len(url) > 2000:
        return ()
    return (Attachment(url=url, media_type="audio/*", name="rekaman"),)
