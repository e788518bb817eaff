"""Two thousand real complaints of a city through `laporhub ingest`, to the report and the staff's pages.

The rows are private: they lie beside the repository and are never copied into it, and an assertion here speaks of
numbers only. Without them these tests are reported as not run.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from laporhub.hub.compose import open_hub
from laporhub.hub.hub import Hub
from laporhub.hub.settings import Settings
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.events import MessageAdded
from laporhub.pipeline.ids import case_id, message_id
from laporhub.pipeline.staff import Account
from laporhub.pipeline.tracking import Query
from laporhub.web.app import create_app
from laporhub.web.settings import WebSettings

ROOT = Path(__file__).resolve().parent.parent
ROWS = ROOT.parent / "shared" / "data" / "complaints" / "surabaya_2022_2023.csv"
PROFILE = ROOT / "tests" / "profiles" / "surabaya"
NAME, ACCOUNT = "surabaya", "aduan.example"
HOW_MANY = 2000
PASSWORD = "kata-sandi-percobaan"
PUBLIC_URL = "https://aduan.example"

pytestmark = pytest.mark.skipif(
    not ROWS.is_file(),
    reason="needs the private rows in ../shared/data, which are not part of the repository",
)


@dataclass
class City:
    """A data folder into which the rows were taken, and what was said while they were."""

    data: Path
    file: Path
    rows: dict[str, dict[str, str]]
    first: dict[str, int]
    began: datetime

    def run(self, *arguments: str) -> str:
        return laporhub(*arguments, "--profile", str(PROFILE), "--data", str(self.data))

    def ingest(self, file: Path) -> dict[str, int]:
        counted: dict[str, int] = json.loads(self.run("ingest", "web", str(file)))
        return counted

    def periods(self) -> list[str]:
        """The years in which the rows were received."""
        return sorted({str(self.began.year), str(datetime.now(UTC).year)})


def laporhub(*arguments: str) -> str:
    """What the command prints."""
    command = [sys.executable, "-m", "laporhub.hub.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"laporhub {arguments[0]} ended with {done.returncode}"
    return done.stdout


def line(row: dict[str, str]) -> dict[str, Any]:
    """The body of `POST /api/v1/complaints`, with an `id`."""
    place = {
        "address": " ".join(row["address"].split()),
        "village": row["village"],
        "district": row["district"],
    }
    return {"id": row["id"], "text": row["text"], "location": place, "sent_at": row["received_on"]}


def write(file: Path, lines: list[str]) -> Path:
    file.write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    with ROWS.open(encoding="utf-8", newline="") as file:
        every = list(csv.DictReader(file))
    rows = {row["id"]: row for row in every[:: len(every) // HOW_MANY][:HOW_MANY]}
    assert len(rows) == HOW_MANY
    folder = tmp_path_factory.mktemp("city")
    lines = [json.dumps(line(row), ensure_ascii=False) for row in rows.values()]
    made = City(folder / "data", write(folder / "rows.jsonl", lines), rows, {}, datetime.now(UTC))
    made.first = made.ingest(made.file)
    return made


@asynccontextmanager
async def hub_of(city: City) -> AsyncIterator[Hub]:
    async with open_hub(Settings(data=city.data, profile=str(PROFILE)), background=False) as hub:
        yield hub


def states(hub: Hub) -> Iterator[CaseState]:
    cursor = None
    while True:
        page = hub.tracking.find(Query((NAME,), order="oldest", limit=500, cursor=cursor), hub.now())
        yield from page.cases
        cursor = page.cursor
        if cursor is None:
            return


# ── nothing is lost ──────────────────────────────────────────────────────────────────────────────


def test_every_row_is_a_case_and_a_second_time_it_is_none(city: City) -> None:
    assert city.first == {"accepted": HOW_MANY, "duplicate": 0, "rejected": 0, "dead_lettered": 0}
    again = city.ingest(city.file)
    assert again == {"accepted": 0, "duplicate": HOW_MANY, "rejected": 0, "dead_lettered": 0}


def test_broken_rows_are_counted_and_explained(city: City, tmp_path: Path) -> None:
    """A file in which every kind of row is: all are accounted for, and what was not taken can be looked up."""
    known = city.file.read_text(encoding="utf-8").splitlines()[:30]
    cut = [each[: len(each) // 2] for each in known[:10]]
    empty = [
        json.dumps(json.loads(each) | {"id": f"x-{n}", "text": " \n"}) for n, each in enumerate(known[:5])
    ]
    nameless = [json.dumps({"text": "Jalan Contoh berlubang sejak minggu lalu"})]
    long = [json.dumps({"id": "y", "text": "a" * 100_001})]
    file = write(tmp_path / "rows.jsonl", [*known, *cut, *known, *empty, *nameless, *long])
    other = City(tmp_path / "data", file, {}, {}, city.began)
    counted = other.ingest(other.file)
    broken = len(cut) + len(empty) + len(nameless) + len(long)
    assert sum(counted.values()) == 2 * len(known) + broken
    assert (counted["accepted"], counted["duplicate"]) == (len(known), len(known))
    letters = [json.loads(each) for each in other.run("deadletter", "list").splitlines()]
    assert len(letters) == counted["rejected"] + counted["dead_lettered"] == broken
    assert all(letter["reason"] and letter["channel"] == "web" for letter in letters)
    assert sum("text" in letter["reason"] for letter in letters) >= len(empty) + len(long)
    assert sum(letter["reason"].startswith("id:") for letter in letters) == len(nameless)


async def test_what_each_citizen_wrote_can_be_read_again_word_for_word(city: City) -> None:
    async with hub_of(city) as hub:
        kept = Counter[str]()
        for state in states(hub):
            for event in hub.events(state.id):
                if isinstance(said := event.data, MessageAdded):
                    kept[(said.sealed_text and hub.ring.open(said.sealed_text)) or said.text] += 1
    missing = Counter(row["text"] for row in city.rows.values()) - kept
    assert missing.total() == 0
    assert kept.total() == HOW_MANY


async def test_no_number_to_call_is_left_in_what_the_streams_carry(city: City) -> None:
    phone = re.compile(r"(?<![\d.,])(?:\+?62|0)8\d{8,10}(?!\d)")
    written = sum(bool(phone.search(row["text"])) for row in city.rows.values())
    async with hub_of(city) as hub:
        left = sum(bool(phone.search(state.text)) for state in states(hub))
    assert (bool(written), left) == (True, 0)


# ── report and pages ─────────────────────────────────────────────────────────────────────────────


def test_the_report_counts_them_all(city: City) -> None:
    reports = [
        json.loads(city.run("report", "--period", each, "--format", "json")) for each in city.periods()
    ]
    assert sum(report["cases"] for report in reports) == HOW_MANY
    for name in ("by_channel", "by_status", "by_urgency"):
        assert sum(sum(report[name].values()) for report in reports) == HOW_MANY, name
    assert reports[-1]["by_channel"] == {"web": reports[-1]["cases"]}
    month = json.loads(city.run("report", "--period", f"{city.began:%Y-%m}"))
    assert month["cases"] <= HOW_MANY
    page = city.run("report", "--period", city.periods()[-1], "--format", "html")
    number = f"{reports[-1]['cases']:,}".replace(",", ".")
    assert re.search(rf"Aduan masuk</span>\s*<strong>{re.escape(number)}</strong>", page)
    assert "Situs web" in page and "Menunggu" in page


@asynccontextmanager
async def staff_of(city: City, role: str) -> AsyncIterator[tuple[Hub, httpx.AsyncClient]]:
    """Somebody of the city's staff, signed in on the pages."""
    async with hub_of(city) as hub:
        hub.accounts.save(Account(role, (NAME,), role), PASSWORD)
        app = create_app(hub, WebSettings("a secret of tests", PUBLIC_URL))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC_URL) as browser:
            entered = await browser.post("/staff/sign-in", data={"username": role, "password": PASSWORD})
            assert entered.status_code == 303
            yield hub, browser


