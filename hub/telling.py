"""What staff is told: their unit's and role's notices, and what is odd about photos of what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from laporhub.hub.reading import Reading
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.evidence import Doubt, doubts
from laporhub.pipeline.notices import Notice, receivers_of
from laporhub.pipeline.staff import Account
from laporhub.pipeline.store import files, notices, pictures
from laporhub.pipeline.store.notices import Reader


class Telling(Reading):
    """A hub as staff hear from it."""

    def notices(self, profile: str, account: Account, most: int = 100) -> Sequence[tuple[int, Notice]]:
        reader = self._reader(profile, account)
        with self.database.connect() as connection:
            return notices.inbox(connection, reader, most)

    def unread_notices(self, profile: str, account: Account) -> int:
        reader = self._reader(profile, account)
        with self.database.connect() as connection:
            return notices.unread(connection, reader)

    async def read_notices(self, profile: str, account: Account, upto: int) -> None:
        reader = self._reader(profile, account)
        await self.engine.submit(job=lambda connection: notices.mark(connection, reader, upto))

    def doubts(self, state: CaseState) -> Mapping[str, Sequence[Doubt]]:
        rules = self._rulebook(state.profile).of(state).profile.evidence
        with self.database.connect() as connection:
            photos = [
                each for each in files.of_case(connection, state.id) if each.field and each.status == "kept"
            ]
            seen = {each.id: pictures.alike(connection, each, rules.alike) for each in photos}
        now = self.now() - state.opened_at
        return {each.id: doubts(each, state, rules, seen[each.id], now) for each in photos}

    def _reader(self, profile: str, account: Account) -> Reader:
        rulebook = self._rulebook(profile)
        role = rulebook.profile.roles.get(account.role)
        return Reader(
            account=account.username,
            profile=profile,
            receivers=receivers_of(rulebook, account.role, account.unit),
            channels=role.channels if role and role.scope == "channels" else (),
            sees_private=role is not None and role.sees_private,
        )
