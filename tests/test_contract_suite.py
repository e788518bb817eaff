"""The contract suite itself: the specification names its tests, and it catches connectors that break the rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from test_contract_twilio import TwilioSpecimen
from test_contract_web import WebSpecimen

from laporhub.connectors import contract as reading
from laporhub.connectors.twilio import TwilioConnector
from laporhub.connectors.web import WebConnector
from laporhub.hub import contract as through_hub
from laporhub.hub.contract import Answering, ByHook, Delivered, Greeting, Polling, Unhooked, contract_of
from laporhub.pipeline.connector import Parsed, Raw
from laporhub.pipeline.connector_abilities import Polled

SPECIFICATION = (Path(__file__).parents[1] / "docs" / "connector-spec.md").read_text()


def test_the_specification_names_every_test_of_the_suite_and_no_other() -> None:
    parts = [
        each for module in (reading, through_hub) for each in vars(module).values() if isinstance(each, type)
    ]
    tests = {name for part in parts for name in vars(part) if name.startswith("test_")}
    assert set(re.findall(r"`(test_\w+)`", SPECIFICATION)) == tests


def test_every_must_of_the_specification_names_its_test() -> None:
    rules = re.split(r"\n(?:- |\n)", SPECIFICATION.partition("\n## ")[2])
    wanting = [rule for rule in rules if "MUST" in rule and "test_" not in rule]
    assert wanting == []


def test_what_a_connector_can_do_decides_what_is_tested() -> None:
    web, twilio = contract_of(WebSpecimen()), contract_of(TwilioSpecimen())
    assert issubclass(web, Delivered)
    assert issubclass(web, Unhooked)
    assert not issubclass(web, reading.Signed | Answering | Polling | ByHook | Greeting)
    assert issubclass(twilio, reading.SignedBody)
    assert issubclass(twilio, Answering)


def test_a_connector_that_polls_must_show_its_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    async def poll(self: WebConnector, account: str, cursor: str | None) -> Polled:
        return Polled([], None)

    monkeypatch.setattr(WebConnector, "poll", poll, raising=False)
    monkeypatch.setattr(WebConnector, "poll_every", 1.0, raising=False)
    with pytest.raises(AssertionError, match="platform"):
        contract_of(WebSpecimen())


def rewrites(change: Callable[[int, Any], Any]) -> Callable[[TwilioConnector, Raw], Sequence[Parsed]]:
    """A parser that does something to each message, and is called again and again."""
    honest, calls = TwilioConnector.parse, iter(range(10**6))
    return lambda connector, raw: [change(next(calls), item) for item in honest(connector, raw)]


BROKEN: list[tuple[str, str, Any]] = [
    (
        "test_parsing_is_pure",
        "parse",
        lambda: rewrites(lambda call, item: item.model_copy(update={"external_id": f"{call}"})),
    ),
    (
        "test_ids_and_authors_are_told_apart",
        "parse",
        lambda: rewrites(lambda _, item: item.model_copy(update={"external_id": "same"})),
    ),
    (
        "test_the_reporters_words_arrive_as_written",
        "parse",
        lambda: rewrites(lambda _, item: item.model_copy(update={"text": item.text[:5]})),
    ),
    ("test_splitting_loses_no_word", "split", lambda: lambda connector, text: [text[:1600]]),
    ("test_splitting_loses_no_word", "split", lambda: lambda connector, text: [text[:99], text[99:]]),
    ("test_what_nobody_signed_is_forged", "verify", lambda: lambda connector, raw: None),
    ("test_what_was_changed_on_the_way_is_forged", "verify", lambda: lambda connector, raw: None),
    (
        "test_whatever_the_bytes_it_is_understood_or_unparsable",
        "parse",
        lambda: lambda connector, raw: raw.body[0],
    ),
]


@pytest.mark.parametrize(
    ("test", "method", "broken"), BROKEN, ids=[f"{test}-{n}" for n, (test, *_) in enumerate(BROKEN)]
)
def test_a_broken_connector_is_caught(
    test: str, method: str, broken: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = contract_of(TwilioSpecimen())()
    getattr(suite, test)()
    monkeypatch.setattr(TwilioConnector, method, broken())
    with pytest.raises((Exception, pytest.fail.Exception)):
        getattr(suite, test)()
