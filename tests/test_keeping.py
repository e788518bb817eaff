"""Files that come with complaints: kept early and sealed, shown to whoever may see the case, gone with the person."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from PIL import Image
from support import COMPLETE, hub_on, whatsapp
from test_media import picture, taken
from web_hub import PROFILE, Web, web_on

from laporhub.connectors import download
from laporhub.connectors.download import Fetched
from laporhub.connectors.twilio import TwilioConfig, TwilioConnector
from laporhub.hub.blobs import FolderBlobs, S3Blobs, open_blobs
from laporhub.hub.compose import keeper
from laporhub.hub.hub import Hub
from laporhub.hub.keeping import Keeper
from laporhub.hub.settings import Settings
from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.errors import Misconfigured, Refused, RetryLater
from laporhub.pipeline.messages import Attachment, InlineFile

PHOTO = picture(exif=taken())
NOTE = b"Kronologi: lampu mati sejak Senin."
FIELDS = {"text": COMPLETE, "place": "Jalan Contoh, Batang", "phone": "0811-0000-0001", "key": "k1"}


def photo(data: bytes = PHOTO, name: str = "foto.jpg") -> tuple[str, tuple[str, bytes, str]]:
    return "files", (name, data, "image/jpeg")


async def kept(hub: Hub, web: Web | None = None) -> list[CaseFile]:
    work = keeper(hub, {})
    while await work.keep_due():
        pass
    [case] = {case.id for case in hub.tracking.find(_everything(), hub.now()).cases}
    return list(hub.files(case))


def _everything() -> Any:
    from laporhub.pipeline.tracking import Query

    return Query((PROFILE,))


async def test_a_photo_from_the_form_is_kept_and_shown_without_what_the_camera_wrote(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        answer = await web.browser.post("/", data=FIELDS, files=[photo()])
        assert answer.status_code == 200, answer.text
        [file] = await kept(web.hub)
        assert (file.status, file.media_type, file.size) == ("kept", "image/jpeg", len(PHOTO))
        assert (file.lat, file.lon) == (-7.02, 110.41)
        assert file.digest == hashlib.sha256(PHOTO).hexdigest()

        [case] = web.hub.tracking.find(_everything(), web.hub.now()).cases
        assert case.attachments == 1
        assert "evidence" not in case.advised
        token = web.hub.tracking_token(case.id)
        address = f"/t/{case.ticket}/files/{file.id}"
        shown = await web.browser.get(f"{address}?k={token}")
        assert shown.headers["content-type"] == "image/jpeg"
        assert "sandbox" in shown.headers["content-security-policy"]
        with Image.open(io.BytesIO(shown.content)) as plain:
            assert dict(plain.getexif()) == {}
        assert (await web.browser.get(f"{address}?k=guessed")).status_code == 404
        assert (await web.browser.get(f"/staff/cases/{case.ticket}/files/{file.id}")).status_code in (
            303,
            401,
        )
        page = await web.browser.get(f"/t/{case.ticket}?k={token}")
        assert f"{address}?k={token}" in page.text
        public = await web.browser.get(f"/t/{case.ticket}")
        assert address not in public.text


async def test_staff_sees_the_photo_and_where_it_was_taken(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        await web.browser.post(
            "/", data=FIELDS, files=[photo(), ("files", ("catatan.txt", NOTE, "text/plain"))]
        )
        pictured, noted = await kept(web.hub)
        [case] = web.hub.tracking.find(_everything(), web.hub.now()).cases
        await web.sign_in("disposisi")
        page = await web.browser.get(f"/staff/cases/{case.ticket}")
        assert f"/files/{pictured.id}?&amp;variant=preview" in page.text
        assert "Diambil 12 Nov 2026" in page.text
        assert "-7.02000, 110.41000" in page.text
        got = await web.browser.get(f"/staff/cases/{case.ticket}/files/{noted.id}")
        assert got.content == NOTE
        assert got.headers["content-disposition"].startswith("attachment")
        assert (await web.browser.get(f"/staff/cases/{case.ticket}/files/f_other")).status_code == 404


async def test_files_are_sealed_and_go_with_the_person(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        await web.browser.post("/", data=FIELDS, files=[photo()])
        [file] = await kept(web.hub)
        stored = [path.read_bytes() for path in (tmp_path / "files").rglob("*") if path.is_file()]
        assert len(stored) == 3, "as it came, large, small"
        assert not any(b"\xff\xd8\xff" in each or b"Kamera" in each for each in stored)
        assert web.hub.file(file) == PHOTO
        web.hub.ring.erase(file.reporter)
        assert web.hub.file(file) is None
        assert web.hub.files_store.erase(file.reporter) == 3
        assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([photo(name=f"{n}.jpg") for n in range(4)], "Paling banyak 3 berkas"),
        ([photo(b"\xff\xd8\xff" + bytes(10 * 1024 * 1024))], "lebih besar dari 10 MB"),
        ([photo(b"", "foto.jpg")], "berkas yang kosong"),
        ([photo(b"MZ" + bytes(90), "foto.jpg")], "bukan foto"),
        ([photo(b"<html><script>1</script>", "foto.jpg")], "bukan foto"),
    ],
)
async def test_a_file_that_is_not_taken_says_why_and_loses_no_word(
    tmp_path: Path, files: list[Any], said: str
) -> None:
    async with web_on(tmp_path) as web:
        answer = await web.browser.post("/", data=FIELDS, files=files)
        assert answer.status_code == 422
        assert said in answer.text
        assert COMPLETE in answer.text
        assert not web.hub.tracking.find(_everything(), web.hub.now()).cases


async def test_a_form_sent_twice_is_one_message_with_one_photo(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        for _ in range(2):
            await web.browser.post("/", data=FIELDS, files=[photo()])
        assert len(await kept(web.hub)) == 1


async def test_a_photo_can_be_added_on_the_tracking_page(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        form = {"k": web.hub.tracking_token(receipt.case_id), "key": "m1", "text": ""}
        answer = await web.browser.post(f"/t/{receipt.ticket}/messages", data=form, files=[photo()])
        assert answer.status_code == 303
        [file] = await kept(web.hub)
        assert file.case_id == receipt.case_id


# ── from platforms ──


class Media:
    """A platform's files, by address: bytes, or what is wrong."""

    def __init__(self, answers: Mapping[str, bytes | Exception]) -> None:
        self.answers = dict(answers)
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def __call__(
        self,
        url: str,
        limit: int,
        headers: download.Headers = lambda _: {},
        trusted: frozenset[str] = frozenset(),
    ) -> Fetched:
        self.asked.append((url, dict(headers(url))))
        answer = self.answers[url]
        if isinstance(answer, Exception):
            raise answer
        return Fetched(answer, None)


