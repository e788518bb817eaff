"""What the Graph API lists, read into the hub's terms: the sweep for what a webhook missed, and backfills. Pure.

`{"object": "page" | "instagram", "id": our id, "edge": "feed" | "media" | "comments" | "messages",
"of": whose comments, "data": [objects of that edge]}`. The ids are those that webhooks have, so what came by one way
is known by the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from laporhub.connectors.meta_words import (
    HAND,
    Item,
    at,
    comment_thread,
    identifier,
    is_ours,
    moment,
    of_dict,
    of_list,
    reply_under,
    sender_of,
    words,
)
from laporhub.pipeline.connector import Ignored, Parsed
from laporhub.pipeline.errors import Unparsable
from laporhub.pipeline.ids import ticket_in
from laporhub.pipeline.messages import Attachment, Inbound

EDGES: Final = ("feed", "media", "comments", "messages")
_OWN = Ignored("what we wrote ourselves")


def parse(payload: Item, account: str, *, is_page: bool) -> Sequence[Parsed]:
    """Raises `Unparsable`. Objects that began before the payload's `since` are left out."""
    edge, ours, of = payload.get("edge"), identifier(payload.get("id")), identifier(payload.get("of"))
    if edge not in EDGES or not isinstance(payload.get("data"), list):
        raise Unparsable(f"no list of the edges {', '.join(EDGES)}", field="edge")
    data = [of_dict(each) for each in payload["data"]]
    if edge == "messages":
        parsed = [_message(each, ours, account) for each in data]
    elif edge == "comments":
        parsed = [
            _comment(each, of, ours, account) for comment in data for each in (comment, *_replies(comment))
        ]
    else:
        parsed = [item for post in data for item in _post(post, ours, account, is_page=is_page)]
    since = moment(payload.get("since"))
    return [item for item in parsed if not _is_older(item, since)] or [Ignored("nothing new")]


def _is_older(item: Parsed, since: datetime | None) -> bool:
    return (
        since is not None and isinstance(item, Inbound) and item.sent_at is not None and item.sent_at < since
    )


def _post(post: Item, id: str, account: str, *, is_page: bool) -> Iterator[Parsed]:
    """A post of a visitor is a message itself; under every post are comments."""
    external, sender = identifier(post.get("id")), sender_of(post)
    if is_page and external and not is_ours(sender, id, account) and (sender.id or sender.name):
        yield _inbound(post, external, account, words(post.get("message")), external, external)
    for comment in of_list(of_dict(post.get("comments")).get("data")):
        for each in (of_dict(comment), *_replies(of_dict(comment))):
            yield _comment(each, external, id, account)


def _replies(comment: Item) -> Iterator[Item]:
    for reply in of_list(of_dict(comment.get("replies")).get("data")):
        yield {"parent_id": comment.get("id"), **of_dict(reply)}


def _comment(comment: Item, post: str, id: str, account: str) -> Parsed:
    external = identifier(comment.get("id"))
    if not external:
        return Ignored("a comment without an id")
    if is_ours(sender_of(comment), id, account):
        return _OWN
    parent = identifier(of_dict(comment.get("parent")).get("id")) or identifier(comment.get("parent_id"))
    post = post or identifier(of_dict(comment.get("media")).get("id"))
    root, thread = comment_thread(external, parent, post, is_comment=True)
    text = words(comment.get("message")) or words(comment.get("text"))
    return _inbound(comment, external, account, text, thread, root)


def _inbound(item: Item, external: str, account: str, text: str, thread: str, root: str) -> Inbound:
    sender, files = sender_of(item), at(item)
    return Inbound(
        external_id=external,
        author_id=sender.id or f"unknown:{external}",
        account=account,
        name=sender.name,
        text=text,
        kind="text" if text else "attachment" if files else "unsupported",
        attachments=files,
        thread=thread,
        reply_to=reply_under(external, root),
        sent_at=moment(item.get("created_time")) or moment(item.get("timestamp")),
        verified=True,
    )


def _message(message: Item, id: str, account: str) -> Parsed:
    external, sender = identifier(message.get("id")), sender_of(message)
    if not external:
        return Ignored("a message without an id")
    if is_ours(sender, id, account):
        return _OWN
    text, files = words(message.get("message")), tuple(_files(message))
    return Inbound(
        external_id=external,
        author_id=sender.id or f"unknown:{external}",
        account=account,
        name=sender.name,
        text=text,
        kind="attachment" if files else "text" if text else "unsupported",
        attachments=files,
        ticket=ticket_in(text),
        reply_to="dm" if sender.id else HAND,
        sent_at=moment(message.get("created_time")),
        verified=True,
    )


def _files(message: Item) -> Iterator[Attachment]:
    for each in of_list(of_dict(message.get("attachments")).get("data")):
        piece = of_dict(each)
        kind = words(piece.get("mime_type")) or None
        for place in ("image_data", "video_data"):
            if url := words(of_dict(piece.get(place)).get("url")):
                yield Attachment(url=url, media_type=kind or f"{place.partition('_')[0]}/*")
        if url := words(piece.get("file_url")):
            yield Attachment(url=url, media_type=kind, name=words(piece.get("name")) or None)
    for each in of_list(of_dict(message.get("shares")).get("data")):
        if url := words(of_dict(each).get("link")):
            yield Attachment(url=url)
    story = of_dict(message.get("story"))
    for name in ("mention", "reply_to"):
        if url := words(of_dict(story.get(name)).get("link")):
            yield Attachment(url=url)
    if url := words(message.get("sticker")):
        yield Attachment(url=url, media_type="image/*")
