"""What a case's reporter is called, in memory and for a moment: so that words about them are redacted by name."""

from __future__ import annotations

from sqlalchemy import Engine

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.door import merged_identity
from laporhub.pipeline.events import MessageAdded
from laporhub.pipeline.store.keys import KeyRing
from laporhub.pipeline.store.log import case_events


def names_of(database: Engine, ring: KeyRing, state: CaseState) -> tuple[str, ...]:
    """The name that the reporter gave; none where they gave none, or were erased."""
    if "name" not in state.known:
        return ()
    sealed = [state.sealed_name] if state.sealed_name else _all_told(database, state)
    name = merged_identity(plain for each in sealed if (plain := ring.open(each))).name
    return (name,) if name else ()


def _all_told(database: Engine, state: CaseState) -> list[str]:
    """For a case of an earlier release, whose state does not say which message told the name."""
    with database.connect() as connection:
        history = case_events(connection, state.id, state.opened_at)
    told = (event.data for event in history)
    return [each.sealed_identity for each in told if isinstance(each, MessageAdded) and each.sealed_identity]
