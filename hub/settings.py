"""Settings: from `LAPORHUB_*` variables or a `.env`-style file named by `LAPORHUB_SETTINGS`. Secrets may be files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from laporhub.connectors.registry import CONNECTORS
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.topics import DEFAULT_PREFIX, PARTITIONS


class Settings(BaseSettings):
    """All settings of a hub. For each secret `X` there is `X_FILE`, the path of a file that holds it."""

    model_config = SettingsConfigDict(env_prefix="LAPORHUB_", extra="ignore")

    data: Path = Path("data")
    profile: str = "laporgub-jateng"
    """Names or folders of profiles, separated by commas; the first is the default."""
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=1, le=65535)
    public_url: str = ""
    """The address citizens and platforms use; needed where it is not http://host:port, e.g. behind a proxy."""
    master_key: SecretStr | None = None
    """32 bytes in base64, wrapping all reporters' keys. Made in the data folder when not given."""
    master_key_file: Path | None = None
    master_key_earlier: SecretStr | None = None
    """Master keys from before, separated by commas: they still open what they wrapped, until `laporhub keys rotate`."""
    master_key_earlier_file: Path | None = None
    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_auth_token_file: Path | None = None
    twilio_api_url: str | None = None
    """Only for a simulated or proxied Twilio."""
    twilio_sweep_days: int = Field(1, ge=0, le=400)
    """How far back the first look goes for messages that no webhook brought."""
    connectors: dict[str, dict[str, str]] = Field(default_factory=dict)
    """What other connectors are told, by provider: the variables `LAPORHUB_<PROVIDER>_…`, see `connector_settings`."""
    database_url: SecretStr | None = None
    """PostgreSQL, as postgresql://USER:PASSWORD@HOST:5432/NAME; SQLite in the data folder when not given."""
    database_url_file: Path | None = None
    kafka_servers: str = ""
    """Brokers of the distributed engine, as host:port separated by commas; the embedded engine when empty."""
    kafka_security: Literal["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """SASL is by SCRAM-SHA-512, with the user and password below."""
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_password_file: Path | None = None
    kafka_hub_username: str | None = None
    """For `laporhub setup`: the user that it makes for all else, who may only what the hub needs."""
    kafka_hub_password: SecretStr | None = None
    kafka_hub_password_file: Path | None = None
    kafka_ca_file: Path | None = None
    """Who signed the brokers' certificates; the machine's own list when not given."""
    topic_prefix: str = Field(DEFAULT_PREFIX, pattern=r"^[a-zA-Z0-9._-]{0,80}$")
    partitions: int = Field(PARTITIONS, ge=1, le=1000)
    """Of each wide topic when it is made, and so how many workers can share the load."""
    replication: int = Field(1, ge=1, le=10)
    """Copies of each topic: 3 where there are three brokers or more."""
    elasticsearch_url: str = ""
    """Addresses of the search servers, separated by commas."""
    elasticsearch_username: str | None = None
    elasticsearch_password: SecretStr | None = None
    elasticsearch_password_file: Path | None = None
    elasticsearch_ca_file: Path | None = None
    index_prefix: str = Field("laporhub", pattern=r"^[a-z][a-z0-9-]{0,40}$")
    kibana_url: str = ""
    """Where dashboards are brought in; with Elasticsearch's user and password."""
    files_url: str = ""
    """Where files of reporters are kept, sealed: s3://BUCKET/PREFIX; a folder beside the database when not given."""
    files_endpoint: str = ""
    """The address of an S3-compatible store that is not Amazon's."""
    files_region: str = ""
    files_access_key: str | None = None
    files_secret_key: SecretStr | None = None
    files_secret_key_file: Path | None = None
    learn_every_hours: float = Field(6, ge=0, le=1000)
    """How often a hub learns from what people decided since; 0: never by itself."""
    learn_most: int = Field(50_000, ge=100, le=1_000_000)
    """How many cases, the latest, it learns from: they take memory."""
    log_format: str = "text"

    @model_validator(mode="after")
    def _read_files(self) -> Self:
        for name in (
            "master_key",
            "master_key_earlier",
            "twilio_auth_token",
            "database_url",
            "kafka_password",
            "kafka_hub_password",
            "elasticsearch_password",
            "files_secret_key",
        ):
            path: Path | None = getattr(self, f"{name}_file")
            if path is not None and getattr(self, name) is None:
                try:
                    secret = path.read_text(encoding="utf-8").strip()
                except OSError as error:
                    raise ValueError(f"LAPORHUB_{name.upper()}_FILE cannot be read: {error}") from error
                setattr(self, name, SecretStr(secret))
        return self

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def profiles(self) -> list[str]:
        return [name.strip() for name in self.profile.split(",") if name.strip()]


def connector_settings(provider: str, variables: Mapping[str, str | None]) -> dict[str, str]:
    """What the variables tell one connector: `LAPORHUB_X_TOKEN=t` is `token: t`, and `…_FILE` names a file that
    holds it; an empty one says nothing. Which there may be is the connector's to say.

    Raises `Misconfigured` for a file that cannot be read.
    """
    prefix = f"LAPORHUB_{provider.upper().replace('-', '_')}_"
    told: dict[str, str] = {}
    for variable, value in sorted(variables.items()):
        name = variable.upper().removeprefix(prefix).lower()
        if not value or not variable.upper().startswith(prefix):
            continue
        if not name.endswith("_file"):
            told[name] = value
            continue
        try:
            held = Path(value).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Misconfigured(f"{variable} cannot be read: {error}") from error
        if held:
            told.setdefault(name.removesuffix("_file"), held)
    return told


def load_settings(**given: object) -> Settings:
    """Settings from the environment, with what the command line gave on top. Raises `Misconfigured`."""
    file = os.environ.get("LAPORHUB_SETTINGS")
    if file is not None and not Path(file).is_file():
        raise Misconfigured(f"LAPORHUB_SETTINGS names {file}, which is no file")
    overrides = {name: value for name, value in given.items() if value is not None}
    variables = {**(dotenv_values(file) if file else {}), **os.environ}
    connectors = {name: connector_settings(name, variables) for name in CONNECTORS if name != "twilio"}
    try:
        return Settings(_env_file=file, **({"connectors": connectors} | overrides))  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        where = (
            "LAPORHUB_" + "_".join(str(part) for part in first["loc"]).upper() if first["loc"] else "settings"
        )
        raise Misconfigured(f"{where}: {first['msg']}") from None
