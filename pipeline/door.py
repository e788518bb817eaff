"""The door: what a connector parsed goes in, a sealed and redacted message comes out. Identity stays here."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from phonenumbers import PhoneNumberFormat, PhoneNumberMatcher, PhoneNumberType, format_number, number_type

from laporhub.pipeline import ids, media
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Words
from laporhub.pipeline.errors import NotFound, Refused
from laporhub.pipeline.hub_port import Identity
from laporhub.pipeline.messages import INLINE, Attachment, Inbound, InlineFile, Location, Message, Spot, about
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_intake import Channel
from laporhub.pipeline.redact import redact
from laporhub.pipeline.text import clean
from laporhub.pipeline.vault import pseudonym

TEXT_LIMIT = 100_000
"""Characters in one message; more is refused with the number, nothing is cut silently."""

_OWN_BEFORE = re.compile(
    r"(?i)(?<![^\W\d_])(?:(?:no(?:mor)?|hp|wa|whatsapp|telp?|tlp|telp?on|kontak)[\s.:/]*)+"
    r"(?:(?:saya|sy|sya|aku|kula|kami|pribadi)[\s.:,=]*(?:adalah|di)?[\s:]*)?$"
)
_HARDLY_A_WORD = 5
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


class Seals(Protocol):
    """What the door needs of the vault."""

    def seal(self, reporter: str, plain: str, now: datetime) -> str: ...


@dataclass(frozen=True)
class Door:
    """Seals messages of reporters and words of staff. `pepper` makes pseudonyms irreversible."""

    seals: Seals
    pepper: bytes

    def admit(
        self,
        rulebook: Rulebook,
        channel: str,
        inbound: Inbound,
        now: datetime,
        case: CaseState | None = None,
        names: tuple[str, ...] = (),
    ) -> Message:
        """The message as the streams may carry it. `case` is the one it names, if it names one: of a message that came
        by the case's page it is the conversation, too. `names` is what its reporter is known to be called.

        Raises `Refused` for an unknown channel, an empty message or one that is too long.
        """
        known_channel = rulebook.profile.channels.get(channel)
        if known_channel is None:
            raise NotFound(f"Profile {rulebook.name} has no channel {channel!r}")
        text = clean(inbound.text)
        if (length := max(len(text), len(inbound.whole or ""))) > TEXT_LIMIT:
            raise Refused(
                f"The text has {length} characters; {TEXT_LIMIT} are possible",
                code="too_long",
                field="text",
            )
        names = tuple(filter(None, (inbound.name, *names)))
        if inbound.anonymous or (case is not None and case.anonymous):
            inbound = _nameless(inbound, keeps_address=_answers_on_the_platform(known_channel))
        attachments = (*inbound.attachments, *(_inline(each) for each in inbound.files))
        if not text and inbound.kind == "text" and not attachments and inbound.location is None:
            raise Refused("There is no text", code="empty", field="text")
        account = known_channel.account
        reporter = case.reporter if case else self.reporter_of(rulebook, channel, inbound)
        by_page = case is not None and inbound.case_id is not None
        conversation = (
            case.conversation
            if case and by_page
            else conversation_id(rulebook, channel, reporter, inbound.thread)
        )
        public = redact(text, rulebook.offices, names, rulebook.places)
        untouched = public if inbound.anonymous else inbound.whole or inbound.text
        in_private = inbound.verified and inbound.thread is None and not inbound.anonymous
        phone = inbound.phone or (own_phone(text) if in_private else None)
        told = inbound.model_copy(update={"phone": phone})
        return Message(
            id=ids.message_id(rulebook.name, channel, account, inbound.external_id),
            profile=rulebook.name,
            channel=channel,
            account=account,
            external_id=inbound.external_id,
            conversation=conversation,
            reporter=reporter,
            kind=inbound.kind,
            text=public,
            sealed_text=None if public == untouched else self.seals.seal(reporter, untouched, now),
            sealed_identity=self.seals.seal(reporter, _identity(told), now),
            known=tuple(fact for fact in ("email", "name", "phone") if getattr(told, fact)),
            attachments=tuple(_redacted_file(each, names) for each in attachments),
            location=inbound.location and _redacted_place(inbound.location, names, rulebook),
            taken=None if inbound.anonymous else _taken(inbound.files),
            occurred_at=inbound.occurred_at,
            private=inbound.private,
            anonymous=inbound.anonymous,
            vouched=inbound.verified,
            case_id=case.id if case else None,
            replaces=inbound.replaces and ids.message_id(rulebook.name, channel, account, inbound.replaces),
            sent_at=inbound.sent_at,
            received_at=now,
        )

    def reporter_of(self, rulebook: Rulebook, channel: str, inbound: Inbound) -> str:
        """The pseudonym. One verified phone is one person on every channel; what is only typed in proves nothing."""
        if inbound.anonymous:
            keeps_address = _answers_on_the_platform(rulebook.profile.channels[channel])
            inbound = _nameless(inbound, keeps_address=keeps_address)
        proven = inbound.verified and inbound.phone
        scheme, who = ("tel", str(inbound.phone)) if proven else (channel, inbound.author_id)
        return pseudonym(self.pepper, rulebook.name, scheme, who)

    def words(
        self, rulebook: Rulebook, reporter: str, text: str, now: datetime, names: tuple[str, ...] = ()
    ) -> Words:
        """Words of staff or reporter for a transition's field: redacted; sealed if redaction changed them.

        `names` is what the reporter is called.
        """
        if len(text) > TEXT_LIMIT:
            raise Refused(f"The text has {len(text)} characters; {TEXT_LIMIT} are possible", code="too_long")
        plain = clean(text)
        public = redact(plain, rulebook.offices, names, rulebook.places)
        return Words(text=public, sealed=None if public == plain else self.seals.seal(reporter, plain, now))

    def typed(
        self,
        rulebook: Rulebook,
        reporter: str,
        transition: str,
        fields: Mapping[str, str],
        now: datetime,
        names: Callable[[], tuple[str, ...]] = tuple,
    ) -> dict[str, Words | str | int]:
        """Form values as the transition's fields want them; what does not fit is left for `decide` to refuse.

        `names` tells what the reporter is called; it is asked only where there are words to redact.
        """
        step = rulebook.profile.transitions.get(transition)
        typed: dict[str, Words | str | int] = {}
        for name, value in fields.items():
            field = step.fields.get(name) if step else None
            if field is not None and field.type in ("text", "items"):
                typed[name] = self.words(rulebook, reporter, value, now, names())
            elif field is not None and field.type == "rating" and value.strip().isdecimal():
                typed[name] = int(value)
            else:
                typed[name] = value
        return typed


def own_phone(text: str) -> str | None:
    """The number that somebody gives as their own in a direct message: with a word that says so, or with hardly a word.
    Where several can be meant it is none; and it proves nothing.
    """
    found = {
        format_number(number.number, PhoneNumberFormat.E164)
        for number in PhoneNumberMatcher(text, "ID")
        if number_type(number.number) in _MOBILE
        and (_OWN_BEFORE.search(text[: number.start]) or len(text.split()) <= _HARDLY_A_WORD)
    }
    return found.pop() if len(found) == 1 else None


def _answers_on_the_platform(channel: Channel) -> bool:
    """Whether an answer needs an address: not where it is read on a page, or a person tells it."""
    return channel.delivery == "push" and channel.desk is None


def _nameless(inbound: Inbound, *, keeps_address: bool) -> Inbound:
    """What may be kept of a message whose author wants to be nobody: its words, and the address to answer."""
    nobody = {"name": None, "phone": None, "email": None, "whole": None, "anonymous": True}
    if keeps_address:
        return inbound.but(nobody)
    return inbound.but(nobody | {"author_id": f"anon:{inbound.external_id}", "reply_to": None})


def conversation_id(rulebook: Rulebook, channel: str, reporter: str, thread: str | None = None) -> str:
    """That of a reporter on the channel's account; `thread` as in `Inbound`."""
    account = rulebook.profile.channels[channel].account
    return ids.derive("v", rulebook.name, channel, account, reporter, thread or "")


