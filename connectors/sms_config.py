"""The settings of an SMS gateway."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from laporhub.connectors.sms_gateway import BasicAuth, Gateway, SecretAuth
from laporhub.pipeline.errors import Misconfigured

_PLAIN = re.compile(r"[\w-]+", re.ASCII)


class SmsConfig(BaseModel):
    """The gateway. `gateway` is a shipped one's name or the path of a mapping; `url`, `user`, `password` are for what
    we ask of it, `secret` (and for HTTP Basic `hook_user`) for what it brings. `timeout`: seconds for one call.

    `hook_url` is the public address of its hook, for reports; the hub fills it in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gateway: str = Field(min_length=1)
    url: str = ""
    user: str = ""
    password: SecretStr = SecretStr("")
    secret: SecretStr = SecretStr("")
    hook_user: str = ""
    hook_url: str = ""
    timeout: float = Field(15.0, gt=0)


def check_complete(config: SmsConfig, gateway: Gateway) -> None:
    """Raises `Misconfigured`, naming what the mapping needs and the settings lack."""
    given = {
        "url": config.url,
        "user": config.user,
        "password": config.password.get_secret_value(),
        "secret": config.secret.get_secret_value(),
    }
    needed = gateway.needs() | {"secret"}
    missing = [name for name in sorted(needed) if not given[name]]
    if isinstance(gateway.auth, BasicAuth) and not config.hook_user:
        missing.append("hook_user")
    if missing:
        named = ", ".join(f"LAPORHUB_SMS_{name.upper()}" for name in missing)
        raise Misconfigured(f"the SMS gateway {gateway.name} needs {named}")
    in_addresses = isinstance(gateway.auth, SecretAuth) and gateway.auth.kind == "parameter"
    if in_addresses and not _PLAIN.fullmatch(given["secret"]):
        raise Misconfigured("LAPORHUB_SMS_SECRET stands in addresses: letters, digits, - and _ only")
    if needed & {"url"} and not config.url.startswith(("http://", "https://")):
        raise Misconfigured("LAPORHUB_SMS_URL: it begins with https:// or http://")
