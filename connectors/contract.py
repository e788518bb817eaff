"""What every connector must keep, as tests: all that needs no hub. docs/connector-spec.md says what each is for.

`laporhub.hub.contract` has the rest, through a real hub, and puts together what applies to a connector.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from laporhub.connectors.registry import connect
from laporhub.connectors.specimen import FORM, LETTERS, Said, Specimen
from laporhub.pipeline.connector import Fragment, Ignored, Parsed, Raw, StatusUpdate, Withdrawn
from laporhub.pipeline.connector_abilities import Greets
from laporhub.pipeline.errors import Forged, Misconfigured, Unparsable
from laporhub.pipeline.messages import Inbound

_ITEMS = (Inbound, Fragment, StatusUpdate, Withdrawn, Ignored)


def prove(check: Callable[..., object], *drawn: SearchStrategy[Any], examples: int = 100) -> None:
    """Runs a check on many examples. Not `@given` on the methods: several connectors inherit those."""
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]

    @settings(deadline=None, max_examples=examples, suppress_health_check=quiet)
    @given(st.tuples(*drawn))
    def run(values: tuple[Any, ...]) -> None:
        check(*values)

    run()


def damaged(raw: Raw) -> SearchStrategy[Raw]:
    """The payload as nobody should send it: other bytes, or values of every kind wherever it has one."""
    sound = raw.body
    anywhere = st.integers(0, len(sound)).flatmap(
        lambda at: st.binary(max_size=8).map(lambda noise: sound[:at] + noise + sound[at + len(noise) // 2 :])
    )
    if raw.content_type == FORM:
        pairs = parse_qsl(sound.decode(), keep_blank_values=True)
        names = st.sampled_from([name for name, _ in pairs])
        odd = st.dictionaries(names, st.text(LETTERS, max_size=30), min_size=1).map(
            lambda changes: urlencode({**dict(pairs), **changes}).encode()
        )
    elif sound.lstrip()[:1] in (b"{", b"["):
        document = orjson.loads(sound)
        odd = st.tuples(st.sampled_from(_places(document)), _odd_values()).map(
            lambda change: orjson.dumps(_changed(document, *change))
        )
    else:
        odd = anywhere
    return (anywhere | odd | odd | st.binary(max_size=64)).map(lambda body: replace(raw, body=body))


def _odd_values() -> SearchStrategy[Any]:
    scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False)
    touchy = st.sampled_from(
        ["", "0", "-1", "1e400", "//[x", "9" * 40, "\u202e", "2026-13-45T99:99", "\ud7ff"]
    )
    return st.recursive(
        scalars | touchy | st.text(LETTERS, max_size=30),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(LETTERS, max_size=9), inner, max_size=3)
        ),
        max_leaves=6,
    )


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON document, from the whole of it."""
    inside = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    return [path, *(place for key, value in inside for place in _places(value, (*path, key)))]


def _changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy: Any = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = _changed(document[path[0]], path[1:], value)
    return copy


def messages_in(parsed: Sequence[Parsed]) -> list[Inbound]:
    return [item for item in parsed if isinstance(item, Inbound)]


