"""The demo's staff finds its way through any profile."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from support import Clock, form, hub_on

from laporhub import profiles
from laporhub.hub.demo_staff import LETTER, neighbours, next_step, worked_on
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.workflow import is_final
from laporhub.simulators.citizens import complaints

TEXTS = {
    "laporgub-jateng": "Jalan provinsi ruas Purwodadi-Blora di Kabupaten Grobogan berlubang parah, mohon diaspal",
    "wadul-aladin": "Sampah di TPS dekat pasar tidak diangkut lima hari, baunya ke rumah warga",
    "batiknet": "Internet di ruang pelayanan kami putus sejak pagi, lampu switch mati",
}


@pytest.mark.parametrize("name", profiles.shipped())
@pytest.mark.parametrize("seed", range(3))
async def test_a_case_is_worked_on_until_the_reporter_is_answered(
    tmp_path: Path, name: str, seed: int
) -> None:
    clock, rng = Clock(), random.Random(seed)
    async with hub_on(tmp_path, clock, profile=name) as hub:
        book = hub.rulebooks[name]
        receipt = await hub.receive(name, "web", form(1, TEXTS[name], files=(LETTER,)))
        for _ in range(20):
            state = hub.case(receipt.ticket)
            assert state is not None
            if state.status not in worked_on(book):
                break
            chosen = next_step(book, state, rng)
            assert chosen is not None, state.status
            clock.forward(minutes=5)
            await hub.act(state.id, *chosen)
        assert is_final(book, state) or state.status == "answered"


@pytest.mark.parametrize("name", profiles.shipped())
def test_citizens_write_on_all_channels_of_the_profile_and_on_no_other(name: str) -> None:
    book = load(name)
    people = neighbours(book, complaints(1), random.Random(1))
    assert {next(people).channel for _ in range(200)} == set(book.profile.channels)
