"""A case given to another government: as a file without identity, and the reporter is told where it went."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select
from support import ADMIN, SUPERVISOR, form, hub_on, unit_admin
from test_evidence import jpeg, photo, street
from test_media import picture, taken
from web_hub import NAME, PROFILE, UNIT, Web, web_on

from laporhub import profiles
from laporhub.hub.compose import keeper
from laporhub.pipeline.errors import Conflict
from laporhub.pipeline.hub_port import Receipt
from laporhub.pipeline.messages import InlineFile, Location
from laporhub.pipeline.store.tables import audit

OFFICE = "Pemerintah Kota Contoh"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with web_on(tmp_path) as opened:
        yield opened


async def handed_over(web: Web, **more: object) -> Receipt:
    receipt = await web.report(1, **more)
    await web.hub.act(receipt.case_id, "hand_over", {"receiver": "regency", "office": OFFICE}, ADMIN)
    return receipt


def opened(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


async def test_the_reporter_hears_where_it_went_and_the_case_has_ended(web: Web) -> None:
    receipt = await handed_over(web)
    state = web.case(receipt.ticket)
    assert state.status == "handed_over" and state.closed_at is not None
    page = (await web.browser.get(web.link(receipt))).text
    assert OFFICE in page and "Pemerintah kabupaten atau kota" in page


async def test_the_file_says_all_but_who_reports(web: Web) -> None:
    photo = InlineFile(data=picture(exif=taken()))
    paper = InlineFile(data=b"%PDF-1.7 surat atas nama Warga Contoh")
    place = Location(address="Jalan Contoh", district="Batang", lat=-6.9, lon=109.7)
    text = f"=HYPERLINK() Jalan berlubang, hubungi {NAME} di 0811 0000 0001"
    receipt = await handed_over(web, text=text, location=place, files=(photo, paper))
    while await keeper(web.hub, {}).keep_due():
        pass
    await web.sign_in("disposisi")
    answer = await web.browser.get(f"/staff/cases/{receipt.ticket}/hand-over.zip")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    files = opened(answer.content)
    assert list(files) == ["laporan.json", "laporan.csv", "lampiran/1.jpg"]
    made = json.loads(files["laporan.json"])
    assert made["ticket"] == receipt.ticket and made["location"]["lat"] == -6.9
    assert made["handed_over"]["office"] == OFFICE and made["history"][-1]["status"] == "handed_over"
    [row] = csv.DictReader(io.StringIO(files["laporan.csv"].decode("utf-8-sig")))
    assert row["Instansi tujuan"] == OFFICE and row["Lintang"] == "-6.9"
    assert row["Isi laporan"].startswith("'="), "a citizen's words are no formula"
    everything = b"".join(files.values()) + answer.content
    for secret in (NAME, "0811 0000 0001", "81100000001", web.case(receipt.ticket).reporter, "Kamera Contoh"):
        assert secret.encode() not in everything


async def test_it_is_for_those_who_may_hand_over_and_only_then_and_on_record(web: Web) -> None:
    receipt = await web.report(1)
    address = f"/staff/cases/{receipt.ticket}/hand-over.zip"
    assert (await web.browser.get(address)).status_code == 303
    await web.sign_in("disposisi")
    assert (await web.browser.get(address)).status_code == 404, "it was not handed over"
    await web.hub.act(receipt.case_id, "hand_over", {"receiver": "sp4n", "office": "SP4N"}, ADMIN)
    assert "Unduh berkas" in (await web.browser.get(f"/staff/cases/{receipt.ticket}")).text
    assert (await web.browser.get(address)).status_code == 200
    with web.hub.database.connect() as connection:
        rows = connection.execute(select(audit.c.actor, audit.c.action, audit.c.subject)).all()
    assert ("disposisi", "hand over", receipt.ticket) in [tuple(row) for row in rows]
    async with web.another_browser() as web.browser:
        await web.sign_in("pimpinan")
        assert (await web.browser.get(address)).status_code == 404


async def test_what_is_with_a_unit_is_not_handed_over_behind_its_back(web: Web) -> None:
    receipt = await web.disposed(1)
    with pytest.raises(Conflict):
        await web.hub.act(receipt.case_id, "hand_over", {"receiver": "sp4n", "office": "SP4N"}, ADMIN)
    await web.hub.act(receipt.case_id, "return", {"reason": "Bukan kami."}, unit_admin(UNIT))
    state = await web.hub.act(receipt.case_id, "hand_over", {"receiver": "sp4n", "office": "SP4N"}, ADMIN)
    assert state.status == "handed_over" and state.profile == PROFILE


NOTE_FOR_US = """
      note: {title: {id: Catatan, en: Note}, type: text, required: false, seen_by: [tppm]}
    reply: handed_over
"""


async def test_what_only_this_office_may_see_stays_here(tmp_path: Path) -> None:
    """Notes, drafts with their photos, confidential words, and how units sent it back and forth."""
    copy = tmp_path / PROFILE
    shutil.copytree(profiles.folder(PROFILE), copy)
    rules = (copy / "profile.yaml").read_text()
    assert rules.count("\n    reply: handed_over\n") == 1
    (copy / "profile.yaml").write_text(rules.replace("\n    reply: handed_over\n", NOTE_FOR_US))
    async with hub_on(tmp_path / "data", profile=str(copy)) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1, files=(InlineFile(data=jpeg(street(1))),)))
        case, unit = receipt.case_id, unit_admin(UNIT)
        await hub.note(case, "RAHASIA-1 catatan", ADMIN)
        await hub.act(case, "dispose", {"unit": UNIT, "note": "RAHASIA-2 segera"}, ADMIN)
        await hub.confide(case, "RAHASIA-3 pelakunya", SUPERVISOR, "k")
        shot = photo(jpeg(street(2)))
        await hub.act(case, "respond", {"response": "RAHASIA-4 rumusan"}, unit, photos=shot)
        await hub.act(case, "revise", {"reason": "RAHASIA-5 perbaiki"}, ADMIN)
        await hub.act(case, "return", {"reason": "RAHASIA-6 bukan kami"}, unit)
        given = {"receiver": "sp4n", "office": OFFICE, "note": "RAHASIA-7 hubungi nanti"}
        state = await hub.act(case, "hand_over", given, ADMIN)
        while await keeper(hub, {}).keep_due():
            pass
        assert len(hub.files(case)) == 2
        files = opened(hub.hand_over_file(state, ADMIN.id))
    assert [name for name in files if name.startswith("lampiran/")] == ["lampiran/1.jpg"]
    everything = b"".join(files.values()).decode(errors="replace")
    for spared in ("RAHASIA-", "revise", "return", ADMIN.id, SUPERVISOR.id, unit.id, state.reporter):
        assert spared not in everything
    made = json.loads(files["laporan.json"])
    assert made["handed_over"].keys() == {"at", "receiver", "office"}
    assert [each["shown"] for each in made["history"]] == [
        *("Diteruskan ke instansi", "Sedang ditangani", "Terverifikasi"),
        "Diserahkan ke pemerintah yang berwenang",
    ]