class Reading:
    """Parsing, splitting and settings: the same for every connector."""

    specimen: ClassVar[Specimen]

    def said(self, words: str = "Jalan rusak di Desa Contoh", **more: Any) -> Said:
        given: dict[str, Any] = {"id": "satu", "author": 0, "at": datetime.fromisoformat("2026-11-23T02:00Z")}
        return Said(words=words, **(given | more))

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        return self.specimen.connector.parse(raw)

    def one(self, said: Said) -> Inbound:
        (item,) = messages_in(self.parse(self.specimen.payload(said)))
        return item

    def test_parsing_is_pure(self) -> None:
        raw = self.specimen.payload(self.said())
        assert self.parse(raw) == self.parse(raw), "the same payload gave something else the second time"

    def test_the_reporters_words_arrive_as_written(self) -> None:
        def check(words: str) -> None:
            found = self.one(self.said(words)).text
            assert found == words, f"{words!r} became {found!r}"

        prove(check, self.specimen.words)

    def test_ids_and_authors_are_told_apart(self) -> None:
        first, again, other = (
            self.one(self.said()),
            self.one(self.said(id="dua")),
            self.one(self.said(author=1)),
        )
        assert first.external_id != again.external_id, "two messages have one id: one of them would be lost"
        assert first.author_id == again.author_id != other.author_id, "an author is not told by author_id"
        assert first.account in (None, self.specimen.account), (
            "account is not the one of the profile's channel"
        )
        if self.specimen.threads:
            assert first.thread != self.one(self.said(id="tiga", thread=1)).thread, "two threads are one"

    def test_fields_nobody_has_heard_of_change_nothing(self) -> None:
        raw = self.specimen.payload(self.said())
        plain = self.parse(raw)

        def check(more: Mapping[str, str]) -> None:
            assert self.parse(self.specimen.with_more(raw, more)) == plain

        names, values = (
            st.from_regex(r"x_[a-z]{1,9}", fullmatch=True),
            st.from_regex(r"[a-z ]{0,20}", fullmatch=True),
        )
        prove(check, st.dictionaries(names, values, min_size=1, max_size=4), examples=30)

    def test_whatever_the_bytes_it_is_understood_or_unparsable(self) -> None:
        """Never another exception: one odd payload must not stop a channel."""

        def check(raw: Raw, url: str) -> None:
            try:
                parsed = self.parse(replace(raw, url=url))
            except Unparsable as error:
                assert str(error), "an Unparsable that says nothing"
            else:
                assert all(isinstance(item, _ITEMS) for item in parsed)

        odd = damaged(self.specimen.payload(self.said()))
        prove(check, odd, st.sampled_from(["", "https://x/?reply=r", "//[x"]), examples=300)

    def test_an_empty_payload_is_unparsable(self) -> None:
        with pytest.raises(Unparsable):
            self.parse(replace(self.specimen.payload(self.said()), body=b""))

    def test_splitting_loses_no_word(self) -> None:
        split, text = self.specimen.connector.split, "Terima kasih atas laporan Anda 👨‍👩‍👧. " * 200
        parts = split(text)
        assert " ".join(parts).split().count("laporan") == 200, "words are lost, or cut in two"
        assert " ".join(parts).count("👨‍👩‍👧") == 200, "a character is cut in two"
        assert all(part.strip() for part in parts), "a part says nothing"
        assert split(text) == parts, "it is split another way the second time"
        assert list(split("Terima kasih.")) == ["Terima kasih."]

    def test_no_settings_are_needed_to_read_a_file(self) -> None:
        raw, bare = self.specimen.payload(self.said()), connect(self.specimen.provider, {})
        assert bare.parse(raw) == self.parse(raw)
        assert bare.split("Terima kasih.") == self.specimen.connector.split("Terima kasih.")

    def test_a_setting_nobody_knows_is_refused_by_name(self) -> None:
        with pytest.raises(Misconfigured, match=r"(?i)no_such_setting"):
            connect(self.specimen.provider, {**self.specimen.settings, "no_such_setting": "1"})


class Signed:
    """A hook whose platform proves that it posts."""

    specimen: ClassVar[Specimen]
    said: Callable[..., Said]

    def test_what_the_platform_signed_is_taken(self) -> None:
        self.specimen.connector.verify(self.specimen.posted(self.specimen.payload(self.said())))

    def test_what_nobody_signed_is_forged(self) -> None:
        sound = self.specimen.posted(self.specimen.payload(self.said()))
        for headers in (None, dict[str, str]()):
            with pytest.raises(Forged):
                self.specimen.connector.verify(replace(sound, headers=headers))

    def test_a_guessed_signature_is_forged(self) -> None:
        sound = self.specimen.posted(self.specimen.payload(self.said()))

        def check(guess: str) -> None:
            headers = dict.fromkeys(sound.headers or (), guess)
            with pytest.raises(Forged):
                self.specimen.connector.verify(replace(sound, headers=headers))

        prove(check, st.text(st.characters(codec="latin-1"), max_size=80))


class SignedBody(Signed):
    """A signature over what was posted."""

    def test_what_was_changed_on_the_way_is_forged(self) -> None:
        sound = self.specimen.posted(self.specimen.payload(self.said()))

        def check(raw: Raw) -> None:
            if raw.body != sound.body:
                with pytest.raises(Forged):
                    self.specimen.connector.verify(raw)

        prove(check, damaged(sound))


class Unhooked:
    """Nothing of it is posted: whoever posts is not it."""

    specimen: ClassVar[Specimen]
    said: Callable[..., Said]

    def test_whatever_is_posted_is_forged(self) -> None:
        with pytest.raises(Forged):
            self.specimen.connector.verify(self.specimen.posted(self.specimen.payload(self.said())))


class Greeting:
    """A platform that asks whether a hook is ours."""

    specimen: ClassVar[Specimen]

    def test_the_platforms_question_is_answered_and_nobody_elses(self) -> None:
        connector, asked = self.specimen.connector, self.specimen.greeting()
        assert asked is not None, "the connector is a Greets: tell greeting() in its specimen"
        assert isinstance(connector, Greets)
        query, answer = asked
        assert connector.greet(query).body == answer
        for wrong in ({}, {"hub.mode": "subscribe"}):
            with pytest.raises(Forged):
                connector.greet(wrong)
