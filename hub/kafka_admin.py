"""Topics, users and rights on the brokers: looked at, and changed by a plan.

By librdkafka's client: aiokafka's has neither SCRAM users nor a way to add one setting without resetting the others.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from laporhub.hub.kafka_clients import librdkafka_options
from laporhub.hub.kafka_plan import Found, FoundTopic, Plan, Right
from laporhub.hub.settings import Settings
from laporhub.pipeline.errors import LaporHubError, Misconfigured, RetryLater
from laporhub.pipeline.topics import Topic

try:
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka import admin as _admin
except ImportError as error:
    raise Misconfigured(
        "The distributed engine is not installed: pip install 'laporhub[distributed]'"
    ) from error

kafka: Any = _admin
"""Untyped: its annotations do not export what it has, and refuse the None that means "any" to it."""

_TIMEOUT = 20.0
_ATTEMPTS = 20
_ITERATIONS = 8192
"""Of the passwords' hashes; they are random and long, so more would only slow down signing in."""


class KafkaAdmin:
    """The administrator's hands. Every method raises `LaporHubError` when the brokers do not do what they should."""

    def __init__(self, settings: Settings) -> None:
        self._secure = settings.kafka_security != "PLAINTEXT"
        self._servers = settings.kafka_servers
        self._complaints: list[KafkaError] = []
        silent = logging.Logger("librdkafka", logging.CRITICAL + 1)
        options = librdkafka_options(settings) | {"error_cb": self._complaints.append}
        self._client = kafka.AdminClient(options, logger=silent)

    def found(self, wanted: Sequence[str]) -> Found:
        """What is there of these topics, all users and all rights."""
        topics = self._topics(set(wanted))
        if not self._secure:
            return Found(topics)
        users = self._done(self._client.describe_user_scram_credentials())
        return Found(topics, frozenset(users), self._rights())

    def apply(self, plan: Plan, passwords: Mapping[str, str]) -> None:
        """Takes the steps; each is whole or not at all, and what was taken is not taken again."""
        self.create_topics(plan.create)
        self._alter(plan.alter)
        self._remove_rights(plan.remove_rights)
        self.delete_users(plan.remove_users)
        self.set_passwords({name: passwords[name] for name in plan.add_users})
        self._add_rights(plan.add_rights)

    def create_topics(self, topics: Sequence[Topic]) -> None:
        made = [
            kafka.NewTopic(
                topic.name,
                num_partitions=topic.partitions,
                replication_factor=topic.replication,
                config=dict(topic.config),
            )
            for topic in topics
        ]
        if made:
            self._all_done(self._client.create_topics(made, operation_timeout=_TIMEOUT))

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Users with these passwords; who is there gets the new one."""
        info = kafka.ScramCredentialInfo(kafka.ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
        changes = [
            kafka.UserScramCredentialUpsertion(name, info, password.encode())
            for name, password in passwords.items()
        ]
        if changes:
            self._all_done(self._client.alter_user_scram_credentials(changes))

    def delete_users(self, names: Sequence[str]) -> None:
        changes = [
            kafka.UserScramCredentialDeletion(name, kafka.ScramMechanism.SCRAM_SHA_512) for name in names
        ]
        if changes:
            self._all_done(self._client.alter_user_scram_credentials(changes))

    # ── topics ───────────────────────────────────────────────────────────────────────────────────

    def _topics(self, wanted: set[str]) -> dict[str, FoundTopic]:
        found = {name: topic for name, topic in self._known().items() if name in wanted}
        configs = self._configs(sorted(found))
        return {
            name: FoundTopic(
                partitions=len(topic.partitions),
                replication=min((len(each.replicas) for each in topic.partitions.values()), default=0),
                config=configs[name],
            )
            for name, topic in found.items()
        }

    def _known(self) -> dict[str, Any]:
        """All topics. Brokers may be starting; a refusal is no reason to wait for them."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                known: dict[str, Any] = self._client.list_topics(timeout=_TIMEOUT / _ATTEMPTS).topics
                return known
            except KafkaException as error:
                explained = self._explained(error)
                if attempt == _ATTEMPTS or not isinstance(explained, RetryLater):
                    raise explained from error
        raise AssertionError("no attempt was made")

    def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        asked = self._client.describe_configs(
            [kafka.ConfigResource(kafka.ResourceType.TOPIC, name) for name in names]
        )
        return {
            resource.name: {name: str(entry.value) for name, entry in self._done(answer).items()}
            for resource, answer in asked.items()
        }

    def _alter(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        resources = [
            kafka.ConfigResource(
                kafka.ResourceType.TOPIC,
                topic,
                incremental_configs=[
                    kafka.ConfigEntry(name, value, incremental_operation=kafka.AlterConfigOpType.SET)
                    for name, value in settings.items()
                ],
            )
            for topic, settings in changes.items()
        ]
        if resources:
            self._all_done(self._client.incremental_alter_configs(resources))

    # ── rights ───────────────────────────────────────────────────────────────────────────────────

    def _rights(self) -> frozenset[Right]:
        everything = kafka.AclBindingFilter(
            kafka.ResourceType.ANY,
            None,
            kafka.ResourcePatternType.ANY,
            None,
            None,
            kafka.AclOperation.ANY,
            kafka.AclPermissionType.ALLOW,
        )
        found = self._done(self._client.describe_acls(everything))
        return frozenset(_right(acl) for acl in found)

    def _add_rights(self, rights: Sequence[Right]) -> None:
        if rights:
            self._all_done(self._client.create_acls([_binding(right) for right in rights]))

    def _remove_rights(self, rights: Sequence[Right]) -> None:
        if rights:
            self._all_done(self._client.delete_acls([_filter(right) for right in rights]))

    # ── answers ──────────────────────────────────────────────────────────────────────────────────

    def _all_done(self, answers: Mapping[Any, Future[Any]]) -> None:
        for answer in answers.values():
            self._done(answer)

    def _done(self, answer: Future[Any]) -> Any:
        try:
            return answer.result(timeout=_TIMEOUT + 10)
        except KafkaException as error:
            raise self._explained(error) from error

    def _explained(self, error: KafkaException) -> LaporHubError:
        why: KafkaError = error.args[0]
        self._client.poll(0)
        if any(each.code() == KafkaError._AUTHENTICATION for each in (why, *self._complaints)):
            return Misconfigured("Kafka refuses LAPORHUB_KAFKA_USERNAME with this password")
        if why.code() in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN):
            return RetryLater(
                f"No broker answers at {self._servers}: is Kafka up, is LAPORHUB_KAFKA_SERVERS right?"
            )
        if why.code() == KafkaError.SECURITY_DISABLED:
            return Misconfigured(
                "Kafka has no authorizer, so units cannot be kept apart: set authorizer.class.name"
            )
        if why.code() in (KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED):
            return Misconfigured("LAPORHUB_KAFKA_USERNAME may not administer Kafka: add it to super.users")
        return LaporHubError(f"Kafka: {why.str()}")


def _right(acl: Any) -> Right:
    return Right(
        user=acl.principal.removeprefix("User:"),
        operation=acl.operation.name.lower(),
        resource=acl.restype.name.lower(),
        name=acl.name,
        pattern=acl.resource_pattern_type.name.lower(),
        host=acl.host,
    )


def _binding(right: Right) -> Any:
    return kafka.AclBinding(*_parts(right))


def _filter(right: Right) -> Any:
    return kafka.AclBindingFilter(*_parts(right))


def _parts(right: Right) -> tuple[Any, ...]:
    return (
        kafka.ResourceType[right.resource.upper()],
        right.name,
        kafka.ResourcePatternType[right.pattern.upper()],
        f"User:{right.user}",
        right.host,
        kafka.AclOperation[right.operation.upper()],
        kafka.AclPermissionType.ALLOW,
    )
