"""The counter: what officers wrote down there, from files, and how the answer reaches the reporter."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from support import MONDAY

from laporhub.connectors.counter import CounterConnector, connector
from laporhub.connectors.files import recorded
from laporhub.pipeline.connector import BY_HAND, Failed, Outgoing, Raw, Sent
from laporhub.pipeline.errors import Misconfigured, Unparsable
from laporhub.pipeline.messages import Inbound

LINE = {"id": "L-1", "text": "Jalan rusak di Desa Contoh", "phone": "0811 0000 0001", "name": "Warga Contoh"}


def read(**more: object) -> Inbound:
    [message] = CounterConnector().parse(Raw(orjson.dumps(LINE | more)))
    assert isinstance(message, Inbound)
    return message


def test_a_line_is_the_web_forms_and_who_wrote_it() -> None:
    message = read(officer="loket-demo", answer_by="letter")
    assert (message.external_id, message.author_id, message.phone) == (
        "L-1",
        "tel:+6281100000001",
        "+6281100000001",
    )
    assert message.text == LINE["text"]
    assert message.whole == f"{LINE['text']}\n\n(Dicatat di loket oleh petugas loket-demo.)"
    assert message.reply_to == "letter"


@pytest.mark.parametrize(
    "odd", [{"answer_by": "merpati"}, {"officer": ["a"]}, {"officer": "x" * 101}, {"text": " "}]
)
def test_what_cannot_be_right_is_named(odd: dict[str, object]) -> None:
    with pytest.raises(Unparsable, match=next(iter(odd))):
        read(**odd)


def test_a_table_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "loket.csv"
    file.write_text("id;text;officer\nL-2;Lampu mati di Desa Contoh;loket-demo\n")
    [raw] = recorded([file], "counter", CounterConnector())
    [message] = CounterConnector().parse(raw)
    assert isinstance(message, Inbound)
    assert message.external_id == "L-2"


@pytest.mark.parametrize(
    ("reply_to", "outcome"),
    [
        (None, Sent("r_1")),
        ("page", Sent("r_1")),
        ("phone", Failed(BY_HAND)),
        ("letter", Failed(BY_HAND)),
    ],
)
async def test_the_page_is_the_answer_unless_another_was_asked_for(
    reply_to: str | None, outcome: Sent | Failed
) -> None:
    outgoing = Outgoing("r_1", 0, "anon:1", "loket", "Sudah diperbaiki", None, MONDAY, reply_to=reply_to)
    assert await CounterConnector().publish(outgoing) == outcome
    found = await CounterConnector().look_up(outgoing, frozenset())
    assert found == (outcome if isinstance(outcome, Sent) else None)


def test_there_is_nothing_to_set() -> None:
    with pytest.raises(Misconfigured, match="rahasia"):
        connector({"rahasia": "x"})
