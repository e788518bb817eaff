"""The file by which a case is given to another government."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC
from typing import Final

from laporhub.hub.reading import Reading
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.handover import Enclosed, document, enclosed, table

_DAY_ONE: Final = (1980, 1, 1, 0, 0, 0)


class HandingOver(Reading):
    """A hub as whoever takes a case to another government sees it."""

    def hand_over_file(self, state: CaseState, account: str) -> bytes:
        rulebook = self._rulebook(state.profile)
        kept = list(self._pictures(state))
        made = document(rulebook, state, self.events(state.id), [each for each, _ in kept])
        self.audit.record(account, "hand over", state.ticket, "file for another government", self.now())
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            entries = [
                ("laporan.json", json.dumps(made, ensure_ascii=False, indent=2).encode()),
                ("laporan.csv", table(rulebook, state, made).encode("utf-8-sig")),
                *((each.name, data) for each, data in kept),
            ]
            stamp = max(_DAY_ONE, self.now().astimezone(UTC).timetuple()[:6])
            for name, data in entries:
                archive.writestr(zipfile.ZipInfo(name, stamp), data, zipfile.ZIP_DEFLATED)
        return out.getvalue()

    def _pictures(self, state: CaseState) -> Iterator[tuple[Enclosed, bytes]]:
        """Pictures as they may be shown, without what the camera wrote."""
        files = enclosed(self._rulebook(state.profile), state, self.files(state.id))
        for number, file in enumerate(files, 1):
            data = self.file(file, "shown")
            if data is not None:
                kind = "evidence" if file.field else "complaint"
                yield Enclosed(f"lampiran/{number}.jpg", "image/jpeg", kind), data
