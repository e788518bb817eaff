"""The documents say what is there: commands, settings, addresses, files. They fail when they drift."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import pytest
import typer
from starlette.routing import Match

from laporhub.connectors.registry import GROUP
from laporhub.hub.cli import app
from laporhub.hub.settings import Settings
from laporhub.pipeline.hub_port import HubPort
from laporhub.pipeline.store.tables import metadata
from laporhub.sinks.sqlite_tables import tracking
from laporhub.web.app import create_app
from laporhub.web.settings import WebSettings

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
OPERATIONS = ROOT / "docs" / "operations.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PICTURES = sorted((ROOT / "docs" / "pictures").glob("*.svg"))

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[path.relative_to(ROOT).as_posix() for path in DOCUMENTS]
)


def code_in(document: Path) -> list[str]:
    """Everything set as code: lines of blocks, and pieces inside sentences and tables."""
    text = document.read_text()
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    return [line for block in blocks for line in block.splitlines()] + spans


def commands() -> dict[str, frozenset[str]]:
    """`case list` → its options; groups are there by their name."""
    found: dict[str, frozenset[str]] = {}

    def walk(command: Any, path: str) -> None:
        found[path] = frozenset(option for each in command.params for option in getattr(each, "opts", ()))
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{path} {name}".strip())

    walk(typer.main.get_command(app), "")
    return found


COMMANDS = commands()
GROUPS = {path.split()[0] for path in COMMANDS if " " in path}


def calls(document: Path) -> Iterator[tuple[str, str]]:
    """Each call of the command that a document shows: the words after `laporhub`, and its options."""
    for line in code_in(document):
        found = re.search(r"(?:^|[\s/])laporhub(?: +(.*))?$", line)
        if found is None or "=" in line[: found.start()]:
            continue
        shown = re.split(r" {2,}", found[1] or "")[0]
        words = [word for word in shown.split() if re.fullmatch(r"[a-z]+", word)][:2]
        path = " ".join(words if words and words[0] in GROUPS else words[:1])
        yield path, " ".join(re.findall(r"--[a-z-]+", shown))


@each_document
def test_every_command_and_option_shown_exists(document: Path) -> None:
    for path, options in calls(document):
        assert path in COMMANDS, f"laporhub {path}"
        for option in options.split():
            assert option in COMMANDS[path] | {"--help"}, f"laporhub {path} {option}"


def test_every_command_is_explained_to_the_reader() -> None:
    shown = {path for document in (README, OPERATIONS) for path, _ in calls(document)}
    assert {path for path in COMMANDS if path and path not in GROUPS} <= shown


@each_document
def test_every_make_target_shown_exists(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text().replace("$(VENV)", ".venv")
    targets = set(re.findall(r"^([\w./-]+):", makefile, re.MULTILINE))
    shown = {found for line in code_in(document) for found in re.findall(r"^make ([\w./-]+)", line)}
    assert shown <= targets


def connectors_variables() -> set[str]:
    """What connectors are told, by their models; each secret may be a file."""
    models = {
        point.name: getattr(import_module(point.module), "CONFIG", None)
        for point in entry_points(group=GROUP)
    }
    named = {
        f"LAPORHUB_{provider.upper().replace('-', '_')}_{field.upper()}"
        for provider, model in models.items()
        if model is not None
        for field in model.model_fields
    }
    return named | {f"{name}_FILE" for name in named}


def variables_read() -> set[str]:
    """Every variable that the program or its tests look at."""
    settings = {f"LAPORHUB_{name.upper()}" for name in Settings.model_fields} | connectors_variables()
    tests = (ROOT / "tests").glob("test_distributed_*.py")
    sources = [*(ROOT / "hub").glob("*.py"), *tests, ROOT / ".ci" / "run"]
    return settings | {
        name for path in sources for name in re.findall(r"\bLAPORHUB_[A-Z_]+[A-Z]\b", path.read_text())
    }


@each_document
def test_every_variable_named_is_read(document: Path) -> None:
    assert set(re.findall(r"\bLAPORHUB_[A-Z_]+[A-Z]\b", document.read_text())) <= variables_read()


@pytest.mark.parametrize(
    "name", [*sorted(Settings.model_fields.keys() - {"connectors"}), "settings", "new_password"]
)
def test_every_setting_is_explained_to_the_reader(name: str) -> None:
    assert f"LAPORHUB_{name.upper()}" in README.read_text() + OPERATIONS.read_text()


def anchors(document: Path) -> set[str]:
    """The headings as links name them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), target
        assert file.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(file), target


