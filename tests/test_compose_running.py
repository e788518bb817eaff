"""The services of the compose file, with the very commands, files and secrets of it, on real servers. No containers.

Kibana alone is a stand-in, for it cannot be had; what is brought into it is tested elsewhere.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import orjson
import pytest
from composed import Machine, composed
from conftest import cannot_run
from servers.elasticsearch import OLDEST_JAVA
from servers.machine import CannotStart, free_port, java_home
from servers.plugin import StartOwn
from servers.postgres import programs
from support import COMPLETE
from test_setup_command import Kibana

pytestmark = pytest.mark.servers
PHONE = "080000000001"
LOOKS = 600


@contextmanager
def stand_in(kibana: Kibana) -> Iterator[str]:
    """Its address."""

    class Answer(BaseHTTPRequestHandler):
        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            answer = kibana(httpx.Request(self.command, f"http://kibana{self.path}", content=body))
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def soon(is_so: Callable[[], bool]) -> None:
    """Asks again and again; each question takes a moment itself."""
    assert any(is_so() for _ in range(LOOKS))


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("compose"))


def test_the_services_work_together(
    machine: Machine, own_elasticsearch: StartOwn, own_postgres: StartOwn
) -> None:
    """make up DEMO=1: setup, then web, worker, indexer, connectors and a citizen's phone."""
    page, phones, worker, indexer, sender = (free_port() for _ in range(5))
    hub = f"http://127.0.0.1:{page}"
    services = composed(
        {
            "LAPORHUB_PUBLIC_URL": hub,
            "LAPORHUB_TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
            "LAPORHUB_TWILIO_API_URL": f"http://127.0.0.1:{phones}",
        }
    )["services"]
    with ExitStack() as stack:
        try:
            java, kafka = java_home(OLDEST_JAVA), machine.kafka(services["kafka"])
        except CannotStart as missing:
            cannot_run(str(missing))
        stack.enter_context(kafka)
        search, database = own_elasticsearch(secure=True), own_postgres()
        machine.users_of_elasticsearch(search.folder, java)
        machine.database(database.url, programs())
        kibana = Kibana()
        machine.moved |= {
            "http://elasticsearch:9200": search.url,
            "http://kibana:5601": stack.enter_context(stand_in(kibana)),
        }
        soon(lambda: signs_in(search.url, "admin", machine.secret("elasticsearch_admin_password")))

        said = machine.run(services["setup"])
        assert all(f"+ {part}: " in said for part in ("kafka", "elasticsearch", "kibana"))
        assert kibana.imports
        assert "+" not in machine.run(services["setup"]), "a second time there is nothing to do"

        ports = {"web": page, "worker": worker, "indexer": indexer, "connectors": sender, "simulator": phones}
        for name, port in ports.items():
            moved = dict(machine.moved)
            machine.moved |= {"127.0.0.1:8080": f"127.0.0.1:{page if name == 'simulator' else port}"}
            machine.moved |= {"8081" if name == "simulator" else "8080": str(port)}
            stack.enter_context(machine.runs(name, services[name]))
            machine.moved = moved

        made = machine.run(services["web"], "user", "add", "petugas", "--role", "admin_disposisi")
        assert orjson.loads(made)["password"]
        token = orjson.loads(machine.run(services["web"], "token", "petugas"))["token"]
        with httpx.Client(timeout=60, trust_env=False) as client:
            sent = client.post(
                f"{hub}/api/v1/complaints", json={"text": COMPLETE}, headers={"Idempotency-Key": "1"}
            )
            assert sent.status_code == 201, sent.text
            asked = {"q": "berlubang"}, {"Authorization": f"Bearer {token}"}

            def found() -> list[str]:
                answer = client.get(f"{hub}/api/v1/cases", params=asked[0], headers=asked[1])
                assert answer.status_code == 200, answer.text
                return [case["ticket"] for case in answer.json()["cases"]]

            soon(lambda: sent.json()["ticket"] in found())

            written = {"nomor": PHONE, "lewat": "whatsapp", "pesan": COMPLETE}
            client.post(f"http://127.0.0.1:{phones}/kirim", data=written)
            soon(lambda: len(found()) == 2)
            (ticket,) = set(found()) - {sent.json()["ticket"]}
            on_the_phone = f"http://127.0.0.1:{phones}/percakapan?dengan=whatsapp:%2B62{PHONE[1:]}"
            soon(lambda: ticket in client.get(on_the_phone).text)

    for name in ports:
        said = (machine.folder / f"{name}.log").read_text()
        assert "crash" not in said.lower() and "Unclosed" not in said, "asked to end, each does so in peace"


def signs_in(url: str, user: str, password: str) -> bool:
    asked = httpx.get(f"{url}/_cluster/health", auth=(user, password), timeout=30, trust_env=False)
    return asked.status_code == 200


def test_postgres_gives_the_hub_no_more_than_its_database(machine: Machine, own_postgres: StartOwn) -> None:
    import psycopg

    server = own_postgres()
    machine.database(server.url, programs())
    with psycopg.connect(machine.secret("database_url")) as connection:
        rights = connection.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert rights == (False, False, False, False)
        connection.execute("CREATE TABLE own (id int)")
    assert not Path(machine.secrets / "database_url").read_text().startswith(os.sep)
