"""The web form and the app."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from laporhub.connectors.web import TEXT_LIMIT, Complaint, WebConnector, connector
from laporhub.pipeline.connector import Outgoing, Raw, Sent
from laporhub.pipeline.errors import Misconfigured, Unparsable
from laporhub.pipeline.messages import Inbound, Location

WEB = WebConnector()


def read(**body: Any) -> Inbound:
    [parsed] = WEB.parse(Raw(orjson.dumps({"id": "a-1", "text": "Jalan rusak di Desa Contoh", **body})))
    assert isinstance(parsed, Inbound)
    return parsed


def test_a_full_form() -> None:
    inbound = read(
        phone="0800-0000-123",
        name="Warga Contoh",
        email="warga@contoh.example",
        location={"address": "Depan balai desa", "lat": -7.1, "lon": 110.4, "district": "Bringin"},
        occurred_at="2026-10-30T08:15:00+07:00",
        private=True,
        anonymous=True,
        attachments=["https://foto.example/1.jpg", {"url": "b/2.pdf", "media_type": "application/pdf"}],
    )
    assert inbound.external_id == inbound.thread == "a-1"
    assert inbound.phone == "+628000000123"
    assert inbound.author_id == "tel:+628000000123"
    assert inbound.location == Location(address="Depan balai desa", lat=-7.1, lon=110.4, district="Bringin")
    assert inbound.occurred_at == datetime(2026, 10, 30, 1, 15, tzinfo=UTC)
    assert (inbound.private, inbound.anonymous, inbound.verified) == (True, True, False)
    assert [file.url for file in inbound.attachments] == ["https://foto.example/1.jpg", "b/2.pdf"]


def test_words_are_enough() -> None:
    inbound = read()
    assert inbound.author_id == "anon:a-1"
    assert (inbound.phone, inbound.location, inbound.occurred_at) == (None, None, None)


def test_what_a_form_leaves_empty_is_left_out() -> None:
    inbound = read(
        phone="", name=" ", email="", occurred_at="", location={"address": "", "lat": "", "lon": None}
    )
    assert inbound == read()


def test_one_person_is_one_author_however_the_number_is_typed() -> None:
    typed = ["+62 800 0000 123", "628000000123", "0800 0000 123", "(0800) 0000-123", 628000000123]
    assert {read(phone=number).author_id for number in typed} == {"tel:+628000000123"}


@pytest.mark.parametrize("phone", ["0", "-", "tidak ada", "08"])
def test_a_number_that_cannot_exist_is_kept_but_names_nobody(phone: str) -> None:
    inbound = read(phone=phone)
    assert (inbound.phone, inbound.author_id) == (phone, "anon:a-1")
    assert read(phone=phone, email="Warga@Contoh.example").author_id == "mailto:warga@contoh.example"


def test_a_bare_date_is_noon_in_jakarta() -> None:
    assert read(occurred_at="2026-10-30").occurred_at == datetime(2026, 10, 30, 5, tzinfo=UTC)
    assert read(occurred_at="2026-10-30T08:15").occurred_at == datetime(2026, 10, 30, 1, 15, tzinfo=UTC)


def test_a_place_may_be_written_in_one_line() -> None:
    assert read(location="Pasar Contoh").location == Location(address="Pasar Contoh")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": " \n"}, "text"),
        ({"text": None}, "text"),
        ({"text": "a" * (TEXT_LIMIT + 1)}, "text"),
        ({"id": None}, "id"),
        ({"id": "x" * 201}, "id"),
        ({"email": "bukan alamat"}, "email"),
        ({"location": {"lat": 91, "lon": 110}}, "location.lat"),
        ({"location": {"lat": -7, "lon": -181}}, "location.lon"),
        ({"location": {"lat": -7}}, "location"),
        ({"occurred_at": "kemarin"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+07:00"}, "occurred_at"),
        ({"occurred_at": 1793322900}, "occurred_at"),
        ({"private": "mungkin"}, "private"),
        ({"attachments": ["javascript:alert(1)"]}, "attachments.0"),
        ({"attachments": ["data:text/html,x"]}, "attachments.0"),
        ({"attachments": ["a.jpg"] * 21}, "attachments"),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(body: dict[str, Any], field: str) -> None:
    with pytest.raises(Unparsable) as caught:
        read(**body)
    assert caught.value.field == field
    assert str(caught.value).startswith(field)


def test_the_longest_text_is_taken() -> None:
    assert len(read(text="a" * TEXT_LIMIT).text) == TEXT_LIMIT


def test_the_id_may_be_a_number() -> None:
    assert read(id=17).external_id == "17"


def test_the_api_and_a_file_read_the_same() -> None:
    body = {"text": "Jalan rusak di Desa Contoh", "phone": "+628000000123", "private": True}
    assert Complaint.model_validate(body).inbound("a-1") == read(**body)


async def test_the_tracking_page_is_the_delivery() -> None:
    now = datetime(2026, 10, 30, tzinfo=UTC)
    outgoing = Outgoing("r-1", 0, "tel:+628000000123", "situs", "Terima kasih", None, now)
    assert await WEB.publish(outgoing) == Sent("r-1")
    assert await WEB.look_up(outgoing, frozenset()) == Sent("r-1")
    assert WEB.split("kata " * 9000) == ["kata " * 9000]


def test_there_is_nothing_to_set() -> None:
    assert isinstance(connector({}), WebConnector)
    with pytest.raises(Misconfigured, match="token"):
        connector({"token": "x"})
