"""What is installed is what is in the folders, runs from anywhere, and depends on exactly what is pinned."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS: dict[str, str] = PROJECT["tool"]["setuptools"]["package-dir"]
NOT_SHIPPED = ("tests", "bench", "docs", "examples", ".ci", ".types")


def run(*command: str | Path, cwd: Path) -> str:
    """What it prints. Neither this checkout nor any setting of the caller is visible to it."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("LAPORHUB_", "PYTHON", "COV_"))}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def sources() -> list[PurePosixPath]:
    """All files of the checkout that are not ignored."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    return [PurePosixPath(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


def shipped() -> Iterator[PurePosixPath]:
    """The files of the package folders."""
    return (path for path in sources() if path.parts[0] in FOLDERS.values())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing left over from before gets in, and nothing is left behind."""
    folder = tmp_path_factory.mktemp("wheel")
    for path in sources():
        (folder / "source" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, folder / "source" / path)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(
        *pip,
        "wheel",
        "-q",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "-w",
        folder,
        folder / "source",
        cwd=folder,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; the libraries are those of this one, without the checkout."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "-q", "--no-deps", "--no-index", wheel, cwd=folder)
    here = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    (Path(here) / "libraries.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return folder


def test_the_wheel_has_every_file_of_the_package_folders_and_no_other(wheel: Path) -> None:
    expected = {f"laporhub/{path}" for path in shipped()}
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert expected - found == set(), "not in the wheel: name it in pyproject.toml, packages or package-data"
    assert found - expected == set(), "in the wheel, but not in the sources"
    assert not [name for name in found if name.split("/")[1] in NOT_SHIPPED]


def test_the_wheel_carries_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]


def test_the_installed_command_runs_from_another_folder(installed: Path) -> None:
    command = installed / "venv" / "bin" / "laporhub"
    where = run(
        command.with_name("python"), "-c", "import laporhub.hub.cli as c; print(c.__file__)", cwd=installed
    )
    assert Path(where.strip()).is_relative_to(installed)
    assert run(command, "--version", cwd=installed).strip() == PROJECT["project"]["version"]
    assert "ok" in run(command, "profile", "check", "laporgub-jateng", cwd=installed)


def test_the_installed_hub_takes_a_complaint(installed: Path) -> None:
    """Everything that is only looked for at run time is there: profile, templates, connectors."""
    command = installed / "venv" / "bin" / "laporhub"
    line = (
        '{"id": "1", "text": "Jalan Contoh di Batang berlubang sejak kemarin", "phone": "0811 0000 0001"}\n'
    )
    (installed / "web.jsonl").write_text(line, encoding="utf-8")
    printed = run(command, "ingest", "web", "web.jsonl", "--data", "data", cwd=installed)
    assert '"accepted":1' in printed


def test_the_installed_web_application_starts(installed: Path) -> None:
    program = (
        "import asyncio; from pathlib import Path; from laporhub.hub.compose import open_hub\n"
        "from laporhub.hub.settings import Settings; from laporhub.hub.web import web_server\n"
        "from starlette.testclient import TestClient\n"
        "async def main():\n"
        "    given = Settings(data=Path('web'))\n"
        "    async with open_hub(given, background=False) as hub:\n"
        "        app = web_server(hub, given).config.app\n"
        "        page = await asyncio.to_thread(lambda: TestClient(app).get('/'))\n"
        "        print(page.status_code, 'LaporGub' in page.text)\n"
        "asyncio.run(main())\n"
    )
    python = installed / "venv" / "bin" / "python"
    assert run(python, "-W", "ignore", "-c", program, cwd=installed).split() == ["200", "True"]


def test_every_package_folder_is_listed() -> None:
    """setuptools leaves an unlisted package out without a word."""
    top = {str(path.parts[0]) for path in sources() if path.name == "__init__.py"}
    assert top - {*NOT_SHIPPED} == set(FOLDERS.values())
    modules = {path.parent for path in shipped() if path.suffix == ".py"}
    named = {"laporhub." + ".".join(folder.parts) for folder in modules}
    listed = PROJECT["tool"]["setuptools"]["packages"]
    assert set(listed) == named
    assert len(set(listed)) == len(listed)
    assert {f"laporhub.{folder}" for folder in FOLDERS.values()} == set(FOLDERS)


def test_every_package_says_that_it_is_typed() -> None:
    folders = {path.parent for path in shipped() if path.name == "__init__.py"}
    assert {folder for folder in folders if not (ROOT / folder / "py.typed").is_file()} == set()


# ── dependencies ──

BASE: list[str] = PROJECT["project"]["dependencies"]
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
PINNED = {
    "requirements.txt": BASE,
    "requirements-distributed.txt": BASE + EXTRAS["distributed"] + EXTRAS["routing"],
    "requirements-dev.txt": BASE + EXTRAS["distributed"] + EXTRAS["routing"] + EXTRAS["dev"],
}
each_file = pytest.mark.parametrize("file", PINNED)


def pins(file: str) -> dict[str, str]:
    """Name → version."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    found = (re.match(r"([A-Za-z0-9._-]+)==([^ ;]+)", line) for line in lines)
    return {canonicalize_name(match[1]): match[2] for match in found if match}


@each_file
def test_requirements_name_no_place_to_download_from(file: str) -> None:
    """Where packages come from is the business of whoever installs them."""
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.findall(r"https?://\S+|\bfile:\S+|(?m:^\s*-(?!-hash=)\S+)|--(?!hash=)\S+", text) == []


@each_file
def test_every_requirement_is_pinned_with_its_hash(file: str) -> None:
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / file).read_text(encoding="utf-8"))
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [
        entry for entry in entries if not re.match(r"[A-Za-z0-9._-]+==\S+.*--hash=sha256:", entry, re.S)
    ] == []


@each_file
def test_every_dependency_is_pinned_as_it_is_asked_for(file: str) -> None:
    pinned = pins(file)
    for dependency in map(Requirement, PINNED[file]):
        version = pinned.get(canonicalize_name(dependency.name))
        assert version, f"{dependency.name} is not in {file}: make lock"
        assert dependency.specifier.contains(version, prereleases=True), (
            f"{dependency} but {version}: make lock"
        )


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-distributed.txt"])
def test_what_runs_is_pinned_alike_for_tests(file: str) -> None:
    running, testing = pins(file), pins("requirements-dev.txt")
    assert {name: version for name, version in running.items() if testing.get(name) != version} == {}


def test_a_small_hub_installs_nothing_of_the_large_one() -> None:
    large = {canonicalize_name(Requirement(name).name) for name in EXTRAS["distributed"]}
    assert large & pins("requirements.txt").keys() == set()


def test_every_library_that_is_imported_is_asked_for() -> None:
    """Not only brought along by another one, which may do without it tomorrow."""
    asked = {
        canonicalize_name(Requirement(name).name)
        for name in BASE + [name for extra in EXTRAS if extra != "dev" for name in EXTRAS[extra]]
    }
    brought = packages_distributions()
    for path in shipped():
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in {each.partition(".")[0] for each in names} - {"laporhub", *sys.stdlib_module_names}:
                makers = {canonicalize_name(maker) for maker in brought.get(name, [])}
                assert makers & asked, f"{path} imports {name}: name it in pyproject.toml"


def test_the_build_tool_is_there_for_the_tests() -> None:
    """The wheel is built here without downloading anything."""
    (tool,) = map(Requirement, PROJECT["build-system"]["requires"])
    assert tool.specifier.contains(pins("requirements-dev.txt")[tool.name])
