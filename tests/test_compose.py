"""The compose file: it is one, what it names exists, it fits the machine it is for, and its secrets stay secret."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

import pytest
import typer
from composed import FILE, PARTS, ROOT, SECRETS, Service, composed, draw_secrets, ours
from pydantic import SecretStr
from ruamel.yaml import YAML
from servers.downloads import version
from starlette.routing import Match
from typer.testing import CliRunner

from laporhub.connectors.registry import GROUP
from laporhub.hub import worker_health
from laporhub.hub.cli import app
from laporhub.hub.secrets import load_secrets
from laporhub.hub.settings import Settings, connector_settings
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.hub_port import HubPort
from laporhub.web.app import create_app
from laporhub.web.settings import WebSettings

COMPOSED = composed()
SERVICES: dict[str, Service] = COMPOSED["services"]
OURS = ours(COMPOSED)
ENDS = {name for name, service in SERVICES.items() if service["restart"] == "no"}
"""Services that do their work and end, before the others begin."""
UNASKED = {"trainer"}
"""Services that answer nobody, and that nobody waits for: they are well as long as they run."""
OF_PLATFORMS = {
    name
    for name in COMPOSED["secrets"]
    if name.startswith(("sms_", "x_", "meta_", "email_", "hotline_", "files_"))
}
"""Secrets that others give."""
IMAGE = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MIB = {"m": 1, "g": 1024}

each_service = pytest.mark.parametrize("name", SERVICES)
each_of_ours = pytest.mark.parametrize("name", OURS)


def test_it_is_what_the_specification_calls_a_compose_file() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# ── the servers ──


def tag(service: str) -> str:
    return str(SERVICES[service]["image"]).rpartition(":")[2]


def test_the_servers_are_those_of_the_tests() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version('kafka')}"
    assert tag("elasticsearch") == version("elasticsearch")
    assert tag("kibana") == tag("elasticsearch"), "Kibana wants its own version of Elasticsearch"


@each_service
def test_images_are_pinned(name: str) -> None:
    assert re.fullmatch(r"\d+(\.\d+)+", tag(name))
    assert all(
        re.search(r":\d+\.\d+\.\d+-", image) for image in re.findall(r"^ARG PYTHON=(.*)$", IMAGE, re.M)
    )


def test_elasticsearch_asks_who_is_there_and_is_free_of_charge() -> None:
    said = SERVICES["elasticsearch"]["environment"]
    assert said["xpack.security.enabled"] == "true"
    assert said["xpack.license.self_generated.type"] == "basic"


def test_kibana_asks_nothing_of_the_internet_and_gets_its_secrets() -> None:
    text = (PARTS / "kibana.yml").read_text()
    settings = YAML(typ="safe").load(text)
    assert settings["map.includeElasticMapsService"] is False
    assert settings["telemetry.optIn"] is False
    exported = (PARTS / "kibana.sh").read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(re.findall(r"^(\w+)=", exported, re.M))


def mebibytes(size: str) -> int:
    return int(size[:-1]) * MIB[size[-1]]


def test_all_of_it_fits_a_machine_of_8_gb() -> None:
    """What ends has ended when the others of ours begin."""
    limits = {name: mebibytes(service["mem_limit"]) for name, service in SERVICES.items()}
    servers = sum(limit for name, limit in limits.items() if name not in OURS)
    at_first = servers + sum(limits[name] for name in ENDS)
    then = sum(limit for name, limit in limits.items() if name not in ENDS)
    assert max(at_first, then) * 2**20 <= 7.5e9
    for name in OURS.keys() - ENDS - {"simulator"}:
        waited = OURS[name]["depends_on"]
        assert all(waited[each]["condition"] == "service_completed_successfully" for each in ENDS)


def test_each_java_leaves_room_beside_its_heap() -> None:
    for name, variable in (("kafka", "KAFKA_HEAP_OPTS"), ("elasticsearch", "ES_JAVA_OPTS")):
        heap = re.search(r"-Xmx(\d+[mg])", SERVICES[name]["environment"][variable])
        assert heap is not None
        assert mebibytes(heap[1]) * 2 <= mebibytes(SERVICES[name]["mem_limit"])


# ── who waits for whom, who starts again ──


@each_service
def test_what_is_waited_for_can_happen(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        if wanted["condition"] == "service_completed_successfully":
            assert other in ENDS
        else:
            assert wanted["condition"] == "service_healthy"
            assert "healthcheck" in SERVICES[other]


@each_service
def test_what_ends_is_started_again_unless_it_is_done(name: str) -> None:
    if name in ENDS:
        assert "healthcheck" not in SERVICES[name]
    else:
        assert SERVICES[name]["restart"] == "unless-stopped"
        assert "healthcheck" in SERVICES[name] or SERVICES[name].get("profiles") or name in UNASKED


@each_of_ours
def test_health_is_asked_where_it_is_told(name: str) -> None:
    service = OURS[name]
    if "healthcheck" not in service:
        return
    found = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)'", service["healthcheck"]["test"][-1])
    assert found is not None
    command = [str(word) for word in service["command"]]
    assert found[1] == command[command.index("--port") + 1]
    if command[0] == "serve":
        web = create_app(cast(HubPort, None), WebSettings(secret_key="x", public_url="http://x"))
        asked = {"type": "http", "method": "GET", "path": found[2], "headers": []}
        assert any(route.matches(asked)[0] is Match.FULL for route in web.routes)
    else:
        assert f'"{found[2]}"' in Path(worker_health.__file__).read_text()


# ── what is named exists ──


@each_of_ours
def test_every_command_and_option_is_the_hubs(name: str) -> None:
    """Parsed as the installed command parses it; a wrong word raises."""
    group: Any = typer.main.get_command(app)
    words = [str(word) for word in OURS[name]["command"]]
    assert words[0] in group.commands
    command = group.commands[words[0]]
    command.make_context(words[0], words[1:])


@each_of_ours
def test_every_variable_is_a_setting_and_all_of_them_are_right(name: str) -> None:
    service = OURS[name]
    given = {key.removeprefix("LAPORHUB_").lower(): value for key, value in service["environment"].items()}
    assert all(key.startswith("LAPORHUB_") for key in service["environment"])
    of_connectors = {variable.removeprefix("LAPORHUB_").lower() for variable in variables_of_connectors()}
    assert given.keys() <= Settings.model_fields.keys() | of_connectors
    known = {key: value for key, value in given.items() if key in Settings.model_fields}
    Settings(**{key: value for key, value in known.items() if not key.endswith("_file")})


def variables_of_connectors() -> set[str]:
    """All there are: secrets and certificates come as files. The hub's own address is the hub's to say."""
    found = set()
    for point in entry_points(group=GROUP):
        model = getattr(import_module(point.module), "CONFIG", None)
        for name, told in model.model_fields.items() if model else ():
            by_file = name == "ca" or "SecretStr" in str(told.annotation)
            found.add(f"LAPORHUB_{point.name.upper()}_{name.upper()}{'_FILE' if by_file else ''}")
    return found - {"LAPORHUB_SMS_HOOK_URL"}


def named_in(service: str, given: Mapping[str, str] | None = None) -> Mapping[str, str]:
    passed: Mapping[str, str] = composed(given)["services"][service]["environment"]
    return passed


@pytest.mark.parametrize("name", ["web", "connectors"])
def test_every_channel_can_be_set_up(name: str) -> None:
    """The pages take messages in, the sender answers: both are told all that a connector can be told."""
    told = {variable for variable in variables_of_connectors() if not variable.startswith("LAPORHUB_TWILIO_")}
    told |= {f"LAPORHUB_{name.upper()}" for name in Settings.model_fields if name.startswith("twilio_")}
    told -= {"LAPORHUB_TWILIO_AUTH_TOKEN"}  # as a file only
    said = dict.fromkeys(told, "as said")
    assert told <= named_in(name, said).keys()
    assert (
        named_in(name, said).items() >= {key: "as said" for key in told if not key.endswith("_FILE")}.items()
    )
    assert "LAPORHUB_X_ACCOUNT" not in named_in(name), "what nobody said is not there, not empty"


def test_files_of_reporters_can_be_kept_elsewhere() -> None:
    """By the pages, which fetch them and show them, and by nobody else."""
    told = {f"LAPORHUB_{name.upper()}" for name in Settings.model_fields if name.startswith("files_")}
    told -= {"LAPORHUB_FILES_SECRET_KEY"}  # as a file only
    assert told <= named_in("web", dict.fromkeys(told, "as said")).keys()
    assert not any("FILES" in key for name in ("worker", "connectors") for key in OURS[name]["environment"])


@pytest.mark.parametrize("name", ["web", "connectors"])
def test_a_channel_that_nobody_set_up_is_not_set_up(name: str, tmp_path: Path) -> None:
    """Its secrets are there, and empty: no connector takes that for half of its settings."""
    draw_secrets(tmp_path)
    told = {
        key: value.replace(SECRETS, str(tmp_path)) if isinstance(value, str) else value
        for key, value in OURS[name]["environment"].items()
    }
    assert {provider: connector_settings(provider, told) for provider in ("x", "meta", "email", "sms")} == {
        "x": {},
        "meta": {},
        "email": {},
        "sms": {},
    }
    (tmp_path / "meta_app_secret").write_text("rahasia-percobaan\n")
    assert connector_settings("meta", told) == {"app_secret": "rahasia-percobaan"}


def test_all_but_setup_and_simulator_have_the_same_settings() -> None:
    """The worker, the sender and the pages are one hub."""
    alike = [OURS[name]["environment"] for name in ("web", "worker", "indexer", "connectors")]
    shared = set.intersection(*({*each.items()} for each in alike))
    assert {key for key, _ in shared} == alike[1].keys()


def test_the_stages_are_shared_out_with_none_left_over() -> None:
    from laporhub.hub.worker_words import STAGES

    words = [str(word) for name in ("worker", "indexer") for word in OURS[name]["command"]]
    only = [words[n + 1] for n, word in enumerate(words) if word == "--only"]
    assert sorted([*only, "outbox"]) == sorted(STAGES)
    assert OURS["connectors"]["command"][0] == "connect"


@pytest.mark.parametrize(
    ("words", "said"),
    [(["connect", "merpati"], "no channel merpati"), (["worker", "--only", "cuci"], "no stage cuci")],
)
def test_a_stage_or_channel_that_there_is_not_is_named_at_once(words: list[str], said: str) -> None:
    """Nothing is started that could only end again and again."""
    done = CliRunner().invoke(app, words, env={"LAPORHUB_KAFKA_SERVERS": "127.0.0.1:1"})
    assert isinstance(done.exception, Misconfigured)
    assert said in str(done.exception)


@each_service
def test_files_and_volumes_exist(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source, target, *mode = volume.split(":")
        assert target.startswith("/")
        if source.startswith("."):
            assert (ROOT / source).exists()
            assert mode == ["ro"], "nothing writes into the checkout"
        else:
            assert source in COMPOSED["volumes"]
    for word in SERVICES[name].get("command", []):
        if str(word).startswith("/compose/"):
            assert (PARTS / str(word).removeprefix("/compose/")).is_file()


@each_service
def test_ports_are_open_to_this_machine_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port)
    assert SERVICES[name].get("network_mode", "service:").startswith("service:")


# ── secrets ──


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("machine") / "secrets"
    draw_secrets(folder)
    return folder


def test_each_secret_is_drawn_and_no_two_are_alike(drawn: Path) -> None:
    for name, secret in COMPOSED["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
    written = {path.name: path.read_text().strip() for path in drawn.iterdir()}
    assert written.keys() == COMPOSED["secrets"].keys()
    values = {name: value for name, value in written.items() if name not in OF_PLATFORMS}
    assert all(not written[name] for name in OF_PLATFORMS), "nobody can draw what a platform gives"
    assert len(set(values.values())) == len(values)
    assert min(map(len, values.values())) >= 32, "Kibana wants keys of 32 characters"
    assert values["database_password"] in values["database_url"]


def test_secrets_are_kept_and_closed_and_not_in_the_repository(drawn: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_text() for path in drawn.iterdir()}
    draw_secrets(drawn)
    assert {path.name: path.read_text() for path in drawn.iterdir()} == before
    assert drawn.stat().st_mode & 0o777 == 0o700
    ignored = subprocess.run(["git", "check-ignore", "-q", "secrets/master_key"], cwd=ROOT, check=False)
    assert ignored.returncode == 0


def test_the_hub_takes_the_master_key(drawn: Path, tmp_path: Path) -> None:
    key = SecretStr((drawn / "master_key").read_text().strip())
    assert len(load_secrets(tmp_path, key).master) == 32


@each_service
def test_a_service_has_the_secrets_that_it_reads_and_no_other(name: str) -> None:
    service = SERVICES[name]
    said = str({key: value for key, value in service.items() if key != "secrets"})
    scripts = [PARTS / Path(word).name for word in re.findall(r"/?[\w.-]+\.(?:sh|yml|properties)\b", said)]
    said += "".join(path.read_text() for path in scripts if path.is_file())
    if name == "kafka":
        said += (PARTS / "kafka.properties").read_text()
    known = COMPOSED["secrets"].keys()
    read = {secret for secret in known if re.search(rf"[/ :]{secret}\b", said)}
    assert read == set(service.get("secrets", []))


def test_no_secret_is_in_clear() -> None:
    for service in SERVICES.values():
        for key, value in service["environment"].items():
            if re.search(r"PASSWORD|TOKEN|SECRET|KEY|DATABASE_URL", key):
                assert key.endswith("_FILE")
                assert value.startswith(f"{SECRETS}/")
    written = "".join(path.read_text() for path in [FILE, *PARTS.iterdir()])
    assert not re.search(r"(?i)password[\"']?\s*[:=]\s*[\"']?[a-z0-9]", written.replace(":'secret'", ""))


@pytest.mark.parametrize("secret", ["twilio_auth_token", *sorted(OF_PLATFORMS)])
def test_only_those_who_speak_with_platforms_hold_their_secrets(secret: str) -> None:
    having = {name for name, service in SERVICES.items() if secret in service.get("secrets", [])}
    also = {"twilio_auth_token": {"simulator"}, "files_secret_key": set()}
    speaking = {"web"} if secret == "files_secret_key" else {"web", "connectors"}
    assert having == speaking | also.get(secret, set())


def test_only_setup_may_do_everything_in_elasticsearch() -> None:
    admins = {name for name, service in SERVICES.items() if "elasticsearch_admin_password" in str(service)}
    assert admins == {"setup", "elasticsearch"}
    role = YAML(typ="safe").load((PARTS / "elasticsearch-roles.yml").read_text())["laporhub"]
    assert role["cluster"] == ["monitor"]
    prefix = Settings.model_fields["index_prefix"].default
    (rights,) = role["indices"]
    assert rights["names"] == [f"{prefix}-*"]
    assert not {"all", "manage", "delete", "delete_index"} & set(rights["privileges"])


# ── our image ──


def copied() -> list[str]:
    return [word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", IMAGE, re.M) for word in line.split()]


def test_the_image_has_all_packages_and_the_builder_gets_nothing_else() -> None:
    folders = set(PROJECT["tool"]["setuptools"]["package-dir"].values())
    assert folders <= set(copied())
    assert all((ROOT / source).exists() for source in copied())
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert allowed == set(copied())


def test_the_image_is_of_the_hub_and_nobody_in_it_is_root() -> None:
    assert re.findall(r"^USER (\w+)$", IMAGE, re.M)[-1] == "laporhub"
    assert "--require-hashes -r requirements-distributed.txt" in IMAGE
    (entry,) = re.findall(r'^ENTRYPOINT \["(\w+)"\]$', IMAGE, re.M)
    assert entry in PROJECT["project"]["scripts"]
    assert {service["image"] for service in OURS.values()} == {f"laporhub:{PROJECT['project']['version']}"}
    python = re.search(r"python:(\d+\.\d+)", IMAGE)
    assert python is not None
    assert python[1] in ("3.11", "3.12", "3.13")


@each_of_ours
def test_our_containers_may_do_little(name: str) -> None:
    service = OURS[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert "no-new-privileges:true" in service["security_opt"]
