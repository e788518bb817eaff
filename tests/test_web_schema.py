"""The API and the hooks, asked in every way that their OpenAPI document allows, and in many that it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, cast

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance
from support import Clock, form, hub_on
from test_contract_hotline import HotlineSpecimen
from test_contract_meta import MetaSpecimen
from test_contract_sms import SmsSpecimen
from test_contract_twilio import TwilioSpecimen
from test_contract_x import XSpecimen
from web_hub import PASSWORD, PROFILE, QUICK_HASHER, STAFF

from laporhub.connectors.specimen import HUB, Specimen
from laporhub.hub.hub import Hub
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.hub_port import HubPort
from laporhub.pipeline.store import accounts
from laporhub.web.app import create_app
from laporhub.web.settings import WebSettings

TWILIO = TwilioSpecimen()
SPEAKING: Mapping[str, Specimen] = {
    each.provider: each
    for each in (
        MetaSpecimen("facebook", "office", "comment"),
        XSpecimen(),
        SmsSpecimen("agregator"),
        HotlineSpecimen(),
        TWILIO,
    )
}
ALL = [not_a_server_error, status_code_conformance, content_type_conformance]
DOCUMENT = create_app(cast(HubPort, None), WebSettings("x", HUB)).openapi()
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
HOOKS = [each for each in OPERATIONS if each[0].startswith("/hooks/")]
OF_CASES = [each for each in OPERATIONS if "{ticket}" in each[0]]

quickly = settings(
    max_examples=10,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
in_every_mode = pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)


@dataclass
class Asked:
    """A hub behind its addresses, as schemathesis asks it: `bearer` is a supervisor's token, `ticket` a case's."""

    hub: Hub
    schema: Any
    client: Any
    bearer: str
    ticket: str

    def all_kinds(self, path: str, method: str, mode: GenerationMode, **fixed: str) -> set[int]:
        """Requests as the document has them (or, by `mode`, not), each answered as the document says. With what."""
        operation = self.schema[path][method]
        statuses = set()

        @quickly
        @given(operation.as_strategy(generation_mode=mode, path_parameters=fixed or None))
        def ask(case: schemathesis.Case) -> None:
            answer = case.call(session=self.client, headers={"Authorization": f"Bearer {self.bearer}"})
            statuses.add(answer.status_code)
            case.validate_response(answer, checks=ALL)

        ask()
        return statuses


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    clock = Clock()
    told = {name: dict(each.settings) for name, each in SPEAKING.items() if name != "twilio"}
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", QUICK_HASHER)
        stack = AsyncExitStack()
        folder = tmp_path_factory.mktemp("hub")
        more = TWILIO.hub_settings(TWILIO.settings)
        hub = runner.run(
            stack.enter_async_context(hub_on(folder, clock, public_url=HUB, connectors=told, **more))
        )
        hub.accounts.save(STAFF["gubernur"], PASSWORD)
        receipt = runner.run(hub.receive(PROFILE, "web", form(1)))
        app = create_app(hub, WebSettings("x", HUB, now=clock))
        schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)
        with asgi.get_client(app) as client:
            yield Asked(hub, schema, client, hub.accounts.issue_token("gubernur", clock()), receipt.ticket)
        assert hub.engine.health == "ok"
        assert runner.run(hub.receive(PROFILE, "web", form(2))).ticket, "and it still takes complaints"
        runner.run(stack.aclose())


@in_every_mode
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_whatever_is_asked_is_answered_as_the_document_says(
    asked: Asked, path: str, method: str, mode: GenerationMode
) -> None:
    asked.all_kinds(path, method, mode)


@in_every_mode
@pytest.mark.parametrize(("path", "method"), OF_CASES)
def test_so_it_is_for_a_case_that_there_is(
    asked: Asked, path: str, method: str, mode: GenerationMode
) -> None:
    named = {"ticket": asked.ticket} | ({"transition": "answer"} if "{transition}" in path else {})
    assert 404 not in asked.all_kinds(path, method, mode, **named)


@pytest.mark.parametrize("provider", SPEAKING)
@pytest.mark.parametrize(("path", "method"), HOOKS)
def test_so_it_is_when_the_platform_has_signed_it(
    asked: Asked, path: str, method: str, provider: str
) -> None:
    """What follows the signature meets whatever the platform, or somebody with its secret, may send."""
    specimen = SPEAKING[provider]

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        kind = request.headers.get("Content-Type", "")
        url = HUB + request.path_url
        signed = specimen.sign(Raw(body, kind, None, url))
        request.headers.update(signed.headers or {})
        return request

    asked.client.auth = sign
    try:
        named = {"provider": provider} | ({"rest": "agregator"} if "{rest}" in path else {})
        statuses = asked.all_kinds(path, method, GenerationMode.POSITIVE, **named)
        is_its_own = "{rest}" in path or provider != "sms"  # a gateway posts to its own address only
        if method == "post" and is_its_own:
            assert 200 in statuses, "what was signed is taken, or kept as a dead letter"
    finally:
        asked.client.auth = None
