"""What every connector must keep, whatever its platform. A new connector joins by a line in CASES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laporhub.connectors.twilio import TwilioConnector
from laporhub.connectors.web import WebConnector
from laporhub.pipeline.errors import Unparsable
from laporhub.pipeline.models import Inbound
from laporhub.pipeline.ports import Connector, Ignored, Raw, StatusUpdate


@dataclass(frozen=True)
class Case:
    """A connector, and how a payload of its platform is written down."""

    connector: Connector
    payload: dict[str, str]
    write: Callable[[dict[str, str]], bytes]
    text_key: str


def _form(payload: dict[str, str]) -> bytes:
    return urlencode(payload).encode()


TWILIO = {"MessageSid": "SM1", "From": "whatsapp:+628000000123", "Body": "Jalan rusak di Desa Contoh"}
WEB = {"id": "a-1", "text": "Jalan rusak di Desa Contoh", "phone": "+628000000123"}
CASES = {
    "twilio-form": Case(TwilioConnector(), TWILIO, _form, "Body"),
    "twilio-json": Case(TwilioConnector(), TWILIO, orjson.dumps, "Body"),
    "web": Case(WebConnector(), WEB, orjson.dumps, "text"),
}
TOUCHY = (
    *("Latitude", "Longitude", "NumMedia", "MediaUrl0", "DateSent", "MessageStatus", "ErrorCode"),
    *("MessageType", "To", "from", "status", "location", "lat", "lon", "occurred_at", "sent_at"),
    *("attachments", "private", "email", "name"),
)
each_connector = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())

letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
words = st.text(letters, min_size=1).filter(str.strip)


@each_connector
def test_parsing_is_pure(case: Case) -> None:
    raw = Raw(case.write(case.payload))
    assert case.connector.parse(raw) == case.connector.parse(raw)


@each_connector
def test_the_reporters_words_arrive_as_written(case: Case) -> None:
    @settings(deadline=None)
    @given(words)
    def check(text: str) -> None:
        [inbound] = case.connector.parse(Raw(case.write({**case.payload, case.text_key: text})))
        assert isinstance(inbound, Inbound)
        assert inbound.text == text

    check()


@each_connector
def test_parameters_nobody_has_heard_of_change_nothing(case: Case) -> None:
    plain = case.connector.parse(Raw(case.write(case.payload)))

    @settings(deadline=None)
    @given(st.dictionaries(st.from_regex(r"x_[a-z]{1,9}", fullmatch=True), words, max_size=4))
    def check(extra: dict[str, str]) -> None:
        assert case.connector.parse(Raw(case.write({**case.payload, **extra}))) == plain

    check()


@each_connector
def test_whatever_the_bytes_it_is_understood_or_unparsable(case: Case) -> None:
    """Never another exception: one odd payload must not stop a channel."""
    sound = case.write(case.payload)
    damaged = st.integers(0, len(sound)).flatmap(
        lambda at: st.binary(max_size=8).map(lambda noise: sound[:at] + noise + sound[at + len(noise) // 2 :])
    )
    keys = st.sampled_from([*case.payload, *TOUCHY])
    scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False)
    values = st.recursive(
        scalars | st.text(letters, max_size=30),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=8,
    )
    odd_json = st.dictionaries(keys, values).map(lambda odd: orjson.dumps({**case.payload, **odd}))
    odd_form = st.dictionaries(keys, st.text(letters, max_size=30)).map(
        lambda odd: _form({**case.payload, **odd})
    )

    @settings(deadline=None)
    @given(st.binary() | damaged | odd_json | odd_form, st.sampled_from(["", "https://x/?reply=r", "//[x"]))
    def check(body: bytes, url: str) -> None:
        try:
            parsed = case.connector.parse(Raw(body, url=url))
        except Unparsable as error:
            assert str(error)
        else:
            assert all(isinstance(item, Inbound | StatusUpdate | Ignored) for item in parsed)

    check()


@each_connector
def test_an_empty_payload_is_unparsable(case: Case) -> None:
    with pytest.raises(Unparsable):
        case.connector.parse(Raw(b""))


@each_connector
def test_splitting_loses_no_word(case: Case) -> None:
    text = "Terima kasih atas laporan Anda. " * 200
    parts = case.connector.split(text)
    assert " ".join(parts).count("laporan") == 200
    assert case.connector.split(text) == parts
