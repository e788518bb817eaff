"""Facebook and Instagram payloads: one event type, one test."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laporhub.connectors.files import payloads
from laporhub.connectors.meta import MetaConnector, connector
from laporhub.connectors.meta_words import comment_thread, moment
from laporhub.pipeline.connector import Ignored, Parsed, Raw, Withdrawn
from laporhub.pipeline.errors import Forged, Misconfigured, Unparsable
from laporhub.pipeline.messages import Attachment, Inbound, Location
from laporhub.simulators.meta import sign

FIXTURES = Path(__file__).parent / "fixtures" / "meta"
PAGE, HANDLE, WHO = "LaporGub", "@laporgub.jtg", "5550001"
TOLD = {
    "app_secret": "rahasia",
    "verify_token": "kata sandi",
    "page_id": "1234",
    "page_token": "EAA",
    "facebook_account": PAGE,
    "instagram_id": "17841",
    "instagram_account": HANDLE,
}
META = connector(TOLD)


def raw(name: str) -> Raw:
    return Raw((FIXTURES / f"{name}.json").read_bytes(), "application/json")


def read(name: str) -> Parsed:
    [parsed] = META.parse(raw(name))
    return parsed


def message(name: str) -> Inbound:
    parsed = read(name)
    assert isinstance(parsed, Inbound)
    return parsed


def files(inbound: Inbound) -> list[str]:
    return [file.url for file in inbound.attachments]


# ── the page: comments and posts ──


def test_a_comment() -> None:
    assert message("page_comment") == Inbound(
        external_id="987_149",
        author_id=WHO,
        account=PAGE,
        name="Warga Contoh",
        text="Jalan depan Pasar Contoh rusak 🙏",
        thread="987/149",
        reply_to="comment:987_149",
        sent_at=datetime(2026, 11, 23, 1, 59, 50, tzinfo=UTC),
        verified=True,
    )


def test_an_answer_under_a_comment_is_of_the_same_thread() -> None:
    inbound = message("page_comment_reply")
    assert (inbound.thread, inbound.reply_to) == ("987/149", "comment:987_150/987_149")


def test_a_comment_that_is_only_a_photo() -> None:
    inbound = message("page_comment_photo")
    assert (inbound.kind, files(inbound)) == ("attachment", ["https://scontent.example/foto.jpg"])


def test_an_edit_replaces_the_comment_under_an_id_of_its_own() -> None:
    inbound = message("page_comment_edited")
    assert inbound.replaces == "987_149"
    assert inbound.external_id != "987_149"
    assert inbound.text == "Jalan provinsi depan Pasar Contoh rusak"
    assert inbound.thread == message("page_comment").thread


def test_a_comment_that_is_removed_is_withdrawn() -> None:
    assert read("page_comment_removed") == Withdrawn("987_149", WHO, PAGE)
    assert read("page_visitor_post_removed") == Withdrawn("1234_988", WHO, PAGE)


def test_hiding_is_the_pages_doing_not_the_authors() -> None:
    assert isinstance(read("page_comment_hidden"), Ignored)


@pytest.mark.parametrize(
    "name", ["page_comment_own", "instagram_comment_own", "messenger_echo", "instagram_echo"]
)
def test_what_we_wrote_ourselves_is_ignored(name: str) -> None:
    assert isinstance(read(name), Ignored)


def test_a_comment_without_a_name_is_taken_and_can_be_answered() -> None:
    inbound = message("page_comment_nameless")
    assert (inbound.name, inbound.author_id) == (None, "unknown:987_149")
    assert inbound.reply_to == "comment:987_149"


def test_a_visitors_post_is_a_message() -> None:
    inbound = message("page_visitor_post")
    assert (inbound.text, inbound.thread, inbound.reply_to) == (
        "Lampu jalan padam",
        "1234_988",
        "comment:1234_988",
    )


def test_a_visitors_photo() -> None:
    inbound = message("page_visitor_photo")
    assert (inbound.external_id, inbound.text, inbound.kind) == ("1234_989", "Ini fotonya", "text")
    assert files(inbound) == ["https://scontent.example/lubang.jpg"]


def test_a_mention_elsewhere_is_answered_there() -> None:
    inbound = message("page_mention")
    assert (inbound.text, inbound.name, inbound.author_id) == (
        "Tolong LaporGub, jembatan retak",
        "Warga Contoh",
        WHO,
    )
    assert inbound.reply_to == "mention:6660_5"
    assert META.is_public(inbound.reply_to)


@pytest.mark.parametrize("name", ["page_reaction", "page_unknown_field"])
def test_what_has_no_words_is_ignored(name: str) -> None:
    assert isinstance(read(name), Ignored)


# ── Messenger ──


def test_a_direct_message() -> None:
    assert message("messenger_text") == Inbound(
        external_id="m_1",
        author_id=WHO,
        account=PAGE,
        text="Air keruh sejak Senin 🙏",
        reply_to="dm",
        sent_at=datetime(2026, 11, 23, 1, 59, 59, tzinfo=UTC),
        verified=True,
    )


def test_pictures_and_videos_keep_their_order() -> None:
    inbound = message("messenger_images")
    assert inbound.kind == "attachment"
    assert inbound.attachments == (
        Attachment(url="https://scontent.example/1.jpg", media_type="image/*"),
        Attachment(url="https://scontent.example/2.mp4", media_type="video/*"),
    )


@pytest.mark.parametrize(
    ("name", "url", "text"),
    [
        ("messenger_file", "https://cdn.example/surat.pdf", "Surat RT"),
        ("messenger_audio", "https://cdn.example/suara.mp4", ""),
        ("messenger_sticker", "https://scontent.example/jempol.png", ""),
        ("instagram_story_mention", "https://lookaside.example/story", ""),
        ("instagram_story_reply", "https://lookaside.example/ours", "Kapan?"),
        ("instagram_share", "https://lookaside.example/post", ""),
        ("instagram_reel", "https://lookaside.example/reel", "Jalan rusak"),
    ],
)
def test_whatever_comes_with_a_message_keeps_its_address(name: str, url: str, text: str) -> None:
    inbound = message(name)
    assert (files(inbound), inbound.text, inbound.kind) == ([url], text, "attachment")


def test_a_shared_page_of_the_web_is_words_and_no_file() -> None:
    inbound = message("messenger_fallback")
    assert (inbound.text, inbound.kind, files(inbound)) == (
        "Berita contoh\nhttps://berita.example/1",
        "text",
        [],
    )
    shared = message("page_visitor_link")
    assert (shared.text, files(shared)) == ("Benarkah ini?\nhttps://berita.example/1", [])


def test_a_location_is_where_it_happened() -> None:
    inbound = message("messenger_location")
    assert inbound.kind == "location"
    assert inbound.location == Location(address="Lapangan Contoh", lat=-6.2, lon=106.8)


def test_a_tapped_answer_is_its_words() -> None:
    assert message("messenger_quick_reply").text == "Sudah"


def test_a_tapped_button_is_its_title() -> None:
    assert (message("messenger_postback").external_id, message("messenger_postback").text) == (
        "m_10",
        "Mulai",
    )
    assert message("messenger_postback_without_mid").external_id == "postback:5550001:1795399199000"


def test_an_edited_message_replaces_the_one_before() -> None:
    inbound = message("messenger_edit")
    assert (inbound.external_id, inbound.replaces) == ("m_1#1", "m_1")
    assert inbound.text == "Air keruh sejak Minggu"


@pytest.mark.parametrize(
    "name", ["messenger_unknown_attachment", "messenger_unknown_event", "instagram_unsupported"]
)
def test_what_nobody_has_heard_of_is_kept_for_a_person(name: str) -> None:
    inbound = message(name)
    assert (inbound.kind, inbound.author_id) == ("unsupported", WHO)


@pytest.mark.parametrize(
    "name",
    ["messenger_delivery", "messenger_read", "messenger_reaction", "messenger_referral", "instagram_seen"],
)
def test_signs_of_life_are_ignored(name: str) -> None:
    assert isinstance(read(name), Ignored)


@pytest.mark.parametrize(
    ("name", "text"), [("messenger_standby", "Masih rusak"), ("instagram_standby", "Masih padam")]
)
def test_a_message_is_taken_while_another_app_has_the_conversation(name: str, text: str) -> None:
    assert message(name).text == text


# ── Instagram ──


@pytest.mark.parametrize("name", ["instagram_comment", "instagram_comment_direct"])
def test_a_comment_on_instagram_in_either_shape(name: str) -> None:
    inbound = message(name)
    assert (inbound.external_id, inbound.author_id, inbound.account) == ("179001", WHO, HANDLE)
    assert (inbound.name, inbound.text) == ("warga.contoh", "Jalan rusak min")
    assert (inbound.thread, inbound.reply_to) == ("178900/179001", "comment:179001")


def test_an_answer_on_instagram_is_of_the_same_thread() -> None:
    inbound = message("instagram_comment_reply")
    assert (inbound.thread, inbound.reply_to) == ("178900/179001", "comment:179002/179001")


@pytest.mark.parametrize("name", ["instagram_live_comment", "instagram_mention"])
def test_what_the_interface_cannot_answer_is_for_a_person(name: str) -> None:
    inbound = message(name)
    assert inbound.reply_to == "hand"
    assert inbound.account == HANDLE


def test_a_message_on_instagram() -> None:
    inbound = message("instagram_text")
    assert (inbound.text, inbound.account, inbound.reply_to) == ("Listrik padam", HANDLE, "dm")
    assert inbound.thread is None


def test_a_heart_is_what_it_says() -> None:
    assert (message("instagram_heart").text, message("instagram_heart").kind) == ("❤️", "text")


def test_a_message_that_is_taken_back() -> None:
    assert read("instagram_deleted") == Withdrawn("aWdf1", WHO, HANDLE)


def test_the_dashboards_test_is_ignored() -> None:
    assert isinstance(read("instagram_test_event"), Ignored)


# ── batches and odd ones ──


def test_one_odd_entry_loses_none_of_the_others() -> None:
    parsed = META.parse(raw("batch"))
    texts = [item.text for item in parsed if isinstance(item, Inbound)]
    assert texts == ["Pertama", "Kedua", "Ketiga", "Tanpa nomor"]
    odd = parsed[-1]
    assert isinstance(odd, Inbound)
    assert (odd.kind, odd.author_id, odd.reply_to) == ("unsupported", WHO, "hand")
    assert META.parse(raw("batch")) == parsed


def test_a_page_that_nobody_configured_is_no_channels_account() -> None:
    body = raw("messenger_text").body.replace(b'"1234"', b'"777"')
    [inbound] = META.parse(Raw(body))
    assert isinstance(inbound, Inbound)
    assert inbound.account == "777"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"object":"user","entry":[]}',
        b'{"object":"page"}',
        b'{"object":"page","edge":"x"}',
    ],
)
def test_other_payloads_are_unparsable(body: bytes) -> None:
    with pytest.raises(Unparsable):
        META.parse(Raw(body))


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (1795399190, "2026-11-23T01:59:50+00:00"),
        (1795399190123, "2026-11-23T01:59:50.123000+00:00"),
        ("1795399190", "2026-11-23T01:59:50+00:00"),
        ("2026-11-23T08:59:50+0700", "2026-11-23T01:59:50+00:00"),
        ("kemarin", None),
        (True, None),
        (-1, None),
        (10**30, None),
        ("9" * 25, None),
        (None, None),
    ],
)
def test_times_of_every_kind(value: object, at: str | None) -> None:
    assert moment(value) == (at and datetime.fromisoformat(at))


letters = st.characters(exclude_categories=["Cs"])
KEYS = """
    object entry id changes field value messaging standby sender recipient timestamp message mid text attachments type
    payload url coordinates lat long from name item verb comment_id post_id parent_id created_time is_echo edge data of
    is_deleted postback message_edit media replies comments since reply_to story sticker
