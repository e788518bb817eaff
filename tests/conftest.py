"""What all tests share: the browser, real servers, profiles read once, and a list of what was not run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from support import shipped

from laporhub.hub import commands_complaints, commands_profile, commands_setup, ground
from laporhub.pipeline.profile.rulebook import Rulebook

pytest_plugins = ["servers.plugin"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
IS_COMPLETE = os.environ.get("LAPORHUB_TESTS_COMPLETE") == "1"
# No test asks how long an example takes. A change is judged by what it changes, not by luck: there the examples are
# always the same; elsewhere they are new.
settings.register_profile("laporhub", deadline=None, derandomize=IS_COMPLETE)
settings.load_profile("laporhub")


def cannot_run(reason: str) -> None:
    """Skips the test; where all must run (LAPORHUB_TESTS_COMPLETE=1) it fails."""
    if IS_COMPLETE:
        pytest.fail(reason)
    pytest.skip(reason)  # the end of the run lists it by name


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser of this machine."""
    for name in BROWSERS:
        if (found := shutil.which(name)) is not None:
            return Path(found)
    cannot_run(f"there is no browser here (looked for {', '.join(BROWSERS)}): install Chromium")
    raise AssertionError


@pytest.fixture(autouse=True)
def log_is_plain() -> None:
    """A command that a test runs in this process leaves a log to a stream that is closed after it.

    And the usual form of an exception shows all local values, which takes minutes where a profile is among them.
    """
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.reset_defaults()
    structlog.configure(processors=[structlog.processors.add_log_level, plain])


@pytest.fixture(scope="session", autouse=True)
def shipped_profiles_are_read_once() -> Iterator[None]:
    """They are immutable; folders, which a test may change, are read anew."""
    honest, users = ground.load, (ground, commands_complaints, commands_profile, commands_setup)

    def load(where: str | Path) -> Rulebook:
        return honest(where) if os.sep in str(where) else shipped(where)

    with pytest.MonkeyPatch.context() as patch:
        for module in users:
            patch.setattr(module, "load", load)
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says by name what was not run, and why."""
    not_run = {
        report.nodeid: report.longrepr[2] if isinstance(report.longrepr, tuple) else "skipped"
        for report in terminalreporter.stats.get("skipped", [])
    }
    if not_run:
        terminalreporter.section(f"not run: {len(not_run)}")
        for name, reason in sorted(not_run.items()):
            terminalreporter.line(f"{name}: {reason}")
