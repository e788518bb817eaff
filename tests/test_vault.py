"""What is sealed can be opened with its key, and with nothing else."""

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from support import MONDAY, seeded

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.vault import Sealer, key_of, pseudonym, seal, unseal

KEY = bytes(range(32))


@given(st.text())
def test_sealed_text_comes_back_and_is_not_readable_meanwhile(plain: str) -> None:
    sealed = seal("k1", KEY, plain)
    assert unseal(KEY, sealed) == plain
    assert key_of(sealed) == "k1"
    assert len(plain) < 4 or plain not in sealed


@given(st.text())
def test_sealing_twice_gives_the_same_bytes(plain: str) -> None:
    assert seal("k1", KEY, plain) == seal("k1", KEY, plain)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(InvalidTag):
        unseal(bytes(32), seal("k1", KEY, "rahasia"))


def test_a_seal_cannot_be_passed_off_as_anothers() -> None:
    version, _, body = seal("k1", KEY, "rahasia").split(".")
    with pytest.raises(InvalidTag):
        unseal(KEY, f"{version}.k2.{body}")


def test_a_wrapped_key_opens_with_its_master_only() -> None:
    sealer = Sealer(KEY, seeded())
    key = sealer.new_key("p_x", MONDAY)
    assert len(sealer.open_key(key)) == 32
    with pytest.raises(Misconfigured, match="LAPORHUB_MASTER_KEY"):
        Sealer(bytes(32), seeded()).open_key(key)


def test_a_short_master_key_says_how_to_make_one() -> None:
    with pytest.raises(Misconfigured, match="openssl rand"):
        Sealer(b"short", seeded())


def test_pseudonyms_tell_people_apart_and_need_the_pepper() -> None:
    assert pseudonym(b"a", "tel", "+1") == pseudonym(b"a", "tel", "+1")
    assert (
        len({pseudonym(b"a", "tel", "+1"), pseudonym(b"b", "tel", "+1"), pseudonym(b"a", "tel", "+2")}) == 3
    )
