"""What the commands share: options, running a hub for one command, printing."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import orjson
import structlog
import typer

from laporhub.hub.settings import Settings, load_settings
from laporhub.pipeline.errors import LaporHubError

if TYPE_CHECKING:
    from laporhub.hub.hub import Hub

T = TypeVar("T")

ProfileOption = Annotated[
    list[str] | None,
    typer.Option("--profile", help="A shipped profile's name or a profile folder; may be repeated."),
]
DataOption = Annotated[Path | None, typer.Option("--data", help="The folder that holds everything.")]


def settings_for(profile: list[str] | None, data: Path | None, **given: object) -> Settings:
    """Settings of the environment with the command line's on top."""
    return load_settings(profile=",".join(profile) if profile else None, data=data, **given)


def run_with_hub(settings: Settings, work: Callable[[Hub], Awaitable[T]], *, beside: bool = False) -> T:
    """Opens the hub, does `work`, closes it. `beside`: also while `serve` runs; nothing can be sent in then."""
    from laporhub.hub.compose import open_hub

    async def _run() -> T:
        async with open_hub(settings, background=False, exclusive=not beside) as hub:
            return await work(hub)

    return asyncio.run(_run())


def print_json(value: object) -> None:
    """One JSON object on one line."""
    sys.stdout.write(orjson.dumps(value).decode() + "\n")


def fail(message: str, status: int, *, whole: bool = False) -> NoReturn:
    """Ends with one line on stderr; `whole` keeps the lines of a list of problems."""
    text = message if whole else " ".join(message.split())
    sys.stderr.write(f"laporhub: {text}\n")
    sys.exit(status)


def not_found(what: str) -> LaporHubError:
    from laporhub.pipeline.errors import NotFound

    return NotFound(what)


def _frames(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception as its type and where it came from, without its words: they may quote a citizen."""
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        where = "".join(traceback.format_tb(error.__traceback__))
        event["exception"] = f"{type(error).__name__}\n{where}"
    return event


def configure_logging(settings: Settings, *, quiet: bool = False) -> None:
    """Log lines to stderr, JSON where machines read them. Never identity: events carry only pseudonyms."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _frames,
            structlog.processors.JSONRenderer()
            if settings.log_format == "json"
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


class _Librarian(logging.Handler):
    """Hands on what libraries log, in the form of our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        # With an error, its words are in the message, too: only what frames them is told.
        said = record.msg if record.exc_info else record.getMessage()
        structlog.get_logger().log(
            record.levelno, str(said), library=record.name, exc_info=record.exc_info and record.exc_info[1]
        )


def log_libraries() -> None:
    """Warnings and errors of libraries go where our own lines go. Faust says by these why a worker ended."""
    logging.getLogger().addHandler(_Librarian(logging.WARNING))
