"""Sealing: identity and untouched text, encrypted under a key of that reporter.

AES-256-GCM; each reporter's keys are wrapped by a master key. A sealed value names its key, so a reporter may
have several (two first messages at once), and erasing them all erases the person from every log.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from laporhub.pipeline.errors import Misconfigured

_VERSION = "v1"
_NONCE = 12
PERSON: Final = "p_"
"""How a pseudonym begins; keys of other owners (a dead letter) have another name."""


@dataclass(frozen=True, slots=True)
class ReporterKey:
    """A wrapped key, as the vault keeps it. `master` names the master key that wraps it."""

    id: str
    reporter: str
    master: str
    wrapped: bytes
    created_at: datetime


class Sealer:
    """Makes, wraps and opens reporter keys with one master key of 32 bytes.

    `entropy(n)` yields n random bytes; tests inject a seeded one. `earlier` master keys open what they wrapped, until
    all of it is wrapped anew.
    """

    def __init__(self, master: bytes, entropy: Callable[[int], bytes], earlier: Sequence[bytes] = ()) -> None:
        if any(len(each) != 32 for each in (master, *earlier)):
            raise Misconfigured("The master key must have 32 bytes; make one with: openssl rand -base64 32")
        self._opens = {master_id(each): AESGCM(each) for each in (*earlier, master)}
        self._entropy = entropy
        self.master = master_id(master)

    def new_key(self, reporter: str, at: datetime) -> ReporterKey:
        key_id = "k" + self._entropy(12).hex()
        bare = ReporterKey(key_id, reporter, self.master, b"", at)
        nonce = self._entropy(_NONCE)
        return self._wrapped(bare, nonce, self._entropy(32))

    def rewrapped(self, key: ReporterKey) -> ReporterKey:
        """The same key, wrapped by today's master key. Raises `Misconfigured`, as `open_key`."""
        return self._wrapped(key, self._entropy(_NONCE), self.open_key(key))

    def _wrapped(self, key: ReporterKey, nonce: bytes, plain: bytes) -> ReporterKey:
        sealed = self._opens[self.master].encrypt(nonce, plain, f"{key.id}|{key.reporter}".encode())
        return replace(key, master=self.master, wrapped=nonce + sealed)

    def open_key(self, key: ReporterKey) -> bytes:
        """Raises `Misconfigured` when none of the master keys is the one that wrapped it."""
        try:
            return self._opens.get(key.master, self._opens[self.master]).decrypt(
                key.wrapped[:_NONCE], key.wrapped[_NONCE:], f"{key.id}|{key.reporter}".encode()
            )
        except InvalidTag:
            raise Misconfigured(
                f"Key {key.id} was wrapped by master key {key.master}, this is {self.master}: "
                "give LAPORHUB_MASTER_KEY the right one"
            ) from None


def master_id(master: bytes) -> str:
    """The name by which a wrapped key tells its master key."""
    return hashlib.sha256(b"laporhub master key id" + master).hexdigest()[:16]


def pseudonym(pepper: bytes, *parts: str) -> str:
    """The name under which a person travels; not reversible without the pepper, however few phones exist."""
    joined = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return PERSON + base64.b32encode(hmac.digest(pepper, joined, "sha256")).decode().lower()[:26]


def seal(key_id: str, key: bytes, plain: str) -> str:
    """`v1.<key id>.<base64url>`. The nonce is derived from key and text: sealing twice gives the same bytes."""
    data = plain.encode("utf-8", "surrogatepass")
    nonce = hmac.digest(key, b"nonce" + data, "sha256")[:_NONCE]
    sealed = nonce + AESGCM(key).encrypt(nonce, data, key_id.encode())
    return f"{_VERSION}.{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"


def seal_bytes(key_id: str, key: bytes, plain: bytes) -> bytes:
    """As `seal`, for a file: `v1.<key id>.` and then the bytes as they are."""
    nonce = hmac.digest(key, b"nonce" + plain, "sha256")[:_NONCE]
    return f"{_VERSION}.{key_id}.".encode() + nonce + AESGCM(key).encrypt(nonce, plain, key_id.encode())


def key_of_bytes(sealed: bytes) -> str:
    """The id of the key that opens it."""
    version, key_id, _ = sealed.split(b".", 2)
    return key_of(f"{version.decode()}.{key_id.decode()}.")


def unseal_bytes(key: bytes, sealed: bytes) -> bytes:
    _, key_id, data = sealed.split(b".", 2)
    return AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], key_id)


def key_of(sealed: str) -> str:
    """The id of the key that opens it."""
    version, key_id, _ = sealed.split(".")
    if version != _VERSION:
        raise Misconfigured(f"Sealed with format {version}, this hub reads {_VERSION}: update it")
    return key_id


def unseal(key: bytes, sealed: str) -> str:
    _, key_id, body = sealed.split(".")
    data = base64.urlsafe_b64decode(body)
    return AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], key_id.encode()).decode("utf-8", "surrogatepass")
