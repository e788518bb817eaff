"""Dated versions of a profile: what differs from a day on, laid over what held before. Pure.

A version says only what it changes. Of what has names (`BY_NAME`) it changes a thing by name and key, and takes away a
thing whose name stands empty; of the other sections it changes keys. What stands under a key is replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.source import PROFILE, Document, Finding

BY_NAME: Final = frozenset({"requirements", "states", "transitions", "clocks", "documents"})
SECTIONS: Final = frozenset({"intake", "calendar", "routing", "publication"})


def laid_over(before: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a profile with a version's changes. Neither is changed."""
    after = {name: value for name, value in before.items() if name != "versions"}
    for name, value in change.items():
        if name == "from":
            after["version"] = value
        elif name in BY_NAME:
            after[name] = _by_name(after.get(name, {}), value)
        elif name in SECTIONS:
            after[name] = {**after.get(name, {}), **value}
        else:
            after[name] = value
    return after


def _by_name(before: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    after = dict(before)
    for name, value in change.items():
        if value is None:
            after.pop(name, None)
        else:
            after[name] = {**after.get(name, {}), **value}
    return after


def documents(document: Document) -> Iterator[Document]:
    """The profile as each version has it, the oldest first; places are found in the file as it is written."""
    data, layers = laid_over(document.data, {}), document.layers
    yield Document(document.file, data, document.root, layers)
    for number, change in enumerate(document.data.get("versions", ())):
        data, layers = laid_over(data, change), (("versions", number), *layers)
        yield Document(document.file, data, document.root, layers)


def problems(profile: Profile) -> Iterator[Finding]:
    """Whether versions follow each other, and take away only what is there."""
    last = profile.version
    names = {section: set(getattr(profile, section, {})) for section in BY_NAME}
    for number, version in enumerate(profile.versions):
        at = ("versions", number)
        if version.start == last:
            message, remedy = f"two versions hold from {last}", "Give each its own day, or make them one."
            yield Finding(PROFILE, (*at, "from"), message, remedy)
        elif version.start < last:
            message, remedy = (
                f"the version of {version.start} stands after that of {last}",
                "Write them from old to new.",
            )
            yield Finding(PROFILE, (*at, "from"), message, remedy)
        last = version.start
        for section, known in names.items():
            for name, value in (getattr(version, section, None) or {}).items():
                if value is None and name not in known:
                    message = f"“{name}” cannot be taken away: it is not there"
                    yield Finding(PROFILE, (*at, section, name), message, "Delete the line.")
                known.add(name) if value is not None else known.discard(name)
