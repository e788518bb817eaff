"""Facebook and Instagram keep the connectors' contract: comments and direct messages of both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import orjson

from laporhub.connectors.specimen import Answer, Said, Specimen
from laporhub.hub.contract import contract_of
from laporhub.pipeline.connector import Raw
from laporhub.simulators.meta import MetaSimulator, sign, webhook
from laporhub.simulators.meta_answers import Failure
from laporhub.simulators.meta_network import Event, Network, Where
from laporhub.simulators.meta_network import Said as Kept
from laporhub.simulators.serving import serving

SECRET = "rahasia-aplikasi"
POST = {"facebook": "office_987", "instagram": "178900"}


@dataclass
class MetaSpecimen(Specimen):
    """Our account is its own id here, so that payloads are read the same without any settings."""

    channel: Where
    account: str
    kind: Literal["comment", "message"]
    provider: str = "meta"

    def __post_init__(self) -> None:
        self.threads = self.kind == "comment"
        side = {
            "facebook": ("page_id", "facebook_account"),
            "instagram": ("instagram_id", "instagram_account"),
        }
        ours = dict.fromkeys(side[self.channel], self.account)
        self.settings = {
            "app_secret": SECRET,
            "verify_token": "kata-sandi-hook",
            "page_token": "EAAsimulasi",
        } | ours

    def network(self, now: Callable[[], datetime]) -> Network:
        page, handle = ("lain", self.account) if self.channel == "instagram" else (self.account, "@lain")
        return Network(page, page, handle, handle, now, seed=7)

    def kept(self, said: Said) -> Kept:
        """What the platform has of it: a comment stands under one that began the thread."""
        name = f"Warga Percobaan {said.author}"
        author = self.author(said.author)
        made = Kept(self.where(said), self.channel, author, name, said.words, said.at)
        if self.kind == "message":
            made.id, made.citizen = f"m_{said.id}", author
            return made
        made.post, made.parent = POST[self.channel], self.comment_id(f"utas{said.thread}")
        return made

    def author(self, number: int) -> str:
        return f"990000000000{number:03d}"

    def comment_id(self, name: str) -> str:
        return f"987_{name}" if self.channel == "facebook" else f"1790{name}"

    def event(self, said: Said) -> Event:
        kept = self.kept(said)
        network = self.network(lambda: said.at)
        return network.message_of(kept) if self.kind == "message" else network.told_of(kept)

    def payload(self, said: Said) -> Raw:
        return Raw(webhook([self.event(said)]), "application/json")

    def batch(self, said: Sequence[Said]) -> Sequence[Raw]:
        return [Raw(webhook([self.event(each) for each in said]), "application/json")]

    def where(self, said: Said) -> str:
        return self.author(said.author) if self.kind == "message" else self.comment_id(said.id)

    def identity(self, author: int) -> Sequence[str]:
        return (f"Warga Percobaan {author}", self.author(author))

    def sign(self, raw: Raw) -> Raw:
        return replace(raw, headers={"x-hub-signature-256": sign(SECRET, raw.body)})

    def with_more(self, raw: Raw, more: Mapping[str, str]) -> Raw:
        payload = orjson.loads(raw.body)
        for entry in payload["entry"]:
            for item in (*entry.get("changes", []), *entry.get("messaging", [])):
                item |= more
                (item.get("value") or item["message"]).update(more)
        return replace(raw, body=orjson.dumps(payload | more))

    def unsupported(self, said: Said) -> Sequence[Raw]:
        network, author = self.network(lambda: said.at), self.author(said.author)
        strange = [{"attachments": [{"type": "hologram", "payload": {}}]}, {"is_unsupported": True}]
        events = [
            network.event(self.channel, author, said.at, message={"mid": f"m_aneh{number}"} | message)
            for number, message in enumerate(strange)
        ]
        events.append(network.event(self.channel, author, said.at, game_play={"game_id": "1"}))
        return [Raw(webhook([event]), "application/json") for event in events]

    def greeting(self) -> tuple[Mapping[str, str], str]:
        asked = {"hub.mode": "subscribe", "hub.verify_token": "kata-sandi-hook", "hub.challenge": "115820"}
        return asked, "115820"

    @asynccontextmanager
    async def platform(self, now: Callable[[], datetime]) -> AsyncIterator[Played]:
        network = self.network(now)
        post = next(each for each in network.posts if each.where == self.channel)
        post.id = POST[self.channel]
        simulator = MetaSimulator(network, "http://127.0.0.1:1/hooks/meta")
        async with serving(simulator) as url:
            yield Played(self, simulator, dict(self.settings) | {"graph_url": url})
        await simulator.aclose()


@dataclass
class Played:
    """The simulator, as the suite sees it."""

    specimen: MetaSpecimen
    simulator: MetaSimulator
    settings: Mapping[str, Any]

    def heard(self) -> Sequence[Answer]:
        network = self.simulator.network
        if self.specimen.kind == "message":
            return [Answer(d.citizen, d.text) for d in reversed(network.directs) if d.author != d.citizen]
        ours = self.specimen.account
        return [Answer(c.to, c.text) for c in reversed(network.comments) if c.author == ours and c.to]

    def arrives(self, said: Said) -> None:
        kept, network = self.specimen.kept(said), self.simulator.network
        if kept.citizen:
            network.directs.insert(0, kept)
            return
        network.comments.insert(0, kept)
        if network.find(kept.parent) is None:  # the office itself began the thread
            ours = self.specimen.account
            top = Kept(kept.parent, kept.where, ours, ours, "Ada laporan?", said.at, post=kept.post)
            network.comments.insert(0, top)

    def break_next(self, *, taken: bool) -> None:
        self.simulator.failures.append(Failure.drop(taken=taken))


TestFacebookComments = contract_of(MetaSpecimen("facebook", "office", "comment"))
TestMessenger = contract_of(MetaSpecimen("facebook", "office", "message"))
TestInstagramComments = contract_of(MetaSpecimen("instagram", "@kantor", "comment"))
TestInstagramMessages = contract_of(MetaSpecimen("instagram", "@kantor", "message"))
