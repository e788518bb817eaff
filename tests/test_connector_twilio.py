"""WhatsApp and SMS payloads: one event type, one test."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from laporhub.connectors import twilio_payload
from laporhub.connectors.files import payloads
from laporhub.connectors.twilio import TwilioConfig, TwilioConnector, connector
from laporhub.pipeline.connector import Ignored, Parsed, Raw, StatusUpdate
from laporhub.pipeline.errors import Forged, Misconfigured, Unparsable
from laporhub.pipeline.messages import Attachment, Inbound, Location

FIXTURES = Path(__file__).parent / "fixtures" / "twilio"
HOOK = "https://hub.example/hooks/twilio"
STATUS_HOOK = "https://hub.example/hooks/twilio/status?reply=r-1&part=0"
TWILIO = TwilioConnector(TwilioConfig(account_sid="AC1", auth_token="12345"))


def read(name: str, url: str = HOOK) -> Parsed:
    [parsed] = TWILIO.parse(Raw((FIXTURES / f"{name}.txt").read_bytes(), url=url))
    return parsed


def message(name: str) -> Inbound:
    parsed = read(name)
    assert isinstance(parsed, Inbound)
    return parsed


def form(**fields: str) -> Raw:
    return Raw(urlencode({"MessageSid": "SM1", "From": "+628000000456", **fields}).encode(), url=HOOK)


# ── messages ──


def test_a_whatsapp_text() -> None:
    inbound = message("whatsapp_text")
    assert inbound.external_id == "SM00000000000000000000000000000001"
    assert inbound.author_id == "whatsapp:+628000000123"
    assert inbound.account == "whatsapp:+628112920200"
    assert inbound.phone == "+628000000123"
    assert inbound.name == "Warga Contoh"
    assert inbound.text == "Jalan depan Pasar Contoh berlubang 🙏\nsejak Senin"
    assert inbound.kind == "text"
    assert inbound.verified
    assert inbound.thread is None


def test_a_sms() -> None:
    inbound = message("sms_text")
    assert (inbound.author_id, inbound.phone) == ("+628000000456", "+628000000456")
    assert inbound.account == "+628112920200"
    assert inbound.text == "Air PDAM keruh di Desa Contoh"
    assert inbound.name is None


def test_pictures_keep_their_order_and_their_caption() -> None:
    inbound = message("whatsapp_image")
    assert inbound.kind == "attachment"
    assert inbound.text == "Ini fotonya"
    assert [file.media_type for file in inbound.attachments] == ["image/jpeg", "image/png"]
    assert inbound.attachments[1].url.endswith("/ME1")


def test_a_location_is_where_it_happened() -> None:
    inbound = message("whatsapp_location")
    assert inbound.kind == "location"
    assert inbound.location == Location(
        address="Lapangan Contoh, Jl. Contoh 1, Semarang", lat=-6.9932, lon=110.4203
    )


def test_a_location_beyond_the_globe_does_not_lose_the_message() -> None:
    [inbound] = TWILIO.parse(form(Latitude="123", Longitude="110", Body="di sini"))
    assert isinstance(inbound, Inbound)
    assert (inbound.location, inbound.text) == (None, "di sini")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("whatsapp_contacts", ""),
        ("whatsapp_vcard", "Ketua RT Contoh, +62800000999"),
        ("whatsapp_vcard_file", ""),
        ("whatsapp_unknown_type", "lihat ini"),
    ],
)
def test_what_cannot_be_shown_is_kept_as_unsupported(name: str, text: str) -> None:
    inbound = message(name)
    assert (inbound.kind, inbound.text) == ("unsupported", text)


def test_a_tapped_button_says_what_stands_on_it() -> None:
    assert message("whatsapp_button").text == "Sudah selesai"


def test_a_chosen_list_item_says_what_stands_on_it() -> None:
    inbound = message("whatsapp_list")
    assert (inbound.kind, inbound.text) == ("text", "Jalan dan jembatan")


@given(st.text(max_size=200))
def test_whatever_a_contact_card_holds_it_is_kept(card: str) -> None:
    [inbound] = TWILIO.parse(form(Body=f"BEGIN:VCARD\n{card}", MessageType="contacts"))
    assert isinstance(inbound, Inbound)
    assert inbound.kind == "unsupported"
    assert inbound.text


@pytest.mark.parametrize("name", ["whatsapp_no_phone", "whatsapp_only_external_id"])
def test_a_citizen_without_a_phone_number_is_heard(name: str) -> None:
    inbound = message(name)
    assert inbound.author_id == "whatsapp:ID.13491208655302741918"
    assert inbound.phone is None


def test_null_bytes_vanish() -> None:
    assert message("sms_null_bytes").text == "Air keruh"


def test_an_unescaped_plus_is_still_a_phone_number() -> None:
    [inbound] = TWILIO.parse(Raw(b"MessageSid=SM1&From=whatsapp:+628000000123&Body=x"))
    assert isinstance(inbound, Inbound)
    assert inbound.author_id == "whatsapp:+628000000123"


def test_a_short_number_is_an_author_but_no_phone() -> None:
    [inbound] = TWILIO.parse(form(From="1708", Body="x"))
    assert isinstance(inbound, Inbound)
    assert (inbound.author_id, inbound.phone) == ("1708", None)


def test_recorded_messages_are_read_from_a_file() -> None:
    parsed = [item for raw in payloads(FIXTURES / "backfill.jsonl", "twilio") for item in TWILIO.parse(raw)]
    first, second, third = parsed
    assert isinstance(first, Inbound)
    assert isinstance(second, Inbound)
    assert first.sent_at == datetime(2026, 10, 30, 1, 15, tzinfo=UTC)
    assert second.sent_at == datetime(2026, 10, 30, 2, tzinfo=UTC)
    assert (second.external_id, second.text) == ("SM00000000000000000000000000000202", "Sampah menumpuk")
    assert isinstance(third, Ignored)


@pytest.mark.parametrize(
    "body",
    [
        b"From=%2B628000000456&Body=tanpa+nomor+pesan",
        b"MessageSid=SM1&Body=dari+siapa",
        b"MessageSid=SM1&From=%2B628000000456&Body=%FF%FE",
        b"MessageSid=SM1&From=%2B628000000456&Body=\xff",
        b"bukan formulir",
        b'{"MessageSid": "SM1", ',
        b'["MessageSid"]',
        b"&".join(b"a%d=1" % n for n in range(2000)),
    ],
)
def test_what_is_no_message_is_unparsable(body: bytes) -> None:
    with pytest.raises(Unparsable):
        TWILIO.parse(Raw(body))


# ── statuses ──


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("status_delivered", "delivered", None),
        ("status_read", "read", None),
        ("status_window_closed", "failed", "window_closed"),
        ("status_opted_out", "failed", "opted_out (21610)"),
    ],
)
def test_a_status_names_the_reply_it_is_about(name: str, status: str, reason: str | None) -> None:
    update = read(name, STATUS_HOOK)
    assert isinstance(update, StatusUpdate)
    assert (update.reply_id, update.status, update.reason) == ("r-1", status, reason)
    assert update.platform_id is not None
    assert update.platform_id.startswith("SM")


@pytest.mark.parametrize(("theirs", "ours"), twilio_payload.STATUSES.items())
def test_every_status_of_twilio_has_a_meaning(theirs: str, ours: str) -> None:
    body = urlencode({"MessageSid": "SM1", "MessageStatus": theirs}).encode()
    [update] = TWILIO.parse(Raw(body, url=STATUS_HOOK))
    assert isinstance(update, StatusUpdate)
    assert update.status == ours


def test_a_status_of_nobodys_reply_is_ignored() -> None:
    assert isinstance(read("status_delivered", "https://hub.example/hooks/twilio/status"), Ignored)


def test_a_status_nobody_has_heard_of_is_ignored() -> None:
    [parsed] = TWILIO.parse(Raw(b"MessageSid=SM1&MessageStatus=teleported", url=STATUS_HOOK))
    assert isinstance(parsed, Ignored)


# ── signatures ──


def test_the_documented_signature_is_accepted() -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    raw = Raw(
        urlencode(fields).encode(),
        headers={"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
        url="https://mycompany.com/myapp.php?foo=1&bar=2",
    )
    TWILIO.verify(raw)


def signed(body: bytes, url: str = HOOK, token: str = "12345") -> Raw:
    pairs = dict(twilio_payload.form_of(body))
    return Raw(
        body, headers={"x-twilio-signature": RequestValidator(token).compute_signature(url, pairs)}, url=url
    )


def test_blank_fields_and_null_bytes_are_part_of_the_signature() -> None:
    TWILIO.verify(signed((FIXTURES / "whatsapp_location.txt").read_bytes()))
    TWILIO.verify(signed((FIXTURES / "sms_null_bytes.txt").read_bytes()))


@pytest.mark.parametrize(
    "raw",
    [
        signed(b"MessageSid=SM1&Body=a", token="another"),
        Raw(b"MessageSid=SM1&Body=b", headers=signed(b"MessageSid=SM1&Body=a").headers, url=HOOK),
        Raw(b"MessageSid=SM1", headers=signed(b"MessageSid=SM1").headers, url=f"{HOOK}/status"),
        Raw(b"MessageSid=SM1", url=HOOK),
        Raw(b"MessageSid=SM1", headers={"x-twilio-signature": ""}, url=HOOK),
        Raw(b"MessageSid=SM1", headers={"x-twilio-signature": "x"}, url="https://hub.example:port/"),
        Raw(b'{"MessageSid": "SM1"}', headers={"x-twilio-signature": "x"}, url=f"{HOOK}?bodySHA256=x"),
        Raw(b"\xff", headers={"x-twilio-signature": "x"}, url=HOOK),
    ],
)
def test_anything_else_is_forged(raw: Raw) -> None:
    with pytest.raises(Forged):
        TWILIO.verify(raw)


@given(st.binary(), st.text(), st.text())
def test_no_forgery_breaks_the_door(body: bytes, signature: str, url: str) -> None:
    with pytest.raises(Forged):
        TWILIO.verify(Raw(body, headers={"x-twilio-signature": signature}, url=url))


# ── settings ──


def test_without_settings_files_can_be_read_but_nothing_sent() -> None:
    offline = connector({})
    assert offline.parse(form(Body="x"))
    with pytest.raises(Misconfigured, match="auth_token"):
        offline.verify(form(Body="x"))


def test_a_setting_that_does_not_exist_is_named() -> None:
    with pytest.raises(Misconfigured, match="LAPORHUB_TWILIO_TOKN"):
        connector({"account_sid": "AC1", "auth_token": "rahasia", "tokn": "x"})


def test_the_secret_does_not_show() -> None:
    config = TwilioConfig(account_sid="AC1", auth_token="rahasia")
    assert "rahasia" not in f"{config} {config!r} {config.model_dump_json()}"
    with pytest.raises(Misconfigured) as caught:
        connector({"account_sid": "", "auth_token": "rahasia"})
    assert "rahasia" not in str(caught.value)


def test_attachments_without_an_address_are_left_out() -> None:
    [inbound] = TWILIO.parse(form(NumMedia="2", MediaUrl0="", MediaUrl1="https://api.twilio.com/m", Body=""))
    assert isinstance(inbound, Inbound)
    assert inbound.attachments == (Attachment(url="https://api.twilio.com/m"),)
