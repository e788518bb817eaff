"""Commands of routing: learn from past cases, and measure what was learned."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from laporhub.hub.console import DataOption, ProfileOption, configure_logging, print_json, settings_for
from laporhub.hub.labelled import Labelled, read_labelled
from laporhub.hub.routing import learn_until_told, must_learn
from laporhub.hub.shelf import Shelf, shelf_of
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.messages import Location
from laporhub.pipeline.profile.load import load

if TYPE_CHECKING:
    from laporhub.classifiers.learned import Description
    from laporhub.classifiers.linear import Linear, Ranked
    from laporhub.classifiers.training import Case

CURVE: Final = (0, 50, 200, 500, 2000)
"""Dispositions after which the learning curve is measured."""
_ON_THE_CURVE: Final = ("accuracy", "top3", "macro_f1", "ece", "coverage_at_95")

LabelOption = Annotated[str, typer.Option("--label", help="The column that says whose the case was.")]


def train(
    train: Annotated[
        Path | None, typer.Option("--train", help="Learn from this CSV instead of the hub's cases.")
    ] = None,
    label: LabelOption = "unit",
    out: Annotated[
        Path | None, typer.Option("--out", help="With --train: the folder to keep the model in.")
    ] = None,
    repeat: Annotated[
        bool, typer.Option("--repeat", help="Again every LAPORHUB_LEARN_EVERY_HOURS, until it is stopped.")
    ] = False,
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """Learn from past cases; prints what was learned, as JSON."""
    must_learn()
    from laporhub.classifiers.model_files import save

    if repeat:
        if train is not None:
            raise Misconfigured("A CSV does not change: --repeat is for the hub's own cases")
        settings = settings_for(profile, data)
        configure_logging(settings)
        asyncio.run(learn_until_told(settings))
        return
    if train is None:
        from laporhub.hub.learning import learn_from_hub

        for told in learn_from_hub(settings_for(profile, data), _told_on_terminal):
            print_json(told)
        return
    if out is None:
        raise Misconfigured("With --train, say with --out which folder is to keep the model")
    description = _description(profile)
    started = time.perf_counter()
    model = _trained([_case(row, description) for row in read_labelled(train, label)], description)
    save(model, out)
    print_json({"folder": str(out), "seconds": round(time.perf_counter() - started, 1)} | dict(model.about))


def evaluate(
    test: Annotated[Path | None, typer.Option("--test", help="A CSV of cases with the right labels.")] = None,
    train: Annotated[
        Path | None, typer.Option("--train", help="A CSV of earlier cases to learn from.")
    ] = None,
    label: LabelOption = "unit",
    model: Annotated[
        str | None, typer.Option("--model", help="A folder that `train` made; with --replay also a version.")
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Say what a model would have done with the hub's own past cases.")
    ] = False,
    curve: Annotated[bool, typer.Option(help="Also measure with the first dispositions only.")] = True,
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """Measure routing on cases whose units are known; prints one JSON object."""
    must_learn()
    if replay:
        from laporhub.hub.learning import replayed

        print_json(replayed(settings_for(profile, data), model))
        return
    if test is None:
        raise Misconfigured("Say with --test which CSV to measure on, or --replay for the hub's own cases")
    rows = read_labelled(test, label)
    description = _description(profile)
    cases = [_case(row, description) for row in (read_labelled(train, label) if train else ())]
    print_json(_measured(rows, cases, description, Path(model) if model else None, curve=curve))


models = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What was learned, version by version, and which is in use.",
)


@models.command("list")
def list_models(profile: ProfileOption = None, data: DataOption = None) -> None:
    """List the versions, oldest first, a JSON line each; then what is in use, and how far training is."""
    must_learn()
    from laporhub.classifiers.model_files import read_about

    shelf = _shelf(profile, data)
    for version in shelf.versions():
        about = read_about(shelf.path(version))
        told = about.get("figures", {})
        print_json(
            {"version": version, "cases": about.get("cases"), "made_at": about.get("made_at")}
            | {name: told.get(name) for name in (*_ON_THE_CURVE, "cost")}
            | {"objections": about.get("objections", [])}
        )
    print_json({"in_use": shelf.in_use(), "history": shelf.history(), "training": shelf.progress()})


@models.command("use")
def use_model(
    version: Annotated[
        str, typer.Argument(help="A version, or cold-start for the units' description alone.")
    ],
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """Route by this version from now on; a running hub takes it within half a minute."""
    shelf = _shelf(profile, data)
    try:
        before = shelf.in_use()
    except Misconfigured:
        before = None
    shelf.use(version, "operator", datetime.now(UTC), anew=before is None)
    print_json({"in_use": version, "before": before})


@models.command("back")
def take_back_model(profile: ProfileOption = None, data: DataOption = None) -> None:
    """Route by what was in use before the present model."""
    use_model(_shelf(profile, data).before(), profile, data)


def _shelf(profile: list[str] | None, data: Path | None) -> Shelf:
    """Of the first profile."""
    settings = settings_for(profile, data)
    return shelf_of(settings.data, load(settings.profiles[0]).name)


def _measured(
    rows: Sequence[Labelled],
    cases: Sequence[Case],
    description: Description,
    folder: Path | None,
    *,
    curve: bool,
) -> dict[str, Any]:
    from laporhub.classifiers.evaluation import PRECISION, confusion, figures
    from laporhub.classifiers.model_files import load as load_model
    from laporhub.classifiers.thresholds import thresholds

    labels = [row.label for row in rows]
    asked = [_case(row, description) for row in rows]
    if not cases and folder is None:
        told = [_untaught(description, row, sorted(set(labels))) for row in rows]
        return figures(told, labels) | {"confusion": confusion(told, labels), "learning_curve": []}
    model = load_model(folder) if folder else _trained(cases, description)
    told = _ranked(model, asked)
    found = figures(told, labels, thresholds(model.held_back, PRECISION)) | {
        "confusion": confusion(told, labels)
    }
    return found | {"learning_curve": _curve(rows, asked, cases, description) if curve and cases else []}


def _curve(
    rows: Sequence[Labelled], asked: Sequence[Case], cases: Sequence[Case], description: Description
) -> list[dict[str, Any]]:
    """How good it is after so many dispositions: the latest before the test. After none, by the description."""
    from laporhub.classifiers.evaluation import figures

    labels, points = [row.label for row in rows], []
    known = sorted({case.label for case in cases})
    for size in (*(each for each in CURVE if each < len(cases)), len(cases)):
        told = (
            _ranked(_trained(cases[-size:], description, known), asked)
            if size
            else [_untaught(description, row, known) for row in rows]
        )
        found = figures(told, labels)
        points.append({"dispositions": size} | {name: found[name] for name in _ON_THE_CURVE})
    return points


def _trained(cases: Sequence[Case], description: Description, labels: Iterable[str] = ()) -> Linear:
    from laporhub.classifiers.training import train as learn

    return learn(cases, _told_on_terminal, description.key_of, labels, description.sayings)


def _told_on_terminal(done: str, share: float) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{share:4.0%} {done:12}" + ("\r\033[K" if share >= 1 else ""))


def _ranked(model: Linear, cases: Sequence[Case]) -> list[Ranked]:
    from laporhub.classifiers.features import words_of

    return [model.ranked(words_of(case.text), case.where, case.prior) for case in cases]


def _untaught(description: Description, row: Labelled, labels: Collection[str]) -> Ranked:
    """What the units' description alone says."""
    prior = description.prior(description.read(row.text, _location(row)))
    found = [(label, prior.get(name, 0.0)) for label in labels if (name := description.key_of(label))]
    return sorted(found, key=lambda each: (-each[1], each[0]))[:5]


def _case(row: Labelled, description: Description) -> Case:
    from laporhub.classifiers.labels import Where
    from laporhub.classifiers.training import Case

    prior = description.prior(description.read(row.text, _location(row)))
    return Case(row.text, row.label, Where(row.village, row.district), row.name, prior)


def _location(row: Labelled) -> Location | None:
    given = {"address": row.address, "village": row.village, "district": row.district}
    return (
        Location(**{name: value for name, value in given.items() if value}) if any(given.values()) else None
    )


def _description(profile: list[str] | None) -> Description:
    """Of the profile's units, if one is named; otherwise what offices of such names do in other cities."""
    from laporhub.classifiers.common_offices import CommonOffices
    from laporhub.classifiers.learned import Description

    if not profile:
        return CommonOffices()
    book = load(settings_for(profile, None).profiles[0])
    return Description(book.units, book.regions)


def register(app: typer.Typer) -> None:
    app.command()(train)
    app.command()(evaluate)
    app.add_typer(models, name="model")
