"""What became of a command that a client waits for, who may ask another process than the one that decided it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from laporhub.pipeline.errors import Refused
from laporhub.pipeline.store.among import among, look_up
from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import outcomes

_BY_ID = select(outcomes).where(among(outcomes.c.id))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command was refused, as `errors.Refused` says it."""

    code: str
    message: str
    field: str | None = None
    kind: str = Refused.__name__

    @classmethod
    def of(cls, error: Refused) -> Refusal:
        return cls(error.code, str(error), error.field, type(error).__name__)

    def as_error(self) -> Refused:
        """The error again, as whoever asked would have got it from the core itself."""
        kinds = {kind.__name__: kind for kind in Refused.__subclasses__()}
        return kinds.get(self.kind, Refused)(self.message, code=self.code, field=self.field)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`id` is the command's, or the message's; `case_id` the case it came to, if any; `refusal` None if it was done."""

    id: str
    case_id: str | None
    refusal: Refusal | None
    at: datetime


def save_outcomes(connection: Connection, came_of: Iterable[Outcome]) -> None:
    """Keeps them. What was told once stays so: a second outcome of the same command is dropped."""
    rows = [
        {
            "id": each.id,
            "case_id": each.case_id,
            "refusal": None if each.refusal is None else json.dumps(asdict(each.refusal), ensure_ascii=False),
            "at": each.at,
        }
        for each in came_of
    ]
    if rows:
        connection.execute(insert_into(connection, outcomes).on_conflict_do_nothing(), rows)


def load_outcomes(connection: Connection, ids: Iterable[str]) -> dict[str, Outcome]:
    """Id → outcome, of those that are known."""
    return {
        row.id: Outcome(
            row.id, row.case_id, Refusal(**json.loads(row.refusal)) if row.refusal else None, row.at
        )
        for row in look_up(connection, _BY_ID, ids)
    }


def forget_outcomes(connection: Connection, older_than: datetime) -> int:
    """Nobody waits for them any more. How many there were."""
    return connection.execute(delete(outcomes).where(outcomes.c.at < older_than)).rowcount
