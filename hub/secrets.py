"""The hub's own secrets: made on first start, one file each, readable by its owner only.

A master key is changed in steps that may each be the last before a power cut: the old key gets a second name, then the
new one takes its place, and only when nothing is wrapped by the old one any more does its file go.
"""

from __future__ import annotations

import base64
import binascii
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.vault import master_id


@dataclass(frozen=True)
class HubSecrets:
    """`master` wraps reporters' keys, `pepper` makes pseudonyms and marks the audit log, `web` signs cookies and
    tracking tokens. `earlier` master keys still open what they wrapped.
    """

    master: bytes
    pepper: bytes
    web: bytes
    earlier: tuple[bytes, ...] = ()


def load_secrets(folder: Path, master: SecretStr | None, earlier: SecretStr | None = None) -> HubSecrets:
    """From `folder`, where missing ones are made; the master key may be given instead, and those before it."""
    given = earlier.get_secret_value().split(",") if earlier else []
    return HubSecrets(
        master=_decoded(master.get_secret_value(), "LAPORHUB_MASTER_KEY")
        if master
        else _kept(folder, "master"),
        pepper=_kept(folder, "pepper"),
        web=_kept(folder, "web"),
        earlier=(
            *(_decoded(each.strip(), "LAPORHUB_MASTER_KEY_EARLIER") for each in given if each.strip()),
            *(_decoded(path.read_text(encoding="ascii"), str(path)) for path in _olds(folder)),
        ),
    )


def renew_master(folder: Path) -> bool:
    """Puts a new master key in the place of the one in `folder`, which stays beside it; False where a renewal is under
    way already: then the new key is in place, and what the old one wrapped is still to be wrapped anew.
    """
    path = folder / "master.key"
    present = _decoded(path.read_text(encoding="ascii"), str(path))
    if any(_decoded(old.read_text(encoding="ascii"), str(old)) != present for old in _olds(folder)):
        return False
    with suppress(FileExistsError):  # killed right here the last time
        os.link(path, folder / f"master-{master_id(present)}.old.key")
    _sync(folder)
    draft = _draft(path)
    draft.replace(path)
    _sync(folder)
    return True


def forget_old_masters(folder: Path) -> int:
    """Deletes the keys that were renewed; nothing may be wrapped by them any more. How many."""
    olds = _olds(folder)
    for old in olds:
        old.unlink()
    _sync(folder)
    return len(olds)


def _olds(folder: Path) -> list[Path]:
    return sorted(folder.glob("master-*.old.key"))


def _kept(folder: Path, name: str) -> bytes:
    path = folder / f"{name}.key"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
    return _decoded(path.read_text(encoding="ascii"), str(path))


def _make(path: Path) -> None:
    """A new key, whole or not at all: a crash half-way leaves no empty file, and what is there is never replaced."""
    draft = _draft(path)
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    _sync(path.parent)


def _draft(path: Path) -> Path:
    """A file with a new key, durable, beside the one that it will be."""
    draft = path.with_suffix(f".{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(base64.b64encode(os.urandom(32)))
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync(folder: Path) -> None:
    """A power cut must not keep the data and lose the key to it."""
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise Misconfigured(f"{where} must hold 32 bytes in base64; make one with: openssl rand -base64 32")
    return key
