"""What a unit needs to reach its topic: a settings file of its own, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from laporhub.hub.settings import Settings


def new_password() -> str:
    """256 bits, of letters, digits, '-' and '_'."""
    return secrets.token_urlsafe(32)


def credentials_file(settings: Settings, user: str) -> Path:
    """Where the file of a unit's user is made: `units/<profile>.<unit>.env` in the data folder."""
    name = user.removeprefix(settings.topic_prefix).removeprefix("unit.")
    return settings.data / "units" / f"{name}.env"


def write_credentials(settings: Settings, user: str, password: str) -> Path:
    """The file, whole or not at all, to be handed to the unit and read there by LAPORHUB_SETTINGS."""
    path = credentials_file(settings, user)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    given = {
        "KAFKA_SERVERS": settings.kafka_servers,
        "KAFKA_SECURITY": settings.kafka_security,
        "KAFKA_USERNAME": user,
        "KAFKA_PASSWORD": password,
        "TOPIC_PREFIX": settings.topic_prefix,
    }
    draft = path.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(f"LAPORHUB_{name}={value}\n" for name, value in given.items())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return path
