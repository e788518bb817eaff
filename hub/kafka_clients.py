"""How clients reach Kafka, from the settings: for aiokafka, and for the administrator's client (librdkafka)."""

from __future__ import annotations

import ssl
from typing import Any

from laporhub.hub.settings import Settings
from laporhub.pipeline.errors import Misconfigured

MECHANISM = "SCRAM-SHA-512"


def aiokafka_options(settings: Settings) -> dict[str, Any]:
    """What every producer, consumer and client of aiokafka is made with. Raises `Misconfigured`."""
    options: dict[str, Any] = {
        "bootstrap_servers": _servers(settings),
        "security_protocol": settings.kafka_security,
    }
    if settings.kafka_security != "PLAINTEXT":
        username, password = _login(settings)
        options |= {
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": username,
            "sasl_plain_password": password,
        }
    if settings.kafka_security == "SASL_SSL":
        try:
            options["ssl_context"] = ssl.create_default_context(cafile=settings.kafka_ca_file)
        except (OSError, ssl.SSLError) as error:
            raise Misconfigured(f"LAPORHUB_KAFKA_CA_FILE cannot be used: {error}") from error
    return options


def librdkafka_options(settings: Settings) -> dict[str, Any]:
    """The same for librdkafka. Raises `Misconfigured`."""
    options: dict[str, Any] = {
        "bootstrap.servers": ",".join(_servers(settings)),
        "security.protocol": settings.kafka_security,
    }
    if settings.kafka_security != "PLAINTEXT":
        username, password = _login(settings)
        options |= {"sasl.mechanisms": MECHANISM, "sasl.username": username, "sasl.password": password}
    if settings.kafka_ca_file:
        options["ssl.ca.location"] = str(settings.kafka_ca_file)
    return options


def _servers(settings: Settings) -> list[str]:
    servers = [server.strip() for server in settings.kafka_servers.split(",") if server.strip()]
    if not servers:
        raise Misconfigured("LAPORHUB_KAFKA_SERVERS is not set: give the brokers as host:port")
    return servers


def _login(settings: Settings) -> tuple[str, str]:
    if not settings.kafka_username or settings.kafka_password is None:
        raise Misconfigured(
            f"LAPORHUB_KAFKA_SECURITY is {settings.kafka_security}: set LAPORHUB_KAFKA_USERNAME and "
            "LAPORHUB_KAFKA_PASSWORD (or LAPORHUB_KAFKA_PASSWORD_FILE)"
        )
    return settings.kafka_username, settings.kafka_password.get_secret_value()


def faust_credentials(settings: Settings) -> Any:
    """The same for Faust; None without sign-in."""
    options = aiokafka_options(settings)
    if "sasl_mechanism" not in options:
        return None
    from faust.auth import SASLCredentials

    return SASLCredentials(
        username=options["sasl_plain_username"],
        password=options["sasl_plain_password"],
        mechanism=MECHANISM,
        ssl_context=options.get("ssl_context"),
    )
