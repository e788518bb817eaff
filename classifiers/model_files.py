"""Models in a folder: `numbers.npz` and `model.json`. To read one runs no code of it: there is no pickle inside."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from laporhub.classifiers.features import BUCKETS, Features
from laporhub.classifiers.labels import Offices
from laporhub.classifiers.linear import Linear, PastCases
from laporhub.classifiers.thresholds import HeldBack
from laporhub.pipeline.errors import Misconfigured

FORMAT: Final = 2
"""2: pairs are found by another hash, and pieces are weighed word by word."""
_NUMBERS, _ABOUT = "numbers.npz", "model.json"


class _About(BaseModel):
    """What is not numbers."""

    model_config = ConfigDict(extra="forbid")

    format: int
    labels: tuple[str, ...]
    words: int
    sharpness: float
    trust_in_prior: float
    certainty: tuple[float, float]
    others: tuple[float, ...]
    known_as: tuple[str, ...]
    offices: dict[str, str]
    by_place: dict[str, dict[str, dict[str, int]]]
    held_back: tuple[str, ...]
    past: tuple[str, ...]
    about: dict[str, Any]


def save(model: Linear, folder: Path) -> None:
    """Complete when `model.json` is there: it is written last, under another name first."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    np.savez_compressed(
        folder / _NUMBERS,
        buckets=np.flatnonzero(model.features.column >= 0).astype(np.int32),
        weight=model.features.weight,
        weights=model.weights,
        bias=model.bias,
        probability=model.held_back.probability,
        right=model.held_back.right,
        past_labels=model.past.labels,
        past_start=model.past.start,
        past_cases=model.past.cases,
        past_weights=model.past.weights,
    )
    about = _About(
        format=FORMAT,
        labels=model.labels,
        words=model.features.words,
        sharpness=model.sharpness,
        trust_in_prior=model.trust_in_prior,
        certainty=model.certainty,
        others=tuple(model.others.tolist()),
        known_as=model.known_as,
        offices=dict(model.offices.of),
        by_place={
            each: {place: dict(told) for place, told in places.items()}
            for each, places in model.offices.by_place.items()
        },
        held_back=tuple(model.held_back.labels),
        past=tuple(model.past.names),
        about=dict(model.about),
    )
    unfinished = folder / f"{_ABOUT}.new"
    unfinished.write_text(about.model_dump_json(indent=1), encoding="utf-8")
    unfinished.replace(folder / _ABOUT)


def load(folder: Path) -> Linear:
    """Raises `Misconfigured` where there is no model, or one that this version does not read."""
    try:
        told = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise Misconfigured(f"{folder} holds a model of format {told['format']}: train it anew")
        about = _About.model_validate(told)
        with (folder / _NUMBERS).open("rb") as file, np.load(file, allow_pickle=False) as numbers:
            return _model(about, {name: numbers[name] for name in numbers.files})
    except FileNotFoundError:
        raise Misconfigured(f"{folder} holds no model: laporhub train makes one") from None
    except (
        ValidationError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        OSError,
        EOFError,
        zipfile.BadZipFile,
    ) as error:
        raise Misconfigured(
            f"The model in {folder} cannot be read ({type(error).__name__}): train it anew"
        ) from None


def read_about(folder: Path) -> dict[str, Any]:
    """What is told of a model, without its numbers. Raises as `load`."""
    try:
        return _About.model_validate_json((folder / _ABOUT).read_bytes()).about
    except (OSError, ValidationError):
        raise Misconfigured(f"{folder} holds no model that can be read: laporhub train makes one") from None


def _model(about: _About, numbers: dict[str, Any]) -> Linear:
    buckets, weight = numbers["buckets"], numbers["weight"]
    column = np.full(2 * BUCKETS, -1, np.int32)
    column[buckets] = np.arange(len(buckets), dtype=np.int32)
    sizes = (len(weight), len(about.labels))
    fits = numbers["weights"].shape == sizes and numbers["bias"].shape == sizes[1:]
    others = np.array(about.others)
    if not fits or len(buckets) != sizes[0] or len(about.known_as) != sizes[1] or len(others) != sizes[1]:
        raise ValueError("shapes")
    return Linear(
        features=Features(column, weight, about.words),
        labels=about.labels,
        weights=numbers["weights"],
        bias=numbers["bias"],
        sharpness=about.sharpness,
        trust_in_prior=about.trust_in_prior,
        certainty=about.certainty,
        others=others,
        known_as=about.known_as,
        offices=Offices(about.offices, about.by_place),
        held_back=HeldBack(about.held_back, numbers["probability"], numbers["right"]),
        past=PastCases(
            about.past,
            numbers["past_labels"],
            numbers["past_start"],
            numbers["past_cases"],
            numbers["past_weights"],
        ),
        about=about.about,
    )
