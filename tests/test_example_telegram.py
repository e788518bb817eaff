"""The example of somebody else's channel: installed beside the hub it keeps the contract, and nothing changes here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UPDATE = {
    "update_id": 7,
    "message": {
        "message_id": 12,
        "from": {"id": 700001, "is_bot": False, "first_name": "Warga Contoh"},
        "chat": {"id": 700001, "type": "private"},
        "date": 1795399200,
        "text": "Jalan rusak di Desa Contoh",
    },
}


def run(*command: str | Path, packages: Path, cwd: Path) -> str:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LAPORHUB_", "PYTEST_"))
    }
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package in it, built from a copy and without asking the network for anything."""
    folder = tmp_path_factory.mktemp("telegram")
    shutil.copytree(ROOT / "examples" / "telegram", folder / "source")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q")
    offline = ("--no-deps", "--no-index", "--no-build-isolation")
    run(*pip, *offline, "--target", folder / "packages", folder / "source", packages=folder, cwd=folder)
    return folder


def test_it_keeps_the_contract(installed: Path) -> None:
    tests = installed / "source" / "tests"
    said = run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", tests,
        packages=installed / "packages", cwd=installed,
    )  # fmt: skip
    assert "passed" in said
    assert "skipped" not in said


def test_the_hub_finds_it(installed: Path) -> None:
    (installed / "updates.jsonl").write_text(json.dumps(UPDATE) + "\n")
    command = (sys.executable, "-m", "laporhub.hub.cli")
    where = {"packages": installed / "packages", "cwd": installed}
    parsed = json.loads(run(*command, "parse", "telegram", "updates.jsonl", **where))
    assert (parsed["text"], parsed["author_id"]) == ("Jalan rusak di Desa Contoh", "700001")
    assert "connector telegram: ok, no channel" in run(*command, "doctor", "--data", "data", **where)
