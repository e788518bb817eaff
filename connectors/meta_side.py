"""Our page and our Instagram account on the Graph API: what the operator told of them, and the calls on each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from laporhub.connectors.meta_errors import outcome, trouble
from laporhub.connectors.meta_graph import Graph, GraphRefused, NoAnswer
from laporhub.connectors.meta_words import Item, identifier, of_dict, of_list
from laporhub.pipeline.connector import Outgoing
from laporhub.pipeline.errors import LaporHubError, RetryLater

LOOK_BACK: Final = 5
"""How many pages of what was said are looked through."""
PRIVATE: Final = "private"
_INSTAGRAM_URL = "https://graph.instagram.com"


class MetaConfig(BaseModel):
    """The app, and our accounts on it. `facebook_account` and `instagram_account` are what the profile calls them.

    `instagram_token` is that of an app with Instagram Login, which may have a secret of its own; without it the page's
    token speaks for the Instagram account, too. `app_id` lets the platform be asked when a token expires.
    `graph_url` and `instagram_url` are Meta's own unless simulated. `timeout`: seconds. `backfill_days`: how old
    may be what the first sweep brings in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    app_secret: SecretStr = Field(min_length=1)
    verify_token: SecretStr = Field(min_length=1)
    app_id: str = ""
    page_id: str = ""
    page_token: SecretStr = SecretStr("")
    facebook_account: str = ""
    instagram_id: str = ""
    instagram_token: SecretStr = SecretStr("")
    instagram_account: str = ""
    instagram_app_secret: SecretStr = SecretStr("")
    graph_url: str = "https://graph.facebook.com"
    instagram_url: str = ""
    graph_version: str = Field("v25.0", pattern=r"^v\d{2}\.\d$")
    poll_every: float = Field(300.0, ge=10)
    backfill_days: float = Field(7.0, ge=0, le=365)
    timeout: float = Field(10.0, gt=0)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.page_id and not (self.page_token.get_secret_value() and self.facebook_account):
            raise ValueError("page_id is set: set page_token and facebook_account (as in profile.yaml) too")
        tokens = self.instagram_token.get_secret_value() or self.page_token.get_secret_value()
        if self.instagram_id and not (tokens and self.instagram_account):
            raise ValueError(
                "instagram_id is set: set instagram_account (as in profile.yaml) and a token too"
            )
        return self


@dataclass(frozen=True, slots=True)
class Side:
    """One of our two accounts."""

    id: str
    account: str
    is_page: bool
    graph: Graph


class Place(NamedTuple):
    """Where an answer belongs: "comment", "mention", "private" (to a comment or visitor's post, for its author alone),
    "dm" or "hand"; of the first three which, and the thread's top.
    """

    kind: str
    id: str = ""
    root: str = ""


class Gone(LaporHubError):
    """What was asked for is not there."""


class reading:  # noqa: N801 - it reads as a statement
    """Reading changes nothing, so whatever goes wrong it can be tried again; or the account is dead, or it is gone."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, NoAnswer):
            raise RetryLater(f"Meta cannot be read: {error}") from None
        if not isinstance(error, GraphRefused):
            return
        if (concern := trouble(error.refusal, error.after)) is not None:
            raise concern from None
        if error.refusal.code in (100, 803):
            raise Gone(
                f"Meta knows no such thing ({error.refusal.name}): check the ids in LAPORHUB_META_…"
            ) from None
        outcome(error.refusal)  # raises where the app may not do it
        raise RetryLater(f"Meta cannot be read ({error.refusal.name})", after=error.after) from None


def sides(config: MetaConfig) -> Iterator[Side]:
    secret, timeout = config.app_secret.get_secret_value(), config.timeout
    page_token = config.page_token.get_secret_value()
    if config.page_id:
        graph = Graph(config.graph_url, config.graph_version, page_token, secret, timeout)
        yield Side(config.page_id, config.facebook_account, True, graph)
    if config.instagram_id:
        own = config.instagram_token.get_secret_value()
        url = config.instagram_url or (_INSTAGRAM_URL if own else config.graph_url)
        own_secret = (config.instagram_app_secret.get_secret_value() if own else "") or secret
        graph = Graph(url, config.graph_version, own or page_token, own_secret, timeout)
        yield Side(config.instagram_id, config.instagram_account, False, graph)


def place_of(reply_to: str | None) -> Place:
    kind, _, where = (reply_to or "dm").partition(":")
    which, _, root = where.partition("/")
    return Place(kind, which, root or which)


async def say(side: Side, place: Place, outgoing: Outgoing, *, tagged: bool) -> Item:
    if place.kind not in ("dm", PRIVATE):
        return await side.graph.post(
            place.id, "comments" if side.is_page else "replies", message=outgoing.text
        )
    if place.kind == PRIVATE:
        to = "post_id" if place.id.startswith(f"{side.id}_") else "comment_id"
        return await side.graph.post(
            "me", "messages", recipient={to: place.id}, message={"text": outgoing.text}
        )
    kind: dict[str, str] = {"messaging_type": "RESPONSE"} if side.is_page else {}
    if tagged:
        kind = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    return await side.graph.post(
        "me", "messages", recipient={"id": outgoing.to}, message={"text": outgoing.text}, **kind
    )


async def heard(side: Side, place: Place, to: str) -> Sequence[Item]:
    """What was said there lately, by anybody."""
    if place.kind in ("dm", PRIVATE):
        fields = "messages.limit(50){id,message,from,created_time}"
        platform = "messenger" if side.is_page else "instagram"
        answer = await read(side, "me", "conversations", platform=platform, user_id=to, fields=fields)
        talks = [of_dict(each) for each in of_list(answer.get("data"))]
        return [
            of_dict(each) for talk in talks for each in of_list(of_dict(talk.get("messages")).get("data"))
        ]
    said: list[Item] = []
    for each in dict.fromkeys((place.id, place.root)):
        said += await _under(side, each)
    return said


async def _under(side: Side, id: str) -> Sequence[Item]:
    edge = "comments" if side.is_page else "replies"
    args = {"fields": "id,message,from,created_time", "order": "reverse_chronological", "limit": "100"}
    if not side.is_page:
        args = {"fields": "id,text,timestamp,from,username", "limit": "50"}
    said: list[Item] = []
    for _ in range(LOOK_BACK):
        try:
            answer = await read(side, id, edge, **args)
        except Gone:
            break
        said += [of_dict(each) for each in of_list(answer.get("data"))]
        paging = of_dict(answer.get("paging"))
        if not paging.get("next"):
            break
        args["after"] = identifier(of_dict(paging.get("cursors")).get("after"))
    return said


async def read(side: Side, id: str, edge: str = "", **args: str) -> Item:
    with reading():
        return await side.graph.get(id, edge, **args)