URL = "https://api.twilio.com/2010-04-01/Media/ME1"


async def with_photo(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, answer: bytes | Exception
) -> tuple[Keeper, Media]:
    media = Media({URL: answer})
    monkeypatch.setattr(download, "fetch", media)
    inbound = whatsapp(1, COMPLETE, attachments=(Attachment(url=URL, media_type="image/jpeg"),))
    await hub.receive(PROFILE, "whatsapp", inbound)
    twilio = TwilioConnector(TwilioConfig(account_sid="AC1", auth_token="rahasia"))
    return keeper(hub, {"twilio": twilio}), media


def only(hub: Hub) -> CaseFile:
    [case] = hub.tracking.find(_everything(), hub.now()).cases
    [file] = hub.files(case.id)
    return file


async def test_a_platforms_photo_is_fetched_once_with_the_accounts_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hub_on(tmp_path) as hub:
        work, media = await with_photo(hub, monkeypatch, PHOTO)
        assert [await work.keep_due(), await work.keep_due()] == [1, 0]
        assert only(hub).status == "kept"
        assert media.asked == [(URL, {"Authorization": "Basic QUMxOnJhaGFzaWE="})]


async def test_credentials_are_for_twilio_only() -> None:
    twilio = TwilioConnector(
        TwilioConfig(account_sid="AC1", auth_token="x", api_base_url="http://127.0.0.1:8081")
    )
    assert twilio.media_headers("http://127.0.0.1:8081/media/ME1")
    for url in (
        "http://api.twilio.com/a",
        "https://api.twilio.com.evil.example/a",
        "https://twilio.evil.example/a",
    ):
        assert twilio.media_headers(url) == {}


async def test_what_cannot_be_fetched_now_is_tried_again_and_given_up_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hub_on(tmp_path) as hub:
        work, media = await with_photo(hub, monkeypatch, RetryLater("busy"))
        await work.keep_due()
        assert await work.keep_due() == 0, "not at once"
        while (waiting := only(hub)).next_at is not None:
            hub.now.at = waiting.next_at  # type: ignore[attr-defined]
            assert await work.keep_due() == 1
        assert (waiting.status, waiting.reason) == ("refused", "unreachable")
        assert len(media.asked) == 12


