"""The hotline: call records and transcripts as telephone and recording systems write them."""

from __future__ import annotations

import codecs
import hmac
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laporhub.connectors import calls, captions, hotline_payload
from laporhub.connectors.calls import CALL_RECORD, UNCLEAR, UNKNOWN_SPEAKERS, Call, Turn, merged
from laporhub.connectors.hotline import HotlineConnector, connector
from laporhub.pipeline.connector import BY_HAND, Failed, Ignored, Outgoing, Parsed, Raw
from laporhub.pipeline.errors import Forged, Misconfigured, Unparsable
from laporhub.pipeline.messages import Inbound

FIXTURES = Path(__file__).parent / "fixtures" / "hotline"
SECRET = "rahasia-percobaan-1"

words = st.text("abcdefghijklmnopqrstuvwxyzé ", min_size=1, max_size=40).map(str.strip).filter(bool)


def read(*names: str, **told: str) -> Sequence[Parsed]:
    raws = connector(told).gather([FIXTURES / name for name in names])
    return [item for raw in raws for item in connector(told).parse(raw)]


def only(items: Sequence[Parsed]) -> Inbound:
    [item] = items
    assert isinstance(item, Inbound)
    return item


def heard(body: bytes | str, url: str = "", **told: str) -> Inbound:
    """What a payload posted to the hook becomes."""
    raw = Raw(body if isinstance(body, bytes) else body.encode(), url=url)
    return only(connector(told).parse(raw))


# ── the formats ──────────────────────────────────────────────────────────────────────────────────


def test_whispers_segments() -> None:
    message = only(read("whisper.json"))
    assert message.text == (
        f"jalan di depan pasar Contoh {UNCLEAR} berlubang sejak minggu lalu.\n"
        "[Petugas: Di kabupaten mana, Bu?] Kabupaten Batang."
    )
    assert message.whole is not None
    assert "00:00 Petugas: Selamat pagi, hotline LaporGub" in message.whole
    assert "00:11 Penelepon: Kabupaten Batang." in message.whole


def test_vosks_results_are_one_call_and_nobody_is_named() -> None:
    text = only(read("vosk.json")).text
    assert text == f"lampu jalan mati {UNCLEAR}\ndi kecamatan contoh\n{UNKNOWN_SPEAKERS}"


def test_the_transcript_of_aws_call_analytics() -> None:
    message = only(read("aws.json"))
    assert message.external_id == "panggilan-0003:1"
    assert message.text == (
        "Air PDAM di Perumahan Contoh mati tiga hari.\n[Petugas: Sudah melapor ke PDAM?] Sudah."
    )


def test_webvtt_with_voices_carriage_returns_and_a_byte_order_mark() -> None:
    message = only(read("1763863200.41.vtt"))
    assert message.external_id == "1763863200.41:1"
    assert message.text == (
        "Sampah di Desa Contoh & sekitarnya tidak diangkut.\n[Petugas: Sejak kapan, Pak?] Sejak Senin."
    )


def test_srt_with_labels_before_a_colon() -> None:
    text = only(read("panggilan.srt")).text
    assert text == "Pohon tumbang menutup jalan di Kecamatan Contoh. Alamat: depan balai desa."


def test_a_table_of_calls_in_windows_1252_with_semicolons() -> None:
    message = only(read("calls-cp1252.csv"))
    assert (message.external_id, message.phone) == ("P-1:1", "+6281100000051")
    assert message.text == "Jalan café Contoh gelap; sudah seminggu"
    assert message.sent_at is not None
    assert message.sent_at.isoformat() == "2026-11-23T01:15:00+00:00"


def test_a_table_of_turns() -> None:
    first, second = read("turns.csv")
    assert isinstance(first, Inbound)
    assert isinstance(second, Inbound)
    assert first.text == "Jembatan Contoh di Kabupaten Batang retak"
    assert second.text == f"Warga Desa Contoh. Selokan mampet di depan sekolah {UNCLEAR}"


def test_our_own_record_with_its_recording_and_its_revision() -> None:
    message = only(read("call.json"))
    assert (message.external_id, message.replaces) == ("P-4:2", "P-4:1")
    assert message.text == "Jalan jalan di Desa Contoh, rusak sejak Lebaran"
    assert [file.url for file in message.attachments] == ["https://rekaman.example/P-4.ogg"]
    assert message.whole is not None
    assert "contoh-asr 3" in message.whole
    assert "ehm, rusak rusak rusak" in message.whole