def address_in(plain: str) -> tuple[str, str | None]:
    """The platform's address of the reporter and where an answer belongs, from an opened `sealed_identity`."""
    kept = json.loads(plain)
    return str(kept["author_id"]), kept.get("reply_to")


def merged_identity(plains: Iterable[str]) -> Identity:
    """Who the reporter is, from what several messages said; the later word counts."""
    known: dict[str, str] = {}
    for plain in plains:
        told = json.loads(plain)
        known |= told | {"author_id": known.get("author_id", told["author_id"])}  # the channel's own handle
    return Identity(known.get("name"), known.get("phone"), known.get("email"), known.get("author_id"))


def _identity(inbound: Inbound) -> str:
    kept = {name: getattr(inbound, name) for name in ("author_id", "name", "phone", "email", "reply_to")}
    return json.dumps({name: value for name, value in kept.items() if value}, ensure_ascii=False)


def _inline(file: InlineFile) -> Attachment:
    digest = hashlib.sha256(file.data).hexdigest()
    return Attachment(url=INLINE + digest, media_type=file.media_type, name=file.name)


def _taken(files: Iterable[InlineFile]) -> Spot | None:
    """About where the first photo that says so was taken."""
    told = (place for each in files if (place := media.place_of(each.data)) is not None)
    return next((about(*place) for place in told), None)


def _redacted_file(attachment: Attachment, names: tuple[str, ...]) -> Attachment:
    kept = attachment.name and redact(clean(attachment.name), names=names)
    return attachment.model_copy(update={"name": kept})


def _redacted_place(location: Location, names: tuple[str, ...], rulebook: Rulebook) -> Location | None:
    """Roads and villages bear names of people: only the reporter's own is one here."""
    kept = {
        field: redact(clean(value), rulebook.offices, names, people=False) or None
        for field in ("address", "district", "village")
        if (value := getattr(location, field))
    }
    place = Location(lat=location.lat, lon=location.lon, **kept)
    return None if place == Location() else place
