"""The parts of `laporhub setup`: each says what is missing, and makes it unless it only checks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from laporhub.hub.kafka_plan import Plan, plan
from laporhub.hub.settings import Settings
from laporhub.hub.unit_credentials import credentials_file, new_password, write_credentials
from laporhub.pipeline.errors import LaporHubError, Misconfigured, NotFound, RetryLater
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.topics import topics, unit_topic

_LOOKS, _PAUSE = 100, 0.1


@dataclass(frozen=True, slots=True)
class Finding:
    """What one part has to say. `steps` are missing, or were taken; `by_hand` is left to a person."""

    part: str
    steps: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()


def set_up(
    settings: Settings, books: Sequence[Rulebook], *, check: bool = False, dashboards: bool = False
) -> Iterator[Finding]:
    """One part after the other, as far as the settings name its servers. With `check` nothing changes.

    `dashboards` brings those that are there back to what is shipped, whatever was changed in them.
    """
    if settings.kafka_servers:
        yield set_up_kafka(settings, books, check)
    if settings.elasticsearch_url:
        yield set_up_elasticsearch(settings, books, check)
    if settings.kibana_url:
        yield set_up_kibana(settings, books, check, dashboards)


# ── Kafka ────────────────────────────────────────────────────────────────────────────────────────


def set_up_kafka(settings: Settings, books: Sequence[Rulebook], check: bool) -> Finding:
    """Topics; and where clients must sign in, users and rights of units, and of the hub if it is to have its own."""
    from laporhub.hub.kafka_admin import KafkaAdmin

    hub = _hub_password(settings)
    admin = KafkaAdmin(settings)
    wanted = topics(books, settings.topic_prefix, settings.partitions, settings.replication)

    def missing() -> Plan:
        found = admin.found([topic.name for topic in wanted])
        return plan(wanted, books, found, settings.topic_prefix, next(iter(hub), None))

    steps = missing()
    if not check and any(steps):
        # The file first: a user whose password nobody knows would look like one that is done.
        passwords = {user: new_password() for user in steps.add_users if user not in hub}
        for user, password in passwords.items():
            write_credentials(settings, user, password)
        admin.apply(steps, passwords | hub)
        _wait_until_there(missing)
    units = [user for user in steps.add_users if user not in hub]
    return Finding("kafka", (*steps, *_files(settings, units)), steps.by_hand)


def _hub_password(settings: Settings) -> dict[str, str]:
    """The user for the hub's own processes and its password; empty if it is to have none of its own."""
    user, password = settings.kafka_hub_username, settings.kafka_hub_password
    if not user or settings.kafka_security == "PLAINTEXT":
        return {}
    if password is None:
        raise Misconfigured(
            "LAPORHUB_KAFKA_HUB_USERNAME is set: set LAPORHUB_KAFKA_HUB_PASSWORD (or …_FILE) too"
        )
    if user == settings.kafka_username:
        raise Misconfigured("LAPORHUB_KAFKA_HUB_USERNAME is the administrator: name another user")
    return {user: password.get_secret_value()}


def _wait_until_there(missing: Callable[[], Plan]) -> None:
    """Brokers take on what their controller has decided a moment later; whoever starts next needs it there."""
    for _ in range(_LOOKS):
        if not any(missing()):
            return
        time.sleep(_PAUSE)
    raise RetryLater("Kafka has not taken on all changes yet: run laporhub setup again")


def _files(settings: Settings, users: Sequence[str]) -> Iterator[str]:
    if users:
        folder = credentials_file(settings, users[0]).parent
        yield f"{len(users)} unit(s): their settings, with the password, in {folder}, a file each"


def renew_password(settings: Settings, books: Sequence[Rulebook], unit: str) -> list[str]:
    """Gives a unit's user, in each profile that has it, a new password; where the files are. Raises `NotFound`."""
    from laporhub.hub.kafka_admin import KafkaAdmin

    if settings.kafka_security == "PLAINTEXT":
        raise Misconfigured("There are no passwords: LAPORHUB_KAFKA_SECURITY is PLAINTEXT")
    users = [unit_topic(book.name, unit, settings.topic_prefix) for book in books if unit in book.units]
    if not users:
        raise NotFound(f"There is no unit {unit!r} in {', '.join(book.name for book in books)}")
    passwords = {user: new_password() for user in users}
    files = [str(write_credentials(settings, user, password)) for user, password in passwords.items()]
    KafkaAdmin(settings).set_passwords(passwords)
    return files


# ── Elasticsearch ────────────────────────────────────────────────────────────────────────────────


def set_up_elasticsearch(settings: Settings, books: Sequence[Rulebook], check: bool) -> Finding:
    """Templates, the index of all cases, and those of the units."""
    from elasticsearch import Elasticsearch

    from laporhub.sinks.elasticsearch_templates import Indices, install
    from laporhub.sinks.elasticsearch_templates import check as differences

    options: dict[str, Any] = {}
    if settings.elasticsearch_password:
        options["basic_auth"] = _login(settings)
    if settings.elasticsearch_ca_file:
        options["ca_certs"] = str(settings.elasticsearch_ca_file)
    addresses = [each.strip() for each in settings.elasticsearch_url.split(",")]
    with _explained(), Elasticsearch(addresses, **options) as client:
        indices = Indices(settings.index_prefix)
        done = (differences if check else install)(client, indices, indices.units(books))
    return Finding("elasticsearch", tuple(done))


@contextmanager
def _explained() -> Iterator[None]:
    """Errors of Elasticsearch's client as ours."""
    from elasticsearch import ApiError, TransportError

    try:
        yield
    except ApiError as error:
        if error.status_code in (401, 403):
            raise Misconfigured(
                f"Elasticsearch refuses ({error.status_code}): set LAPORHUB_ELASTICSEARCH_USERNAME and "
                "LAPORHUB_ELASTICSEARCH_PASSWORD to one who may manage templates"
            ) from error
        raise LaporHubError(f"Elasticsearch: {error.message} ({error.status_code})") from error
    except TransportError as error:
        raise RetryLater(
            f"Elasticsearch does not answer at LAPORHUB_ELASTICSEARCH_URL: {error.message}"
        ) from error


def _login(settings: Settings) -> tuple[str, str]:
    password = settings.elasticsearch_password
    return settings.elasticsearch_username or "elastic", password.get_secret_value() if password else ""


# ── Kibana ───────────────────────────────────────────────────────────────────────────────────────


def set_up_kibana(settings: Settings, books: Sequence[Rulebook], check: bool, anew: bool) -> Finding:
    """Spaces, roles and dashboards of each profile: what is missing, or all `anew`."""
    from laporhub.dashboards import install
    from laporhub.dashboards.access import Indices

    indices, steps = Indices(settings.index_prefix), []
    verify = str(settings.elasticsearch_ca_file) if settings.elasticsearch_ca_file else True
    with install.connect(settings.kibana_url, _login(settings), verify=verify) as client:
        install.wait(client)
        for book in books:
            missing = install.check(client, book, indices)
            if check:
                steps += missing
            elif missing or anew:
                hub = settings.public_url
                steps += install.install(client, book, indices, hub_url=hub, overwrite=anew)
    return Finding("kibana", tuple(steps))