def test_a_transcript_inside_our_own_record() -> None:
    inside = {
        "call_id": "P-9",
        "caller": "081100000099",
        "transcript": orjson.loads(_fixture("whisper.json")),
    }
    message = heard(orjson.dumps(inside))
    assert (message.external_id, message.phone) == ("P-9:1", "+6281100000099")
    message = heard(orjson.dumps({"call_id": "P-9", "transcript": _fixture("panggilan.srt").decode()}))
    assert message.text.startswith("Pohon tumbang")


def test_captions_by_hook_are_told_whose_call_it_is_in_the_address() -> None:
    url = (
        "https://lapor.example/hooks/hotline?call_id=P-7&caller=%2B6281100000071&started_at=2026-11-23T09:00"
    )
    message = heard(_fixture("panggilan.srt"), url)
    assert (message.external_id, message.phone, message.thread) == ("P-7:1", "+6281100000071", "P-7")
    assert message.sent_at is not None
    assert message.sent_at.hour == 2


def test_a_transcript_that_nobody_named_is_known_by_its_content() -> None:
    one, again = heard(_fixture("panggilan.srt")), heard(_fixture("panggilan.srt"))
    assert one.external_id == again.external_id
    assert heard(_fixture("vosk.json")).external_id != one.external_id


def _fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


# ── Asterisk's call records ──────────────────────────────────────────────────────────────────────


def test_a_call_record_finds_its_transcript_and_nobody_is_lost() -> None:
    answered, missed, to_write_up, hidden = read("Master.csv", "1763863200.41.vtt")
    assert isinstance(answered, Inbound)
    assert (answered.phone, answered.replaces) == ("+6281100000041", "1763863200.41:0")
    assert answered.text.startswith("Sampah di Desa Contoh")
    assert isinstance(missed, Inbound)
    assert (missed.phone, missed.kind) == ("+62811000042", "unsupported")
    assert missed.text.startswith("Panggilan tak terjawab pada 23 November 2026 pukul 09.05")
    assert isinstance(to_write_up, Inbound)
    assert (to_write_up.phone, to_write_up.kind) == ("+6281100000043", "unsupported")
    assert "3 menit 20 detik, belum ada transkripnya" in to_write_up.text
    assert hidden == Ignored("a missed call without a number: nobody can be rung back")


def test_the_order_of_the_files_does_not_matter() -> None:
    names = ["Master.csv", "1763863200.41.vtt", "call.json", "turns.csv"]
    told = {str(item) for item in read(*names)}
    for seed in range(4):
        random.Random(seed).shuffle(names)
        assert {str(item) for item in read(*names)} == told


def test_times_without_a_zone_are_the_telephone_systems() -> None:
    [item, *_] = read("Master.csv", time_zone="Asia/Jayapura")
    assert isinstance(item, Inbound)
    assert item.sent_at is not None
    assert item.sent_at.hour == 0


def test_where_officers_write_while_they_listen_an_answered_call_is_no_task() -> None:
    items = read("Master.csv", answered="ignore")
    kept = [item for item in items if isinstance(item, Inbound)]
    assert [item.external_id for item in kept] == ["1763863500.44:0"]  # the missed one


def test_of_several_extensions_that_rang_one_that_answered_is_enough() -> None:
    rows = _fixture("Master.csv").decode().splitlines()
    rang = rows[1].replace("1763863500.44", "1763863200.41")
    message = heard("\n".join([rang, rows[0], rang]))
    assert message.external_id == "1763863200.41:0"
    assert message.text.startswith("Panggilan terjawab")


def test_several_missed_calls_of_one_number_are_one_conversation() -> None:
    row = _fixture("Master.csv").decode().splitlines()[1]
    one, other = heard(row), heard(row.replace("1763863500.44", "1763863599.45"))
    assert (one.author_id, one.thread) == (other.author_id, other.thread)
    assert one.external_id != other.external_id


def test_a_call_record_with_a_header() -> None:
    table = "calldate,clid,src,dst,disposition,billsec,uniqueid\n2026-11-23 09:05:00,,081100000042,1000,BUSY,0,1.2\n"
    message = heard(table)
    assert (message.external_id, message.phone) == ("1.2:0", "+6281100000042")


@pytest.mark.parametrize(
    ("caller", "phone"),
    [
        ("081100000001", "+6281100000001"),
        ("6281100000001", "+6281100000001"),
        ("+62 811-0000-0001", "+6281100000001"),
        ('"Warga" <081100000001>', "+6281100000001"),
        ("tel:+6281100000001", "+6281100000001"),
        ("8441256", "8441256"),  # a neighbour's number, without the area
        ("anonymous", None),
        ("", None),
    ],
)
def test_the_callers_number_as_it_comes_from_the_line(caller: str, phone: str | None) -> None:
    message = heard(orjson.dumps({"call_id": "1", "caller": caller, "text": "Jalan rusak di Desa Contoh"}))
    assert message.phone == phone
    assert not message.verified  # a number on the display proves little


