"""What a case's reporter is called, in memory and for a moment: so that words about them are redacted by name."""

from __future__ import annotations

from sqlalchemy import Connection

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.door import merged_identity
from laporhub.pipeline.events import MessageAdded
from laporhub.pipeline.store.keys import KeyRing
from laporhub.pipeline.store.log import case_events


def names_of(connection: Connection, ring: KeyRing, state: CaseState) -> tuple[str, ...]:
    """The name that the reporter gave; none where they gave none, or were erased."""
    if "name" not in state.known:
        return ()
    said = (event.data for event in case_events(connection, state.id, state.opened_at))
    sealed = [each.sealed_identity for each in said if isinstance(each, MessageAdded)]
    opened = [ring.open(each) for each in sealed if each]
    name = merged_identity(plain for plain in opened if plain).name
    return (name,) if name else ()