"""
keys = st.sampled_from(KEYS.split())
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(letters, max_size=9)
)
odd = st.recursive(
    leaves
    | st.sampled_from(["page", "instagram", "feed", "comments", "messages", "comment", "add", "1234", "0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=14,
)


@given(
    st.sampled_from(sorted(path.stem for path in FIXTURES.glob("*.json"))),
    odd,
    st.randoms(use_true_random=False),
)
def test_nothing_odd_inside_a_payload_breaks_it(name: str, value: object, random: object) -> None:
    """Any piece of any payload replaced by anything: it is understood or unparsable, and always the same."""
    payload = orjson.loads(raw(name).body)
    places: list[tuple[object, object]] = []

    def walk(node: object) -> None:
        if isinstance(node, dict | list):
            for key, inner in list(node.items() if isinstance(node, dict) else enumerate(node)):
                places.append((node, key))
                walk(inner)

    walk(payload)
    node, key = random.choice(places)  # type: ignore[attr-defined]
    node[key] = value
    body = Raw(json.dumps(payload).encode())
    try:
        parsed = META.parse(body)
    except Unparsable as error:
        assert str(error)
        return
    assert parsed
    assert META.parse(body) == parsed
    assert MetaConnector().parse(body)


# ── the Graph API's own shapes ──


@pytest.mark.parametrize(
    ("listed", "hooks"),
    [
        ("rest_page_comments", ["page_comment", "page_comment_reply"]),
        ("rest_page_feed", ["page_comment", "page_comment_reply", "page_visitor_post"]),
        ("rest_messenger_messages", ["messenger_text", "messenger_images"]),
        ("rest_instagram_media", ["instagram_comment", "instagram_comment_reply"]),
        ("rest_instagram_messages", ["instagram_story_mention", "instagram_share"]),
    ],
)
def test_what_is_listed_is_what_the_hook_told(listed: str, hooks: list[str]) -> None:
    """Same ids, authors, words, threads: what comes both ways is one message."""

    def key(inbound: Inbound) -> tuple[object, ...]:
        return (
            inbound.external_id,
            inbound.author_id,
            inbound.account,
            inbound.text,
            inbound.thread,
            inbound.reply_to,
        )

    found = [item for item in META.parse(raw(listed)) if isinstance(item, Inbound)]
    assert [key(item) for item in found] == [key(message(name)) for name in hooks]


def test_what_is_older_than_asked_for_is_left_out() -> None:
    payload = orjson.loads(raw("rest_page_comments").body) | {"since": "2026-11-23T01:20:00+00:00"}
    found = [item for item in META.parse(Raw(orjson.dumps(payload))) if isinstance(item, Inbound)]
    assert [item.external_id for item in found] == ["987_150"]


def test_files_of_a_listed_message() -> None:
    found = META.parse(raw("rest_messenger_messages"))[1]
    assert isinstance(found, Inbound)
    assert [file.media_type for file in found.attachments] == ["image/jpeg", "application/pdf"]


@pytest.mark.parametrize(
    ("parent", "root"), [("", "987_149"), ("1234_987", "987_149"), ("987", "987_149"), ("987_140", "987_140")]
)
def test_the_top_of_a_thread(parent: str, root: str) -> None:
    thread = f"987/{root.rpartition('_')[2]}"
    assert comment_thread("987_149", parent, "1234_987", is_comment=True) == (root, thread)


def test_recorded_payloads_are_read_from_files(tmp_path: Path) -> None:
    lines = [json.dumps(orjson.loads(raw(name).body)) for name in ("page_comment", "messenger_text")]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    found = [item for each in payloads(tmp_path / "a.jsonl", "meta") for item in MetaConnector().parse(each)]
    assert [item.external_id for item in found if isinstance(item, Inbound)] == ["987_149", "m_1"]


# ── the hook ──


def signed(body: bytes, secret: str = "rahasia") -> Raw:
    return Raw(body, headers={"x-hub-signature-256": sign(secret, body)})


@given(st.binary())
def test_what_meta_signed_is_taken_and_nothing_else(body: bytes) -> None:
    META.verify(signed(body))
    for forged in (Raw(body), signed(body, "lain"), Raw(body + b" ", headers=signed(body).headers)):
        with pytest.raises(Forged):
            META.verify(forged)


def test_the_bytes_count_not_what_they_mean() -> None:
    """Meta escapes what is not ASCII: the same JSON, written another way, is not what was signed."""
    body = raw("page_comment").body
    again = orjson.dumps(orjson.loads(body))
    with pytest.raises(Forged):
        META.verify(Raw(again, headers=signed(body).headers))


def test_an_app_with_instagram_login_signs_with_its_own_secret() -> None:
    both = connector(TOLD | {"instagram_app_secret": "rahasia-ig"})
    both.verify(signed(b"{}", "rahasia"))
    both.verify(signed(b"{}", "rahasia-ig"))
    with pytest.raises(Forged):
        both.verify(signed(b"{}", ""))
    with pytest.raises(Forged):  # an empty secret is no secret
        META.verify(signed(b"{}", ""))


@pytest.mark.parametrize("header", ["", "sha256=", "sha1=x", "é", "sha256=" + "0" * 64])
def test_an_odd_signature_is_forged(header: str) -> None:
    with pytest.raises(Forged):
        META.verify(Raw(b"{}", headers={"x-hub-signature-256": header}))


def test_the_challenge_is_answered_exactly() -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "0115820", "hub.verify_token": "kata sandi"}
    assert META.greet(asked).body == "0115820"
    for changed in ({"hub.verify_token": "lain"}, {"hub.verify_token": "é"}, {"hub.mode": "unsubscribe"}):
        with pytest.raises(Forged):
            META.greet(asked | changed)
    with pytest.raises(Forged):
        META.greet({})


# ── settings ──


def test_without_settings_it_only_parses() -> None:
    bare = connector({})
    assert not bare.able
    assert bare.parse(raw("messenger_text"))
    for call in (lambda: bare.verify(signed(b"{}")), lambda: bare.greet({})):
        with pytest.raises(Misconfigured, match="LAPORHUB_META_APP_SECRET"):
            call()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"app_secret": "s"}, "LAPORHUB_META_VERIFY_TOKEN"),
        (TOLD | {"page_token": ""}, "page_token"),
        (TOLD | {"facebook_account": ""}, "facebook_account"),
        (TOLD | {"instagram_account": ""}, "instagram_account"),
        (TOLD | {"graph_version": "3.1"}, "LAPORHUB_META_GRAPH_VERSION"),
        (TOLD | {"page_tokne": "x"}, "LAPORHUB_META_PAGE_TOKNE"),
    ],
)
def test_wrong_settings_are_named_and_no_secret_is_quoted(settings: dict[str, str], named: str) -> None:
    with pytest.raises(Misconfigured, match=named) as caught:
        connector(settings)
    assert "rahasia" not in str(caught.value)


def test_only_a_hook_is_fine_too() -> None:
    assert not connector({"app_secret": "s", "verify_token": "v"}).able


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("987_149", "https://www.facebook.com/987_149"),
        ("987_149#1795399200", "https://www.facebook.com/987_149"),
        ("m_1", None),
        ("179001", None),
        ("odd:1_2", None),
    ],
)
def test_comments_of_a_page_can_be_opened(name: str, link: str | None) -> None:
    assert META.link(name) == link