async def test_the_staff_pages_list_each_case_once(city: City) -> None:
    seen: list[str] = []
    async with staff_of(city, "admin_kota") as (hub, browser):
        address: str | None = "/staff?tab=all"
        while address:
            page = await browser.get(address)
            assert page.status_code == 200
            seen += re.findall(r'<tr id="case-([A-Z0-9-]+)"', page.text)
            found = re.search(r'class="button second" href="([^"]+)"', page.text)
            address = found[1].replace("&amp;", "&") if found else None
        there = {state.ticket for state in states(hub)}
    assert (len(seen), len(set(seen))) == (HOW_MANY, HOW_MANY)
    assert set(seen) == there


@pytest.mark.parametrize("word", ["ranting", "selokan", "KTP", "parkir liar"])
async def test_a_search_finds_all_that_say_it(city: City, word: str) -> None:
    pattern = [re.compile(rf"(?<![^\W_]){part}", re.IGNORECASE) for part in word.split()]
    async with staff_of(city, "admin_kota") as (hub, browser):
        expected = {s.ticket for s in states(hub) if all(part.search(s.text) for part in pattern)}
        found: set[str] = set()
        cursor = None
        while True:
            query = {"q": word, "limit": "200"} | ({"cursor": cursor} if cursor else {})
            answer = (await browser.get("/api/v1/cases", params=query)).json()
            found |= {case["ticket"] for case in answer["cases"]}
            cursor = answer["cursor"]
            if cursor is None:
                break
        page = await browser.get("/staff", params={"tab": "all", "q": word})
    assert expected
    assert (len(found - expected), len(expected - found)) == (0, 0)
    assert sum(ticket in page.text for ticket in expected) == min(len(expected), 50)


