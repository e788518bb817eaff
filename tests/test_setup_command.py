"""`laporhub setup` on real brokers: makes what is missing, keeps units apart, and changes nothing the second time."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)
from servers.secure_elasticsearch import SecureElasticsearch
from servers.secure_kafka import SecureKafka
from typer.testing import CliRunner

from laporhub.dashboards import install
from laporhub.hub.cli import app
from laporhub.hub.kafka_admin import KafkaAdmin
from laporhub.hub.kafka_plan import Found, FoundTopic, Plan, Right, plan, rights_of, rights_of_hub
from laporhub.hub.set_up import set_up_kafka
from laporhub.hub.settings import Settings, load_settings
from laporhub.pipeline.errors import LaporHubError, Misconfigured, RetryLater
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.topics import topics, unit_commands_topic, unit_topic

FOLDER = str(Path(__file__).parent / "data" / "minimal-profile")
BOOK = load(FOLDER)
PROFILE, MINE, OTHERS = BOOK.name, "jalan", "taman"
UNREACHABLE = "127.0.0.1:1"
pytestmark = pytest.mark.servers
LOOKS = 200


def some_prefix() -> str:
    """Tests share a broker, not their topics."""
    return f"t{uuid4().hex[:10]}."


def settings_on(folder: Path, **given: object) -> Settings:
    return load_settings(data=folder, topic_prefix=some_prefix(), partitions=2, profile=FOLDER, **given)


@pytest.fixture
def plain(kafka: str, tmp_path: Path) -> Settings:
    return settings_on(tmp_path, kafka_servers=kafka)


@pytest.fixture
def secure(secure_kafka: SecureKafka, tmp_path: Path) -> Settings:
    login = secure_kafka.client()
    return settings_on(
        tmp_path,
        kafka_servers=secure_kafka.url,
        kafka_security="SASL_PLAINTEXT",
        kafka_username=login["sasl_plain_username"],
        kafka_password=login["sasl_plain_password"],
    )


def setup(settings: Settings, *more: str) -> tuple[int, str]:
    """The command as the operator types it: exit status, and what it says."""
    given = {
        "LAPORHUB_KAFKA_SERVERS": settings.kafka_servers,
        "LAPORHUB_KAFKA_SECURITY": settings.kafka_security,
        "LAPORHUB_KAFKA_USERNAME": settings.kafka_username,
        "LAPORHUB_KAFKA_PASSWORD": settings.kafka_password and settings.kafka_password.get_secret_value(),
        "LAPORHUB_TOPIC_PREFIX": settings.topic_prefix,
        "LAPORHUB_PARTITIONS": str(settings.partitions),
        "LAPORHUB_REPLICATION": str(settings.replication),
    }
    words = ["setup", "--profile", FOLDER, "--data", str(settings.data), *more]
    done = CliRunner().invoke(app, words, env=given)
    if isinstance(done.exception, LaporHubError):
        raise done.exception
    return done.exit_code, done.output


def credentials(settings: Settings, unit: str) -> dict[str, str]:
    """What a unit's file tells a client of aiokafka."""
    lines = (settings.data / "units" / f"{PROFILE}.{unit}.env").read_text().splitlines()
    told = dict(line.split("=", 1) for line in lines)
    return {
        "bootstrap_servers": told["LAPORHUB_KAFKA_SERVERS"],
        "security_protocol": told["LAPORHUB_KAFKA_SECURITY"],
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": told["LAPORHUB_KAFKA_USERNAME"],
        "sasl_plain_password": told["LAPORHUB_KAFKA_PASSWORD"],
    }


