"""Who asks to be nobody: nothing that identifies is kept or shown, and the token still leads to the report."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ADMIN, COMPLETE, MONDAY, form, hub_on, laporgub, whatsapp
from test_media import picture, taken
from web_hub import REPORT, web_on

from laporhub.hub.compose import keeper
from laporhub.pipeline.door import Door
from laporhub.pipeline.errors import Forbidden
from laporhub.pipeline.events import MessageAdded
from laporhub.pipeline.messages import Inbound, InlineFile

PROFILE = "laporgub-jateng"
NAME, PHONE, EMAIL = "Rukmini Contohwati", "+6281100099999", "rukmini@contoh.example"
BOOK = laporgub()
CAMERA = b"Kamera Contoh"


class Glass:
    """Seals that tests look through."""

    def seal(self, reporter: str, plain: str, now: object) -> str:
        return f"v1.{reporter}.{plain}"


DOOR = Door(Glass(), b"pepper")


def nameless(number: int = 1, **more: object) -> Inbound:
    given_: dict[str, object] = {"name": NAME, "phone": PHONE, "email": EMAIL, "author_id": f"tel:{PHONE}"}
    return form(number, **(given_ | {"anonymous": True} | more))


async def test_nothing_that_identifies_is_kept_in_any_form(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        text = f"{COMPLETE}. Salam, {NAME}, {PHONE}, {EMAIL}"
        receipt = await hub.receive(PROFILE, "web", nameless(text=text))
        state = hub.case(receipt.ticket)
        assert state is not None and state.anonymous and state.known == ()
        opened = [
            hub.ring.open(piece)
            for event in hub.events(receipt.case_id)
            if isinstance(event.data, MessageAdded)
            for piece in (event.data.sealed_identity, event.data.sealed_text)
            if piece
        ]
        for secret in (NAME, PHONE, PHONE[3:], EMAIL):
            assert secret not in "".join(map(str, opened))
            assert secret not in state.model_dump_json()


async def test_it_is_not_held_up_for_a_number_that_is_not_wanted(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive(PROFILE, "web", nameless())
        assert receipt.missing == () and receipt.status == "received"
        assert (await hub.act(receipt.case_id, "dispose", {"unit": "dishub"}, ADMIN)).status == "disposed"


async def test_two_of_them_cannot_be_told_to_be_one_person(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        receipts = [
            await hub.receive(PROFILE, "web", nameless(1)),
            await hub.receive(PROFILE, "web", nameless(2)),
            await hub.receive(PROFILE, "web", nameless(3, anonymous=False)),
        ]
        reporters = {hub.case(each.ticket).reporter for each in receipts}  # type: ignore[union-attr]
        assert len(reporters) == 3


async def test_what_is_added_later_stays_as_nameless(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.hub.receive(PROFILE, "web", nameless())
        k = web.hub.tracking_token(receipt.case_id)
        sent = await web.browser.post(
            f"/t/{receipt.ticket}/messages",
            data={"k": k, "text": f"Tambahan dari {NAME}, {PHONE}", "name": NAME, "phone": PHONE},
        )
        assert sent.status_code == 303
        state = web.case(receipt.ticket)
        assert state.messages == 2 and state.known == ()
        for event in web.hub.events(receipt.case_id):
            if isinstance(event.data, MessageAdded):
                assert event.data.sealed_text is None
                assert PHONE not in str(web.hub.ring.open(str(event.data.sealed_identity)))
        assert "Tambahan dari" in (await web.browser.get(web.link(receipt))).text


async def test_nobody_is_told_who_it_is_with_whatever_reason(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive(PROFILE, "web", nameless())
        with pytest.raises(Forbidden):
            hub.unseal(receipt.case_id, "gubernur", "sangat perlu")


async def test_the_form_asks_no_number_of_them(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        unnamed = {name: value for name, value in REPORT.items() if name not in ("phone", "name")}
        assert (await web.browser.post("/", data=unnamed)).status_code == 422
        page = await web.browser.post("/", data={**unnamed, "anonymous": "1"})
        assert page.status_code == 200 and 'class="ticket"' in page.text


def test_on_a_platform_only_the_address_to_answer_is_kept() -> None:
    message = DOOR.admit(BOOK, "whatsapp", whatsapp(1, anonymous=True, name=NAME), MONDAY)
    assert "whatsapp:+6281100000001" in message.sealed_identity  # without it no answer arrives
    assert NAME not in message.model_dump_json() and message.known == ()
    assert message.reporter != DOOR.admit(BOOK, "whatsapp", whatsapp(1), MONDAY).reporter


async def test_their_pictures_tell_nothing_of_who_took_them(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        telling = InlineFile(data=picture(exif=taken()), media_type="image/jpeg", name="bukti.jpg")
        assert CAMERA in telling.data
        for anonymous in (False, True):
            receipt = await hub.receive(
                PROFILE, "web", nameless(1 + anonymous, files=(telling,), anonymous=anonymous)
            )
            await keeper(hub, {}).keep_due()
            [file] = hub.files(receipt.case_id)
            assert file.status == "kept"
            assert (CAMERA in (hub.file(file) or b"")) is not anonymous
            assert (file.lat is None and file.taken_at is None) is anonymous


@given(
    name=st.sampled_from([None, NAME, "Contohwan"]),
    phone=st.sampled_from([None, PHONE, "0811 0009 9999"]),
    email=st.sampled_from([None, EMAIL]),
    channel=st.sampled_from(["web", "app", "hotline"]),
    signed=st.booleans(),
)
def test_no_fact_of_the_person_passes_the_door(
    name: str | None, phone: str | None, email: str | None, channel: str, signed: bool
) -> None:
    text = f"{COMPLETE} {name or ''} {phone or ''} {email or ''}" if signed else COMPLETE
    message = DOOR.admit(
        BOOK, channel, nameless(name=name, phone=phone, email=email, text=text, whole=text), MONDAY
    )
    written = message.model_dump_json()
    for fact in (name, phone, email, "tel:"):
        assert fact is None or fact not in written