@each_document
def test_every_file_and_folder_named_exists(document: Path) -> None:
    top = {path.name for path in ROOT.iterdir()}
    for shown in code_in(document):
        named = re.fullmatch(r"[\w.-]+(?:/[\w.*-]+)*/?", shown)
        ours = named is not None and "/" in shown and shown.split("/")[0] in top - {"data"}
        if ours and "*" not in shown:
            assert (ROOT / shown).exists(), shown
        elif ours:
            assert list(ROOT.glob(shown)), shown


def test_the_map_names_every_folder() -> None:
    mapped = set(re.findall(r"^\| `([\w-]+)/` \|", README.read_text(), re.MULTILINE))
    installed = {package.split(".")[1] for package in PROJECT["tool"]["setuptools"]["packages"]}
    assert installed <= mapped
    assert all((ROOT / folder).is_dir() for folder in mapped)


def test_every_address_in_the_readme_is_served() -> None:
    web = create_app(cast(HubPort, None), WebSettings(secret_key="x", public_url="http://x"))

    def is_served(address: str) -> bool:
        asked = {"type": "http", "method": "GET", "path": re.sub(r"[{}]", "", address), "headers": []}
        return any(route.matches(asked)[0] is not Match.NONE for route in web.routes)

    chapter = README.read_text().partition("## Addresses")[2].partition("\n## ")[0]
    named = re.findall(r"`(/[^`]*)`", chapter)
    assert not is_served("/nowhere")
    assert named
    assert [address for address in named if not is_served(address)] == []


def test_every_table_is_said_to_hold_what_it_holds() -> None:
    text = ARCHITECTURE.read_text()
    assert tracking.name in metadata.tables
    assert [name for name in metadata.tables if f"`{name}`" not in text] == []


CHANNELS = sorted((ROOT / "docs" / "channels").glob("*.md"))


@pytest.mark.parametrize("page", CHANNELS, ids=lambda page: page.stem)
def test_every_channels_page_says_what_is_understood_what_is_not_and_what_limits_there_are(
    page: Path,
) -> None:
    text = page.read_text()
    understood = text.partition("## What is understood")[2].partition("\n## ")[0]
    assert understood.count("\n| ") > 4, "a list of what comes in, and what becomes of it"
    assert "unsupported" in understood, "what nobody knows, or that there is no such thing"
    assert len(text.partition("\n## Limits")[2].partition("\n## ")[0].strip()) > 60


def test_every_connector_and_channel_has_its_page() -> None:
    """By what the page has one set: the provider, or a channel of a shipped profile."""
    said = "".join(page.read_text().lower() for page in CHANNELS)
    for name in [
        *entry_points(group=GROUP).names,
        "facebook",
        "instagram",
        "whatsapp",
        "web form",
        "mobile app",
    ]:
        assert re.search(rf"\b{name}\b", said), f"no page of docs/channels tells of {name}"


def test_every_decision_is_listed_and_has_its_parts() -> None:
    listed = re.findall(
        r"\]\(decisions/([\w-]+\.md)\)", ARCHITECTURE.read_text().partition("## Decisions")[2]
    )
    assert listed == [path.name for path in DECISIONS]
    for number, path in enumerate(DECISIONS, 1):
        text = path.read_text()
        assert text.startswith(f"# {number:04d} ")
        assert path.name.startswith(f"{number:04d}-")
        assert all(part in text for part in ("**Context.**", "**Decision.**", "**Consequences.**"))


def test_every_library_is_accounted_for() -> None:
    accounted = (ROOT / "docs" / "decisions" / "0008-licence-and-dependencies.md").read_text().lower()
    lines = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["distributed"]
    needed = [re.split(r"[<>=\[;~! ]", line)[0].lower() for line in lines]
    assert [name for name in needed if name not in accounted] == []


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{PROJECT['project']['version']}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("picture", PICTURES, ids=[path.name for path in PICTURES])
def test_pictures_stand_alone_and_can_be_read_aloud(picture: Path) -> None:
    drawn = ElementTree.parse(picture).getroot()
    namespace = "{http://www.w3.org/2000/svg}"
    assert drawn.findtext(f"{namespace}title")
    assert drawn.findtext(f"{namespace}desc")
    text = picture.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|@import|@font-face|<script", text)
    assert "prefers-color-scheme: dark" in text
    shown = f"pictures/{picture.name})"
    assert any(shown in document.read_text() for document in DOCUMENTS)
