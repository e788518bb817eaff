"""The profiles that come with the hub: one folder a government, data only."""

from __future__ import annotations

from pathlib import Path


def shipped() -> list[str]:
    """Names of the profiles that come with the hub, in order."""
    return sorted(file.parent.name for file in _root().glob("*/profile.yaml"))


def folder(name: str) -> Path:
    """The folder of a profile that comes with the hub. Raises `KeyError` with the names there are."""
    if name not in shipped():
        raise KeyError(f"no profile “{name}” comes with the hub; there are: {', '.join(shipped())}")
    return _root() / name


def _root() -> Path:
    return Path(__file__).resolve().parent
