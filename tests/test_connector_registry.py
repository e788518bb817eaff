"""Which connectors there are."""

from __future__ import annotations

import pytest

from laporhub.connectors.registry import CONNECTORS, connect
from laporhub.connectors.twilio import TwilioConnector
from laporhub.connectors.web import WebConnector
from laporhub.pipeline.errors import Misconfigured


def test_the_shipped_connectors_are_installed() -> None:
    assert {"app", "twilio", "web"} <= set(CONNECTORS)
    assert len(CONNECTORS) == len(list(CONNECTORS))


def test_each_is_built_from_its_settings() -> None:
    assert isinstance(connect("web", {}), WebConnector)
    assert isinstance(connect("app", {}), WebConnector)
    assert isinstance(connect("twilio", {"account_sid": "AC1", "auth_token": "rahasia"}), TwilioConnector)


@pytest.mark.parametrize("provider", sorted(CONNECTORS))
def test_none_needs_settings_to_read_a_file(provider: str) -> None:
    assert connect(provider, {}).split("Terima kasih.") == ["Terima kasih."]


def test_one_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(Misconfigured, match=r"telex.*twilio"):
        connect("telex", {})
