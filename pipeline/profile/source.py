"""YAML files that remember where everything stands, so that a mistake can be shown by line.

Plain YAML 1.2: texts, numbers, yes and no (`true`, `false`), lists, mappings, anchors. Dates and times stay
texts for the schema to read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

PROFILE: Final = "profile.yaml"
UNITS: Final = "units.yaml"
REGIONS: Final = "regions.csv"
DAYS: Final = "days.yaml"
"""May be missing."""

Trail = tuple[str | int, ...]
"""Keys and list positions from the top of a file to a value."""

_TAG: Final = "tag:yaml.org,2002:"
_NUMBERS: Final = frozenset(_TAG + kind for kind in ("null", "bool", "int", "float"))
_TEXTS: Final = frozenset(_TAG + kind for kind in ("str", "timestamp"))


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A mistake in a profile: where it stands, what is wrong, and what to do.

    `file` is relative to the profile's folder; lines and columns count from 1, None where a file is meant.
    """

    file: str
    line: int | None
    message: str
    remedy: str = ""
    column: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}. {self.remedy}".rstrip()


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake by the path of the value at fault, or by line in a file that has no paths."""

    file: str
    path: Trail
    message: str
    remedy: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file's data, and the tree it was read from."""

    file: str
    data: Any
    root: Node
    layers: tuple[Trail, ...] = ((),)
    """Where in the file the data stands, the newest first: what a later version does not say, an earlier one did."""

    def place(self, path: Trail) -> tuple[int, int]:
        """Line and column of a value's key, or of the nearest thing above it that exists."""
        mark = max((self._followed(layer, path) for layer in self.layers), key=lambda found: found[0])[1]
        return mark.line + 1, mark.column + 1

    def has(self, path: Trail) -> bool:
        """Whether there is a value at exactly this path."""
        return any(self._followed(layer, path)[0] == len(path) for layer in self.layers)

    def _followed(self, layer: Trail, path: Trail) -> tuple[int, Any]:
        """How many steps of a path exist in a layer, and the mark of the last thing found."""
        node, mark, steps = self.root, self.root.start_mark, 0
        for number, step in enumerate((*layer, *path)):
            found = _child(node, step)
            if found is not None:
                node, mark = found
                steps += number >= len(layer)
        return steps, mark

    def problem(self, path: Trail, message: str, remedy: str = "") -> Problem:
        line, column = self.place(path)
        return Problem(self.file, line, message, remedy, column)


def read(folder: Path, file: str) -> tuple[Document | None, list[Problem]]:
    """A file of the folder; None and the reasons if it cannot be read at all."""
    text, problems = read_text(folder, file)
    if text is None:
        return None, problems
    try:
        root = YAML(typ="safe", pure=True).compose(text)
        if root is None:
            return None, [
                Problem(file, None, "the file is empty", "Fill it, or copy it from a shipped profile")
            ]
        data, problems = _Reader(file).read(root)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return None, [
            Problem(file, line, "a character that may not stand here", "Delete it and type it anew.")
        ]
    except MarkedYAMLError as error:
        return None, [_broken(file, error)]
    except (YAMLError, RecursionError) as error:
        return None, [Problem(file, None, f"this is not YAML: {type(error).__name__}", "Write it anew.")]
    return Document(file, data, root), problems


def read_text(folder: Path, file: str) -> tuple[str | None, list[Problem]]:
    """The file's text, which must be UTF-8; None and the reason if it is not there or not text."""
    try:
        return (folder / file).read_bytes().decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return None, [Problem(file, line, "this is not UTF-8 text", "Save the file as UTF-8 in the editor.")]
    except FileNotFoundError:
        return None, [Problem(file, None, "the file is missing", f"Create it in {folder}.")]
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return None, [Problem(file, None, f"cannot be read ({reason})", "Check its permissions.")]


def nearest(name: str, known: Iterable[str]) -> str:
    """What to do about a name that does not exist: the one that was probably meant, or all there are."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"Did you mean “{close[0]}”?"
    return f"There are: {', '.join(names)}." if names else "There are none."


class _Reader:
    """Turns nodes into plain data and notes what plain data cannot hold."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._constructor = YAML(typ="safe", pure=True).constructor
        self._problems: list[Problem] = []
        self._inside: set[int] = set()

    def read(self, root: Node) -> tuple[Any, list[Problem]]:
        return self._value(root), self._problems

    def _value(self, node: Node) -> Any:
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if id(node) in self._inside:
            self._note(node, "an anchor that contains itself", "Write the values out.")
            return None
        self._inside.add(id(node))
        value = self._mapping(node) if isinstance(node, MappingNode) else [self._value(n) for n in node.value]
        self._inside.discard(id(node))
        return value

    def _mapping(self, node: MappingNode) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._note(key_node, "a key must be a word", "Put texts with braces in quotes.")
            elif key_node.value in data:
                self._note(
                    key_node,
                    f"the key “{key_node.value}” stands here twice",
                    "Keep one; merge what they say.",
                )
            else:
                data[key_node.value] = self._value(value_node)
        return data

    def _scalar(self, node: ScalarNode) -> Any:
        if node.tag in _NUMBERS:
            try:
                return self._constructor.construct_object(node)
            except (YAMLError, ValueError):
                return node.value
        if node.tag not in _TEXTS:
            self._note(
                node, f"“{node.tag}” has no meaning here", "Take the tag away, or put the text in quotes."
            )
        return node.value

    def _note(self, node: Node, message: str, remedy: str) -> None:
        mark = node.start_mark
        self._problems.append(Problem(self._file, mark.line + 1, message, remedy, mark.column + 1))


def _child(node: Node, step: str | int) -> tuple[Node, Any] | None:
    """The value under a key or position, with the mark of what a reader looks for: the key or the item."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value == str(step):
                return value, key.start_mark
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark
    return None


def _broken(file: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = str(error.problem or error.context or "this is not YAML").split("\n")[0]
    if "\\t" in what:
        remedy = "Use spaces instead of tabs."
    else:
        remedy = "Check indentation, brackets and quotes here and in the line above."
    return Problem(
        file,
        mark.line + 1 if mark else None,
        f"the YAML breaks off: {what}",
        remedy,
        mark.column + 1 if mark else None,
    )