async def send(login: dict[str, Any], topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(**login, request_timeout_ms=5000, enable_idempotence=True)
    try:
        await producer.start()
        await producer.send_and_wait(topic, value, key=b"c_1")
    finally:
        await producer.stop()


async def signs_in(login: dict[str, Any]) -> bool:
    client = AIOKafkaClient(**login)
    try:
        await client.bootstrap()
    except KafkaConnectionError:
        return False
    finally:
        await client.close()
    return True


async def first_in(login: dict[str, Any], topic: str, group: str | None = None) -> bytes:
    """The topic's first record; with a group, also that it may be acknowledged there."""
    consumer = AIOKafkaConsumer(
        topic,
        **login,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=5000,
    )
    try:
        await consumer.start()
        record = await consumer.getone()
        if group:
            await consumer.commit()
        value: bytes = record.value
        return value
    finally:
        await consumer.stop()


def soon(is_so: Callable[[], bool]) -> None:
    """A broker shows a moment later what its controller has decided."""
    assert any(is_so() for _ in range(LOOKS))


# ── topics ───────────────────────────────────────────────────────────────────────────────────────


def test_it_makes_all_topics_and_then_finds_nothing_to_do(plain: Settings) -> None:
    status, said = setup(plain, "--check")
    assert (status, "make it" in said) == (1, True)
    assert KafkaAdmin(plain).found([f"{plain.topic_prefix}events"]).topics == {}
    assert setup(plain)[0] == 0
    assert setup(plain) == setup(plain, "--check") == (0, "✓ kafka: all there\n")


def test_the_brokers_have_what_the_table_says(plain: Settings) -> None:
    setup(plain)
    wanted = topics([BOOK], plain.topic_prefix, 2, 1)
    found = KafkaAdmin(plain).found([topic.name for topic in wanted])
    assert found.users is None
    for topic in wanted:
        there = found.topics[topic.name]
        assert (there.partitions, there.replication) == (topic.partitions, 1)
        assert topic.config.items() <= there.config.items()
    queue = found.topics[f"{plain.topic_prefix}queue.{PROFILE}.sms"]
    assert queue.config["cleanup.policy"] == "compact"
    assert found.topics[f"{plain.topic_prefix}events"].config["retention.ms"] == "-1"


def test_a_setting_that_somebody_changed_is_set_right_and_others_stay(plain: Settings) -> None:
    setup(plain)
    admin, name = KafkaAdmin(plain), f"{plain.topic_prefix}events"
    admin.apply(Plan(alter={name: {"retention.ms": "1000", "compression.type": "zstd"}}), {})
    soon(lambda: admin.found([name]).topics[name].config["compression.type"] == "zstd")
    status, said = setup(plain, "--check")
    assert (status, said) == (1, f"- kafka: topic {name}: set retention.ms=-1\n")
    assert setup(plain)[0] == 0
    config = admin.found([name]).topics[name].config
    assert (config["retention.ms"], config["compression.type"]) == ("-1", "zstd")


def test_a_missing_topic_is_made_again(plain: Settings) -> None:
    wanted = topics([BOOK], plain.topic_prefix, 2, 1)
    KafkaAdmin(plain).create_topics(wanted[1:])
    assert setup(plain) == (0, f"+ kafka: topic {wanted[0].name}: make it, 2 partition(s)\n")


def test_another_number_of_partitions_is_left_to_a_person(plain: Settings) -> None:
    setup(plain)
    more = plain.model_copy(update={"partitions": 3})
    for words in ((), ("--check",)):
        status, said = setup(more, *words)
        assert status == 1
        assert "messages has 2 partition(s), not 3" in said
    assert setup(plain, "--check")[0] == 0


def test_without_servers_there_is_nothing_to_do(plain: Settings) -> None:
    status, said = setup(plain.model_copy(update={"kafka_servers": ""}))
    assert (status, "nothing to set up" in said) == (0, True)


# ── units ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_unit_reads_its_own_topic_and_nothing_else(
    secure: Settings, secure_kafka: SecureKafka
) -> None:
    assert setup(secure)[0] == 0
    admin, unit = secure_kafka.client(), credentials(secure, MINE)
    mine, others = (unit_topic(PROFILE, name, secure.topic_prefix) for name in (MINE, OTHERS))
    for topic in (mine, others, f"{secure.topic_prefix}events", f"{secure.topic_prefix}messages"):
        await send(admin, topic, topic.encode())
    assert await first_in(unit, mine, group=f"{mine}.inbox") == mine.encode()
    for topic in (others, f"{secure.topic_prefix}events", f"{secure.topic_prefix}messages"):
        with pytest.raises(TopicAuthorizationFailedError):
            await first_in(unit, topic)


async def test_a_unit_acknowledges_in_groups_of_its_own_only(
    secure: Settings, secure_kafka: SecureKafka
) -> None:
    setup(secure)
    mine, others = (unit_topic(PROFILE, name, secure.topic_prefix) for name in (MINE, OTHERS))
    await send(secure_kafka.client(), mine, b"x")
    with pytest.raises(GroupAuthorizationFailedError):
        await first_in(credentials(secure, MINE), mine, group=f"{others}.inbox")