# ── who is who ───────────────────────────────────────────────────────────────────────────────────


def spoken(*turns: tuple[str | None, str]) -> Call:
    return Call("1", turns=tuple(Turn(text, speaker) for speaker, text in turns))


GREETING, ANSWER = "Hotline LaporGub, ada yang bisa dibantu?", "Jalan di Desa Contoh rusak berat"


@pytest.mark.parametrize(
    ("agent", "caller"),
    [
        ("AGENT", "CUSTOMER"),
        ("agent", "SPEAKER_07"),
        ("SPEAKER_00", "caller"),
        ("Petugas 2", "Pelapor"),
        ("SPEAKER_01", "SPEAKER_00"),
        ("spk_0", "spk_1"),
    ],
)
def test_labels_tell_who_speaks_and_else_whoever_greets_in_the_offices_words(agent: str, caller: str) -> None:
    assert calls.complaint(spoken((agent, GREETING), (caller, ANSWER))) == ANSWER


def test_an_offices_own_words_can_be_added() -> None:
    call = spoken(("A", "Sugeng enjang, kantor Contoh"), ("B", ANSWER))
    assert UNKNOWN_SPEAKERS in calls.complaint(call)
    assert calls.complaint(call, ("sugeng enjang",)) == ANSWER


def test_without_evidence_all_words_are_kept_for_a_person_to_tell_apart() -> None:
    said = calls.complaint(spoken(("A", "Ada jalan rusak"), ("B", "Di mana itu?"), ("A", "Di Batang")))
    assert said == f"Ada jalan rusak\nDi mana itu?\nDi Batang\n{UNKNOWN_SPEAKERS}"


def test_a_recorded_voice_is_nobody() -> None:
    call = spoken(("SYSTEM", "Tekan satu untuk pengaduan"), ("AGENT", GREETING), ("CUSTOMER", ANSWER))
    assert calls.complaint(call) == ANSWER


@pytest.mark.parametrize("sound", ["Eee, ", "ehm ", "Hmm... ", "emm, ", "mmm "])
def test_fillers_go_and_words_that_are_said_twice_in_indonesian_stay(sound: str) -> None:
    said = calls.complaint(spoken(("caller", f"{sound}hati-hati, jalan jalan {sound}berlubang umum emas")))
    assert said == "hati-hati, jalan jalan berlubang umum emas"


@given(st.lists(st.tuples(st.sampled_from(["AGENT", "CUSTOMER", "SPEAKER_00", None]), words), max_size=12))
def test_the_whole_keeps_every_word(turns: list[tuple[str | None, str]]) -> None:
    whole = calls.transcript(spoken(*turns))
    assert all(text in whole for _, text in turns)


# ── joins ────────────────────────────────────────────────────────────────────────────────────────

turns = st.builds(
    Turn,
    text=words,
    speaker=st.sampled_from(["AGENT", "CUSTOMER"]),
    start_ms=st.integers(0, 10**6),
)


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]), st.lists(turns, min_size=1, max_size=5, unique=True), min_size=1
    ),
    st.randoms(use_true_random=False),
)
def test_pieces_of_calls_join_whichever_way_they_come(
    parts: dict[str, list[Turn]], chance: random.Random
) -> None:
    """A call record and each turn by itself, shuffled, some twice: the same calls, every turn once and in order."""
    pieces = [Call(name, turns=(turn,)) for name, said in parts.items() for turn in said]
    records = [Call(name, CALL_RECORD, caller=f"0811{name}", answered=True) for name in parts]
    shuffled = [*pieces, *records, *chance.sample(pieces, chance.randint(0, len(pieces)))]
    chance.shuffle(shuffled)
    joined = {call.call_id: call for call in merged(shuffled)}
    assert joined.keys() == parts.keys()
    for name, said in parts.items():
        call = joined[name]
        assert (call.caller, call.answered, call.revision) == (f"0811{name}", True, 1)
        assert sorted(call.turns, key=repr) == sorted(said, key=repr)
        assert [t.start_ms for t in call.turns] == sorted(t.start_ms or 0 for t in said)


@given(st.permutations([1, 2, 3]))
def test_of_several_transcripts_of_a_call_the_latest_counts(order: list[int]) -> None:
    texts = {number: (Turn(f"kata {number}", "CUSTOMER"),) for number in order}
    [call] = merged(Call("a", number, turns=texts[number]) for number in order)
    assert (call.revision, call.turns) == (3, texts[3])