async def test_a_ticket_leads_to_its_case(city: City) -> None:
    async with staff_of(city, "admin_kota") as (hub, browser):
        state = next(states(hub))
        listed = await browser.get("/staff", params={"q": state.ticket.lower().replace("-", " ")})
        assert listed.text.count("<tr id=") == 1 and state.ticket in listed.text
        page = await browser.get(f"/staff/cases/{state.ticket}")
        assert page.status_code == 200 and state.ticket in page.text
        public = await browser.get(f"/t/{state.ticket}")
        assert public.status_code == 200


# ── to whom they go ──────────────────────────────────────────────────────────────────────────────


async def test_the_right_agency_is_mostly_among_the_suggestions(
    city: City, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has taught it anything: the city's list of agencies and their duties is all it knows."""
    first = third = silent = sure = right = 0
    async with hub_of(city) as hub:
        of = {case_id(message_id(NAME, "web", ACCOUNT, name)): row["unit"] for name, row in city.rows.items()}
        for state in states(hub):
            guesses = [guess.unit for guess in state.suggestion.units] if state.suggestion else []
            first += guesses[:1] == [of[state.id]]
            third += of[state.id] in guesses[:3]
            silent += not guesses
            if state.suggestion and state.suggestion.sure:
                sure += 1
                right += guesses[0] == of[state.id]
    with capsys.disabled():
        print(
            f"\n{HOW_MANY} complaints: first suggestion right {first / HOW_MANY:.3f}, "
            f"among three {third / HOW_MANY:.3f}, none {silent / HOW_MANY:.3f}; "
            f"sure of {sure / HOW_MANY:.3f}, right where sure {right / max(sure, 1):.3f}"
        )
    assert first / HOW_MANY >= 0.5
    assert third / HOW_MANY >= 0.7
    assert right / sure >= first / HOW_MANY