async def test_a_unit_writes_its_own_commands_and_nothing_else(
    secure: Settings, secure_kafka: SecureKafka
) -> None:
    setup(secure)
    unit = credentials(secure, MINE)
    mine, others = (unit_commands_topic(PROFILE, name, secure.topic_prefix) for name in (MINE, OTHERS))
    await send(unit, mine, b"accept")
    assert await first_in(secure_kafka.client(), mine) == b"accept"
    for topic in (others, f"{secure.topic_prefix}commands", unit_topic(PROFILE, MINE, secure.topic_prefix)):
        with pytest.raises(TopicAuthorizationFailedError):
            await send(unit, topic, b"forged")


def test_units_done_once_are_done_and_their_files_are_theirs_alone(secure: Settings) -> None:
    status, said = setup(secure)
    assert (status, "2 unit(s)" in said) == (0, True)
    files = sorted((secure.data / "units").iterdir())
    assert [file.name for file in files] == [f"{PROFILE}.{MINE}.env", f"{PROFILE}.{OTHERS}.env"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    before = [file.read_text() for file in files]
    passwords = {text.partition("PASSWORD=")[2].splitlines()[0] for text in before}
    assert len(passwords) == 2
    assert not any(password in said for password in passwords)
    assert setup(secure) == (0, "✓ kafka: all there\n")
    assert [file.read_text() for file in files] == before


def test_a_file_handed_over_is_not_missed(secure: Settings) -> None:
    setup(secure)
    for file in (secure.data / "units").iterdir():
        file.unlink()
    assert setup(secure, "--check") == (0, "✓ kafka: all there\n")


async def test_a_lost_password_is_renewed_and_the_old_one_is_worth_nothing(
    secure: Settings, secure_kafka: SecureKafka
) -> None:
    setup(secure)
    mine = unit_topic(PROFILE, MINE, secure.topic_prefix)
    await send(secure_kafka.client(), mine, b"x")
    old = credentials(secure, MINE)
    assert setup(secure, "--renew", MINE)[0] == 0
    looks = 0
    while await signs_in(old):  # the broker takes the change on a moment later
        looks += 1
        assert looks < LOOKS
    assert await first_in(credentials(secure, MINE), mine) == b"x"


def test_rights_beyond_its_own_are_found_and_taken_away(secure: Settings) -> None:
    setup(secure)
    user = unit_topic(PROFILE, MINE, secure.topic_prefix)
    more = Right(user, "read", "topic", f"{secure.topic_prefix}events", host="10.0.0.7")
    admin = KafkaAdmin(secure)
    admin.apply(Plan(add_rights=(more,)), {})
    soon(lambda: more in (admin.found([]).rights or ()))
    status, said = setup(secure, "--check")
    assert status == 1
    assert f"right to take away: {user} may read topic {secure.topic_prefix}events from 10.0.0.7" in said
    assert setup(secure)[0] == 0
    rights = admin.found([]).rights
    assert rights is not None
    assert more not in rights
    assert set(rights_of(PROFILE, MINE, secure.topic_prefix)) <= rights


def test_a_unit_that_is_gone_loses_its_user_and_others_keep_theirs(secure: Settings) -> None:
    setup(secure)
    neighbours = settings_on(secure.data, **secure.model_dump(include={"kafka_servers", "kafka_security"}))
    neighbours = secure.model_copy(update={"topic_prefix": neighbours.topic_prefix})
    setup(neighbours)
    fewer = replace(BOOK, units={MINE: BOOK.units[MINE]})
    set_up_kafka(secure, [fewer], check=False)
    users = KafkaAdmin(secure).found([]).users
    assert users is not None
    assert unit_topic(PROFILE, MINE, secure.topic_prefix) in users
    assert unit_topic(PROFILE, OTHERS, secure.topic_prefix) not in users
    assert unit_topic(PROFILE, OTHERS, neighbours.topic_prefix) in users


# ── the hub's own user ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
def hub_of(secure: Settings) -> Settings:
    """With a user for the hub's processes, who is named like no other installation's."""
    given = {"kafka_hub_username": f"hub-{uuid4().hex[:10]}", "kafka_hub_password": "sandi-contoh"}
    return load_settings(**secure.model_dump() | given)


async def test_the_hub_reads_and_writes_its_topics_and_administers_nothing(
    hub_of: Settings, secure_kafka: SecureKafka
) -> None:
    steps = set_up_kafka(hub_of, [BOOK], check=False).steps
    assert f"user {hub_of.kafka_hub_username}: make it" in steps
    assert not any("3 unit(s)" in step for step in steps), "it needs no file"
    assert set_up_kafka(hub_of, [BOOK], check=True).steps == ()
    login = secure_kafka.client(str(hub_of.kafka_hub_username), "sandi-contoh")
    prefix = hub_of.topic_prefix
    for topic in (f"{prefix}messages", unit_topic(PROFILE, MINE, prefix)):
        await send(login, topic, b"x")
        assert await first_in(login, topic, group=f"{prefix}hub.cases") == b"x"
    elsewhere = settings_on(hub_of.data).topic_prefix
    KafkaAdmin(hub_of).create_topics(topics([BOOK], elsewhere, 1, 1)[:1])
    with pytest.raises(TopicAuthorizationFailedError):
        await first_in(login, f"{elsewhere}messages")
    with pytest.raises(GroupAuthorizationFailedError):
        await first_in(login, f"{prefix}messages", group=f"{elsewhere}hub")
    with pytest.raises(Misconfigured, match=r"super\.users"):
        as_hub = {"kafka_username": hub_of.kafka_hub_username, "kafka_password": "sandi-contoh"}
        set_up_kafka(
            load_settings(**hub_of.model_dump() | as_hub | {"kafka_hub_username": None}), [BOOK], check=False
        )


def test_more_rights_than_the_hub_needs_are_taken_away() -> None:
    more = Right("hub", "alter", "cluster", "kafka-cluster")
    found = Found({}, frozenset({"hub", "admin"}), frozenset({more, Right("admin", "all", "topic", "*")}))
    made = plan([], [], found, "p.", "hub")
    assert (made.remove_rights, made.remove_users) == ((more,), ())
    assert set(made.add_rights) == set(rights_of_hub("hub", "p."))
    assert {right.operation for right in made.add_rights} == {"read", "write", "describe"}
    assert {right.name for right in rights_of_hub("hub", "")} == {"*", "hub"}, (
        "without a prefix all topics are its own"
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"kafka_hub_password": None}, "PASSWORD"),
        ({"kafka_hub_username": "admin", "kafka_username": "admin"}, "another"),
    ],
)
def test_a_hub_user_that_cannot_be_is_said_so(hub_of: Settings, given: dict[str, Any], told: str) -> None:
    with pytest.raises(Misconfigured, match=told):
        set_up_kafka(load_settings(**hub_of.model_dump() | given), [BOOK], check=True)


