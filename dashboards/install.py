"""Puts dashboards, spaces and roles into a running Kibana. Idempotent; talks HTTP and nothing else.

Kibana wants the header `kbn-xsrf` on whatever changes something, and answers an import that failed with 200:
what happened is in the body.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import httpx

from laporhub.dashboards.access import Audience, Grant, Indices, audiences, grants, space, space_id
from laporhub.dashboards.bundle import bundle
from laporhub.dashboards.catalog import dashboards
from laporhub.pipeline.errors import Misconfigured, RetryLater
from laporhub.pipeline.profile.rulebook import Rulebook

OLDEST: Final = (9, 3)
"""The first version of Kibana that the bundles are made for."""
PAUSE: Final = 2.0
"""Seconds between two looks at a Kibana that is starting."""


def connect(
    base_url: str,
    auth: tuple[str, str] | str,
    *,
    verify: bool | str = True,
    transport: httpx.BaseTransport | None = None,
) -> httpx.Client:
    """A client for Kibana. `auth` is user and password, or an API key; `verify` may be a file of certificates.

    `transport` is for tests. The caller closes it.
    """
    headers = {"kbn-xsrf": "laporhub"}
    if isinstance(auth, str):
        headers["Authorization"] = f"ApiKey {auth}"
    return httpx.Client(
        base_url=base_url,
        auth=auth if isinstance(auth, tuple) else None,
        headers=headers,
        timeout=120,
        verify=verify,
        transport=transport,
    )


def install(
    client: httpx.Client,
    rulebook: Rulebook,
    indices: Indices | None = None,
    *,
    language: str = "id",
    hub_url: str = "",
    overwrite: bool = True,
    patience: float = 300,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Waits for Kibana, then writes the profile's spaces, roles and dashboards; what was done, in words.

    `overwrite` brings every object back to what this program ships; without, objects that are there already stay as
    somebody may have changed them. Raises `RetryLater` while Kibana is away, `Misconfigured` when it refuses.
    """
    names = indices or Indices()
    wait(client, patience=patience, sleep=sleep)
    done = []
    for audience in audiences(rulebook):
        put_space(client, space(rulebook, audience, language))
        data = bundle(rulebook, audience, names, language, hub_url)
        where = space_id(rulebook, audience)
        count = import_bundle(client, where, data, overwrite=overwrite)
        done.append(f"space {where}: {count} objects")
    rights = grants(rulebook, names, language)
    for grant in rights:
        put_role(client, grant)
    return [*done, f"{len(rights)} roles"]


def check(client: httpx.Client, rulebook: Rulebook, indices: Indices | None = None) -> list[str]:
    """What `install` would have to bring, in words; nothing when all is there. Changes nothing."""
    names = indices or Indices()
    missing = []
    for audience in audiences(rulebook):
        where = space_id(rulebook, audience)
        if _ask(client, "GET", f"/api/spaces/space/{where}", accept=(404,)).status_code == 404:
            missing.append(f"the space {where} is missing: run `laporhub setup`")
        elif not _exported(client, rulebook, audience):
            missing.append(f"dashboards of the space {where} are missing: run `laporhub setup`")
    for grant in grants(rulebook, names):
        answer = _ask(client, "GET", f"/api/security/role/{grant.name}", accept=(404,))
        if answer.status_code == 404:
            missing.append(f"the role {grant.name} is missing: run `laporhub setup`")
    return missing


def wait(client: httpx.Client, *, patience: float = 300, sleep: Callable[[float], None] = time.sleep) -> None:
    """Returns when Kibana is available; looks again for `patience` seconds, then raises `RetryLater`."""
    reason = ""
    for _ in range(max(1, int(patience / PAUSE))):
        try:
            answer = client.get("/api/status")
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
        else:
            if answer.status_code in (401, 403):
                raise Misconfigured(
                    f"Kibana does not know this account ({answer.status_code}): {_said(answer)}"
                )
            status = _json(answer)
            reason = str(status.get("status", {}).get("overall", {}).get("level") or _said(answer))
            if answer.status_code == 200 and reason == "available":
                _new_enough(str(status.get("version", {}).get("number", "")))
                return
        sleep(PAUSE)
    raise RetryLater(f"Kibana at {client.base_url} is not available ({reason})", after=PAUSE)


def _new_enough(version: str) -> None:
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if len(numbers) == 2 and numbers < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise Misconfigured(f"Kibana is {version}; the dashboards need {wanted} or newer")


def put_space(client: httpx.Client, body: dict[str, Any]) -> None:
    """Creates the space, or brings it up to date."""
    answer = _ask(client, "POST", "/api/spaces/space", json=body, accept=(409,))
    if answer.status_code == 409:
        _ask(client, "PUT", f"/api/spaces/space/{body['id']}", json=body)


def put_role(client: httpx.Client, grant: Grant) -> None:
    """Creates the role, or brings it up to date."""
    _ask(client, "PUT", f"/api/security/role/{grant.name}", json=grant.kibana())


def import_bundle(client: httpx.Client, space: str, data: bytes, *, overwrite: bool = True) -> int:
    """Imports the objects into the space; how many there are now of them. Raises `Misconfigured` naming each fault."""
    answer = _ask(
        client,
        "POST",
        f"/s/{space}/api/saved_objects/_import",
        params={"overwrite": "true"} if overwrite else None,
        files={"file": ("laporhub.ndjson", data, "application/ndjson")},
    )
    body = _json(answer)
    errors = list(_errors(body.get("errors", ()), keep_theirs=not overwrite))
    if errors or (not body.get("success") and not body.get("errors")):
        raise Misconfigured(f"Kibana took no dashboards into {space}: {'; '.join(errors) or _said(answer)}")
    return data.count(b"\n")


def _errors(errors: Iterable[dict[str, Any]], *, keep_theirs: bool) -> Iterable[str]:
    """Each fault in words; an object that is there already is none if it is to stay."""
    for each in errors:
        error = each.get("error", {})
        kind = error.get("type", "unknown")
        if keep_theirs and kind == "conflict":
            continue
        lacks = ", ".join(f"{link.get('type')} {link.get('id')}" for link in error.get("references", ()))
        detail = lacks or error.get("message", "")
        yield f"{each.get('type')} {each.get('id')}: {kind} {detail}".strip()


def _exported(client: httpx.Client, rulebook: Rulebook, audience: Audience) -> bool:
    """Whether all dashboards of the audience are there: an export that names a missing one is refused."""
    where = space_id(rulebook, audience)
    wanted = [{"type": "dashboard", "id": f"{where}-{page.name}"} for page in dashboards(rulebook, audience)]
    body = {"objects": wanted, "excludeExportDetails": True}
    answer = _ask(client, "POST", f"/s/{where}/api/saved_objects/_export", json=body, accept=(400,))
    return answer.status_code == 200


def _ask(
    client: httpx.Client, method: str, path: str, *, accept: tuple[int, ...] = (), **request: Any
) -> httpx.Response:
    """The answer, if it is a success or one of `accept`. Raises `RetryLater` or `Misconfigured`."""
    try:
        answer = client.request(method, path, **request)
    except httpx.TransportError as error:
        raise RetryLater(f"Kibana does not answer: {error or type(error).__name__}") from error
    if answer.is_success or answer.status_code in accept:
        return answer
    what = f"Kibana refused {method} {path} ({answer.status_code}): {_said(answer)}"
    raise RetryLater(what) if answer.status_code >= 500 or answer.status_code == 429 else Misconfigured(what)


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _said(answer: httpx.Response) -> str:
    """The message of an answer, shortened."""
    return str(_json(answer).get("message") or answer.text)[:300]
