"""Payloads of X: one event type, one test; its hook; and how it counts and cuts."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laporhub.connectors import x_payload, x_text
from laporhub.connectors.files import payloads
from laporhub.connectors.x import POST_LIMIT, XConfig, XConnector, connector
from laporhub.pipeline.connector import Ignored, Parsed, Raw, Withdrawn
from laporhub.pipeline.errors import Forged, Misconfigured, Unparsable
from laporhub.pipeline.messages import Attachment, Inbound, Location
from laporhub.simulators import x_rules

FIXTURES = Path(__file__).parent / "fixtures" / "x"
SETTINGS = {
    "account": "@LaporGub_",
    "consumer_key": "kunci",
    "consumer_secret": "secret",
    "access_token": "1111-token",
    "access_token_secret": "rahasia",
}
X = connector(SETTINGS)


def read(name: str, by: XConnector = X) -> list[Parsed]:
    return list(by.parse(Raw((FIXTURES / f"{name}.json").read_bytes())))


def message(name: str, by: XConnector = X) -> Inbound:
    [parsed] = read(name, by)
    assert isinstance(parsed, Inbound)
    return parsed


# ── events ──


def test_a_mention() -> None:
    inbound = message("mention")
    assert inbound.external_id == "2080000000000000101"
    assert (inbound.author_id, inbound.name, inbound.account) == ("2222", "Warga Contoh", "@LaporGub_")
    assert inbound.text == "jalan depan Pasar Contoh Batang berlubang & gelap https://contoh.example/berita"
    assert inbound.sent_at == datetime(2026, 10, 30, 2, 0, tzinfo=UTC)
    assert inbound.thread == "2080000000000000101"
    assert inbound.reply_to == "post:2080000000000000101"
    assert inbound.kind == "attachment"
    assert inbound.attachments == (
        Attachment(url="https://pbs.example/jalan.jpg", media_type="image/jpeg"),
        Attachment(url="https://video.example/besar.mp4", media_type="video/mp4"),
    )
    assert inbound.verified
    assert inbound.replaces is None


def test_an_answer_stays_in_its_thread() -> None:
    inbound = message("reply")
    assert inbound.thread == "2080000000000000101"
    assert inbound.reply_to == "post:2080000000000000103"
    assert (inbound.text, inbound.name) == ("di Desa Contoh, sejak Senin", "Warga Contoh")


def test_a_quote_calls_us_without_naming_us() -> None:
    inbound = message("quote")
    assert inbound.reply_to == "post:2080000000000000104"
    assert inbound.text == "Belum ada perbaikan di sini https://x.com/LaporGub_/status/2080000000000000090"


def test_an_edit_replaces_the_first_version() -> None:
    inbound = message("edited")
    assert (inbound.external_id, inbound.replaces) == ("2080000000000000107", "2080000000000000101")


def test_a_deleted_post_is_withdrawn() -> None:
    assert read("delete") == [Withdrawn("2080000000000000101", "2222", "@LaporGub_")]


def test_a_direct_message() -> None:
    inbound = message("dm")
    assert (inbound.external_id, inbound.author_id, inbound.name) == (
        "2080000000000000201",
        "2222",
        "Warga Contoh",
    )
    assert inbound.text == "Nomor saya 0811 0000 0001"
    assert inbound.sent_at == datetime(2026, 10, 30, 2, 0, 0, 123000, tzinfo=UTC)
    assert inbound.attachments == (Attachment(url="https://ton.example/foto.jpg", media_type="image/jpeg"),)
    assert (inbound.reply_to, inbound.thread) == ("dm", None)


def test_a_place_in_a_direct_message() -> None:
    inbound = message("dm_place")
    assert (inbound.kind, inbound.location) == ("location", Location(lat=-6.91, lon=109.73))


def test_an_encrypted_message_is_kept_for_a_person() -> None:
    inbound = message("encrypted")
    assert (inbound.kind, inbound.author_id, inbound.text) == ("unsupported", "2222", "")


@pytest.mark.parametrize("name", ["dm_sent", "profile_update", "nothing"])
def test_what_no_citizen_wrote_is_left(name: str) -> None:
    [parsed] = read(name)
    assert isinstance(parsed, Ignored)


def test_an_event_of_another_account_is_nobodys_here() -> None:
    """The hub finds no such account, and keeps it in the dead letter with the remedy."""
    stranger = connector({"account": "@Lain", "user_id": "9"})
    assert message("mention", stranger).account == "@LaporGub_"
    assert message("reply", stranger).account == "id:1111"


# ── what the REST interface answers ──


def test_a_page_of_mentions() -> None:
    first, passed_on, own = read("mentions_page")
    assert isinstance(first, Inbound)
    assert first.text == "panjang sekali, sampai selesai https://contoh.example/panjang"
    assert first.location == Location(address="Semarang, Indonesia", lat=-6.99, lon=110.41)
    assert (first.reply_to, first.name) == ("post:2080000000000000403", "Warga Lain")
    assert isinstance(passed_on, Ignored)
    assert isinstance(own, Ignored)


def test_who_was_found_by_a_search_did_not_call_us() -> None:
    assert message("search_page").reply_to == "found:2080000000000000501"


def test_without_settings_x_itself_must_tell_who_called_us() -> None:
    assert message("search_page", connector({})).reply_to == "post:2080000000000000501"


def test_a_page_of_direct_messages_and_the_event_are_the_same_message() -> None:
    own, photo, joined, same = read("dm_page")
    assert isinstance(own, Ignored)
    assert isinstance(joined, Ignored)
    assert isinstance(photo, Inbound)
    assert (photo.kind, photo.text, len(photo.attachments)) == ("attachment", "", 1)
    assert isinstance(same, Inbound)
    pushed = message("dm")
    assert (same.external_id, same.author_id, same.reply_to) == (pushed.external_id, "2222", pushed.reply_to)


def test_each_of_a_page_stands_alone_oldest_first_and_means_the_same() -> None:
    page = orjson.loads((FIXTURES / "mentions_page.json").read_bytes())
    alone = [X.parse(Raw(orjson.dumps(each))) for each in x_payload.singles(page)]
    assert [each for [each] in alone] == list(reversed(read("mentions_page")))
    assert "users" not in list(x_payload.singles(page))[0]["includes"]


def test_files_of_payloads_are_read(tmp_path: Path) -> None:
    lines = [
        orjson.dumps(orjson.loads((FIXTURES / f"{n}.json").read_bytes()))
        for n in ("mention", "dm", "search_page")
    ]
    (tmp_path / "x.jsonl").write_bytes(b"\n".join(lines))
    found = [item for raw in payloads(tmp_path / "x.jsonl", "x") for item in connector({}).parse(raw)]
    assert [each.external_id for each in found if isinstance(each, Inbound)] == [
        "2080000000000000101",
        "2080000000000000201",
        "2080000000000000501",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"x"',
        b'{"data": 1}',
        b'{"data": [1]}',
        b'{"id": "../1", "author_id": "2", "text": "x"}',
        b'{"id": "1", "author_id": "../../2/tweets", "text": "x"}',
        b'{"data": {"event_type": "post.mention.create", "payload": {}}}',
        b'{"data": {"event_type": "dm.received", "payload": {"direct_message_events": []}}}',
    ],
)
def test_what_is_no_payload_of_x_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(Unparsable):
        X.parse(Raw(body))


# ── the hook ──


def test_the_question_is_answered_as_x_computes_it() -> None:
    greeting = X.greet({"crc_token": "tok"})
    expected = "sha256=8MCZ9eHC6vfsONLs/1Iuqf5YSTfm9oGxJzSvKx/iXiw="
    assert orjson.loads(greeting.body) == {"response_token": expected}
    assert greeting.content_type == "application/json"


@pytest.mark.parametrize("token", ["", '{"data":{}}', "a" * 500, "a b"])
def test_the_question_cannot_be_used_to_have_an_event_signed(token: str) -> None:
    with pytest.raises(Forged):
        X.greet({"crc_token": token})


def test_only_the_very_bytes_that_x_signed_are_taken() -> None:
    body = (FIXTURES / "mention.json").read_bytes()
    signed = "sha256=" + base64.b64encode(hmac.digest(b"secret", body, "sha256")).decode()
    X.verify(Raw(body, headers={"x-twitter-webhooks-signature": signed}))
    for forged in (
        Raw(body + b" ", headers={"x-twitter-webhooks-signature": signed}),
        Raw(body, headers={"x-twitter-webhooks-signature": signed.removeprefix("sha256=")}),
        Raw(body, headers={"x-twitter-webhooks-signature": "tanda é"}),
        Raw(body),
    ):
        with pytest.raises(Forged):
            X.verify(forged)


# ── settings ──


def test_some_of_the_secrets_are_too_few() -> None:
    with pytest.raises(Misconfigured, match="access_token_secret"):
        connector({name: value for name, value in SETTINGS.items() if name != "access_token_secret"})
    with pytest.raises(Misconfigured, match="account"):
        connector({name: value for name, value in SETTINGS.items() if name != "account"})
    with pytest.raises(Misconfigured, match="LAPORHUB_X_TOKEN"):
        connector({**SETTINGS, "token": "x"})


def test_our_number_is_in_the_access_token_unless_told() -> None:
    assert XConfig.model_validate(SETTINGS).ours.user_id == "1111"
    assert XConfig.model_validate({**SETTINGS, "user_id": "77"}).ours.user_id == "77"


def test_who_only_reads_files_needs_no_secret_and_is_not_able() -> None:
    reader = connector({"account": "@LaporGub_", "user_id": "1111"})
    assert not reader.able
    assert isinstance(read("dm_page", reader)[0], Ignored)
    with pytest.raises(Misconfigured):
        reader.verify(Raw(b"{}"))


# ── words ──


@pytest.mark.parametrize(
    ("text", "length"),
    [("halo", 4), ("👨‍👩‍👧", 2), ("日本", 4), ("1️⃣", 2), ("é", 1), ("e\u0301", 1), ("🇮🇩", 2), ("“…”", 4)],
)  # fmt: skip
def test_letters_weigh_what_x_says(text: str, length: int) -> None:
    assert x_text.weight(text) == length


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(["jalan", "👨‍👩‍👧‍👦", "日本語", "rusak.", "🇮🇩", "\n\n", "a" * 70, "…"]),
        min_size=1,
        max_size=120,
    )
)
def test_every_part_of_an_answer_fits(words: list[str]) -> None:
    text = " ".join(words)
    for part in X.split_for(text, "@LaporGub_", "post:1"):
        assert x_text.weight(part) <= POST_LIMIT
        assert x_rules.weight(part) <= POST_LIMIT, "nor does the simulated X find it too long"
    assert "".join(X.split(text)).count("jalan") == words.count("jalan")


def test_a_direct_message_is_long_and_keeps_its_links() -> None:
    text = "Lihat https://contoh.go.id/a " * 40
    assert X.split_for(text, "@LaporGub_", "dm") == [text.strip()]
    assert len(X.split_for(text, "@LaporGub_", "post:1")) > 1


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("Lacak di laporgub.jatengprov.go.id.", "Lacak di […]."),
        ("Lihat https://contoh.go.id/a?b=c, ya", "Lihat […], ya"),
        ("(www.contoh.id) bit.ly/abc", "([…]) […]"),
        ("surat@contoh.go.id pukul 12.30, Rp1.000.000", "surat@contoh.go.id pukul 12.30, Rp1.000.000"),
        ("sudah selesai.Terima kasih, no.5, Kec.Batang", "sudah selesai.Terima kasih, no.5, Kec.Batang"),
    ],
)
def test_a_public_answer_has_no_link(text: str, public: str) -> None:
    assert x_text.without_links(text) == public


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("@laporgub_ jalan", "jalan"),
        ("@lain @LaporGub_ jalan @LaporGub_", "@lain jalan @LaporGub_"),
        ("@LaporGub_", "@LaporGub_"),
        ("@LaporGub_x jalan", "@LaporGub_x jalan"),
        ("tolong @LaporGub_", "tolong @LaporGub_"),
    ],
)
def test_only_our_own_name_at_the_beginning_is_left_out(text: str, left: str) -> None:
    assert x_text.without_handle(text, "@LaporGub_") == left


def test_a_post_has_an_address_that_staff_can_open() -> None:
    assert X.link("2080") == "https://x.com/i/web/status/2080"
    assert X.link("../2080") is None


def test_posts_are_public_and_direct_messages_are_not() -> None:
    assert [X.is_public(place) for place in ("post:1", "found:1", None, "dm")] == [True, True, True, False]


def test_only_xs_own_host_of_private_pictures_is_shown_that_it_is_us() -> None:
    picture = "https://ton.twitter.com/1.1/ton/data/dm/1/2/foto.jpg"
    assert X.media_headers(picture)["Authorization"].startswith("OAuth ")
    assert "rahasia" not in X.media_headers(picture)["Authorization"]
    for other in (
        "https://pbs.twimg.com/media/a.jpg",
        "http://ton.twitter.com/a.jpg",
        "https://ton.twitter.com.contoh.example/a.jpg",
        "https://ton.twitter.com@contoh.example/a.jpg",
    ):
        assert X.media_headers(other) == {}
    assert connector({}).media_headers(picture) == {}
