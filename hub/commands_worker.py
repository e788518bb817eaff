"""Commands of the distributed engine: the worker, and whoever starts it anew."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Annotated

import typer

from laporhub.hub.console import DataOption, ProfileOption, configure_logging, log_libraries, settings_for
from laporhub.hub.settings import Settings
from laporhub.pipeline.errors import Misconfigured, RetryLater

_GRACE_SECONDS = 30.0
"""How long a worker may take to finish its batches; then it is killed, and they are delivered again."""
_STEADY_SECONDS = 60.0
_LONGEST_PAUSE = 30.0


def worker(
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; a core each.")] = 1,
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Health and metrics of the first, the next ports of the others."),
    ] = 0,
    host: Annotated[str, typer.Option(help="Where that port is opened.")] = "127.0.0.1",
    watchdog: Annotated[
        float, typer.Option(min=10, help="Seconds a worker with work may stand still before it ends itself.")
    ] = 120.0,
    only: Annotated[
        list[str] | None,
        typer.Option(help="A stage, to run only that: cases, sink, outbox, units, clocks. May be repeated."),
    ] = None,
    profile: ProfileOption = None,
    data: DataOption = None,
    channel: Annotated[list[str] | None, typer.Option(hidden=True)] = None,
    one_by_one: Annotated[
        bool, typer.Option("--one-by-one", help="Read Kafka as Faust itself does: slower.")
    ] = False,
    member: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Work on what Kafka brings: cases, index, replies, clocks. Starts its processes, and starts them anew."""
    settings = settings_for(profile, data)
    if not settings.kafka_servers:
        raise Misconfigured(
            "A worker needs Kafka: set LAPORHUB_KAFKA_SERVERS (laporhub serve needs no worker)"
        )
    configure_logging(settings)
    if member is not None:
        raise typer.Exit(
            _work(settings, member, host, port, watchdog, only or [], channel or [], not one_by_one)
        )
    options = ["--watchdog", str(watchdog), "--host", host]
    for name, value in (("--profile", settings.profile), ("--data", str(settings.data))):
        options += [name, value]
    if one_by_one:
        options.append("--one-by-one")
    for stage in only or ():
        options += ["--only", stage]
    for name in channel or ():
        options += ["--channel", name]
    _check(settings, only or [], channel or [])
    hands = [_Hand(f"{socket.gethostname()}-{n}", port and port + n, options) for n in range(workers)]
    raise typer.Exit(_supervise(hands))


def _check(settings: Settings, only: list[str], channels: list[str]) -> None:
    """Raises `Misconfigured` for a wrong word, or when a topic is missing. Kafka may come up later than we do."""
    from laporhub.hub.worker_words import check_topics, check_words
    from laporhub.pipeline.profile.load import load

    books = [load(name) for name in settings.profiles]
    check_words(only, channels, books)
    while True:
        try:
            asyncio.run(check_topics(settings, books))
            return
        except RetryLater as error:
            typer.echo(f"waiting: {error}", err=True)
            time.sleep(1)


class _Hand:
    """One worker process: started, and started anew when it ends by itself, after longer and longer pauses."""

    def __init__(self, member: str, port: int, options: list[str]) -> None:
        self.member = member
        self._command = [sys.executable, "-m", "laporhub.hub.cli", "worker", "--member", member]
        self._command += ["--port", str(port), *options]
        self._falls = 0
        self._started = 0.0
        self._next = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def look_after(self) -> None:
        if self.process is not None and (status := self.process.poll()) is not None:
            if time.monotonic() - self._started > _STEADY_SECONDS:
                self._falls = 0
            self._falls += 1
            pause = min(0.5 * 2.0**self._falls, _LONGEST_PAUSE) * random.uniform(0.5, 1)
            self._next = time.monotonic() + pause
            typer.echo(f"worker {self.member} ended with {status}: again in {pause:.1f} s", err=True)
            self.process = None
        if self.process is None and time.monotonic() >= self._next:
            self._started = time.monotonic()
            # Before the child is anything else: it imports for seconds, and its supervisor may be killed meanwhile.
            self.process = subprocess.Popen(self._command, preexec_fn=_dying_with(os.getpid()))  # noqa: S603

    def end(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _supervise(hands: list[_Hand]) -> int:
    over = False

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        nonlocal over
        over = True

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    while not over:
        for hand in hands:
            hand.look_after()
        time.sleep(0.2)
    for hand in hands:
        if hand.process is not None:
            hand.process.terminate()
    for hand in hands:
        hand.end()
    return 0


def connect(
    channels: Annotated[
        list[str] | None, typer.Argument(help="Channels of the profile; all when none is named.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Health and metrics.")] = 0,
    host: Annotated[str, typer.Option(help="Where that port is opened.")] = "127.0.0.1",
    watchdog: Annotated[
        float, typer.Option(min=10, help="Seconds it may stand still with work before it ends itself.")
    ] = 120.0,
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """Send the replies on these channels: a worker of only that, so that no other needs the platforms' secrets."""
    worker(1, port, host, watchdog, ["outbox"], profile, data, channels)


def _work(
    settings: Settings,
    member: str,
    host: str,
    port: int,
    watchdog: float,
    only: list[str],
    channels: list[str],
    chunked: bool,
) -> int:
    """This process is the worker."""
    import faust
    import uvloop

    from laporhub.hub.distributed import make_worker
    from laporhub.hub.worker_health import serve_health

    log_libraries()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    made = make_worker(
        settings,
        member=member,
        watchdog_seconds=watchdog,
        only=only,
        channels=channels,
        chunked=chunked,
    )
    if port:
        made.app.task(lambda: serve_health(made, host, port))

    class Runner(faust.Worker):
        async def on_shutdown(self) -> None:
            await super().on_shutdown()
            await made.close()

        async def _sentinel_task(self) -> None:
            """For a second it would wait for nothing."""

    runner = Runner(made.app, loop=loop, loglevel="WARNING", redirect_stdouts=False, override_logging=False)
    runner.execute_from_commandline()
    return 0


def _dying_with(parent: int) -> Callable[[], None] | None:
    """For a child, as the first it does: a supervisor that is killed leaves no worker behind."""
    if sys.platform != "linux":
        return None
    import ctypes

    prctl = ctypes.CDLL(None).prctl  # looked up here: a child that was only forked must not
    pr_set_pdeathsig = 1

    def die() -> None:
        prctl(pr_set_pdeathsig, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return die


def register(app: typer.Typer) -> None:
    app.command()(worker)
    app.command()(connect)
