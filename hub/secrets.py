"""The hub's own secrets: made on first start, one file each, readable by its owner only."""

from __future__ import annotations

import base64
import binascii
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from laporhub.pipeline.errors import Misconfigured


@dataclass(frozen=True)
class HubSecrets:
    """`master` wraps reporters' keys, `pepper` makes pseudonyms, `web` signs cookies and tracking tokens."""

    master: bytes
    pepper: bytes
    web: bytes


def load_secrets(folder: Path, master: SecretStr | None) -> HubSecrets:
    """From `folder`, where missing ones are made; the master key may be given instead."""
    return HubSecrets(
        master=_decoded(master.get_secret_value(), "LAPORHUB_MASTER_KEY")
        if master
        else _kept(folder, "master"),
        pepper=_kept(folder, "pepper"),
        web=_kept(folder, "web"),
    )


def _kept(folder: Path, name: str) -> bytes:
    path = folder / f"{name}.key"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
    return _decoded(path.read_text(encoding="ascii"), str(path))


def _make(path: Path) -> None:
    """A new key, whole or not at all: a crash half-way leaves no empty file, and what is there is never replaced."""
    draft = path.with_suffix(f".{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(base64.b64encode(os.urandom(32)))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # a power cut must not keep the data and lose the key to it
    os.close(folder)


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise Misconfigured(f"{where} must hold 32 bytes in base64; make one with: openssl rand -base64 32")
    return key
