"""Where nothing is known of the offices but their names: what offices of such names do in Indonesian cities.

It is the description for labels in a file, as a profile's units.yaml is for those of a hub.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter
from ruamel.yaml import YAML

from laporhub.classifiers.learned import Description
from laporhub.pipeline.profile.schema_units import Unit
from laporhub.pipeline.text import normalise

_FILE: Final = Path(__file__).with_name("common_offices.yaml")


class CommonOffices(Description):
    """The shipped description. `key_of` finds the office that a label names."""

    def __init__(self) -> None:
        offices, self._names = _read()
        super().__init__(offices)

    def key_of(self, label: str) -> str:
        """The office whose name in the label is longest; "" where the label names none."""
        words = f" {normalise(label.replace('_', ' '))} "
        found = [(len(name), office) for name, office in self._names.items() if f" {name} " in words]
        return max(found, key=lambda each: each[0])[1] if found else ""


@cache
def _read() -> tuple[Mapping[str, Unit], Mapping[str, str]]:
    """The offices, and which of them each name is for."""
    offices: dict[str, Unit] = {}
    names: dict[str, str] = {}
    for told in TypeAdapter(list[dict[str, Any]]).validate_python(YAML(typ="safe").load(_FILE)["offices"]):
        unit = Unit.model_validate(
            {"kind": "office"} | {name: told[name] for name in told if name != "names"}
        )
        offices[unit.id] = unit
        names |= {normalise(name): unit.id for name in told["names"]}
    return offices, names