# ── what can be wrong ────────────────────────────────────────────────────────────────────────────


def test_a_wrong_password_is_said_to_be_one(secure: Settings) -> None:
    with pytest.raises(Misconfigured, match="LAPORHUB_KAFKA_USERNAME"):
        setup(load_settings(**secure.model_dump() | {"kafka_password": "salah"}))


def test_who_may_not_administer_is_told(secure: Settings) -> None:
    setup(secure)
    unit = credentials(secure, MINE)
    login = {"kafka_username": unit["sasl_plain_username"], "kafka_password": unit["sasl_plain_password"]}
    with pytest.raises(Misconfigured, match=r"super\.users"):
        setup(load_settings(**secure.model_dump() | login))


def test_sasl_without_a_user_is_misconfigured(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="LAPORHUB_KAFKA_PASSWORD"):
        setup(settings_on(tmp_path, kafka_servers=UNREACHABLE, kafka_security="SASL_PLAINTEXT"))


def test_a_broker_that_is_down_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("laporhub.hub.kafka_admin._TIMEOUT", 0.5)
    with pytest.raises(RetryLater, match=UNREACHABLE):
        setup(settings_on(tmp_path, kafka_servers=UNREACHABLE))


def test_a_unit_that_is_not_there_gets_no_password(secure: Settings) -> None:
    with pytest.raises(LaporHubError, match="tidak-ada"):
        setup(secure, "--renew", "tidak-ada")


def test_passwords_need_brokers_that_ask_for_them(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="PLAINTEXT"):
        setup(settings_on(tmp_path, kafka_servers=UNREACHABLE), "--renew", MINE)


# ── Elasticsearch and Kibana ─────────────────────────────────────────────────────────────────────


def run(*words: str, **given: str) -> tuple[int, str]:
    variables = {f"LAPORHUB_{name.upper()}": value for name, value in given.items()}
    done = CliRunner().invoke(app, ["setup", "--profile", FOLDER, *words], env=variables)
    if isinstance(done.exception, LaporHubError):
        raise done.exception
    return done.exit_code, done.output