async def test_it_comes_through_when_the_platform_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hub_on(tmp_path) as hub:
        work, media = await with_photo(hub, monkeypatch, RetryLater("busy", after=600))
        await work.keep_due()
        again = only(hub).next_at
        assert again
        assert again - hub.now() == timedelta(seconds=600), "as long as the platform asks"
        media.answers[URL] = PHOTO
        hub.now.at = again  # type: ignore[attr-defined]
        await work.keep_due()
        assert only(hub).status == "kept"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Refused("x", code="gone"), "gone"),
        (Refused("x", code="too_large"), "too_large"),
        (Refused("x", code="address"), "address"),
        (b"<html>not a photo</html>", "type"),
        (b"", "empty"),
    ],
)
async def test_what_will_never_be_kept_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes | Exception, reason: str
) -> None:
    async with hub_on(tmp_path) as hub:
        work, _ = await with_photo(hub, monkeypatch, answer)
        await work.keep_due()
        file = only(hub)
        assert (file.status, file.reason, file.next_at) == ("refused", reason, None)


async def test_a_process_that_fell_leaves_its_files_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hub_on(tmp_path) as hub:
        work, media = await with_photo(hub, monkeypatch, PHOTO)

        async def falls(*_: object, **__: object) -> Fetched:
            raise asyncio.CancelledError

        monkeypatch.setattr(download, "fetch", falls)
        with pytest.raises(asyncio.CancelledError):
            await work.keep_due()
        monkeypatch.setattr(download, "fetch", media)
        assert await work.keep_due() == 0, "its lease is not over"
        hub.now.forward(minutes=6)  # type: ignore[attr-defined]
        assert await work.keep_due() == 1
        assert only(hub).status == "kept"


async def test_a_file_that_came_along_is_too_large(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        inbound = whatsapp(1, COMPLETE, files=(InlineFile(data=bytes(26 * 1024 * 1024)),))
        with pytest.raises(Refused, match="26214400 are possible"):
            await hub.receive(PROFILE, "whatsapp", inbound)


# ── where they are kept ──


def test_a_folder_keeps_blobs_by_owner(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    blobs.put("p_one/abc", b"1")
    blobs.put("p_one/abc", b"2")
    blobs.put("p_two/abc", b"3")
    assert [blobs.get("p_one/abc"), blobs.get("p_two/abc"), blobs.get("p_one/none")] == [b"2", b"3", None]
    assert [blobs.delete_of("p_one"), blobs.delete_of("p_one")] == [1, 0]
    assert [blobs.get("p_one/abc"), blobs.get("p_two/abc")] == [None, b"3"]


@pytest.mark.parametrize("name", ["../a/b", "p_one/../../etc", "p_one/.part", "/etc/passwd", "p_one/a/b", ""])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        FolderBlobs(tmp_path).get(name)


def s3() -> tuple[S3Blobs, Stubber]:
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="y",
        endpoint_url="http://127.0.0.1:9",
    )
    return S3Blobs(client, "ember", "laporhub"), Stubber(client)


def test_a_bucket_keeps_blobs_by_owner() -> None:
    blobs, stub = s3()
    stub.add_response("put_object", {}, {"Bucket": "ember", "Key": "laporhub/p_one/abc", "Body": b"1"})
    stub.add_client_error("get_object", "NoSuchKey", http_status_code=404)
    page = {"Contents": [{"Key": "laporhub/p_one/abc"}, {"Key": "laporhub/p_one/d"}]}
    asked = {"Bucket": "ember", "Prefix": "laporhub/p_one/", "MaxKeys": 1000}
    stub.add_response("list_objects_v2", page, asked)
    stub.add_response("delete_objects", {})
    stub.add_response("list_objects_v2", {}, asked)
    with stub:
        blobs.put("p_one/abc", b"1")
        assert blobs.get("p_one/none") is None
        assert blobs.delete_of("p_one") == 2
        stub.assert_no_pending_responses()


def test_a_bucket_that_does_not_answer_is_asked_again_later() -> None:
    blobs, stub = s3()
    stub.add_client_error("put_object", "SlowDown", http_status_code=503)
    with stub, pytest.raises(RetryLater, match="SlowDown"):
        blobs.put("p_one/abc", b"1")


def test_settings_choose_where(tmp_path: Path) -> None:
    assert isinstance(open_blobs(Settings(data=tmp_path)), FolderBlobs)
    assert isinstance(open_blobs(Settings(data=tmp_path, files_url="s3://ember/awalan")), S3Blobs)
    with pytest.raises(Misconfigured, match="s3://BUCKET"):
        open_blobs(Settings(data=tmp_path, files_url="https://ember"))
