"""What the hub asks of an engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Command
from laporhub.pipeline.messages import Message
from laporhub.pipeline.store.writes import Done
from laporhub.pipeline.vault import ReporterKey


class Engine(Protocol):
    """What the hub asks of the embedded and of the distributed engine."""

    @property
    def health(self) -> str: ...

    def latest(self, case_id: str) -> CaseState | None:
        """The case, if the engine has it at hand."""
        ...

    async def submit(
        self,
        *,
        message: Message | None = None,
        command: Command | None = None,
        key: ReporterKey | None = None,
        before: Callable[[Connection], object] | None = None,
        job: Callable[[Connection], object] | None = None,
        answer: bool = True,
    ) -> Done | None:
        """Durable when it returns. Raises what the core refused, or `RetryLater`. Without `answer` what came of it
        may not be known yet: then it is None.

        `before` and `job` are one transaction with the rest. Where there is none for all of it, `before` comes before
        the rest is asked for, and stays when that is refused; `job` comes last.
        """
        ...

    async def replay(self, plain: str) -> bool:
        """Puts the record in an opened dead letter back on its stream; False if it holds a payload from outside."""
        ...
