"""How the Graph API answers a reader: only the fields that were asked for, and lists page by page. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Item: TypeAlias = Mapping[str, Any]
Edge: TypeAlias = Callable[[Mapping[str, str]], Sequence[Item]]
"""What is listed under an object; called with the arguments of the field."""

_NAME = re.compile(r"\s*(\w+)")
_ARGUMENT = re.compile(r"\.(\w+)\(([^)]*)\)")


@dataclass
class Asked:
    """One field that was asked for, with its arguments and the fields inside."""

    args: dict[str, str] = field(default_factory=dict)
    inner: dict[str, Asked] = field(default_factory=dict)


def read(text: str) -> dict[str, Asked]:
    """`id,comments.limit(2){id,from}` as a tree. Raises ValueError."""
    fields, end = _fields(text, 0)
    if end != len(text):
        raise ValueError(f"unexpected {text[end:]!r}")
    return fields


def _fields(text: str, start: int) -> tuple[dict[str, Asked], int]:
    fields: dict[str, Asked] = {}
    while found := _NAME.match(text, start):
        asked, start = Asked(), found.end()
        while argument := _ARGUMENT.match(text, start):
            asked.args[argument[1]] = argument[2]
            start = argument.end()
        if text[start : start + 1] == "{":
            asked.inner, start = _fields(text, start + 1)
            if text[start : start + 1] != "}":
                raise ValueError("a brace is not closed")
            start += 1
        fields[found[1]] = asked
        if text[start : start + 1] != ",":
            break
        start += 1
    return fields, start


def chosen(item: Item, asked: Mapping[str, Asked]) -> dict[str, Any]:
    """Of an object what was asked for; its id always."""
    answer: dict[str, Any] = {"id": item["id"]} if "id" in item else {}
    for name, how in asked.items():
        value = item.get(name)
        if callable(value):
            listed = page(value(how.args), how.args, how.inner, "https://graph.example/next")
            if listed["data"]:
                answer[name] = listed
        elif isinstance(value, Mapping) and how.inner and "data" in value:
            answer[name] = {"data": [chosen(each, how.inner) for each in value["data"]]}
        elif isinstance(value, Mapping) and how.inner:
            answer[name] = {key: part for key, part in value.items() if key in how.inner}
        elif value is not None:
            answer[name] = value
    return answer


def page(
    items: Sequence[Item], args: Mapping[str, str], asked: Mapping[str, Asked], url: str
) -> dict[str, Any]:
    """One page of a list; `after` is the cursor of the item before. Raises ValueError for one that is not known."""
    start, limit = 0, int(args.get("limit", 25))
    if after := args.get("after"):
        names = [cursor(str(item["id"])) for item in items]
        start = names.index(after) + 1
    shown = items[start : start + limit]
    answer: dict[str, Any] = {"data": [chosen(item, asked) for item in shown]}
    if shown:
        ends = {"before": cursor(str(shown[0]["id"])), "after": cursor(str(shown[-1]["id"]))}
        answer["paging"] = {"cursors": ends}
        if start + limit < len(items):
            answer["paging"]["next"] = url
    return answer


def cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")
