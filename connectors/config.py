"""How a connector is told its settings: a model with unknown keys refused.

The module of a connector names its model `CONFIG`; the hub fills it from `LAPORHUB_<PROVIDER>_<FIELD>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from laporhub.pipeline.errors import Misconfigured

M = TypeVar("M", bound=BaseModel)


def configured(provider: str, model: type[M], settings: Mapping[str, Any]) -> M | None:
    """The settings, checked; None where there are none at all, which is enough to read files.

    Raises `Misconfigured`, naming the variable at fault.
    """
    if not settings:
        return None
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        prefix = f"LAPORHUB_{provider.upper().replace('-', '_')}_"
        wrong = (
            f"{prefix}{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)
        )
        raise Misconfigured("; ".join(wrong)) from None
