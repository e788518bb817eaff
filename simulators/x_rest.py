"""The simulated X's REST interface, once a call is allowed: what it does to the network, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from laporhub.simulators import x_answers, x_rules
from laporhub.simulators.x_answers import problem
from laporhub.simulators.x_network import Network, Post, dm_conversation, page_of_messages, page_of_posts

Do: TypeAlias = Callable[[Request, dict[str, Any]], Response]
"""From a call and its JSON body to the answer."""


class Rest:
    """`routes`: (method, path) → what it does."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.routes: Mapping[tuple[str, str], Do] = {
            ("POST", "/2/tweets"): self._create,
            ("POST", "/2/dm_conversations/with/{id}/messages"): self._write,
            ("GET", "/2/users/{id}/mentions"): self._mentions,
            ("GET", "/2/users/{id}/tweets"): self._timeline,
            ("GET", "/2/dm_events"): self._messages,
            ("GET", "/2/dm_conversations/with/{id}/dm_events"): self._messages,
            ("GET", "/2/tweets/search/recent"): self._search,
        }

    def _create(self, request: Request, body: dict[str, Any]) -> Response:  # noqa: ARG002
        text, parent = (
            str(body.get("text", "")),
            str((body.get("reply") or {}).get("in_reply_to_tweet_id", "")),
        )
        network = self.network
        answered = network.posts.get(parent)
        if not text.strip() or x_rules.weight(text) > x_rules.POST_LIMIT:
            return problem(400, "Your Tweet text is too long or empty.")
        if parent and (answered is None or answered.deleted):
            return problem(403, x_answers.GONE)
        if answered and answered.author != network.office and not network.calls_office(answered):
            return problem(403, x_answers.NOT_CALLED)
        if any(each.author == network.office and _bare(each.text) == _bare(text) for each in network.seen()):
            return problem(403, x_answers.DUPLICATE)
        post = network.post(network.office, text, answered)
        return JSONResponse(
            {"data": {"id": post.id, "text": post.text, "edit_history_tweet_ids": [post.id]}}, 201
        )

    def _write(self, request: Request, body: dict[str, Any]) -> Response:
        network, text = self.network, str(body.get("text", ""))
        citizen = network.by_id(request.path_params["id"])
        if citizen is None or not any(each.sender == citizen for each in network.dms):
            return problem(403, "You do not have permission to DM one or more participants.")
        if not text.strip() or len(text) > x_rules.DM_LIMIT:
            return problem(400, "text is too long or empty")
        message = network.dm(network.office, citizen, text)
        conversation = dm_conversation(network.office, citizen)
        return JSONResponse({"data": {"dm_conversation_id": conversation, "dm_event_id": message.id}}, 201)

    def _mentions(self, request: Request, body: dict[str, Any]) -> Response:  # noqa: ARG002
        return self._posts(request, self.network.mentions())

    def _timeline(self, request: Request, body: dict[str, Any]) -> Response:  # noqa: ARG002
        mine = request.path_params["id"]
        return self._posts(request, [post for post in self.network.seen() if post.author.id == mine])

    def _search(self, request: Request, body: dict[str, Any]) -> Response:  # noqa: ARG002
        """Every word of the query is in the text; operators are not understood."""
        wanted = request.query_params.get("query", "").casefold().split()
        return self._posts(
            request, [p for p in self.network.seen() if all(w in p.text.casefold() for w in wanted)]
        )

    def _posts(self, request: Request, posts: list[Post]) -> Response:
        query = request.query_params
        since, start = int(query.get("since_id", 0)), query.get("start_time", "")
        begin = datetime.fromisoformat(start) if start else None
        kept = [p for p in posts if int(p.id) > since and (begin is None or p.created >= begin)]
        return _page(request, kept, page_of_posts)

    def _messages(self, request: Request, body: dict[str, Any]) -> Response:  # noqa: ARG002
        if "since_id" in request.query_params:
            return problem(400, "The query parameter [since_id] is not one of the known ones")
        found = self.network.messages(request.path_params.get("id"))
        return _page(request, found, lambda some: page_of_messages(some, self.network.office))


def _page(request: Request, every: list[Any], shown: Callable[[list[Any]], dict[str, Any]]) -> Response:
    """One page, newest first. Where there is nothing, there is no "data"."""
    query = request.query_params
    size = int(query.get("max_results", 100))
    if not 1 <= size <= 100:
        return problem(400, "The `max_results` query parameter value is not between 1 and 100")
    token = query.get("pagination_token") or query.get("next_token") or "7140start"
    before = token.removeprefix("7140")
    if not token.startswith("7140") or not (before == "start" or before.isdecimal()):
        return problem(400, "One or more parameters to your request was invalid.")
    rest = [each for each in every if before == "start" or int(each.id) < int(before)]
    some = rest[:size]
    if not some:
        return JSONResponse({"meta": {"result_count": 0}})
    meta = {"result_count": len(some), "newest_id": some[0].id, "oldest_id": some[-1].id}
    if len(rest) > size:
        meta["next_token"] = f"7140{some[-1].id}"
    return JSONResponse({**shown(some), "meta": meta})


def _bare(text: str) -> str:
    """Without those whom an answer begins with."""
    return re.sub(r"^(?:@\w{1,15}\s+)+", "", text, flags=re.ASCII).strip()