def test_a_record_and_a_transcript_by_hook_are_one_conversation() -> None:
    record = heard(_fixture("Master.csv").decode().splitlines()[0])
    said = heard(_fixture("1763863200.41.vtt"), "https://x/hooks/hotline?call_id=1763863200.41")
    assert (record.author_id, record.thread) == (said.author_id, said.thread)
    assert said.replaces == record.external_id


# ── odd input ────────────────────────────────────────────────────────────────────────────────────

CUE_WORDS = st.text("abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=30).map(str.strip).filter(
    lambda text: bool(text) and not text.startswith("note")
)  # fmt: skip


@given(
    st.lists(CUE_WORDS, min_size=1, max_size=8),
    st.sampled_from([",", "."]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_no_word_under_a_time_is_lost(
    said: list[str], point: str, hours: bool, numbered: bool, header: bool, end: str, marked: bool
) -> None:
    """The captions libraries drop, without a word, what is not quite by the book."""
    zero = "00:" if hours else ""
    cues = [
        (f"{at}\n" if numbered else "") + f"{zero}00:{at:02}{point}000 --> {zero}00:{at:02}{point}9\n{text}\n"
        for at, text in enumerate(said)
    ]
    text = ("WEBVTT\n\n" if header else "") + "\n".join(cues)
    body = text.replace("\n", end).encode()
    [call] = hotline_payload.calls((codecs.BOM_UTF8 if marked else b"") + body, {"call_id": "1"})
    assert [turn.text for turn in call.turns] == said
    assert [turn.start_ms for turn in call.turns] == [1000 * at for at in range(len(said))]


def test_captions_that_are_not_by_the_book() -> None:
    text = (
        "WEBVTT\nKind: captions\n\n00:01,0 --> 00:02,0 line:90%\n"
        "<v.keras Warga>satu</v> <i>dua</i>\n<v Petugas>tiga\n\n"
        "NOTE bukan\nucapan\n\nnama\n100:00:05.5 --> 0:00:01.0\n<00:00:06.000><c>empat</c> &lt;5 m\n\nlima\n"
    )
    assert [(t.speaker, t.text, t.start_ms) for t in captions.turns(text)] == [
        ("Warga", "satu dua", 1000),
        ("Petugas", "tiga", 1000),
        (None, "empat <5 m lima", 360_005_500),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_in_any_hand(delimiter: str, encoding: str) -> None:
    rows = [
        ["Call_ID", "Pembicara", "Isi"],
        ["1", "warga", "Jalan “café” rusak"],
        ["1", "petugas", "Kami catat"],
    ]
    body = "\r\n".join(delimiter.join(row) for row in rows).encode(encoding)
    assert heard(body).text == "Jalan “café” rusak"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"[]",
        b"[1]",
        b"{}",
        b'{"segments": 5}',
        b'{"segments": [1]}',
        b'{"turns": {"a": 1}}',
        b"halo apa kabar",
        b"a,b\n1,2\n",
        b"call_id,text\n1,a,b\n",
        b'{"call_id": "1"',
        b'"","0811","1","c","d","e","f","g","h","2026-11-23 09:00:00","","",1,0,"BUSY","D","1.1",""\nkacau\n',
    ],
)
def test_what_is_no_call_is_unparsable(body: bytes) -> None:
    with pytest.raises(Unparsable):
        HotlineConnector().parse(Raw(body))


@pytest.mark.parametrize(
    "odd",
    [
        {"start": "NaN", "end": 1e300, "avg_logprob": "x"},
        {"start": -5, "end": None, "avg_logprob": -1e400},
        {"start": True, "words": [{"word": None, "probability": "x"}]},
        {"start": {"a": 1}, "words": "x", "speaker": ["a"]},
        {"start": "1e9999", "words": [{}]},
    ],
)
def test_an_odd_time_or_confidence_costs_nobody_their_words(odd: Mapping[str, Any]) -> None:
    segment = {"text": "Jalan rusak di Desa Contoh"} | odd
    assert heard(orjson.dumps({"call_id": "1", "segments": [segment]})).text.startswith(
        "Jalan rusak di Desa Contoh"
    )


def test_a_clock_that_nobody_has_set_is_no_time() -> None:
    record = {"call_id": "1", "started_at": "1970-01-01T00:00:00", "text": "Jalan rusak"}
    assert heard(orjson.dumps(record)).sent_at is None


def test_a_transcript_without_a_word_is_a_task_too() -> None:
    message = heard(orjson.dumps({"call_id": "1", "segments": []}))
    assert message.kind == "unsupported"
    assert "Nomor penelepon tidak diketahui" in message.text


def test_a_broken_line_does_not_hide_the_others(tmp_path: Path) -> None:
    lines = [{"call_id": str(number), "text": "Jalan rusak di Desa Contoh"} for number in range(3)]
    file = tmp_path / "calls.jsonl"
    file.write_bytes(b"\n".join([orjson.dumps(lines[0]), b'{"call_id": ', orjson.dumps(lines[2])]))
    raws = list(HotlineConnector().gather([file]))
    assert raws[0].body == b'{"call_id": '
    assert [HotlineConnector().parse(raw)[0].external_id for raw in raws[1:]] == ["0:1", "2:1"]  # type: ignore[union-attr]


# ── the hook, sound, answers ─────────────────────────────────────────────────────────────────────


def test_the_secret_opens_the_hook() -> None:
    hotline = connector({"secret": SECRET})
    hotline.verify(Raw(b"{}", headers={"x-hotline-secret": SECRET}))
    for headers in (
        {},
        {"x-hotline-secret": "rahasia lain"},
        {"x-hotline-secret": "é"},
        {"x-hotline-signature": SECRET},
    ):
        with pytest.raises(Forged):
            hotline.verify(Raw(b"{}", headers=headers))
    with pytest.raises(Forged, match="LAPORHUB_HOTLINE_SECRET"):
        HotlineConnector().verify(Raw(b"{}", headers={"x-hotline-secret": ""}))


def test_a_signature_covers_address_and_body() -> None:
    hotline = connector({"secret": SECRET, "proof": "signature"})
    url, body = "https://lapor.example/hooks/hotline?call_id=1", b"WEBVTT\n"
    signature = "sha256=" + hmac.new(SECRET.encode(), url.encode() + b"\n" + body, "sha256").hexdigest()
    hotline.verify(Raw(body, headers={"x-hotline-signature": signature}, url=url))
    for forged in (
        Raw(body + b"x", headers={"x-hotline-signature": signature}, url=url),
        Raw(body, headers={"x-hotline-signature": signature}, url=url + "2"),
        Raw(body, headers={"x-hotline-secret": SECRET}, url=url),
    ):
        with pytest.raises(Forged):
            hotline.verify(forged)


@pytest.mark.parametrize(
    "told",
    [
        {"secret": "pendek"},
        {"time_zone": "Jakarta"},
        {"answered": "x"},
        {"rahasia": "x"},
        {"time_zone": "../etc"},
    ],
)
def test_a_wrong_setting_is_named(told: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match=f"LAPORHUB_HOTLINE_{next(iter(told)).upper()}"):
        connector(told)


class FakeTranscriber:
    def transcribe(self, sound: Path) -> Mapping[str, Any]:
        assert sound.read_bytes().startswith(b"RIFF")
        return {
            "model": "contoh",
            "segments": [{"start": 0, "end": 2, "text": "Jalan rusak di Desa Contoh", "avg_logprob": -2}],
        }


def test_sound_is_transcribed_where_there_is_a_model(tmp_path: Path) -> None:
    sound = tmp_path / "hotline-1763863200.99.WAV"
    sound.write_bytes(b"RIFF")
    hotline = HotlineConnector(transcriber=FakeTranscriber())
    [raw] = hotline.gather([sound])
    message = only(hotline.parse(raw))
    assert message.external_id == "1763863200.99:1"
    assert message.text == f"Jalan rusak di Desa Contoh {UNCLEAR}\n{UNKNOWN_SPEAKERS}"
    assert message.whole is not None
    assert "ditranskripsi oleh contoh" in message.whole


def test_sound_without_a_model_says_what_to_do(tmp_path: Path) -> None:
    sound = tmp_path / "call.wav"
    sound.write_bytes(b"RIFF")
    with pytest.raises(Misconfigured, match="LAPORHUB_HOTLINE_AUDIO_MODEL"):
        list(HotlineConnector().gather([sound]))
    with pytest.raises(Misconfigured, match=r"model\.bin"):
        list(connector({"audio_model": str(tmp_path)}).gather([sound]))


async def test_an_answer_is_a_persons_to_give() -> None:
    at = hotline_payload.calls(_fixture("call.json"))[0].started_at
    assert at is not None
    outgoing = Outgoing("r_1", 0, "call:1", "+62248441256", "Sudah diperbaiki", None, at)
    assert HotlineConnector().able
    assert await HotlineConnector().publish(outgoing) == Failed(BY_HAND)
    assert await HotlineConnector().look_up(outgoing, frozenset()) is None
