"""Bringing dashboards into Kibana: tried on a small Kibana that keeps the rules of the real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

import httpx
import pytest
from support import laporgub

from laporhub.dashboards.access import Indices, audiences, grants, space_id
from laporhub.dashboards.install import check, connect, import_bundle, install, wait
from laporhub.pipeline.errors import Misconfigured, RetryLater

RULES = laporgub()
ACCOUNT = ("elastic", "rahasia-contoh")

Thing = dict[str, Any]


@dataclass
class FakeKibana:
    """Spaces, roles and saved objects in memory; says no where Kibana does."""

    version: str = "9.3.2"
    starting: int = 0
    """How many times it says that it is not ready yet."""
    spaces: dict[str, Thing] = field(default_factory=dict)
    roles: dict[str, Thing] = field(default_factory=dict)
    saved: dict[tuple[str, str, str], Thing] = field(default_factory=dict)
    """(space, type, id) → object."""
    changes: int = 0
    broken: Callable[[httpx.Request], httpx.Response | None] = lambda request: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if (answer := self.broken(request)) is not None:
            return answer
        path = request.url.path
        if path == "/api/status":
            return self.status(request)
        if not self.knows(request):
            return refusal(401, "unable to authenticate user")
        if request.method != "GET" and "kbn-xsrf" not in request.headers:
            return refusal(400, "Request must contain a kbn-xsrf header.")
        if request.method != "GET" and not path.endswith("_export"):
            self.changes += 1
        if path.startswith("/api/spaces/space"):
            return self.space(request, path.removeprefix("/api/spaces/space").strip("/"))
        if path.startswith("/api/security/role/"):
            return self.role(request, path.rpartition("/")[2])
        if path.startswith("/s/"):
            where, _, what = path.removeprefix("/s/").partition("/api/saved_objects/")
            if where not in self.spaces:
                return refusal(404, "Not Found")
            return self.bring(request, where) if what == "_import" else self.export(request, where)
        return refusal(404, "Not Found")

    @staticmethod
    def knows(request: httpx.Request) -> bool:
        said = request.headers.get("authorization", "")
        return said in (httpx.BasicAuth(*ACCOUNT)._auth_header, "ApiKey kunci-contoh")

    def status(self, request: httpx.Request) -> httpx.Response:
        if self.starting:
            self.starting -= 1
            return httpx.Response(503, text="Kibana server is not ready yet")
        if not self.knows(request):
            return refusal(401, "unable to authenticate user")
        overall = {"overall": {"level": "available"}}
        return httpx.Response(200, json={"status": overall, "version": {"number": self.version}})

    def space(self, request: httpx.Request, name: str) -> httpx.Response:
        if request.method == "GET":
            return (
                httpx.Response(200, json=self.spaces[name]) if name in self.spaces else refusal(404, "none")
            )
        body = json.loads(request.content)
        assert len(body["initials"]) <= 2
        assert body["color"].startswith("#")
        if request.method == "POST" and body["id"] in self.spaces:
            return refusal(409, "A space with the identifier already exists.")
        if request.method == "PUT" and (name not in self.spaces or body["id"] != name):
            return refusal(404, "Not Found")
        self.spaces[body["id"]] = body
        return httpx.Response(200, json=body)

    def role(self, request: httpx.Request, name: str) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=self.roles[name]) if name in self.roles else refusal(404, "none")
        body = json.loads(request.content)
        if body.keys() - {"description", "metadata", "elasticsearch", "kibana"}:
            return refusal(400, "definition for this key is missing")
        if any(part["base"] and part["feature"] for part in body["kibana"]):
            return refusal(400, "base and feature privileges cannot be combined")
        self.roles[name] = body
        return httpx.Response(204)

    def bring(self, request: httpx.Request, where: str) -> httpx.Response:
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        (part,) = message_from_bytes(head + request.content).get_payload()  # type: ignore[misc]
        if not str(part.get_filename()).endswith(".ndjson"):  # type: ignore[union-attr]
            return refusal(400, "Invalid file extension")
        lines = part.get_payload(decode=True).splitlines()  # type: ignore[union-attr]
        objects = [json.loads(line) for line in lines]
        there = {(where, thing["type"], thing["id"]) for thing in objects}
        errors = []
        for thing in objects:
            key = (where, thing["type"], thing["id"])
            lost = [
                link
                for link in thing["references"]
                if (where, link["type"], link["id"]) not in there | self.saved.keys()
            ]
            if lost:
                error = {"type": "missing_references", "references": lost}
                errors.append({"type": thing["type"], "id": thing["id"], "error": error})
            elif key in self.saved and request.url.params.get("overwrite") != "true":
                errors.append({"type": thing["type"], "id": thing["id"], "error": {"type": "conflict"}})
            else:
                self.saved[key] = thing
        body: Thing = {"success": not errors, "successCount": len(objects) - len(errors)}
        return httpx.Response(200, json=body | ({"errors": errors} if errors else {}))

    def export(self, request: httpx.Request, where: str) -> httpx.Response:
        wanted = json.loads(request.content)["objects"]
        if any((where, each["type"], each["id"]) not in self.saved for each in wanted):
            return refusal(400, "Bad Request")
        return httpx.Response(200, text="{}\n" * len(wanted))


def refusal(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, json={"statusCode": status, "error": "x", "message": message})


def client(kibana: FakeKibana, auth: tuple[str, str] | str = ACCOUNT) -> httpx.Client:
    return connect("http://kibana.test", auth, transport=httpx.MockTransport(kibana))


def bring(kibana: FakeKibana, **more: Any) -> list[str]:
    with client(kibana) as http:
        return install(http, RULES, sleep=lambda seconds: None, **more)


def test_spaces_dashboards_and_roles_are_there_afterwards() -> None:
    kibana = FakeKibana()
    done = bring(kibana)
    assert set(kibana.spaces) == {space_id(RULES, audience) for audience in audiences(RULES)}
    assert kibana.roles.keys() == {grant.name for grant in grants(RULES, Indices())}
    assert {kind for _, kind, _ in kibana.saved} == {"dashboard", "index-pattern", "map", "search", "tag"}
    assert len(done) == len(kibana.spaces) + 1


def test_a_second_time_changes_nothing_that_one_can_see() -> None:
    kibana = FakeKibana()
    bring(kibana)
    before = json.dumps([kibana.spaces, kibana.roles, sorted(map(str, kibana.saved.items()))])
    bring(kibana)
    assert json.dumps([kibana.spaces, kibana.roles, sorted(map(str, kibana.saved.items()))]) == before


def changed(kibana: FakeKibana) -> Thing:
    page = next(thing for (_, kind, _), thing in kibana.saved.items() if kind == "dashboard")
    page["attributes"]["title"] = "Buatan sendiri"
    return page


def test_what_people_changed_stays_if_that_is_wished() -> None:
    kibana = FakeKibana()
    bring(kibana)
    page = changed(kibana)
    bring(kibana, overwrite=False)
    assert page in kibana.saved.values()


def test_and_is_replaced_otherwise() -> None:
    kibana = FakeKibana()
    bring(kibana)
    page = changed(kibana)
    bring(kibana)
    assert page not in kibana.saved.values()


def test_it_waits_for_a_kibana_that_is_starting() -> None:
    kibana, naps = FakeKibana(starting=3), []
    with client(kibana) as http:
        wait(http, sleep=naps.append)
    assert len(naps) == 3


def test_a_kibana_that_never_starts_is_to_be_tried_later() -> None:
    kibana = FakeKibana(starting=1000)
    with client(kibana) as http, pytest.raises(RetryLater, match="not ready yet"):
        wait(http, patience=10, sleep=lambda seconds: None)


def test_a_kibana_that_is_not_there_is_to_be_tried_later() -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    with client(FakeKibana(broken=nobody)) as http, pytest.raises(RetryLater, match="connection refused"):
        wait(http, patience=4, sleep=lambda seconds: None)


def test_an_older_kibana_is_refused_before_anything_is_written() -> None:
    kibana = FakeKibana(version="8.19.2")
    with pytest.raises(Misconfigured, match=r"8\.19\.2"):
        bring(kibana)
    assert kibana.changes == 0


def test_a_wrong_password_is_said_and_not_waited_for() -> None:
    with client(FakeKibana(), ("elastic", "salah")) as http, pytest.raises(Misconfigured, match="account"):
        wait(http, sleep=pytest.fail)


def test_an_api_key_will_do() -> None:
    kibana = FakeKibana()
    with client(kibana, "kunci-contoh") as http:
        install(http, RULES)
    assert kibana.saved


def test_a_failed_import_is_noticed_though_the_answer_is_200() -> None:
    kibana = FakeKibana(spaces={"x": {}})
    lost = {"type": "search", "id": "s", "references": [{"type": "index-pattern", "id": "v", "name": "n"}]}
    with (
        client(kibana) as http,
        pytest.raises(Misconfigured, match=r"search s: missing_references index-pattern v"),
    ):
        import_bundle(http, "x", json.dumps(lost).encode() + b"\n")


def test_a_missing_space_is_said() -> None:
    with client(FakeKibana()) as http, pytest.raises(Misconfigured, match="404"):
        import_bundle(http, "nowhere", b"{}\n")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_kibana_in_trouble_is_to_be_tried_later(status: int) -> None:
    def busy(request: httpx.Request) -> httpx.Response | None:
        return refusal(status, "busy") if "saved_objects" in request.url.path else None

    with pytest.raises(RetryLater, match="busy"):
        bring(FakeKibana(broken=busy))


def test_without_its_header_this_kibana_would_say_no() -> None:
    kibana = FakeKibana(spaces={"x": {}})
    with client(kibana) as http:
        del http.headers["kbn-xsrf"]
        with pytest.raises(Misconfigured, match="kbn-xsrf"):
            import_bundle(http, "x", b"")


def test_check_says_what_is_missing_and_touches_nothing() -> None:
    kibana = FakeKibana()
    with client(kibana) as http:
        missing = check(http, RULES)
        assert len(missing) == len(audiences(RULES)) + len(grants(RULES, Indices()))
        assert kibana.changes == 0
        install(http, RULES)
        assert check(http, RULES) == []
        where, kind, name = next(key for key in kibana.saved if key[1] == "dashboard")
        del kibana.saved[where, kind, name]
        assert check(http, RULES) == [f"dashboards of the space {where} are missing: run `laporhub setup`"]
