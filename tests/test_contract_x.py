"""X keeps the connectors' contract: posts that mention us, and direct messages."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from laporhub.connectors.specimen import Answer, Said, Specimen
from laporhub.hub.contract import contract_of
from laporhub.pipeline.connector import Raw
from laporhub.simulators import x_rules
from laporhub.simulators.x import Keys, XSimulator
from laporhub.simulators.x_answers import Failure
from laporhub.simulators.x_network import Dm, Person, Post, dm_payload, event, stamp

ACCOUNT = "@LaporGub_"
KEYS = Keys(consumer_secret="secret")
OFFICE = Person("1111", "LaporGub_", "LaporGub")
NOWHERE = "http://127.0.0.1:1/hooks/x"


class XSpecimen(Specimen):
    provider = "x"
    channel = "x"
    account = ACCOUNT
    settings = XSimulator(ACCOUNT, NOWHERE, datetime.now, KEYS).settings("http://127.0.0.1:1")
    threads = True

    def payload(self, said: Said) -> Raw:
        author = self.author(said)
        post = {
            "id": self.where(said),
            "text": x_rules.escaped(said.words),
            "author_id": author.id,
            "conversation_id": self.conversation(said),
            "created_at": stamp(said.at),
        }
        users = [{"id": each.id, "username": each.username, "name": each.name} for each in (author, OFFICE)]
        return _raw(event("post.mention.create", post | {"includes": {"users": users}}, OFFICE.id, said.id))

    def author(self, said: Said) -> Person:
        return Person(
            f"99000000{said.author:03d}", f"warga_coba{said.author}", f"Warga Percobaan {said.author}"
        )

    def conversation(self, said: Said) -> str:
        """Authors share their threads."""
        return str(7_000_000 + said.thread)

    def where(self, said: Said) -> str:
        """The post that is answered; later posts have greater ids."""
        return x_rules.snowflake(said.at, int(hashlib.sha256(said.id.encode()).hexdigest(), 16))

    def identity(self, author: int) -> Sequence[str]:
        return (f"99000000{author:03d}", f"warga_coba{author}", f"Warga Percobaan {author}")

    def sign(self, raw: Raw) -> Raw:
        signature = x_rules.signature(KEYS.consumer_secret, raw.body)
        return replace(raw, headers={"x-twitter-webhooks-signature": signature})

    def unsupported(self, said: Said) -> Sequence[Raw]:
        empty = dm_payload(Dm("501", self.author(said), self.author(said), "", said.at), OFFICE)
        encrypted = {"id": "502", "sender_id": self.author(said).id, "encoded_event": "AAAA"}
        return [
            _raw(event(kind, each, OFFICE.id, "1"))
            for kind, each in (("dm.received", empty), ("chat.received", encrypted))
        ]

    def greeting(self) -> tuple[Mapping[str, str], str]:
        answer = {"response_token": x_rules.signature(KEYS.consumer_secret, b"tok")}
        return {"crc_token": "tok"}, orjson.dumps(answer).decode()

    @asynccontextmanager
    async def platform(self, now: Callable[[], datetime]) -> AsyncIterator[Played]:
        simulator = XSimulator(ACCOUNT, NOWHERE, now, KEYS)
        async with simulator.running() as (_, told):
            yield Played(self, simulator, told)


@dataclass
class Played:
    """The simulator, as the suite sees it."""

    specimen: XSpecimen
    simulator: XSimulator
    settings: Mapping[str, Any]

    def heard(self) -> Sequence[Answer]:
        network = self.simulator.network
        every = sorted(
            (post for post in network.posts.values() if post.author == network.office),
            key=lambda p: int(p.id),
        )
        return [Answer(_asked(post).id, post.text) for post in every]

    def arrives(self, said: Said) -> None:
        network, author = self.simulator.network, self.specimen.author(said)
        network.people[author.username] = author
        name = self.specimen.where(said)
        text = f"{ACCOUNT} {said.words}"
        network.posts[name] = Post(
            name, author, text, said.at, self.specimen.conversation(said), edits=(name,)
        )

    def break_next(self, *, taken: bool) -> None:
        self.simulator.failures.append(Failure.drop(taken=taken))


class DmSpecimen(XSpecimen):
    """The same account's direct messages: one conversation with each, and nobody else reads it."""

    threads = False

    def payload(self, said: Said) -> Raw:
        author = self.author(said)
        return _raw(
            event(
                "dm.received",
                dm_payload(Dm(super().where(said), author, author, said.words, said.at), OFFICE),
                OFFICE.id,
                said.id,
            )
        )

    def where(self, said: Said) -> str:
        return self.author(said).id

    def name(self, said: Said) -> str:
        return super().where(said)

    @asynccontextmanager
    async def platform(self, now: Callable[[], datetime]) -> AsyncIterator[PlayedDms]:
        simulator = XSimulator(ACCOUNT, NOWHERE, now, KEYS)
        async with simulator.running() as (_, told):
            yield PlayedDms(self, simulator, told)


@dataclass
class PlayedDms(Played):
    specimen: DmSpecimen

    def heard(self) -> Sequence[Answer]:
        office = self.simulator.network.office
        return [
            Answer(each.citizen.id, each.text) for each in self.simulator.network.dms if each.sender == office
        ]

    def arrives(self, said: Said) -> None:
        network, author = self.simulator.network, self.specimen.author(said)
        network.people[author.username] = author
        network.dms.append(Dm(self.specimen.name(said), author, author, said.words, said.at))


def _asked(post: Post) -> Post:
    """What somebody else said, that this answers, through our own posts in between."""
    while post.reply_to is not None and post.author == post.reply_to.author:
        post = post.reply_to
    assert post.reply_to is not None
    return post.reply_to


def _raw(document: Mapping[str, Any]) -> Raw:
    return Raw(orjson.dumps(document), "application/json")


TestPosts = contract_of(XSpecimen())
TestDirectMessages = contract_of(DmSpecimen())
