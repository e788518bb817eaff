"""Learning from the hub's own cases: a new model, held against the one in use, and replays over the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Engine

from laporhub.classifiers.evaluation import figures
from laporhub.classifiers.learned import Description, LearnedClassifier
from laporhub.classifiers.lessons import Lesson, changed, contradictions, cost, drift, lesson, objections
from laporhub.classifiers.linear import Linear
from laporhub.classifiers.model_files import load as load_model
from laporhub.classifiers.model_files import read_about, save
from laporhub.classifiers.training import FEWEST, Case, Progress, train
from laporhub.hub.routing import cold_start, learned_classifier
from laporhub.hub.settings import Settings
from laporhub.hub.shelf import COLD_START, SYSTEM, Shelf, shelf_of
from laporhub.pipeline.classifier import Classifier, Suggestion
from laporhub.pipeline.errors import Misconfigured, NotFound, Refused
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store import cases, log
from laporhub.pipeline.store.database import open_database

_NEW: Final = 20
"""Lessons since the model in use and since the last try, from which another one is worth it; or, if that is more,"""
_NEW_SHARE: Final = 0.02
"""this share of all."""
_FIRST_HELD_BACK: Final = 0.2
"""The share of lessons that is held back where no model is in use yet."""
ENOUGH_HELD_BACK: Final = 100
"""Held-back cases from which they tell which of two models is better: by fewer none is promoted by itself."""


def lessons_of(database: Engine, profile: str, *, said: bool = True) -> list[Lesson]:
    """Of all cases that people have decided, in the order of those decisions; with what was `said` at first or, to
    need less memory, without.
    """
    found: list[Lesson] = []
    with database.connect() as connection:
        for some in cases.every_case(connection):
            for state in some:
                if state.profile == profile and state.unit is not None:
                    known = lesson(state, log.case_events(connection, state.id, state.opened_at))
                    if known is not None:
                        found.append(known if said else replace(known, said=None))
    return sorted(found, key=lambda each: (each.at, each.ticket))


def learn_from_hub(settings: Settings, progress: Progress) -> Iterator[dict[str, Any]]:
    """For each profile: what was learned, how it compares, and whether it is in use now."""
    database = _database(settings)
    try:
        for name in settings.profiles:
            book = load(name)
            shelf = shelf_of(settings.data, book.name)
            lessons = lessons_of(database, book.name, said=False)[-settings.learn_most :]
            yield {"profile": book.name} | learn(book, lessons, shelf, progress)
    finally:
        database.dispose()


def learn(book: Rulebook, lessons: Sequence[Lesson], shelf: Shelf, progress: Progress) -> dict[str, Any]:
    """Makes a model if there is enough that is new, and promotes it where it is better and the profile lets it.

    Raises `Refused` while another process learns.
    """
    report: dict[str, Any] = {"lessons": len(lessons)}
    if book.profile.routing.learning == "off":
        return report | {"learned": None, "why": "the profile's routing.learning is off"}
    with shelf.alone():
        in_use, present, until = _present(book, shelf)
        report["in_use"] = in_use
        why = _too_little(lessons, until, None if present is None else shelf.tried())
        if why is not None:
            return report | {"learned": None, "why": why}
        try:
            report |= _learned(book, lessons, shelf, progress)
        except Refused as error:
            report |= {"learned": None, "why": str(error)}
        shelf.try_through(lessons[-1].at)
        return report


def _too_little(lessons: Sequence[Lesson], until: datetime, tried: datetime | None) -> str | None:
    """Why a try would tell nothing that is not known; None where it may."""
    wanted = max(_NEW, round(_NEW_SHARE * len(lessons)))
    new, untried = (sum(each.at > then for each in lessons) for then in (until, tried or until))
    if len(lessons) < 2 * FEWEST:
        return f"only {len(lessons)} cases were decided by people: {2 * FEWEST} are needed"
    if new < wanted:
        return f"only {new} cases were decided since the model in use was made: {wanted} are needed"
    if untried < wanted:
        return f"only {untried} cases were decided since the last try: {wanted} are needed"
    return None


def _learned(book: Rulebook, lessons: Sequence[Lesson], shelf: Shelf, progress: Progress) -> dict[str, Any]:
    def told(done: str, share: float) -> None:
        shelf.progressed(done, share, _now())
        progress(done, share)

    in_use, present, until = _present(book, shelf)
    held = lessons[-_held_back(sum(each.at > until for each in lessons), len(lessons)) :]
    description = Description(book.units, book.regions)
    trial = _trained(lessons[: -len(held)], description, lambda done, share: told(done, share / 2))
    now_right = _judged(present or cold_start(book), held)
    new_right = _judged(learned_classifier(book, trial, "trial"), held)
    del present, trial  # memory for what follows
    against = objections(new_right, now_right)
    if len(held) < ENOUGH_HELD_BACK:
        against.append(
            f"only {len(held)} cases were held back to compare: {ENOUGH_HELD_BACK} are needed to promote by itself"
        )
    model = _trained(lessons, description, lambda done, share: told(done, (1 + share) / 2))
    version, folder = shelf.new()
    about = {
        "version": version,
        "made_at": _now().isoformat(),
        "until": lessons[-1].at.isoformat(),
        "held_back": len(held),
        "figures": new_right,
        "in_use_then": {"version": in_use, "figures": now_right},
        "objections": against,
    }
    save(_with(model, about), folder)
    promoted = not against and book.profile.routing.learning == "promoted"
    if promoted:
        shelf.use(version, SYSTEM, _now())
    return {
        "learned": version,
        "promoted": promoted,
        "held_back": len(held),
        "new": _without_units(new_right),
        "old": _without_units(now_right),
        "objections": against,
        "contradictions": contradictions(lessons),
        "drift": drift(lessons),
        "removed": shelf.prune(),
    }


def _held_back(new: int, lessons: int) -> int:
    """How many of the latest lessons are held back: half of those that are new. Where all are, less is enough."""
    half = new // 2
    return half if new < lessons else min(half, max(ENOUGH_HELD_BACK, round(_FIRST_HELD_BACK * lessons)))


def replayed(settings: Settings, which: str | None) -> dict[str, Any]:
    """What a model would have said of the past cases, beside what was said then. `which` is a version,
    "cold-start" or, by default, what is in use.

    `unseen` counts only cases decided after those that the model was made of: only those tell how good it is.
    `changed` is where another unit would have been first, or the case would have been disposed or left to a person.
    """
    book = load(settings.profiles[0])
    shelf = shelf_of(settings.data, book.name)
    version = which or shelf.in_use()
    database = _database(settings)
    try:
        lessons = lessons_of(database, book.name)
    finally:
        database.dispose()
    if not lessons:
        raise NotFound("there is no past case that a person has decided")
    classifier = cold_start(book) if version == COLD_START else _classifier(book, shelf, version)
    until = _until(shelf, version)
    would = [classifier.suggest(each.text, each.location, each.taken) for each in lessons]
    unseen = [number for number, each in enumerate(lessons) if each.at > until]
    of_unseen = (
        _figures([would[each] for each in unseen], [lessons[each] for each in unseen]) if unseen else None
    )
    return {
        "model": version,
        "cases": len(lessons),
        "would_have": _figures(would, lessons),
        "unseen": of_unseen and _without_units(of_unseen),
        "said_then": _without_units(_figures([each.said for each in lessons], lessons)),
        "changed": changed(lessons, would),
        "contradictions": contradictions(lessons),
        "drift": drift(lessons),
    }


def _present(book: Rulebook, shelf: Shelf) -> tuple[str, Classifier | None, datetime]:
    """What is in use, and through when it has seen cases; a model that cannot be read is none."""
    try:
        version = shelf.in_use()
        if version != COLD_START:
            return version, _classifier(book, shelf, version), _until(shelf, version)
        return COLD_START, cold_start(book), _until(shelf, COLD_START)
    except (Misconfigured, NotFound):
        return COLD_START, None, _until(shelf, COLD_START)


def _classifier(book: Rulebook, shelf: Shelf, version: str) -> LearnedClassifier:
    return learned_classifier(book, load_model(shelf.path(version)), version)


def _trained(lessons: Sequence[Lesson], description: Description, progress: Progress) -> Linear:
    duties = description.duties.values()
    return train(_cases(lessons, description), progress, description.key_of, duties, description.sayings)


def _cases(lessons: Sequence[Lesson], description: Description) -> list[Case]:
    """Units that differ only in territory are one label: words do not tell them apart."""
    return [
        Case(
            each.text,
            description.duties[each.unit],
            name=each.ticket,
            prior=description.prior(description.read(each.text, each.location, each.taken)),
        )
        for each in lessons
        if each.unit in description.duties
    ]


def _judged(classifier: Classifier, lessons: Sequence[Lesson]) -> dict[str, Any]:
    return _figures([classifier.suggest(each.text, each.location, each.taken) for each in lessons], lessons)


def _figures(said: Sequence[Suggestion | None], lessons: Sequence[Lesson]) -> dict[str, Any]:
    units = [each.unit for each in lessons]
    ranked = [[(guess.unit, guess.probability) for guess in each.units] if each else [] for each in said]
    sure = [each is not None and each.sure for each in said]
    wrong = [
        certain and [name for name, _ in named[:1]] != [unit]
        for named, certain, unit in zip(ranked, sure, units, strict=True)
    ]
    return figures(ranked, units) | {
        "cost": cost(ranked, sure, units),
        "sure": round(sum(sure) / len(sure), 4),
        "sure_and_wrong": round(sum(wrong) / len(wrong), 4),
    }


def _without_units(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "per_unit"}


def _with(model: Linear, about: dict[str, Any]) -> Linear:
    return replace(model, about={**model.about, **about})


def _until(shelf: Shelf, version: str) -> datetime:
    """When the last case was decided that the model is made of."""
    if version == COLD_START:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.fromisoformat(str(read_about(shelf.path(version))["until"]))


def _database(settings: Settings) -> Engine:
    url = settings.database_url
    file = settings.data / "hub.db"
    if url is None and not file.is_file():
        raise NotFound(f"{settings.data} holds no hub: name its folder with --data")
    return open_database(url.get_secret_value() if url else file)


def _now() -> datetime:
    return datetime.now(UTC)
