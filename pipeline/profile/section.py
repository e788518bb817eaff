"""What all sections of a profile have in common, and how their texts are said in a language."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]
Text: TypeAlias = str | dict[str, str]


class Section(BaseModel):
    """Base of all profile sections: unknown keys are refused, so a typing error cannot pass silently."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def say(text: Text, language: str, *fallbacks: str) -> str:
    """The text in the first of the given languages that it has; any, if none."""
    if isinstance(text, str):
        return text
    for candidate in (language, *fallbacks):
        if candidate in text:
            return text[candidate]
    return next(iter(text.values()))
