"""Which classifier a profile is routed by: what was learned and is in use, else the units' description alone."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import structlog

from laporhub.classifiers.cold_start import ColdStartClassifier
from laporhub.hub.settings import Settings
from laporhub.hub.shelf import COLD_START, Shelf, shelf_of
from laporhub.pipeline.classifier import Classifier, Suggestion
from laporhub.pipeline.errors import Misconfigured, NotFound
from laporhub.pipeline.messages import Location
from laporhub.pipeline.profile.rulebook import Rulebook

if TYPE_CHECKING:
    from laporhub.classifiers.learned import LearnedClassifier
    from laporhub.classifiers.linear import Linear

logger = structlog.get_logger(__name__)
_LOOK_SECONDS: Final = 30
"""How often a running hub looks whether another model is in use."""


def cold_start(book: Rulebook) -> ColdStartClassifier:
    rules = book.profile.routing
    return ColdStartClassifier(
        book.units, sure_from=rules.sure_from, suggest_from=rules.suggest_from, regions=book.regions
    )


def learned_classifier(book: Rulebook, model: Linear, version: str) -> LearnedClassifier:
    from laporhub.classifiers.learned import LearnedClassifier

    rules = book.profile.routing
    return LearnedClassifier(
        book.units,
        model,
        version=f"learned/{version}",
        precision=rules.precision,
        suggest_from=rules.suggest_from,
        regions=book.regions,
    )


def can_learn() -> bool:
    """Whether what learning needs is installed: the extra `routing`."""
    return all(find_spec(name) is not None for name in ("numpy", "scipy", "sklearn"))


def must_learn() -> None:
    """Raises `Misconfigured` where `can_learn` is not so."""
    if not can_learn():
        raise Misconfigured("Learned routing needs scikit-learn: pip install 'laporhub[routing]'")


class Router:
    """Keeps `ports.Classifier`, and changes to another model while the hub runs: each suggestion names its own.

    A model that cannot be read does not stop the hub: the description alone routes, and the log says why.
    """

    def __init__(self, book: Rulebook, shelf: Shelf) -> None:
        self._book = book
        self._shelf = shelf
        self._cold = cold_start(book)
        self._now: Classifier = self._cold
        self._version = COLD_START
        self.refresh()

    @property
    def model(self) -> str:
        return self._now.model

    def suggest(self, text: str, location: Location | None) -> Suggestion:
        return self._now.suggest(text, location)

    def refresh(self) -> bool:
        """Takes what is in use by now; whether that is another one than before."""
        try:
            version = self._shelf.in_use()
            if version == self._version:
                return False
            self._now = self._cold if version == COLD_START else self._load(version)
            self._version = version
        except (Misconfigured, NotFound, ImportError) as error:
            logger.error("the learned model cannot be used", profile=self._book.name, reason=str(error))
            return False
        logger.info("routing by", profile=self._book.name, model=self.model)
        return True

    def _load(self, version: str) -> Classifier:
        from laporhub.classifiers.model_files import load

        return learned_classifier(self._book, load(self._shelf.path(version)), version)


def routers(rulebooks: Mapping[str, Rulebook], settings: Settings) -> dict[str, Router]:
    return {name: Router(book, shelf_of(settings.data, name)) for name, book in rulebooks.items()}


async def keep_current(routers: Mapping[str, Router]) -> None:
    """Looks now and then whether another model is in use; until cancelled."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        for router in routers.values():
            await asyncio.to_thread(router.refresh)


async def keep_learning(settings: Settings) -> None:
    """Runs `laporhub train` every so many hours, in a process of its own; until cancelled."""
    while settings.learn_every_hours and can_learn():
        await asyncio.sleep(settings.learn_every_hours * 3600)
        await learn_once(settings)


async def learn_once(settings: Settings) -> None:
    """In a process of its own: it takes memory and minutes, and must hold up nobody."""
    profiles = [part for name in settings.profiles for part in ("--profile", name)]
    command = (sys.executable, "-m", "laporhub.hub.cli", "train", "--data", str(settings.data), *profiles)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    try:
        out, err = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if process.returncode:
        logger.error("learning failed", reason=err.decode(errors="replace").strip()[-500:])
    else:
        logger.info("learned", told=out.decode(errors="replace").count("\n"))
