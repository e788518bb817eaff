"""The web form and the app keep the connectors' contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from laporhub.connectors.specimen import Said, Specimen
from laporhub.hub.contract import contract_of
from laporhub.pipeline.connector import Raw


@dataclass
class WebSpecimen(Specimen):
    """Each form is a conversation of its own; answers stand on the tracking page."""

    provider: str = "web"
    channel: str = "web"
    account: str = "laporgub.jatengprov.go.id"
    hook = "files"
    threads = True

    def payload(self, said: Said) -> Raw:
        form = {
            "id": f"{said.thread}-{said.id}",
            "text": said.words,
            "name": f"Warga Percobaan {said.author}",
            "phone": f"+6281100000{said.author:03d}",
            "sent_at": said.at.isoformat(),
        }
        return Raw(orjson.dumps(form), "application/json")

    def identity(self, author: int) -> Sequence[str]:
        return (f"Warga Percobaan {author}", f"81100000{author:03d}")

    def hub_settings(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        return {}


TestWeb = contract_of(WebSpecimen())
TestApp = contract_of(WebSpecimen("app", "app", "laporgub-app"))