def test_the_indices_are_prepared_once(elasticsearch: str) -> None:
    given = {"elasticsearch_url": elasticsearch, "index_prefix": f"t{uuid4().hex[:10]}"}
    status, said = run("--check", **given)
    assert (status, f"the index {given['index_prefix']}-cases is missing" in said) == (1, True)
    assert run(**given)[0] == 0
    assert run(**given) == run("--check", **given) == (0, "✓ elasticsearch: all there\n")


def test_an_elasticsearch_that_does_not_let_us_in_is_told_from_one_that_is_away(
    secure_elasticsearch: SecureElasticsearch,
) -> None:
    with pytest.raises(Misconfigured, match="LAPORHUB_ELASTICSEARCH_PASSWORD"):
        run(elasticsearch_url=secure_elasticsearch.url, elasticsearch_password="salah")
    with pytest.raises(RetryLater, match="LAPORHUB_ELASTICSEARCH_URL"):
        run(elasticsearch_url=f"http://{UNREACHABLE}")


class Kibana:
    """As much of one as `setup` speaks with: it remembers spaces and roles, and takes every bundle."""

    def __init__(self) -> None:
        self.kept: set[str] = set()
        self.imports: list[tuple[str, bool]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/api/status":
            version = {"number": "9.3.2"}
            return httpx.Response(
                200, json={"status": {"overall": {"level": "available"}}, "version": version}
            )
        if path.endswith("_import"):
            self.imports.append((path.split("/")[2], request.url.params.get("overwrite") == "true"))
            return httpx.Response(200, json={"success": True})
        if request.method == "GET":
            return httpx.Response(200 if path in self.kept else 404, json={})
        if path == "/api/spaces/space":
            path = f"{path}/{orjson.loads(request.content)['id']}"
        self.kept.add(path)
        return httpx.Response(200, json={})


def test_dashboards_are_brought_once_and_again_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    kibana, honest = Kibana(), install.connect
    served = partial(honest, transport=httpx.MockTransport(kibana))
    monkeypatch.setattr(install, "connect", served)
    given = {"kibana_url": "http://kibana.example", "elasticsearch_password": "rahasia"}
    assert run("--check", **given)[0] == 1
    assert kibana.imports == []
    assert run(**given)[0] == 0
    brought = len(kibana.imports)
    assert brought == 3
    assert not any(overwritten for _, overwritten in kibana.imports)
    assert run(**given) == run("--check", **given) == (0, "✓ kibana: all there\n")
    assert run("--dashboards", **given)[0] == 0
    assert all(overwritten for _, overwritten in kibana.imports[brought:])
    assert len(kibana.imports) == 2 * brought


# ── the plan ─────────────────────────────────────────────────────────────────────────────────────


def test_fewer_copies_than_wanted_are_told_and_more_are_welcome() -> None:
    wanted = topics([BOOK], "p.", 2, 3)
    there = {topic.name: FoundTopic(topic.partitions, 1, topic.config) for topic in wanted}
    assert len(plan(wanted, [BOOK], Found(there), "p.").by_hand) == len(wanted)
    many = {topic.name: FoundTopic(topic.partitions, 5, topic.config) for topic in wanted}
    assert plan(wanted, [BOOK], Found(many), "p.") == Plan()


def test_other_governments_users_and_other_installations_are_left_alone() -> None:
    users = frozenset(
        {"p.unit.kota-lain.jalan", "q.unit.kota-contoh.jalan", "admin", "p.unit.kota-contoh.hilang"}
    )
    made = plan([], [BOOK], Found({}, users, frozenset()), "p.")
    assert made.remove_users == ("p.unit.kota-contoh.hilang",)


def test_a_units_rights_name_nothing_but_its_own() -> None:
    rights = rights_of("kota", "jalan", "p.")
    assert {right.user for right in rights} == {"p.unit.kota.jalan"}
    assert {right.name for right in rights} == {
        "p.unit.kota.jalan", "p.unit.kota.jalan.", "p.unit-commands.kota.jalan"
    }  # fmt: skip
    assert {right.name for right in rights if right.operation == "write"} == {"p.unit-commands.kota.jalan"}


# ── streams ──────────────────────────────────────────────────────────────────────────────────────


def test_the_streams_are_described_on_paper(tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["streams"])
    assert orjson.loads(printed.output)["asyncapi"] == "3.0.0"
    assert CliRunner().invoke(app, ["streams", str(tmp_path / "docs")]).exit_code == 0
    assert orjson.loads((tmp_path / "docs" / "asyncapi.json").read_bytes()) == orjson.loads(printed.output)
    assert len(list((tmp_path / "docs" / "schemas").iterdir())) == 8
