"""Another process that writes in the audit log: in a module that it finds however the tests were started."""

from __future__ import annotations

from support import MONDAY

from laporhub.pipeline.store.audit import AuditLog
from laporhub.pipeline.store.audit_kept import KeptHead
from laporhub.pipeline.store.database import open_database


def write_records(where: str, secret: bytes, name: str, many: int, kept: KeptHead) -> None:
    engine = open_database(where)
    log = AuditLog(engine, secret, kept)
    for number in range(many):
        log.record(name, "unseal", f"T{number}", "alasan", MONDAY)
    engine.dispose()
