"""Telegram keeps the connectors' contract, against a Telegram that is played here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from laporhub.connectors.specimen import Answer, Said, Specimen
from laporhub.hub.contract import contract_of
from laporhub.pipeline.ports import Raw
from laporhub.simulators.serving import serving

TOKEN, SECRET = "1:contoh", "rahasia-hook"


class TelegramSpecimen(Specimen):
    provider = "telegram"
    channel = "telegram"
    account = "@lapor_contoh_bot"
    settings = {"token": TOKEN, "webhook_secret": SECRET}
    signs_body = False
    looks_up = False

    def payload(self, said: Said) -> Raw:
        return Raw(orjson.dumps(self.update(said)), "application/json")

    def update(self, said: Said, **content: Any) -> dict[str, Any]:
        number = int.from_bytes(said.id.encode()[:3] + said.id.encode()[-3:])
        chat = {"id": 700000 + said.author, "type": "private", "first_name": f"Warga Percobaan {said.author}"}
        sender = {
            "id": chat["id"],
            "is_bot": False,
            "first_name": chat["first_name"],
            "username": f"warga_{said.author}",
        }
        body = content or {"text": said.words}
        message = {"message_id": number, "from": sender, "chat": chat, "date": int(said.at.timestamp())}
        return {"update_id": number, "message": message | body}

    def sign(self, raw: Raw) -> Raw:
        return replace(raw, headers={"x-telegram-bot-api-secret-token": SECRET})

    def identity(self, author: int) -> Sequence[str]:
        return (f"Warga Percobaan {author}", f"70000{author}", f"warga_{author}")

    def unsupported(self, said: Said) -> Sequence[Raw]:
        odd = self.update(said, poll={"id": "1", "question": "?"})
        return [Raw(orjson.dumps(odd), "application/json")]

    def where(self, said: Said) -> str:
        message = self.update(said)["message"]
        return f"{message['chat']['id']}/{message['message_id']}"

    @asynccontextmanager
    async def platform(self, now: Callable[[], datetime]) -> AsyncIterator[Played]:
        played = Played(self)
        app = Starlette(routes=[Route("/bot{token}/{method}", played.answer, methods=["POST"])])
        async with serving(app) as url:
            yield replace(played, settings={**self.settings, "api_url": url, "poll_every": "1"})


@dataclass
class Played:
    """The Bot API, as far as the connector goes."""

    specimen: TelegramSpecimen
    settings: Mapping[str, Any] = field(default_factory=dict)
    updates: list[dict[str, Any]] = field(default_factory=list)
    said: list[Answer] = field(default_factory=list)
    breaks: list[bool] = field(default_factory=list)

    def heard(self) -> Sequence[Answer]:
        return self.said

    def arrives(self, said: Said) -> None:
        self.updates.append({**self.specimen.update(said), "update_id": len(self.updates) + 1})

    def break_next(self, *, taken: bool) -> None:
        self.breaks.append(taken)

    async def answer(self, request: Request) -> Response:
        body, method = await request.json(), request.path_params["method"]
        if request.path_params["token"] != TOKEN:
            return JSONResponse({"ok": False, "error_code": 401}, 401)
        if method == "getUpdates":
            found = [update for update in self.updates if update["update_id"] >= body["offset"]]
            return JSONResponse({"ok": True, "result": found[: body["limit"]]})
        if method == "getMe":
            return JSONResponse({"ok": True, "result": {"is_bot": True}})
        taken = self.breaks.pop(0) if self.breaks else None
        if taken is not False:
            message = body.get("reply_parameters", {}).get("message_id")
            self.said.append(Answer(f"{body['chat_id']}/{message}", body["text"]))
        if taken is not None:
            return Response("<html>502</html>", 502)
        return JSONResponse({"ok": True, "result": {"message_id": 10_000 + len(self.said)}})


TestTelegram = contract_of(TelegramSpecimen())
