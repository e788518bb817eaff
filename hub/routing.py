"""Which classifier a profile is routed by: what was learned and is in use, else the units' description alone."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal

import structlog

from laporhub.hub.settings import Settings
from laporhub.hub.shelf import COLD_START, Shelf, shelf_of
from laporhub.pipeline.classifier import Classifier, Suggestion
from laporhub.pipeline.errors import Misconfigured, NotFound
from laporhub.pipeline.messages import Location, Spot
from laporhub.pipeline.profile.rulebook import Rulebook

if TYPE_CHECKING:
    from laporhub.classifiers.cold_start import ColdStartClassifier
    from laporhub.classifiers.learned import LearnedClassifier
    from laporhub.classifiers.linear import Linear

logger = structlog.get_logger(__name__)
_LOOK_SECONDS: Final = 30
"""How often a running hub looks whether another model is in use."""
_FIRST_SECONDS: Final = 600
"""How long after its start a hub learns first, if it is not to be sooner."""
_LOGGED: Final = ("profile", "lessons", "learned", "promoted", "why", "objections", "removed")


def cold_start(book: Rulebook) -> ColdStartClassifier:
    from laporhub.classifiers.cold_start import ColdStartClassifier

    key, rules = ("cold start", ""), book.profile.routing
    if key not in book.worked_out:
        book.worked_out[key] = ColdStartClassifier(
            book.units, sure_from=rules.sure_from, suggest_from=rules.suggest_from, regions=book.regions
        )
    made: ColdStartClassifier = book.worked_out[key]
    return made


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
        self._told = ""
        """What the log was told last of why a model cannot be used: once is enough."""
        self.refresh()

    @property
    def model(self) -> str:
        return self._now.model

    def suggest(self, text: str, location: Location | None, taken: Spot | None = None) -> Suggestion:
        return self._now.suggest(text, location, taken)

    def refresh(self) -> bool:
        """Takes what is in use by now; whether that is another one than before."""
        try:
            version = self._shelf.in_use()
            if version == self._version:
                return False
            self._now = self._cold if version == COLD_START else self._load(version)
            self._version, self._told = version, ""
        except (Misconfigured, NotFound) as error:
            return self._cannot(str(error))
        except ImportError:
            return self._cannot("What was learned is read with numpy: pip install 'laporhub[routing]'")
        logger.info("routing by", profile=self._book.name, model=self.model)
        return True

    def _cannot(self, reason: str) -> Literal[False]:
        if reason != self._told:
            logger.error("the learned model cannot be used", profile=self._book.name, reason=reason)
            self._told = reason
        return False

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
    """Runs `laporhub train` soon, and then every so many hours, in a process of its own; until cancelled."""
    pause = settings.learn_every_hours * 3600
    wait = min(pause, _FIRST_SECONDS)
    while pause and can_learn():
        await asyncio.sleep(wait)
        await learn_once(settings)
        wait = pause


async def learn_until_told(settings: Settings) -> None:
    """`keep_learning` as a process of its own, until it is told to end. Raises `Misconfigured`."""
    must_learn()
    if not settings.learn_every_hours:
        logger.warning("nothing is learned by itself: LAPORHUB_LEARN_EVERY_HOURS is 0")
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, over.set)
    learning = asyncio.create_task(keep_learning(settings))
    learning.add_done_callback(lambda task: over.set() if task.cancelled() or task.exception() else None)
    await over.wait()
    learning.cancel()
    with suppress(asyncio.CancelledError):
        await learning


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
        for told in map(json.loads, out.splitlines()):
            logger.info("learned", **{name: told[name] for name in _LOGGED if name in told})
