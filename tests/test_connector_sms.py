"""What SMS gateways deliver, by their mappings: one kind of payload, one test."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laporhub.connectors import gsm7, parts, sms_payload
from laporhub.connectors.files import payloads
from laporhub.connectors.sms import SmsConnector, SmsOverTwilio, connector
from laporhub.connectors.sms_config import SmsConfig
from laporhub.connectors.sms_gateway import Gateway, load_gateway, shipped
from laporhub.pipeline.connector import Fragment, Ignored, Parsed, Raw, StatusUpdate
from laporhub.pipeline.errors import Forged, Misconfigured, Unparsable
from laporhub.pipeline.messages import Inbound
from laporhub.pipeline.profile.load import load

FIXTURES = Path(__file__).parent / "fixtures" / "sms"
TOLD = {"url": "https://sms.example", "user": "u", "password": "kunci", "secret": "rahasia"}
HOOK = "https://hub.example/hooks/sms"


def over(gateway: str, **more: str) -> SmsConnector:
    return SmsConnector(SmsConfig(gateway=gateway, **{**TOLD, **more}))


def read(gateway: str, name: str, url: str = "") -> Parsed:
    [item] = over(gateway).parse(Raw((FIXTURES / f"{name}.txt").read_bytes(), url=url))
    return item


# ── messages ──


def test_an_aggregators_form() -> None:
    inbound = read("agregator", "agregator_text")
    assert isinstance(inbound, Inbound)
    assert inbound.external_id == "agregator:9001"
    assert (inbound.author_id, inbound.phone, inbound.account) == (
        "+62811000001",
        "+62811000001",
        "+628112920200",
    )
    assert inbound.text == "Lampu jalan mati di Desa Contoh"
    assert inbound.sent_at == datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    assert inbound.verified


def test_kannels_query_in_either_character_set() -> None:
    plain, wide = read("kannel", "kannel_text"), read("kannel", "kannel_ucs2")
    assert isinstance(plain, Inbound)
    assert isinstance(wide, Inbound)
    assert plain.text == "Air PDAM keruh di Desa Contoh"
    assert wide.text == "Jalan 🙏"
    assert plain.author_id == wide.author_id == "+62811000001"
    assert plain.account == wide.account == "+628112920200"
    assert plain.sent_at == datetime.fromtimestamp(1795399200, UTC)


def test_a_piece_says_where_it_belongs() -> None:
    piece = read("agregator", "agregator_part")
    assert isinstance(piece, Fragment)
    assert (piece.whole, piece.number, piece.total) == ("17", 2, 3)
    assert piece.message.external_id == "agregator:9002-2/2"


@pytest.mark.parametrize("odd", [{"part_no": "4"}, {"part_no": "0"}, {"part_total": "x"}, {"part_ref": ""}])
def test_a_piece_that_does_not_say_it_clearly_stands_alone(odd: dict[str, str]) -> None:
    fields = {"message_id": "1", "msisdn": "0811000001", "message": "a"}
    whole = {"part_ref": "1", "part_no": "1", "part_total": "3"}
    [item] = over("agregator").parse(Raw(urlencode(fields | whole | odd).encode()))
    assert isinstance(item, Inbound)


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("0811000001", "+62811000001"),
        ("62811000001", "+62811000001"),
        ("+62 811-000-001", "+62811000001"),
        ("0062811000001", "+62811000001"),
        ("99123", "99123"),
        ("TOKO-CONTOH", "TOKO-CONTOH"),
    ],
)
def test_one_citizen_is_one_however_the_gateway_writes_the_number(written: str, known: str) -> None:
    assert sms_payload.e164(written, "62") == known


def test_a_name_or_a_short_code_is_nobodys_phone() -> None:
    [item] = over("agregator").parse(Raw(b"message_id=1&msisdn=TOKO&message=Promo"))
    assert isinstance(item, Inbound)
    assert (item.phone, item.verified) == (None, False)


def mapping(**incoming: Any) -> Gateway:
    fields = {"sender": "from", "text": "text", "time": "at"} | incoming
    return Gateway.model_validate(
        {
            "name": "own",
            "title": "Own",
            "auth": {"kind": "header", "name": "X-Key"},
            "incoming": {name: value for name, value in fields.items() if value},
        }
    )


def own(gateway: Gateway, body: bytes, key: bytes = b"k") -> list[Parsed]:
    return list(sms_payload.parse(Raw(body), [gateway], key))


def test_json_by_paths_one_or_many() -> None:
    gateway = mapping(each="results", sender="from.number", text="content.0.text", id="id")
    one = {"id": 7, "from": {"number": "0811000001"}, "content": [{"text": "halo"}]}
    two = one | {"id": "8"}
    ids = [item.external_id for item in own(gateway, orjson.dumps({"results": [one, two]}))]  # type: ignore[union-attr]
    assert ids == ["own:7", "own:8"]
    [alone] = own(gateway, orjson.dumps(one))
    assert isinstance(alone, Inbound)
    assert alone.text == "halo"


def test_one_that_cannot_be_read_keeps_its_batch_together() -> None:
    gateway = mapping(each="results")
    sound = {"from": "0811000001", "text": "a", "at": "2026-11-23T09:00:00"}
    with pytest.raises(Unparsable):
        own(gateway, orjson.dumps({"results": [sound, {"text": "nobody"}]}))


def test_without_an_id_words_and_time_tell_two_apart() -> None:
    gateway = mapping()
    first = urlencode({"from": "0811000001", "text": "Banjir", "at": "2026-11-23T09:00:00"}).encode()
    later = urlencode({"from": "0811000001", "text": "Banjir", "at": "2026-11-23T09:00:01"}).encode()
    named = {own(gateway, body)[0].external_id for body in (first, first, later)}  # type: ignore[union-attr]
    assert len(named) == 2
    assert own(gateway, first, b"k") != own(gateway, first, b"another hub"), "it tells nobody whose it was"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("iso", "2026-11-23T09:00:00+07:00"),
        ("iso", "2026-11-23T09:00:00"),
        ("epoch", "1795399200"),
        ("epoch_ms", "1795399200000"),
        ("%d/%m/%Y %H.%M", "23/11/2026 09.00"),
    ],
)
def test_times_as_gateways_write_them(form: str, text: str) -> None:
    [item] = own(mapping(time_format=form), urlencode({"from": "1", "text": "a", "at": text}).encode())
    assert isinstance(item, Inbound)
    wanted = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    assert item.sent_at == (datetime.fromtimestamp(1795399200, UTC) if "epoch" in form else wanted)


@given(st.text(max_size=20), st.sampled_from(["iso", "epoch", "epoch_ms", "%Y"]))
def test_what_is_no_time_stops_no_message(text: str, form: str) -> None:
    body = orjson.dumps({"from": "0811000001", "text": "a", "at": text})
    assert isinstance(own(mapping(time_format=form), body)[0], Inbound)


@pytest.mark.parametrize("body", [b"message_id=1&message=a", b"message_id=1&msisdn=0811000001", b"[]x", b"{"])
def test_what_is_no_message_is_unparsable(body: bytes) -> None:
    with pytest.raises(Unparsable):
        over("agregator").parse(Raw(body))


def test_without_settings_every_shipped_gateway_and_twilio_are_read(tmp_path: Path) -> None:
    files = [FIXTURES / "agregator_text.txt", FIXTURES / "kannel_text.txt"]
    twilios = Path(__file__).parent / "fixtures" / "twilio" / "sms_text.txt"
    texts = [
        item.text
        for path in (*files, twilios)
        for raw in payloads(path, "sms")
        for item in connector({}).parse(raw)
        if isinstance(item, Inbound)
    ]
    assert texts == [
        "Lampu jalan mati di Desa Contoh",
        "Air PDAM keruh di Desa Contoh",
        "Air PDAM keruh di Desa Contoh",
    ]


# ── reports ──


def test_a_report_names_reply_and_part_by_our_reference() -> None:
    assert read("agregator", "agregator_report") == StatusUpdate(
        "r_1", "failed", "a1", "unreachable (absent)", 2
    )


@pytest.mark.parametrize("url", ["", f"{HOOK}/kannel?reply=r_1&part=0&token=rahasia&dlr=8"])
def test_a_report_names_them_in_its_address_too(url: str) -> None:
    assert read("kannel", "kannel_report", url) == StatusUpdate("r_1", "sent", None, None, 0)


def test_reports_of_nothing_and_of_unknown_states_are_ignored() -> None:
    for body in (b"status=delivered&message_id=a", b"status=teleported&ref=r_1.0"):
        [item] = over("agregator").parse(Raw(body))
        assert isinstance(item, Ignored)


# ── proof ──


def raw(gateway: str, body: bytes = b"a=b", query: str = "", **headers: str) -> Raw:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Raw(body, headers=named, url=f"{HOOK}/{gateway}{query}")


def test_a_secret_in_a_header_or_in_the_address() -> None:
    over("agregator").verify(raw("agregator", x_callback_token="rahasia"))
    over("kannel").verify(raw("kannel", query="?token=rahasia"))
    over("kannel").verify(raw("kannel", b"token=rahasia&a=b"))


@pytest.mark.parametrize(
    "forged",
    [
        raw("agregator"),
        raw("agregator", x_callback_token="rahasi"),
        raw("agregator", x_callback_token=""),
        raw("lain", x_callback_token="rahasia"),
        Raw(b"a=b", headers={"x-callback-token": "rahasia"}, url="//[x"),
        Raw(b"\xff", url=f"{HOOK}/agregator"),
    ],
)
def test_anything_else_is_forged(forged: Raw) -> None:
    with pytest.raises(Forged):
        over("agregator").verify(forged)


def written(tmp_path: Path, auth: str) -> str:
    path = tmp_path / "own.yaml"
    path.write_text(
        f"name: own\ntitle: Own\nauth: {auth}\nincoming: {{sender: a, text: b, id: c, methods: [GET, POST]}}\n"
    )
    return str(path)


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_signature_over_the_body(tmp_path: Path, encoding: str) -> None:
    gateway = written(tmp_path, f'{{kind: hmac, header: X-Sig, encoding: {encoding}, prefix: "v1="}}')
    digest = hmac.digest(b"rahasia", b"a=1", hashlib.sha256)
    shown = "v1=" + (digest.hex() if encoding == "hex" else b64encode(digest).decode())
    over(gateway).verify(raw("own", b"a=1", x_sig=shown))
    for forged in (raw("own", b"a=2", x_sig=shown), raw("own", b"a=1", x_sig=shown[3:]), raw("own", b"a=1")):
        with pytest.raises(Forged):
            over(gateway).verify(forged)


def test_http_basic(tmp_path: Path) -> None:
    gateway = written(tmp_path, "{kind: basic}")
    with pytest.raises(Misconfigured, match="LAPORHUB_SMS_HOOK_USER"):
        over(gateway)
    sound = over(gateway, hook_user="gerbang")
    sound.verify(raw("own", authorization="Basic " + b64encode(b"gerbang:rahasia").decode()))
    for header in ("Basic eA==", "Basic ***", "Bearer rahasia", ""):
        with pytest.raises(Forged):
            sound.verify(raw("own", authorization=header))


@given(st.binary(max_size=60), st.text(max_size=30), st.text(max_size=60))
def test_no_forgery_breaks_the_door(body: bytes, shown: str, url: str) -> None:
    for gateway in ("agregator", "kannel"):
        with pytest.raises(Forged):
            over(gateway).verify(Raw(body, headers={"x-callback-token": f"{shown}?"}, url=url))


# ── settings and mappings ──


@pytest.mark.parametrize("name", shipped())
def test_shipped_mappings_are_sound_and_say_what_they_need(name: str) -> None:
    gateway = load_gateway(name)
    assert gateway.name == name
    with pytest.raises(Misconfigured, match="LAPORHUB_SMS_PASSWORD"):
        over(name, password="")


def test_every_mistake_in_a_mapping_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        "name: own\ntitle: Own\nauth: {kind: header}\nincoming:\n  sender: a\n  text: b\n  id: c\n  colour: red\n"
        'send:\n  url: "{uri}/x"\n  answer:\n    outcomes: {"0": okay}\n'
    )
    with pytest.raises(Misconfigured) as caught:
        load_gateway(str(path))
    told = str(caught.value)
    for line in (3, 8, 10, 12):
        assert f"own.yaml:{line}:" in told
    assert "{uri}" in told


@pytest.mark.parametrize(
    ("incoming", "told"),
    [
        ("{sender: a, text: b}", "time"),
        ("{sender: a, text: b, id: c, charset: klingon}", "character set"),
        ("{sender: a, text: b, id: c, zone: Asia/Semarang}", "time zone"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused(tmp_path: Path, incoming: str, told: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"name: own\ntitle: Own\nauth: {{kind: basic}}\nincoming: {incoming}\n")
    with pytest.raises(Misconfigured, match=told):
        load_gateway(str(path))


def test_a_gateway_that_there_is_not() -> None:
    with pytest.raises(Misconfigured, match="kannel"):
        load_gateway("kanel")


def test_a_secret_that_stands_in_addresses_is_plain() -> None:
    with pytest.raises(Misconfigured, match="LAPORHUB_SMS_SECRET"):
        over("kannel", secret="a&b")


def test_secrets_do_not_show() -> None:
    config = SmsConfig(gateway="agregator", password="kunci-rahasia", secret="rahasia-juga")
    assert "rahasia" not in f"{config} {config!r} {config.model_dump_json()}"


def test_without_a_gateway_sms_go_by_the_twilio_account() -> None:
    made = connector({"gateway": "twilio", "account_sid": "AC1", "auth_token": "t"})
    assert isinstance(made, SmsOverTwilio)
    assert made.able
    assert made.parse(Raw((FIXTURES / "kannel_text.txt").read_bytes()))
    with pytest.raises(Misconfigured, match="TWILIO_ACCOUNT_SID"):
        connector({"gateway": "twilio"})


def test_a_gateway_that_only_delivers_answers_nobody(tmp_path: Path) -> None:
    quiet = over(written(tmp_path, "{kind: parameter, name: k}"))
    assert not quiet.able
    assert quiet.takes_get


def test_the_name_alone_is_enough_to_read_by_an_own_mapping(tmp_path: Path) -> None:
    reader = connector({"gateway": written(tmp_path, "{kind: basic}")})
    [item] = reader.parse(Raw(b"a=0811000001&b=halo&c=1"))
    assert isinstance(item, Inbound)
    assert item.external_id == "own:1"
    assert not reader.able


# ── counting ──


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("", ("gsm7", 0, 1)),
        ("a" * 160, ("gsm7", 160, 1)),
        ("a" * 161, ("gsm7", 161, 2)),
        ("a" * 306, ("gsm7", 306, 2)),
        ("a" * 307, ("gsm7", 307, 3)),
        ("[" * 80, ("gsm7", 160, 1)),
        ("[" * 81, ("gsm7", 162, 2)),
        ("€", ("gsm7", 2, 1)),
        ("á" * 70, ("ucs2", 70, 1)),
        ("á" * 71, ("ucs2", 71, 2)),
        ("🙏" * 35, ("ucs2", 70, 1)),
        ("🙏" * 36, ("ucs2", 72, 2)),
    ],
)
def test_how_networks_count(text: str, cost: tuple[str, int, int]) -> None:
    counted = gsm7.cost(text)
    assert (counted.coding, counted.length, counted.segments) == cost


def test_typography_is_made_plain_where_that_is_all() -> None:
    assert gsm7.plain("“Jalan” – rusak… ‘parah’\u00a0• dst") == "\"Jalan\" - rusak... 'parah' - dst"
    assert gsm7.plain("“Terima kasih” 🙏") == "“Terima kasih” 🙏"
    assert gsm7.plain("cafe\u0301") == "café"


@given(st.text(max_size=80))
def test_plain_text_never_costs_more(text: str) -> None:
    assert gsm7.cost(gsm7.plain(text)).segments <= gsm7.cost(text).segments
    assert gsm7.plain(gsm7.plain(text)) == gsm7.plain(text)


@pytest.mark.parametrize(
    "filler", ["Laporan Anda {sedang} kami tangani. ", "Matur nuwun 🙏 laporan diterima. "]
)
def test_no_part_is_longer_than_the_gateway_takes(filler: str) -> None:
    cut = over("agregator").split(filler * 60)
    assert len(cut) > 1
    assert max(gsm7.cost(part).segments for part in cut) <= 4
    assert sum(part.count("aporan") for part in cut) == 60


@given(st.text("ab[ .\n{", max_size=400))
def test_septets_are_what_counts_when_cutting(text: str) -> None:
    for part in parts.split(text, 60, gsm7.septets):
        assert gsm7.septets(part) <= 60


def test_the_shipped_replies_for_sms_stay_in_the_alphabet() -> None:
    """One letter outside of it would more than double what each reply costs."""
    replies = load("laporgub-jateng").templates
    wrong = {
        key: [char for char in source if not gsm7.is_gsm7(gsm7.plain(char))]
        for key, source in replies.items()
        if key[2] == "sms"
    }
    assert wrong
    assert {key: chars for key, chars in wrong.items() if chars} == {}
