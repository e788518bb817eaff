"""A thief with the disk, the topics, the indices, the logs and every export finds nobody: searched for byte by byte."""

from __future__ import annotations

import base64
import json
import sys
from io import StringIO
from pathlib import Path

import orjson
import pytest
import structlog
from support import ADMIN, COMPLETE, SUPERVISOR, Clock, form, unit_admin, whatsapp
from test_erasing import photo
from web_hub import OTHER_UNIT, PROFILE, UNIT, Web, web_on

from laporhub.hub.compose import keeper
from laporhub.hub.console import configure_logging
from laporhub.hub.settings import Settings
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.fanout import forwarded, work
from laporhub.pipeline.tracking import Query
from laporhub.sinks.documents import case_document, event_document
from laporhub.web import present

NAME, MAIL = "Sulastri Contohwati", "sulastri.contohwati@contoh.example"
PHONES = ("+6281100012345", "081100012345", "0811-0001-2345", "81100012345", "0811 0001 2345")
CONFIDED = "bendahara menyimpan kuitansinya"
KEY = "sulastri-0811"


def spellings() -> list[bytes]:
    """As it might lie somewhere: also as JSON escapes it, in UTF-16, in base64 at each offset."""
    found: list[bytes] = []
    for fact in (NAME, MAIL, *PHONES, CONFIDED):
        found += [
            fact.encode(),
            fact.upper().encode(),
            fact.encode("utf-16-le"),
            fact.replace(" ", "%20").encode(),
        ]
        for shift in range(3):
            encoded = base64.b64encode(b"x" * shift + fact.encode())
            found.append(encoded[4 if shift else 0 : -4])
    return found


def traces(of: bytes) -> list[bytes]:
    return [spelling for spelling in spellings() if spelling in of]


async def a_busy_life(web: Web) -> list[str]:
    """Everything that may carry an identity into the hub, on several channels; the cases."""
    hub = web.hub
    who = {"name": NAME, "phone": PHONES[0], "email": MAIL, "author_id": f"tel:{PHONES[0]}"}
    signed = f"{COMPLETE}. Hubungi {PHONES[2]} atau {MAIL}. Salam, {NAME}"
    one = await hub.receive(
        PROFILE,
        "web",
        form(1, text=signed, files=(photo(9),), location={"address": f"Rumah {NAME}, Batang"}, **who),
    )
    two = await hub.receive(PROFILE, "whatsapp", whatsapp(12345, text=signed, name=NAME))
    private = await hub.receive(PROFILE, "web", form(3, text=signed, private=True, **who))
    nameless = await hub.receive(PROFILE, "web", form(4, text=signed, anonymous=True, **who))
    await keeper(hub, {}).keep_due()
    for receipt in (one, two, private, nameless):
        case = receipt.case_id
        me = Actor(id=web.case(receipt.ticket).reporter, role="reporter")
        await hub.confide(case, f"{CONFIDED}, saya {NAME}, {PHONES[1]}", me, KEY)
        await hub.note(case, f"Ditelepon di {PHONES[4]}, surel {MAIL}", ADMIN)
        if web.case(receipt.ticket).status == "received":
            await hub.act(case, "dispose", {"unit": UNIT, "note": f"Hubungi {PHONES[1]}"}, ADMIN)
            await hub.confide(case, f"Kami hubungi di {PHONES[2]}", unit_admin(UNIT), KEY)
            await hub.act(case, "return", {"reason": f"Tanya {MAIL}"}, unit_admin(UNIT))
            await hub.act(case, "dispose", {"unit": OTHER_UNIT}, ADMIN)
            answer = f"Petugas kami menelepon {PHONES[2]} besok"
            await hub.act(case, "respond", {"response": answer}, unit_admin(OTHER_UNIT))
            await hub.act(case, "approve", {}, ADMIN)
        if receipt is not nameless:
            hub.unseal(case, "gubernur", f"cek {PHONES[1]} dan {MAIL}")
    broken = Raw(json.dumps({"Body": signed, "From": f"whatsapp:{PHONES[0]}"}).encode(), "application/json")
    await hub.take(PROFILE, "whatsapp", "twilio", broken)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is: its log line must not quote the citizen
        await hub.receive(PROFILE, "web", form(5, text="x" * 100_001, **who))
    await web.browser.get("/lacak", params={"nomor": PHONES[1]})
    await web.browser.get("/staff", params={"q": PHONES[1]})
    return [each.case_id for each in (one, two, private, nameless)]


async def test_a_thief_finds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = StringIO()
    monkeypatch.setattr(sys, "stderr", logged)
    configure_logging(Settings(data=tmp_path, log_format="json"))
    folder = tmp_path / "data"
    async with web_on(folder) as web:
        cases = await a_busy_life(web)
        book = web.hub.rulebooks[PROFILE]
        streamed, indexed, exported = bytearray(), bytearray(), bytearray()
        for case in cases:
            history = list(web.hub.events(case))
            state = web.case(history[0].data.ticket)  # type: ignore[union-attr]
            streamed += b"".join(event.model_dump_json().encode() for event in history)
            streamed += state.model_dump_json().encode()
            for record in (*forwarded(history, None, book), *work(state, book)):
                streamed += record.key + (record.value or b"")
            indexed += orjson.dumps(case_document(state))
            indexed += b"".join(orjson.dumps(event_document(event)) for event in history)
            exported += orjson.dumps(present.case(state, web.clock()))
            exported += b"".join(orjson.dumps(present.event(event)) for event in history)
            exported += (await web.browser.get(f"/t/{state.ticket}")).content
            exported += (await web.browser.get(f"/api/v1/complaints/{state.ticket}")).content
        for name in ("gubernur", "pupr", "perhubungan", "disposisi", "pimpinan"):
            for address in (
                "cases?limit=200",
                "stats",
                *(f"cases/{web.case(t).ticket}" for t in _tickets(web)),
            ):
                exported += (await web.browser.get(f"/api/v1/{address}", headers=web.bearer(name))).content
        exported += b"".join(f"{each}".encode() for each in web.hub.audit.entries())
        exported += (await web.browser.get("/metrics")).content
    structlog.reset_defaults()
    disk = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert len(disk) > 100_000 and len(streamed) > 50_000 and logged.getvalue().count("\n") >= 1
    searched = {
        "disk": disk,
        "streams": bytes(streamed),
        "indices": bytes(indexed),
        "exports": bytes(exported),
        "logs": logged.getvalue().encode(),
    }
    assert {name: traces(data) for name, data in searched.items()} == dict.fromkeys(searched, [])


def _tickets(web: Web) -> list[str]:
    found = web.hub.tracking.find(Query(profiles=(PROFILE,), limit=200), web.clock())
    return [state.ticket for state in found.cases]


async def test_the_search_would_find_somebody(tmp_path: Path) -> None:
    """The test above can fail: the reporter's own page does hold what it looks for."""
    async with web_on(tmp_path) as web:
        receipt = await web.report(1, text=f"{COMPLETE}, hubungi {PHONES[2]}")
        assert traces((await web.browser.get(web.link(receipt))).content)
        await web.sign_in("gubernur")
        assert SUPERVISOR.role == "admin_gubernur" and isinstance(web.clock, Clock)
