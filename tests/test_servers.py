"""The real servers that tests are run against do what the tests rely on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from uuid import uuid4

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAuthorizationFailedError
from elasticsearch import ApiError, Elasticsearch
from servers.postgres import fresh_database, native
from servers.running import RunningServer
from servers.secure_elasticsearch import SecureElasticsearch
from servers.secure_kafka import GROUP, PREFIXED, SecureKafka


def unique(name: str) -> str:
    return f"{name}-{uuid4().hex}"


async def make_topic(name: str, **client: str) -> None:
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
    finally:
        await admin.close()


async def write(topic: str, text: str, **client: str) -> None:
    async with AIOKafkaProducer(**client) as producer:
        await producer.send_and_wait(topic, text.encode())


async def read(topic: str, group: str | None = None, **client: str) -> str:
    """The first message of the topic."""
    consumer = AIOKafkaConsumer(topic, group_id=group, auto_offset_reset="earliest", **client)
    try:
        await consumer.start()
        return str((await consumer.getone()).value.decode())
    finally:
        await consumer.stop()


async def test_a_message_is_read_back(kafka: str) -> None:
    topic = unique("read-back")
    await make_topic(topic, bootstrap_servers=kafka)
    await write(topic, "jalan berlubang", bootstrap_servers=kafka)
    assert await read(topic, unique("group"), bootstrap_servers=kafka) == "jalan berlubang"


async def test_a_broker_that_was_stopped_or_killed_comes_back_with_its_messages(
    own_kafka: Callable[..., RunningServer],
) -> None:
    server = await asyncio.to_thread(own_kafka)
    await make_topic("kept", bootstrap_servers=server.url)
    await write("kept", "masih ada", bootstrap_servers=server.url)
    await asyncio.to_thread(server.restart)
    assert await read("kept", bootstrap_servers=server.url) == "masih ada"
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    assert await read("kept", bootstrap_servers=server.url) == "masih ada"


async def test_a_user_reads_only_what_an_acl_allows(secure_kafka: SecureKafka) -> None:
    user, topic, other = unique("unit"), unique("unit-topic"), unique("other-topic")
    for name in (topic, other):
        await make_topic(name, **secure_kafka.client())
        await write(name, "rahasia", **secure_kafka.client())
    secure_kafka.add_user(user, "made-up")
    client = secure_kafka.client(user, "made-up")
    with pytest.raises(TopicAuthorizationFailedError):
        await read(topic, user, **client)

    await secure_kafka.allow(user, "read", topic)
    await secure_kafka.allow(user, "read", "unit-", kind=GROUP, pattern=PREFIXED)
    assert await read(topic, user, **client) == "rahasia"
    with pytest.raises(TopicAuthorizationFailedError):
        await read(other, user, **client)
    with pytest.raises(TopicAuthorizationFailedError):
        await write(topic, "bukan dari pusat", **client)


def test_an_older_version_of_a_document_is_refused(elasticsearch: str) -> None:
    index = unique("versions")

    def bulk(version: int) -> int:
        action = {"index": {"_id": "1", "version": version, "version_type": "external"}}
        answer = client.bulk(index=index, operations=[action, {"sequence": version}], refresh=True)
        return int(answer["items"][0]["index"]["status"])

    with closing(Elasticsearch(elasticsearch)) as client:
        assert [bulk(version) for version in (1, 5, 5, 4, 6)] == [201, 200, 409, 409, 200]
        assert client.get(index=index, id="1")["_source"] == {"sequence": 6}


def test_a_node_that_was_killed_comes_back_with_its_documents(
    own_elasticsearch: Callable[..., RunningServer],
) -> None:
    server = own_elasticsearch()
    with closing(Elasticsearch(server.url)) as client:
        client.index(index="kept", id="1", document={"text": "masih ada"})
        server.kill()
        server.start()
        client.cluster.health(index="kept", wait_for_status="yellow")
        assert client.get(index="kept", id="1")["_source"] == {"text": "masih ada"}


def test_a_user_sees_only_the_index_of_the_role(secure_elasticsearch: SecureElasticsearch) -> None:
    mine, other, role, user = unique("unit-a"), unique("unit-b"), unique("role"), unique("user")
    secure_elasticsearch.add_role(role, {"indices": [{"names": [mine], "privileges": ["read"]}]})
    secure_elasticsearch.add_user(user, "made-up", [role])
    with closing(Elasticsearch(**secure_elasticsearch.client())) as admin:
        for index in (mine, other):
            admin.index(index=index, id="1", document={"index": index}, refresh=True)
    with closing(Elasticsearch(**secure_elasticsearch.client(user, "made-up"))) as client:
        found = client.search(index="*")["hits"]["hits"]
        assert [hit["_source"] for hit in found] == [{"index": mine}]
        for forbidden in (
            lambda: client.search(index=other),
            lambda: client.index(index=mine, id="2", document={}),
        ):
            with pytest.raises(ApiError) as refused:
                forbidden()
            assert refused.value.meta.status == 403


def test_two_databases_are_separate(postgres: str, postgres_server: str) -> None:
    with fresh_database(postgres_server) as other:
        with psycopg.connect(native(postgres)) as connection:
            connection.execute("CREATE TABLE complaint (text text)")
        with psycopg.connect(native(other)) as connection:
            assert connection.execute("SELECT to_regclass('complaint')").fetchone() == (None,)


def test_a_database_goes_with_the_test_even_while_it_is_in_use(postgres_server: str) -> None:
    with fresh_database(postgres_server) as url:
        left_open = psycopg.connect(native(url))
    with closing(left_open), pytest.raises(psycopg.OperationalError):
        left_open.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(native(url))


def test_a_database_server_that_was_killed_comes_back_with_its_rows(
    own_postgres: Callable[..., RunningServer],
) -> None:
    server = own_postgres()
    with psycopg.connect(native(server.url)) as connection:
        connection.execute("CREATE TABLE complaint AS SELECT 'masih ada' AS text")
    for down in (server.stop, server.kill):
        down()
        server.start()
        with psycopg.connect(native(server.url)) as connection:
            assert connection.execute("SELECT text FROM complaint").fetchone() == ("masih ada",)
