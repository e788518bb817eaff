"""What a worker's log says when it falls: why, but never in the words of a citizen."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pytest
import structlog

from laporhub.hub.console import configure_logging, log_libraries
from laporhub.hub.settings import Settings

CITIZEN = "Budi Contoh, 0800 0000 0001"


@dataclass
class Log:
    """A logger like those of Faust, which say nothing unless somebody listens; and what comes out of it."""

    faust: logging.Logger
    written: io.StringIO

    @property
    def lines(self) -> list[dict[str, str]]:
        return [orjson.loads(line) for line in self.written.getvalue().splitlines()]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    root, written = logging.getLogger(), io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setattr(root, "handlers", [])
    faust = logging.Logger("mode.services")
    faust.addHandler(logging.NullHandler())
    faust.parent = root
    configure_logging(Settings(log_format="json"))
    log_libraries()
    yield Log(faust, written)
    structlog.reset_defaults()


def test_why_a_worker_fell_is_told_without_the_words(log: Log) -> None:
    try:
        raise ValueError(CITIZEN)
    except ValueError as error:
        log.faust.exception("Crashed reason=%r", error)
    (line,) = log.lines
    assert (line["level"], line["library"]) == ("error", "mode.services")
    assert line["exception"].startswith("ValueError")
    assert "test_worker_log.py" in line["exception"]
    assert CITIZEN not in str(line)


def test_what_is_no_error_is_told_whole(log: Log) -> None:
    log.faust.warning("partition %d is gone", 3)
    log.faust.info("nothing of interest")
    assert [(line["event"], line["level"]) for line in log.lines] == [("partition 3 is gone", "warning")]
