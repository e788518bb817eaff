"""Which connectors are installed: entry points of the group `laporhub.connectors`, by provider name.

A package of somebody else adds a channel by declaring such an entry point; nothing here has to change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoints, entry_points
from typing import Any, TypeAlias

from laporhub.pipeline.connector import Connector
from laporhub.pipeline.errors import Misconfigured

GROUP = "laporhub.connectors"

Factory: TypeAlias = Callable[[Mapping[str, Any]], Connector]
"""Builds a connector from its settings; empty settings are enough to parse. Raises `Misconfigured`."""


@cache
def _installed() -> EntryPoints:
    """Looked for once: each time, the metadata of every installed package is read."""
    return entry_points(group=GROUP)


class Registry(Mapping[str, Factory]):
    """Provider name → factory. A provider is imported only when it is asked for."""

    def __getitem__(self, provider: str) -> Factory:
        for point in _installed().select(name=provider):
            factory: Factory = point.load()
            return factory
        raise KeyError(provider)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(_installed().names))

    def __len__(self) -> int:
        return len(_installed().names)


CONNECTORS: Mapping[str, Factory] = Registry()


def connect(provider: str, settings: Mapping[str, Any]) -> Connector:
    """The connector of a provider. Raises `Misconfigured` if there is none, or its settings are wrong."""
    try:
        factory = CONNECTORS[provider]
    except KeyError:
        known = ", ".join(CONNECTORS) or "none"
        raise Misconfigured(f"no connector {provider!r} is installed; there are: {known}") from None
    return factory(settings)


def lacking(provider: str, settings: Mapping[str, Any]) -> list[str]:
    """The variables without which a connector cannot answer, of those that are not set."""
    model = next(
        (
            getattr(import_module(point.module), "CONFIG", None)
            for point in _installed().select(name=provider)
        ),
        None,
    )
    fields = {} if model is None else model.model_fields
    prefix = f"LAPORHUB_{provider.upper().replace('-', '_')}_"
    return [
        prefix + name.upper()
        for name, field in fields.items()
        if field.is_required() and name not in settings
    ]
