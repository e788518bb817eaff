"""A new master key: at whatever point it is stopped, everything sealed can be read, and the next try ends it."""

from __future__ import annotations

import base64
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from support import MONDAY, Clock, seeded

from laporhub.hub import rotating, secrets
from laporhub.hub.rotating import rotate
from laporhub.hub.secrets import load_secrets
from laporhub.hub.settings import Settings
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.store.database import open_database, writer
from laporhub.pipeline.store.keys import KeyRing, rewrap, save_keys, wrapped_otherwise
from laporhub.pipeline.vault import Sealer, seal

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    sqlite = request.param == "sqlite"
    engine = open_database(tmp_path / "hub.db" if sqlite else request.getfixturevalue("postgres"))
    yield engine
    engine.dispose()


def filled(database: Engine, sealer: Sealer, many: int) -> list[str]:
    """What as many reporters said, sealed."""
    keys = [sealer.new_key(f"p_{number}", MONDAY) for number in range(many)]
    with writer(database).begin() as connection:
        save_keys(connection, keys)
    return [seal(key.id, sealer.open_key(key), f"rahasia {number}") for number, key in enumerate(keys)]


def readable(database: Engine, sealer: Sealer, sealed: list[str]) -> bool:
    ring = KeyRing(database, sealer)
    return [ring.open(piece) for piece in sealed] == [f"rahasia {number}" for number in range(len(sealed))]


@pytest.mark.parametrize("steps", range(5))
def test_stopped_after_any_piece_all_can_be_read_and_the_rest_is_done_later(
    database: Engine, steps: int
) -> None:
    sealed = filled(database, Sealer(OLD, seeded()), 40)
    both = Sealer(NEW, seeded(8), (OLD,))
    done = sum(islice(rewrap(database, both, at_once=10), steps))
    assert done == 10 * steps
    assert readable(database, both, sealed)
    assert sum(rewrap(database, both, at_once=10)) == 40 - done
    assert readable(database, Sealer(NEW, seeded(9)), sealed)
    with database.connect() as connection:
        assert wrapped_otherwise(connection, both) == {}


def test_the_old_master_key_opens_nothing_afterwards(database: Engine) -> None:
    sealed = filled(database, Sealer(OLD, seeded()), 3)
    sum(rewrap(database, Sealer(NEW, seeded(8), (OLD,))))
    with pytest.raises(Misconfigured, match="LAPORHUB_MASTER_KEY"):
        KeyRing(database, Sealer(OLD, seeded())).open(sealed[0])


def test_without_the_old_key_nothing_is_changed(database: Engine) -> None:
    sealed = filled(database, Sealer(OLD, seeded()), 3)
    with pytest.raises(Misconfigured, match="LAPORHUB_MASTER_KEY"):
        sum(rewrap(database, Sealer(NEW, seeded(8))))
    assert readable(database, Sealer(OLD, seeded()), sealed)


def test_what_the_old_key_wrapped_is_in_no_file_any_more(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "hub.db")
    filled(engine, Sealer(OLD, seeded()), 50)
    with engine.connect() as connection:
        old = [bytes(row.wrapped) for row in connection.execute(text("SELECT wrapped FROM reporter_keys"))]
    sum(rewrap(engine, Sealer(NEW, seeded(8), (OLD,)), at_once=10))
    disk = b"".join(path.read_bytes() for path in tmp_path.glob("hub.db*"))
    engine.dispose()
    assert not [each for each in old if each in disk]


# ── with a key of the hub's own making ──


def a_hub(folder: Path, many: int = 20) -> tuple[Settings, list[str]]:
    settings = Settings(data=folder, profile="laporgub-jateng")
    kept = load_secrets(folder / "keys", None)
    engine = open_database(folder / "hub.db")
    sealed = filled(engine, Sealer(kept.master, seeded()), many)
    engine.dispose()
    return settings, sealed


def still_readable(folder: Path, sealed: list[str]) -> bool:
    kept = load_secrets(folder / "keys", None)
    engine = open_database(folder / "hub.db")
    try:
        return readable(engine, Sealer(kept.master, seeded(), kept.earlier), sealed)
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (secrets.os, "link"),
        (secrets, "_sync"),
        (secrets, "_draft"),
        (secrets.Path, "replace"),
        (rotating, "lay_ground"),
        (rotating, "rewrap"),
        (rotating, "wrapped_otherwise"),
        (rotating, "forget_old_masters"),
    ],
)
def test_killed_at_any_step_the_hub_opens_and_the_next_try_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: object, step: str
) -> None:
    settings, sealed = a_hub(tmp_path)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, step, killed)
        rotate(settings, "shell", Clock())
    assert still_readable(tmp_path, sealed)
    rotate(settings, "shell", Clock())
    assert still_readable(tmp_path, sealed)
    kept = load_secrets(tmp_path / "keys", None)
    assert kept.earlier == ()
    engine = open_database(tmp_path / "hub.db")
    with engine.connect() as connection:
        assert wrapped_otherwise(connection, Sealer(kept.master, seeded())) == {}
    engine.dispose()


_KILLED = """
import os, signal, sys
from pathlib import Path
from laporhub.hub import rotating
from laporhub.hub.compose import utc_now
from laporhub.hub.settings import Settings
honest = rotating.rewrap
def rewrap(engine, sealer):
    for number, done in enumerate(honest(engine, sealer, 5)):
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        yield done
rotating.rewrap = rewrap
rotating.rotate(Settings(data=Path(sys.argv[1]), profile="laporgub-jateng"), "shell", utc_now)
"""


def test_a_real_kill_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    settings, sealed = a_hub(tmp_path)
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert len(list((tmp_path / "keys").glob("master-*.old.key"))) == 1
    assert still_readable(tmp_path, sealed)
    assert rotate(settings, "shell", Clock()).keys_wrapped == 5
    assert still_readable(tmp_path, sealed)


# ── with a key that is given ──


def test_a_given_key_takes_over_from_the_earlier_one(tmp_path: Path) -> None:
    first, second = (base64.b64encode(key).decode() for key in (OLD, NEW))
    engine = open_database(tmp_path / "hub.db")
    sealed = filled(engine, Sealer(OLD, seeded()), 7)
    engine.dispose()
    given = {"data": tmp_path, "profile": "laporgub-jateng", "master_key": second}
    with pytest.raises(Misconfigured, match="LAPORHUB_MASTER_KEY"):
        rotate(Settings(**given), "shell", Clock())  # type: ignore[arg-type]
    told = rotate(Settings(**given, master_key_earlier=f" {first} ,"), "shell", Clock())  # type: ignore[arg-type]
    assert told.keys_wrapped == 7
    engine = open_database(tmp_path / "hub.db")
    assert readable(engine, Sealer(NEW, seeded()), sealed)
    engine.dispose()


def test_many_processes_must_be_given_the_keys(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, profile="laporgub-jateng", kafka_servers="127.0.0.1:1")
    with pytest.raises(Misconfigured, match="LAPORHUB_MASTER_KEY_EARLIER"):
        rotate(settings, "shell", Clock())
    assert not list(tmp_path.iterdir())
