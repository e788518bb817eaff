"""What the contract suite stands on: a profile with one more channel, a clock, and eyes for what must not be seen."""

from __future__ import annotations

import logging
import re
import shutil
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from ruamel.yaml import YAML
from sqlalchemy import Engine, inspect, text

from laporhub.connectors.specimen import Specimen
from laporhub.hub.hub import Hub
from laporhub.profiles import folder as shipped


@dataclass
class Clock:
    """Moves only when told; begins on a Monday morning."""

    at: datetime = field(default_factory=lambda: datetime.fromisoformat("2026-11-23T02:00Z"))

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)


class Killed(BaseException):
    """The process ended here."""


@contextmanager
def dying_after_a_message(hub: Hub) -> Iterator[None]:
    """The process ends as soon as one message is stored, before anybody is told."""
    honest: Any = hub._take_message

    async def take(*given: Any) -> None:
        await honest(*given)
        raise ConnectionError("the process ended here")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub, "_take_message", take)
        yield


def profile_with(specimen: Specimen, name: str, folder: Path) -> Path:
    """A copy of a shipped profile in `folder`, that has the specimen's channel and asks nothing of a complaint."""
    shutil.copytree(shipped(name), folder)
    yaml = YAML(typ="safe", pure=True)
    path = folder / "profile.yaml"
    document = yaml.load(path.read_text(encoding="utf-8"))
    before = document["channels"].get(specimen.channel, {"code": "ZZ", "title": specimen.channel})
    document["channels"][specimen.channel] = {
        **before,
        "account": specimen.account,
        "provider": specimen.provider,
    }
    document["requirements"] = {}
    for clock in document["clocks"].values():
        clock.pop("channels", None)  # what holds for some channels holds for this one, too
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)
    return folder


def secrets_in(settings: Mapping[str, Any]) -> list[str]:
    """Values of settings that nobody may read."""
    secret = re.compile(r"token|secret|password|(?<!public_)key")
    return [str(value) for name, value in settings.items() if secret.search(name)]


def everything_kept(database: Engine) -> list[str]:
    """Every value of every table, as text."""
    with database.connect() as connection:
        return [
            value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            for table in inspect(database).get_table_names()
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))  # noqa: S608
            for value in row
            if value is not None
        ]


@dataclass
class Journal(logging.Handler):
    """All that is logged, with the words of errors."""

    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter())

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def take(self, logger: Any, method: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        error = entry.get("exc_info")
        told = traceback.format_exception(error) if isinstance(error, BaseException) else [str(error)]
        self.lines.append(f"{entry} {''.join(told)}")
        raise structlog.DropEvent


@contextmanager
def journal() -> Iterator[Journal]:
    """What is logged meanwhile, by us and by libraries (from INFO on)."""
    written, root = Journal(), logging.getLogger()
    before, level = structlog.get_config(), root.level
    structlog.configure(processors=[written.take])
    root.addHandler(written)
    root.setLevel(logging.INFO)
    try:
        yield written
    finally:
        root.removeHandler(written)
        root.setLevel(level)
        structlog.configure(**before)
