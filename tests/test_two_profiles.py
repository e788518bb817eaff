"""One office, two services, one hub: accounts work in one or in both, and are in each what they are there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select
from support import Clock, form, hub_on
from typer.testing import CliRunner
from web_hub import PASSWORD, Web, web_on

from laporhub.hub.cli import app
from laporhub.hub.compose import speaking
from laporhub.hub.polling import polled_accounts
from laporhub.hub.posting import receivers_of
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.connector_abilities import Checks, Polled
from laporhub.pipeline.hub_port import Receipt
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.staff import Account, Post
from laporhub.pipeline.store.tables import notice_marks

WADUL, BATIKNET = "wadul-aladin", "batiknet"
BOTH = f"{WADUL},{BATIKNET}"
ALONE = Account("ani", (WADUL,), "admin_kota")
TWO = {WADUL: Post("admin_kota"), BATIKNET: Post("kepala_bidang")}
ANYWHERE = Account("budi", (WADUL, BATIKNET), "admin_kota", posts=TWO)
FITTER = Account(
    "cici",
    (WADUL, BATIKNET),
    "tim_opd",
    "dinkominfo",
    posts={WADUL: Post("tim_opd", "dinkominfo"), BATIKNET: Post("pelaksana_teknis", "tim-teknis")},
)
FAULT = "Internet di ruang pelayanan lantai dua putus sejak pagi, lampu switch mati"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with web_on(tmp_path, profile=BOTH) as found:
        for account in (ALONE, ANYWHERE, FITTER):
            found.hub.accounts.save(account, PASSWORD)
        yield found


async def signed_in(web: Web, account: Account) -> None:
    answer = await web.browser.post(
        "/staff/sign-in", data={"username": account.username, "password": PASSWORD}
    )
    assert answer.status_code == 303


async def complaint(web: Web) -> Receipt:
    return await web.hub.receive(WADUL, "web", form(1))


async def fault(web: Web) -> Receipt:
    return await web.hub.receive(BATIKNET, "web", form(2, FAULT))


async def test_both_forms_are_there_and_each_leads_to_its_own_service(web: Web) -> None:
    first, second = await web.browser.get("/"), await web.browser.get("/p/batiknet/")
    assert "Lapor Ajib" in first.text
    assert "Batik.Net" in second.text
    assert (await complaint(web)).ticket.startswith("PW")
    assert (await fault(web)).ticket.startswith("BN")


async def test_whoever_works_in_one_sees_nothing_of_the_other(web: Web) -> None:
    mine, other = await complaint(web), await fault(web)
    await signed_in(web, ALONE)
    queue = (await web.browser.get("/staff?tab=all")).text
    assert mine.ticket in queue and other.ticket not in queue
    assert (await web.browser.get(f"/staff/cases/{mine.ticket}")).status_code == 200
    assert (await web.browser.get(f"/staff/cases/{other.ticket}")).status_code == 404
    assert (await web.browser.get(f"/staff?profile={BATIKNET}")).status_code == 403


async def test_whoever_works_in_both_is_in_each_what_they_are_there(web: Web) -> None:
    mine, other = await complaint(web), await fault(web)
    await signed_in(web, ANYWHERE)
    assert mine.ticket in (await web.browser.get("/staff?tab=all")).text
    assert other.ticket in (await web.browser.get(f"/staff?profile={BATIKNET}&tab=all")).text
    act = "Aduan umum, jawab langsung"
    assert act in (await web.browser.get(f"/staff/cases/{mine.ticket}")).text
    page = await web.browser.get(f"/staff/cases/{other.ticket}")
    assert page.status_code == 200
    assert "Disposisi ke tim teknis" not in page.text  # the head of division only looks on here
    assert "Identitas pelapor" not in page.text
    where = f"/staff/cases/{other.ticket}/identity?profile={WADUL}"
    asked = await web.browser.post(where, data={"csrf": web.csrf(), "reason": "ingin tahu"})
    assert asked.status_code == 403


async def test_a_role_of_one_service_gives_no_right_in_the_other(web: Web) -> None:
    other = await fault(web)
    headers = {"Authorization": f"Bearer {web.hub.accounts.issue_token(ANYWHERE.username, web.clock())}"}
    state = web.case(other.ticket)
    for address in (
        f"/api/v1/cases/{other.ticket}/actions/ask",
        f"/api/v1/cases/{other.ticket}/actions/ask?profile={WADUL}",
    ):
        answer = await web.browser.post(address, json={"fields": {"question": "?"}}, headers=headers)
        assert answer.status_code in (403, 409), answer.text
    assert web.case(other.ticket) == state


async def test_the_unit_is_that_of_the_service(web: Web) -> None:
    mine, other = await complaint(web), await fault(web)
    kota, clerk = ALONE, Account("petugas", (BATIKNET,), "petugas_layanan")
    actor = {name: _actor(account) for name, account in (("kota", kota), ("clerk", clerk))}
    await web.hub.act(mine.case_id, "forward", {"unit": "dinkominfo"}, actor["kota"])
    await web.hub.act(other.case_id, "dispose", {"unit": "tim-teknis", "opd": "dindik"}, actor["clerk"])
    await signed_in(web, FITTER)
    for receipt in (mine, other):
        assert (await web.browser.get(f"/staff/cases/{receipt.ticket}")).status_code == 200
    theirs = (await web.browser.get(f"/staff?profile={BATIKNET}")).text
    assert other.ticket in theirs and mine.ticket not in theirs


async def test_notices_are_read_and_marked_in_the_service_where_they_are_and_nowhere_else(web: Web) -> None:
    other = await fault(web)
    clerk = Actor(id="petugas", role="petugas_layanan")
    await web.hub.act(other.case_id, "dispose", {"unit": "tim-teknis", "opd": "dindik"}, clerk)
    fitter = FITTER.at(BATIKNET)
    await signed_in(web, FITTER)
    assert other.ticket not in (await web.browser.get("/staff/inbox")).text
    there = f"/staff/inbox?profile={BATIKNET}"
    assert other.ticket in (await web.browser.get(there)).text
    elsewhere = {"csrf": web.csrf(), "upto": "999", "profile": BATIKNET}
    await web.browser.post("/staff/inbox", data=elsewhere)
    assert web.hub.unread_notices(BATIKNET, fitter) == 1, "what a form says of the profile counts for nothing"
    assert (await web.submit(there, there)).status_code == 303
    assert web.hub.unread_notices(BATIKNET, fitter) == 0


async def test_nobody_reads_or_marks_notices_of_a_service_in_which_they_have_no_role(web: Web) -> None:
    other = await fault(web)
    clerk = Actor(id="petugas", role="petugas_layanan")
    await web.hub.act(other.case_id, "dispose", {"unit": "tim-teknis", "opd": "dindik"}, clerk)
    await signed_in(web, ALONE)
    form = {"csrf": web.csrf(), "upto": "999", "profile": BATIKNET}
    for profile in (BATIKNET, "tidak-ada"):
        there = f"/staff/inbox?profile={profile}"
        assert (await web.browser.get(there)).status_code == 403
        assert (await web.browser.post(there, data=form)).status_code == 403
    assert (await web.browser.post("/staff/inbox", data=form)).status_code == 303
    with web.hub.database.connect() as connection:
        marks = connection.execute(select(notice_marks.c.account, notice_marks.c.profile)).all()
    assert [tuple(each) for each in marks] in ([], [(ALONE.username, WADUL)])


def _actor(account: Account) -> Actor:
    return Actor(id=account.username, role=account.role, unit=account.unit)


async def test_the_record_can_be_downloaded_by_those_who_may(web: Web) -> None:
    other = await fault(web)
    clerk = _actor(Account("petugas", (BATIKNET,), "petugas_layanan"))
    fitter = _actor(Account("pelaksana", (BATIKNET,), "pelaksana_teknis", "tim-teknis"))
    address = f"/staff/cases/{other.ticket}/documents/berita_acara.pdf"
    await signed_in(web, FITTER)
    await web.hub.act(other.case_id, "dispose", {"unit": "tim-teknis", "opd": "dindik"}, clerk)
    await web.hub.act(other.case_id, "check", {}, fitter)
    assert (await web.browser.get(address)).status_code == 404
    result = {"diagnosis": "Kabel longgar", "result": "Dipasang lagi.", "replaced": "2 buah konektor"}
    await web.hub.act(other.case_id, "handle", result, fitter)
    page = (await web.browser.get(f"/staff/cases/{other.ticket}")).text
    assert address in page and "Berita Acara" in page
    given = await web.browser.get(address)
    assert (given.status_code, given.headers["content-type"]) == (200, "application/pdf")
    assert given.content.startswith(b"%PDF-") and "no-store" in given.headers["cache-control"]
    own = await web.browser.get(web.link(other))
    token = web.hub.tracking_token(other.case_id)
    assert f"/t/{other.ticket}/documents/berita_acara.pdf?k={token}" in own.text
    assert (
        await web.browser.get(f"/t/{other.ticket}/documents/berita_acara.pdf?k={token}")
    ).content == given.content
    assert (await web.browser.get(f"/t/{other.ticket}/documents/berita_acara.pdf")).status_code == 404
    assert (await web.browser.get(f"/t/{other.ticket}/documents/other.pdf?k={token}")).status_code == 404
    async with web.another_browser() as stranger:
        assert (await stranger.get(address)).status_code in (303, 401)
    await web.browser.post("/staff/sign-out", data={"csrf": web.csrf()})
    await signed_in(web, ANYWHERE)
    assert (await web.browser.get(address)).status_code == 404  # may read the case, not take its papers


async def test_a_list_is_typed_line_by_line(web: Web) -> None:
    other = await fault(web)
    clerk = _actor(Account("petugas", (BATIKNET,), "petugas_layanan"))
    fitter = _actor(Account("pelaksana", (BATIKNET,), "pelaksana_teknis", "tim-teknis"))
    await web.hub.act(other.case_id, "dispose", {"unit": "tim-teknis", "opd": "dindik"}, clerk)
    await web.hub.act(other.case_id, "check", {}, fitter)
    await signed_in(web, FITTER)
    page = f"/staff/cases/{other.ticket}"
    assert "Satu barang per baris" in (await web.browser.get(page)).text
    action = f"{page}/do/list_equipment"
    typed = {"f_diagnosis": "Switch mati", "f_equipment": "1 unit switch\r\n40 meter kabel UTP"}
    assert (await web.submit(page, action, typed)).status_code == 303
    assert web.case(other.ticket).status == "equipment_needed"
    assert "40 meter kabel UTP" in (await web.browser.get(page)).text


# ── accounts and accounts ────────────────────────────────────────────────────────────────────────


def test_an_account_is_made_with_a_role_for_each_service(tmp_path: Path) -> None:
    shell, both = CliRunner(), ["--profile", WADUL, "--profile", BATIKNET, "--data", str(tmp_path)]
    roles = ["--role", "admin_kota", "--role", f"{BATIKNET}=petugas_layanan"]
    made = shell.invoke(app, ["user", "add", "dewi", *roles, *both])
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    assert told["posts"] == {
        WADUL: {"role": "admin_kota", "unit": None},
        BATIKNET: {"role": "petugas_layanan", "unit": None},
    }
    wrong = shell.invoke(app, ["user", "add", "eko", "--role", "admin_kota", *both])
    assert wrong.exit_code == 1 and BATIKNET in wrong.stderr
    half = shell.invoke(app, ["user", "add", "eko", "--role", f"{WADUL}=admin_kota", *both])
    assert half.exit_code == 1 and f"say --role {BATIKNET}=ROLE too" in half.output, "what to do is said"
    same = shell.invoke(app, ["user", "add", "fitri", "--role", "pejabat_pengaduan", *both])
    assert same.exit_code == 0 and "posts" not in json.loads(same.stdout)


class Mailbox:
    """An account that can be polled."""

    able, poll_every = True, 60.0

    async def poll(self, account: str, cursor: str | None) -> Polled:
        raise AssertionError("nobody asks here")


async def test_an_account_that_both_services_name_is_asked_once_for_the_first(tmp_path: Path) -> None:
    async with hub_on(tmp_path, Clock(), profile=BOTH) as hub:
        found = polled_accounts(hub.rulebooks, {"email": Mailbox()})  # type: ignore[dict-item]
        assert [(each.profile, each.name) for each in found] == [
            (WADUL, "diskominfo@gafe.pekalongankota.go.id")
        ]


async def test_another_account_on_a_platform_is_not_taken_for_ours(tmp_path: Path) -> None:
    """The hub has one account on X: what comes to it is not what was said to another service's."""
    made_up = dict.fromkeys(("consumer_key", "consumer_secret", "access_token", "access_token_secret"), "1-a")
    told = {"x": made_up | {"account": "@LaporGub_", "api_url": "http://127.0.0.1:9"}}
    async with hub_on(tmp_path, Clock(), profile=f"laporgub-jateng,{WADUL}", connectors=told) as hub:
        x = hub._connectors["x"]
        assert [each.name for each in polled_accounts(hub.rulebooks, {"x": x})] == ["@LaporGub_"]
        assert [lane for lane in speaking(hub.rulebooks, {"x": x}) if lane[1] == "x"] == [
            ("laporgub-jateng", "x")
        ]
        stands = {each.profile: each.configured for each in hub.channels() if each.channel == "x"}
        assert stands == {"laporgub-jateng": True, WADUL: False}
        assert isinstance(x, Checks)
        assert "LAPORHUB_X_ACCOUNT" in (await x.check("@pkl_diskominfo")).reason


def test_reports_go_to_whoever_has_the_role_in_that_service() -> None:
    posts = {WADUL: Post("pimpinan"), BATIKNET: Post("pimpinan_dinas")}
    head = Account("kepala", (WADUL, BATIKNET), "pimpinan", email="kepala@contoh.test", posts=posts)
    clerk = Account("petugas", (WADUL,), "admin_kota", email="petugas@contoh.test")
    mayor = Account("wali", (WADUL,), "wali_kota", email="wali@contoh.test")
    staff = [head, clerk, mayor]
    monthly = {receiver.address for receiver in receivers_of(load(WADUL), "month", staff)}
    assert monthly == {"kepala@contoh.test", "wali@contoh.test"}
    assert [receiver.address for receiver in receivers_of(load(BATIKNET), "quarter", staff)] == [
        "kepala@contoh.test"
    ]
    assert receivers_of(load(BATIKNET), "month", staff) == []
