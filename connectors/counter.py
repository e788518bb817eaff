"""The counter ("loket"): an officer writes down what somebody says there, and gives them a printed receipt.

The answer is on the tracking page, unless the reporter wants to be rung or to get a letter: then a person does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

import orjson
from pydantic import BeforeValidator, Field, ValidationError

from laporhub.connectors.web import ComplaintLine, WebConnector, given, unparsable
from laporhub.pipeline.connector import BY_HAND, Failed, Outcome, Outgoing, Parsed, Raw, Sent
from laporhub.pipeline.errors import Forged, Misconfigured, Unparsable
from laporhub.pipeline.messages import Inbound

AnsweredBy: TypeAlias = Literal["page", "phone", "letter"]


class CounterLine(ComplaintLine):
    """A line of what was written down at the counter: the web form's, who wrote it, and how the answer is wanted."""

    officer: Annotated[str | None, Field(max_length=100), BeforeValidator(given)] = None
    answer_by: AnsweredBy = "page"

    def message(self) -> Inbound:
        whole = f"{self.text}\n\n(Dicatat di loket oleh petugas {self.officer}.)" if self.officer else None
        told = {"reply_to": self.answer_by, "whole": whole}
        return self.inbound(self.id, self.sent_at).model_copy(update=told)


class CounterConnector(WebConnector):
    """See `Connector`. Parsing and splitting are the web form's."""

    def verify(self, raw: Raw) -> None:  # noqa: ARG002
        """Officers sign in to write something down: whoever posts here is none."""
        raise Forged("nothing is posted for the counter: officers use the form, files are ingested")

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        """One JSON object, one complaint. Raises `Unparsable`, naming the field at fault."""
        try:
            return [CounterLine.model_validate(orjson.loads(raw.body)).message()]
        except orjson.JSONDecodeError as error:
            raise Unparsable(f"not JSON: {error}") from error
        except ValidationError as error:
            raise unparsable(error) from None

    async def publish(self, outgoing: Outgoing) -> Outcome:
        """Said by being on the tracking page, or a person's to say."""
        return Failed(BY_HAND) if outgoing.reply_to in ("phone", "letter") else Sent(outgoing.reply_id)

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | None:  # noqa: ARG002
        return None if outgoing.reply_to in ("phone", "letter") else Sent(outgoing.reply_id)


def connector(settings: Mapping[str, Any]) -> CounterConnector:
    """There is nothing to set. Raises `Misconfigured` if something is."""
    if settings:
        raise Misconfigured(f"the counter has no settings: remove {', '.join(sorted(settings))}")
    return CounterConnector()
