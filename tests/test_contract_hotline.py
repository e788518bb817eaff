"""The hotline and the counter keep the connectors' contract."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import orjson
from hypothesis import strategies as st

from laporhub.connectors.specimen import Said, Specimen
from laporhub.hub.contract import contract_of
from laporhub.pipeline.connector import Raw

SECRET = "rahasia-percobaan-1"
SPOKEN = ("jalan", "lampu", "rusak", "gelap", "di", "depan", "pasar", "Contoh", "kemarin,", "sudah", "jatuh")


def phone(author: int) -> str:
    return f"+6281100000{author:03d}"


def identity(author: int) -> Sequence[str]:
    return (f"Warga Percobaan {author}", f"81100000{author:03d}")


@dataclass
class HotlineSpecimen(Specimen):
    """One conversation is one call, and what is said again in it is a further revision of its transcript."""

    provider: str = "hotline"
    channel: str = "hotline"
    account: str = "+62248441256"
    settings = {"secret": SECRET, "proof": "signature"}
    threads = True
    words = st.lists(st.sampled_from(SPOKEN), min_size=1, max_size=20, unique=True).map(" ".join)
    """What is spoken is tidied, so not any text at all."""

    def payload(self, said: Said) -> Raw:
        call = {
            "call_id": f"panggilan-{said.author}-{said.thread}",
            "revision": 1 + crc32(said.id.encode()) % 900_000,
            "started_at": said.at.isoformat(),
            "caller": phone(said.author),
            "name": f"Warga Percobaan {said.author}",
            "turns": [
                {"speaker": "agent", "text": "Hotline LaporGub, selamat pagi.", "start_ms": 0},
                {"speaker": "caller", "text": said.words, "start_ms": 2500, "conf": 0.9},
            ],
        }
        return Raw(orjson.dumps(call), "application/json")

    def identity(self, author: int) -> Sequence[str]:
        return identity(author)

    def sign(self, raw: Raw) -> Raw:
        signed = hmac.digest(SECRET.encode(), raw.url.encode() + b"\n" + raw.body, "sha256").hex()
        return replace(raw, headers={"x-hotline-signature": f"sha256={signed}"})

    def unsupported(self, said: Said) -> Sequence[Raw]:
        """Calls without words: somebody must ring back, or write them up."""
        header = "uniqueid,src,calldate,disposition,billsec"
        rows = [
            f"{header}\n1.{number},{phone(said.author)},2026-11-23 09:00:00,{fate},{seconds}\n"
            for number, (fate, seconds) in enumerate([("NO ANSWER", 0), ("ANSWERED", 60)])
        ]
        return [Raw(row.encode(), "text/csv") for row in rows]


@dataclass
class CounterSpecimen(Specimen):
    provider: str = "counter"
    channel: str = "counter"
    account: str = "loket-contoh"
    hook = "files"
    threads = True

    def payload(self, said: Said) -> Raw:
        line = {
            "id": f"{said.thread}-{said.id}",
            "text": said.words,
            "name": f"Warga Percobaan {said.author}",
            "phone": phone(said.author),
            "officer": "loket-demo",
            "answer_by": "phone",
        }
        return Raw(orjson.dumps(line), "application/json")

    def identity(self, author: int) -> Sequence[str]:
        return identity(author)


TestHotline = contract_of(HotlineSpecimen())
TestCounter = contract_of(CounterSpecimen())
