"""The pytest plugin: fixtures that are real servers. What starts them is in the modules beside this one.

`postgres`, `kafka`, `secure_kafka`, `elasticsearch` and `secure_elasticsearch` are started once a run and shared by its
tests, so name what you make in them uniquely. `own_postgres`, `own_kafka` and `own_elasticsearch` start one more, for a
test that stops, kills or restarts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from servers.elasticsearch import start_elasticsearch
from servers.kafka import start_kafka
from servers.machine import CannotStart
from servers.postgres import fresh_database, start_postgres
from servers.running import RunningServer
from servers.secure_elasticsearch import SecureElasticsearch
from servers.secure_kafka import SecureKafka
from servers.shared import OwnRun, Run, clear_what_killed_runs_left

RUN = pytest.StashKey[Run]()
StartOwn = Callable[..., RunningServer]
"""Starts a server for this test alone, with the settings given by name, and closes it after the test."""


def pytest_configure(config: pytest.Config) -> None:
    told = getattr(config, "workerinput", None)
    if told is None:
        clear_what_killed_runs_left()
    config.stash[RUN] = OwnRun.begin() if told is None else Run(Path(told["servers"]))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells each xdist worker where the run's servers are."""
    node.workerinput["servers"] = str(node.config.stash[RUN].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(RUN, None)
    if isinstance(run, OwnRun):
        run.end()


def shared(
    config: pytest.Config, name: str, start: Callable[..., RunningServer], **how: Any
) -> dict[str, str]:
    """`url` and `folder` of the server that the whole run shares."""
    try:
        return config.stash[RUN].shared(
            name, lambda folder, lifeline: start(folder, lifeline=lifeline, **how)
        )
    except CannotStart as missing:
        _cannot_run(str(missing))
        raise


def own(config: pytest.Config, name: str, start: Callable[..., RunningServer]) -> Iterator[StartOwn]:
    with ExitStack() as started:

        def started_now(**how: Any) -> RunningServer:
            run = config.stash[RUN]
            try:
                server = run.private(name, lambda folder, lifeline: start(folder, lifeline=lifeline, **how))
            except CannotStart as missing:
                _cannot_run(str(missing))
                raise
            started.callback(server.close)
            return server

        yield started_now


def _cannot_run(reason: str) -> None:
    from conftest import cannot_run  # it names this plugin, so it is there only later

    cannot_run(reason)


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> str:
    """SQLAlchemy's URL of the shared server's database `postgres`, as its superuser."""
    return shared(request.config, "postgres", start_postgres)["url"]


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """SQLAlchemy's URL of an empty database for this test."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def own_postgres(request: pytest.FixtureRequest) -> Iterator[StartOwn]:
    """`own_postgres()` starts a PostgreSQL server that only this test uses."""
    yield from own(request.config, "own-postgres", start_postgres)


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> str:
    """The bootstrap address of the shared broker, which lets everybody in. It makes no topic by itself."""
    return shared(request.config, "kafka", start_kafka)["url"]


@pytest.fixture(scope="session")
def secure_kafka(request: pytest.FixtureRequest) -> SecureKafka:
    """The shared broker where users sign in and may do what ACLs allow."""
    found = shared(request.config, "secure-kafka", start_kafka, secure=True)
    return SecureKafka(found["url"], Path(found["folder"]))


@pytest.fixture
def own_kafka(request: pytest.FixtureRequest) -> Iterator[StartOwn]:
    """`own_kafka(secure=False)` starts a broker that only this test uses."""
    yield from own(request.config, "own-kafka", start_kafka)


@pytest.fixture(scope="session")
def elasticsearch(request: pytest.FixtureRequest) -> str:
    """The address of the shared node, which lets everybody in."""
    return shared(request.config, "elasticsearch", start_elasticsearch)["url"]


@pytest.fixture(scope="session")
def secure_elasticsearch(request: pytest.FixtureRequest) -> SecureElasticsearch:
    """The shared node where users sign in and may do what their roles say."""
    found = shared(request.config, "secure-elasticsearch", start_elasticsearch, secure=True)
    return SecureElasticsearch(found["url"], Path(found["folder"]))


@pytest.fixture
def own_elasticsearch(request: pytest.FixtureRequest) -> Iterator[StartOwn]:
    """`own_elasticsearch(secure=False)` starts a node that only this test uses."""
    yield from own(request.config, "own-elasticsearch", start_elasticsearch)
