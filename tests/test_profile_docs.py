"""The format's description names every key there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from laporhub.pipeline.profile import (
    schema,
    schema_intake,
    schema_life,
    schema_time,
    schema_units,
    schema_workflow,
)
from laporhub.pipeline.profile.section import Section
from laporhub.pipeline.replies import FACTS

DOC = (Path(__file__).parents[1] / "docs" / "profile-format.md").read_text()
NAMED = set(re.findall(r"`([a-z_]+)`", DOC)) | set(re.findall(r"[{,] ?([a-z_]+): ", DOC))


def keys() -> Iterator[str]:
    for module in (schema, schema_intake, schema_life, schema_time, schema_units, schema_workflow):
        for section in vars(module).values():
            if isinstance(section, type) and issubclass(section, Section):
                yield from (field.alias or name for name, field in section.model_fields.items())


@pytest.mark.parametrize("key", sorted(set(keys()) | FACTS))
def test_the_description_names_every_key(key: str) -> None:
    assert key in NAMED
