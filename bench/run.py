"""`make bench`: measures the hub and writes bench/results.json.

Every figure that matters is a ratio taken in one run: the windows of two hubs alternate, so that a noisy
machine disturbs both alike, and medians are reported. CASES names another size for the large hub;
BENCH_FOLDER keeps the filled hubs for the next run.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from laporhub.hub.compose import open_hub
from laporhub.hub.hub import Hub
from laporhub.hub.settings import Settings
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.messages import Inbound, Location
from laporhub.pipeline.store.database import open_database
from laporhub.pipeline.tracking import Query

PROFILE = "laporgub-jateng"
SIZES = (0, 10_000, int(os.environ.get("CASES", "100000")))
WINDOW = 1000
"""Lifecycles in one measurement."""
WARM_UP = 500
"""Lifecycles before it: a hub that was just opened has no page of its database at hand."""
ROUNDS = 5
CLIENTS = 100
FIRST = int(time.time()) * 100_000
"""Numbers no earlier run on a kept hub has used."""
COMMAND = "make bench"
ROOT = Path(__file__).parent

TEXTS = (
    "Jalan provinsi di depan Pasar Contoh Kabupaten Batang berlubang sejak minggu lalu, sudah dua motor jatuh",
    "Lampu penerangan jalan di Desa Contoh Kecamatan Bae Kudus mati sudah tiga hari, warga takut lewat malam hari",
    "Bansos PKH ibu saya di Kelurahan Contoh Kota Tegal belum cair sejak bulan lalu, mohon dicek datanya",
    "Sampah menumpuk di pinggir jalan raya dekat Terminal Contoh Kabupaten Pati, baunya menyengat sekali",
    "Mohon info jadwal pemutihan pajak kendaraan di Samsat Contoh Kabupaten Klaten tahun ini",
)
UNITS = ("dinas-pupr", "dishub", "dinas-sosial", "kab-pati", "bapenda")
ADMIN = Actor(id="bench", role="admin_disposisi")


def inbound(number: int) -> Inbound:
    phone = f"+62800{number:08d}"
    return Inbound(
        external_id=f"bench-{number}",
        author_id=f"tel:{phone}",
        thread=f"bench-{number}",
        text=f"{TEXTS[number % len(TEXTS)]} (laporan {number})",
        phone=phone,
        name="Warga Contoh",
        location=Location(address=f"Jalan Contoh nomor {number}"),
    )


async def lifecycle(hub: Hub, number: int) -> None:
    """Send, dispose, respond, approve: each durable before the next; then published and found by search."""
    receipt = await hub.receive(PROFILE, "web", inbound(number))
    unit = UNITS[number % len(UNITS)]
    await hub.act(receipt.case_id, "dispose", {"unit": unit}, ADMIN)
    await hub.act(
        receipt.case_id,
        "respond",
        {"response": "Sudah kami perbaiki hari ini."},
        Actor(id="u", role="admin_unit", unit=unit),
    )
    state = await hub.act(receipt.case_id, "approve", {}, ADMIN)
    if (
        state.status != "answered"
        or not hub.tracking.find(Query((PROFILE,), text=state.ticket), hub.now()).cases
    ):
        raise AssertionError(f"{state.ticket} was not published or is not found")


async def run_window(hub: Hub, numbers: count[int], lifecycles: int) -> float:
    """Lifecycles a second, with `CLIENTS` at once."""
    todo = iter(range(lifecycles))

    async def client() -> None:
        for _ in todo:
            await lifecycle(hub, next(numbers))

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return lifecycles / (time.perf_counter() - start)


def settings(folder: Path) -> Settings:
    return Settings(data=folder, profile=PROFILE)


async def fill(folder: Path, cases: int) -> None:
    """Full lifecycles until there are `cases`."""
    numbers = count(1)
    async with open_hub(settings(folder), background=False) as hub:
        for done in range(0, cases, 5000):
            rate = await run_window(hub, numbers, min(5000, cases - done))
            print(f"  filling: {min(done + 5000, cases)} of {cases} cases, {rate:.0f}/s", flush=True)


async def measure(folders: dict[int, Path]) -> dict[int, list[float]]:
    """Alternating windows on hubs of different sizes, each opened anew for its window."""
    rates: dict[int, list[float]] = {size: [] for size in folders}
    for turn in range(ROUNDS):
        for size, folder in folders.items():
            # The large hub is measured in place: a window adds a hundredth to it, a copy would cool the cache.
            copy = folder if size > 20_000 else folder.with_name(f"{folder.name}-round")
            if copy != folder:
                await asyncio.to_thread(clone, folder, copy)
            async with open_hub(settings(copy), background=False) as hub:
                numbers = count(FIRST + turn * 2 * WINDOW)
                await run_window(hub, numbers, WARM_UP)
                rates[size].append(await run_window(hub, numbers, WINDOW))
            if copy != folder:
                await asyncio.to_thread(shutil.rmtree, copy)
            print(f"  round {turn + 1}, {size} cases: {rates[size][-1]:.0f} lifecycles/s", flush=True)
    return rates


def clone(folder: Path, copy: Path) -> None:
    copy.mkdir()
    if (folder / "hub.db").exists():
        shutil.copytree(folder, copy, dirs_exist_ok=True)


def bare_log(folder: Path, records: int = 50_000, batch: int = 100) -> float:
    """Events a second into the bare SQLite log: the same table and settings, nothing around it."""
    open_database(folder / "bare.db").dispose()
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    body = json.dumps({"filler": "x" * 650})
    start = time.perf_counter()
    for first in range(0, records, batch):
        connection.execute("BEGIN IMMEDIATE")
        rows = [
            (f"c_{hash((n, 'bench')) & (1 << 128) - 1:032x}.{n:06d}", n, body)
            for n in range(first, first + batch)
        ]
        connection.executemany("INSERT INTO events (id, opened, body) VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")
    rate = records / (time.perf_counter() - start)
    connection.close()
    return rate


def peak_mib(folder: Path) -> float:
    """Peak memory of a process that opens the large hub and runs a window on it."""
    script = (
        "import asyncio, sys; from itertools import count; from pathlib import Path;"
        "sys.path.insert(0, sys.argv[1]); import run;"
        "from laporhub.hub.compose import open_hub\n"
        "async def main():\n"
        "    async with open_hub(run.settings(Path(sys.argv[2])), background=False) as hub:\n"
        "        await run.run_window(hub, count(run.FIRST + 50 * run.WINDOW), 3 * run.WINDOW)\n"
        "asyncio.run(main())\n"
        # Not getrusage: that counts what the process that started it had in memory, too.
        "print(next(int(line.split()[1]) / 1024 for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(ROOT), str(folder)], capture_output=True, text=True, check=True
    )
    return float(done.stdout.strip().splitlines()[-1])


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="laporhub-bench-") as name:
        top = Path(os.environ.get("BENCH_FOLDER", name))
        folders = {size: top / f"hub-{size}" for size in SIZES}
        for size, folder in folders.items():
            if not folder.exists():
                folder.mkdir(parents=True)
                print(f"a hub with {size} cases", flush=True)
                asyncio.run(fill(folder, size))
        print("measuring", flush=True)
        rates = asyncio.run(measure(folders))
        bare = statistics.median(bare_log(Path(tempfile.mkdtemp(dir=name))) for _ in range(3))
        peak = peak_mib(folders[SIZES[-1]])
        database = (folders[SIZES[-1]] / "hub.db").stat().st_size / 2**20
        events = count_events(folders[SIZES[-1]])
    write(rates, bare, peak, database, events)


def count_events(folder: Path) -> float:
    """Events a case."""
    connection = sqlite3.connect(folder / "hub.db")
    try:
        return float(
            connection.execute(
                "SELECT 1.0 * (SELECT count(*) FROM events) / (SELECT count(*) FROM cases)"
            ).fetchone()[0]
        )
    finally:
        connection.close()


def write(rates: dict[int, list[float]], bare: float, peak: float, database: float, events: float) -> None:
    names = {size: f"{size // 1000}k" if size else "empty" for size in rates}
    empty = statistics.median(rates[SIZES[0]])
    rows = [
        row(
            f"embedded.lifecycles_per_s.{names[size]}",
            statistics.median(found),
            "1/s",
            f"{min(found):.0f} to {max(found):.0f} in {ROUNDS} rounds",
        )
        for size, found in rates.items()
    ]
    largest = SIZES[-1]
    ratios = [big / small for big, small in zip(rates[largest], rates[SIZES[0]], strict=True)]
    rows += [
        row(
            f"embedded.flatness.{names[largest]}",
            statistics.median(ratios),
            "ratio",
            "embedded.lifecycles_per_s.empty, round by round",
            3,
        ),
        row("embedded.peak_mib", peak, "MiB", f"a process that works on {largest} cases"),
        row("embedded.database_mib", database, "MiB", f"hub.db with {largest} cases"),
        row("embedded.events_per_case", events, "1", "a full lifecycle", 1),
        row(
            "embedded.bare_log_events_per_s",
            bare,
            "1/s",
            "the same table and durability, batches of 100, nothing around it",
        ),
        row(
            "embedded.events_vs_bare_log", empty * events / bare, "ratio", "embedded.bare_log_events_per_s", 3
        ),
    ]
    merge(rows)


def row(name: str, value: float, unit: str, reference: str, digits: int = 0) -> dict[str, object]:
    print(f"{name:40} {value:12.{digits}f} {unit:6} ({reference})")
    return {
        "name": name,
        "value": round(value, digits),
        "unit": unit,
        "reference": reference,
        "command": COMMAND,
    }


def merge(rows: list[dict[str, object]]) -> None:
    """Writes these rows, keeping what other benchmarks wrote."""
    path = ROOT / "results.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["results"] if path.exists() else []
    fresh = {each["name"] for each in rows}
    results = [each for each in kept if each["name"] not in fresh] + rows
    path.write_text(json.dumps({"machine": machine(), "results": results}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    main()
