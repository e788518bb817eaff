"""What the simulated Graph API does with a request that may come in: objects and edges of the two networks. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from laporhub.simulators import meta_fields, meta_rules
from laporhub.simulators.meta_network import Event, Network, Said, Where
from laporhub.simulators.meta_rules import Refusal
from laporhub.simulators.meta_shapes import conversations, shape

Form: TypeAlias = dict[str, Any]
Written: TypeAlias = tuple[Mapping[str, Any], Sequence[Event]]
"""The answer, and what webhooks tell of it."""


class Refused(Exception):
    """A rule of Meta's is broken."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def write(network: Network, node: str, edge: str, form: Form) -> Written:
    """Something new on an edge. Raises `Refused`."""
    if edge == "messages" and node in ("me", network.page_id, network.instagram_id):
        return _message(network, form)
    on = network.find(node)
    if on is None or edge != ("comments" if on.where == "facebook" else "replies"):
        raise Refused(meta_rules.GONE)
    text = str(form.get("message", ""))
    if wrong := meta_rules.comment(on.where, text):
        raise Refused(wrong)
    said = network.comment(on, text)
    return {"id": said.id}, [network.told_of(said)]


def _message(network: Network, form: Form) -> Written:
    recipient, words = form.get("recipient"), form.get("message")
    if not isinstance(recipient, dict) or not isinstance(words, dict):
        raise Refused(meta_rules.NO_WORDS)
    text = str(words.get("text", ""))
    if "comment_id" in recipient or "post_id" in recipient:
        return _privately(network, recipient, form)
    citizen = str(recipient.get("id", ""))
    known = next((each for each in network.directs if each.author == citizen), None)
    if known is None:
        raise Refused(meta_rules.NOBODY)
    wrong = meta_rules.message(known.where, form, network.last_inbound(citizen), network.clock())
    if wrong is None and citizen in network.unreachable:
        wrong = meta_rules.UNAVAILABLE
    if wrong is not None:
        raise Refused(wrong)
    return _sent(network, network.answer(known.where, citizen, text, str(form.get("tag", ""))))


def _privately(network: Network, recipient: Mapping[str, Any], form: Form) -> Written:
    """The one private reply to a comment, or to a visitor's post."""
    [(kind, name)] = list(recipient.items())[:1]
    on = network.find(str(name))
    if on is None:
        raise Refused(meta_rules.GONE)
    is_comment = bool(on.post)
    if on.author == network.ours(on.where) or is_comment != (kind == "comment_id"):
        raise Refused(meta_rules.NOT_REPLYABLE)
    if on.id in network.answered_privately:
        raise Refused(meta_rules.ONCE)
    if network.clock() - on.created > meta_rules.HUMAN_WINDOW:
        raise Refused(meta_rules.TOO_LATE)
    if wrong := meta_rules.words(on.where, form):
        raise Refused(wrong)
    if on.author in network.unreachable:
        raise Refused(meta_rules.UNAVAILABLE)
    network.answered_privately.add(on.id)
    return _sent(network, network.answer(on.where, on.author, str(form["message"]["text"]), name=on.name))


def _sent(network: Network, said: Said) -> Written:
    now = network.clock()
    stamp = int(now.timestamp() * 1000)
    delivered = {"mids": [said.id], "watermark": stamp}
    told = [
        network.message_of(said),
        network.event(said.where, said.citizen, now, delivery=delivered),
        network.event(said.where, said.citizen, now, read={"watermark": stamp}),
    ]
    return {"recipient_id": said.citizen, "message_id": said.id}, told


def read(network: Network, node: str, edge: str, form: Form, dead: Collection[str]) -> Mapping[str, Any]:
    """An object, or a page of those on an edge. Raises `Refused`."""
    asked = meta_fields.read(str(form.get("fields", "id")))
    if node == "debug_token":
        return {"data": {"is_valid": form.get("input_token") not in dead, "expires_at": 1893456000}}
    if not edge:
        me = {"id": network.page_id, "name": network.page_name}
        found = network.find(node)
        if node not in ("me", network.page_id, network.instagram_id) and found is None:
            raise Refused(meta_rules.GONE)
        return meta_fields.chosen(me if found is None else shape(network, found), asked)
    args = {name: str(value) for name, value in form.items()}
    try:
        return meta_fields.page(_listed(network, node, edge, args), args, asked, "https://graph.example/next")
    except ValueError:
        raise Refused(Refusal(400, 100, 0, "(#100) Invalid parameter")) from None


def _listed(network: Network, node: str, edge: str, args: Mapping[str, str]) -> Sequence[meta_fields.Item]:
    if edge == "conversations" and node in ("me", network.page_id):
        where: Where = "instagram" if args.get("platform") == "instagram" else "facebook"
        return conversations(network, where, args.get("user_id"))
    if edge == "messages" and node.startswith("t_"):
        talks = [*conversations(network, "facebook", None), *conversations(network, "instagram", None)]
        return next((talk["messages"](args) for talk in talks if talk["id"] == node), [])
    for name, where, ours in (
        ("feed", "facebook", network.page_id),
        ("media", "instagram", network.instagram_id),
    ):
        if edge == name and node == ours:
            return [shape(network, p) for p in network.posts if p.where == where and not p.is_gone]
    found = network.find(node)
    listed = shape(network, found).get(edge) if found else None
    if listed is None:
        raise Refused(meta_rules.GONE)
    items: Sequence[meta_fields.Item] = listed(args)
    return items
