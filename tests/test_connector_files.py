"""Files of recorded payloads, as people and other systems write them."""

from __future__ import annotations

import codecs
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laporhub.connectors.files import payloads
from laporhub.connectors.web import WebConnector
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.messages import Inbound


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "payloads"


def read(file: Path, content: bytes | str, provider: str = "twilio") -> list[Raw]:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(payloads(file, provider))


def objects(file: Path, content: bytes | str, provider: str = "web") -> list[object]:
    return [orjson.loads(raw.body) for raw in read(file, content, provider)]


def test_json_lines(file: Path) -> None:
    assert objects(file, '{"id": 1}\n\n{"id": 2}\n') == [{"id": 1}, {"id": 2}]


def test_a_broken_line_does_not_hide_the_others(file: Path) -> None:
    bodies = [raw.body for raw in read(file, '{"id": 1}\n{"id": \n{"id": 3}\n', "web")]
    assert bodies == [b'{"id": 1}', b'{"id": ', b'{"id": 3}']
    assert [raw.body for raw in read(file, '{"id": \n{"id": 2}\n', "web")] == [b'{"id": ', b'{"id": 2}']


def test_a_document_over_several_lines(file: Path) -> None:
    assert objects(file, '{\n  "id": 1\n}\n') == [{"id": 1}]
    assert objects(file, '[\n {"id": 1},\n {"id": 2}\n]') == [{"id": 1}, {"id": 2}]
    assert objects(file, '[{"id": 1}, {"id": 2}]') == [{"id": 1}, {"id": 2}]


def test_forms_one_a_line(file: Path) -> None:
    raws = read(file, "MessageSid=SM1&Body=a%0Ab\r\nMessageSid=SM2&Body=c\r\n")
    assert [raw.body for raw in raws] == [b"MessageSid=SM1&Body=a%0Ab", b"MessageSid=SM2&Body=c"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_become_objects(file: Path, delimiter: str) -> None:
    rows = [
        ["id", "text", "phone", "location.lat"],
        ["1", '"Jalan\n\nrusak"', "", "-7.1"],
        ["2", "Gelap", "08", ""],
    ]
    content = "\n".join(delimiter.join(row) for row in rows)
    assert objects(file, content) == [
        {"id": "1", "text": "Jalan\n\nrusak", "location": {"lat": "-7.1"}},
        {"id": "2", "text": "Gelap", "phone": "08"},
    ]


def test_a_row_of_a_table_is_a_complaint(file: Path) -> None:
    header = "id,text,phone,private,location.address,location.lat,location.lon"
    [raw] = read(file, f"{header}\n7,Jalan rusak,0800 0000 123,true,Pasar,-7.1,110.4\n", "web")
    [inbound] = WebConnector().parse(raw)
    assert isinstance(inbound, Inbound)
    assert (inbound.external_id, inbound.phone, inbound.private) == ("7", "+628000000123", True)
    assert inbound.location is not None
    assert (inbound.location.address, inbound.location.lat) == ("Pasar", -7.1)


def test_a_row_that_does_not_fit_is_passed_on_and_the_others_survive(file: Path) -> None:
    raws = read(file, 'id,text\n1,a,b,c\n2,"never closed\n3,c\n4,"d" e\n5,f\n', "web")
    assert [raw.body for raw in raws] == [
        b'["1","a","b","c"]',
        b'2,"never closed',
        b'{"id":"3","text":"c"}',
        b'4,"d" e',
        b'{"id":"5","text":"f"}',
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_encodings_and_line_ends(file: Path, encoding: str, ends: str) -> None:
    words = "Café – rusak"
    assert objects(file, f"id,text{ends}1,{words}{ends}".encode(encoding)) == [{"id": "1", "text": words}]
    line = f'{{"id": "1", "text": "{words}"}}{ends}'
    assert objects(file, (line * 2).encode(encoding)) == [{"id": "1", "text": words}] * 2


def test_bytes_that_are_no_text_arrive_as_they_are(file: Path) -> None:
    assert read(file, b'{"id": "1"}\n{"text": "\x81\xff"}\n')[1].body == b'{"text": "\x81\xff"}'


def test_an_empty_file_has_no_payloads(file: Path) -> None:
    assert read(file, "") == read(file, codecs.BOM_UTF8) == read(file, "\r\n\n") == []


def test_what_is_no_form_there_is_a_table(file: Path) -> None:
    assert objects(file, "a=b,id\n1,2\n", "web") == [{"a=b": "1", "id": "2"}]


def test_without_a_header_that_can_be_read_every_line_is_passed_on(file: Path) -> None:
    assert [raw.body for raw in read(file, "id\rtext\n1,a\n", "web")] == [b"id\rtext", b"1,a"]


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(payloads(tmp_path / "missing", "web"))


@given(st.binary(max_size=300) | st.text('{}[]":,;\n\r=ab\u00e9"', max_size=80).map(str.encode))
def test_no_content_ever_raises(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any"
    file.write_bytes(content)
    for provider in ("web", "twilio"):
        assert all(isinstance(raw, Raw) for raw in payloads(file, provider))
