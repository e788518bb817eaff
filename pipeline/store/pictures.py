"""What pictures look like: fingerprints that were seen before, in any case of a profile."""

from __future__ import annotations

from sqlalchemy import Connection, select

from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.evidence import Alike, bands, differ
from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import cases, files, picture_bands

_LOOKED_AT = 2_000
"""Pictures that share a quarter; more share it only where pictures are all alike, and then it says nothing."""


def remember(connection: Connection, file: CaseFile) -> None:
    """Makes a kept picture one that can be found again."""
    if file.fingerprint is None:
        return
    rows = [{"band": band, "file_id": file.id, "profile": file.profile} for band in bands(file.fingerprint)]
    connection.execute(insert_into(connection, picture_bands).on_conflict_do_nothing(), rows)


def alike(connection: Connection, file: CaseFile, bits: int) -> list[Alike]:
    """Other pictures whose fingerprint differs in at most so many bits (up to three)."""
    if file.fingerprint is None:
        return []
    return like(connection, file.profile, file.fingerprint, bits, but=file.id)


def like(
    connection: Connection, profile: str, fingerprint: str, bits: int, but: str | None = None
) -> list[Alike]:
    """As `alike`, for a picture that need not be kept; `but` is a file that is left out."""
    shared = picture_bands.c.band.in_(bands(fingerprint))
    found = (
        select(files.c.id, files.c.case_id, files.c.fingerprint, files.c.field, cases.c.ticket)
        .join(picture_bands, picture_bands.c.file_id == files.c.id)
        .join(cases, cases.c.id == files.c.case_id)
        .where(shared, picture_bands.c.profile == profile)
        .distinct()
        .limit(_LOOKED_AT)
    )
    return [
        Alike(row.case_id, row.ticket, row.field is None)
        for row in connection.execute(found if but is None else found.where(files.c.id != but))
        if row.fingerprint is not None and differ(fingerprint, row.fingerprint) <= bits
    ]
