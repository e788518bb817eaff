"""`laporhub` as its users meet it: what it prints, what it answers, and how it says no."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import structlog
import typer.main

from laporhub.hub import cli, commands_complaints

PROFILE = "laporgub-jateng"
SAMPLE = Path(__file__).parent / "data" / "minimal-profile"
COMPLAINT = "Jalan provinsi di depan Pasar Contoh Kabupaten Batang berlubang sejak minggu lalu"


@dataclass
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def json(self) -> Any:
        (only,) = self.lines
        return only


class Shell:
    """Runs commands in a folder of their own, without the settings of whoever runs the tests."""

    def __init__(self, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str], folder: Path) -> None:
        self._patch, self._capture = patch, capture
        self.data = folder / "data"

    def __call__(self, *words: str | Path, stdin: str = "") -> Outcome:
        """As typed."""
        self._patch.setattr(sys, "argv", ["laporhub", *map(str, words)])
        self._patch.setattr(sys, "stdin", io.StringIO(stdin))
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = self._capture.readouterr()
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    def on_data(self, *words: str | Path, stdin: str = "") -> Outcome:
        """With the test's own data folder, to the end."""
        return self(*words, "--data", self.data, stdin=stdin)

    def done(self, *words: str | Path, stdin: str = "") -> Outcome:
        """The same, and it succeeds without a word of complaint."""
        outcome = self.on_data(*words, stdin=stdin)
        assert (outcome.status, outcome.err) == (0, "")
        return outcome


@pytest.fixture
def shell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Shell]:
    for name in os.environ:
        if name.startswith("LAPORHUB_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield Shell(monkeypatch, capsys, tmp_path)
    structlog.reset_defaults()


def said_no(outcome: Outcome, status: int, *words: str) -> bool:
    """Whether it ended with one line of explanation that has these words."""
    assert (outcome.status, outcome.out) == (status, ""), outcome
    assert outcome.err.startswith("laporhub: ")
    assert outcome.err.count("\n") == 1
    return all(word in outcome.err for word in words)


def web(name: str, text: str = COMPLAINT, **more: object) -> str:
    given = {
        "id": name,
        "text": text,
        "phone": "0811 0000 0001",
        "location": {"address": "Jalan Contoh, Batang"},
    }
    return json.dumps(given | more)


def twilio(sid: str, text: str, prefix: str = "", **more: str) -> str:
    sender = f"{prefix}+62811000{int(sid[2:]):05d}"
    return urlencode({"MessageSid": sid, "Body": text, "From": sender, "To": f"{prefix}+628112920200"} | more)


def free_port() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def file(folder: Path, *lines: str) -> Path:
    path = folder / "payloads.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def ticket(shell: Shell, tmp_path: Path) -> str:
    """A case that came in by the web form."""
    shell.done("ingest", "web", file(tmp_path, web("1")))
    return str(shell.done("case", "list").json["ticket"])


# ── help, wrong use ──


def commands() -> Iterator[tuple[str, ...]]:
    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*path, name))

    return walk(typer.main.get_command(cli.app), ())


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_explains_itself(shell: Shell, path: tuple[str, ...]) -> None:
    outcome = shell(*path, "--help")
    assert (outcome.status, outcome.err) == (0, "")
    usage, sentence = outcome.out.split("\n\n")[:2]
    assert usage.startswith(f"Usage: laporhub {' '.join(path)}".strip())
    assert sentence.strip().rstrip("0123456789").endswith((".", "…")), "each says what it does"


def test_the_commands_are_those_that_are_promised() -> None:
    promised = (
        "serve demo ingest parse classify case report deadletter erase token user doctor profile simulate"
    )
    assert {path[0] for path in commands() if path} >= set(promised.split())


def test_the_version_is_one_line(shell: Shell) -> None:
    outcome = shell("--version")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.strip().replace(".", "").isdecimal()


@pytest.mark.parametrize("path", [(), ("case",), ("profile",), ("deadletter",), ("user",)], ids=" ".join)
def test_a_command_that_lacks_its_word_shows_the_words_there_are(shell: Shell, path: tuple[str, ...]) -> None:
    outcome = shell(*path)
    assert outcome.status == 2
    assert "Commands:" in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("nonsense", "nonsense"),
        ("--nonsense", "--nonsense"),
        ("ingest", "channel"),
        ("ingest web", "files"),
        ("ingest web nowhere.jsonl", "nowhere.jsonl"),
        ("ingest web .", "directory"),
        ("case list --limit many", "integer"),
        ("case list --limit 0", "--limit"),
        ("case do X verify reason", "name=value"),
        ("report", "--period"),
        ("report --period 2026-13", "2026-13"),
        ("report --period 0000", "--period"),
        ("report --period 9999-12", "--period"),
        ("report --period 2026-11 --format doc", "html, pdf, xlsx, json"),
        ("report --period 2026-11-02..2026-11-01", "ends before it begins"),
        ("report --period 2026-11 --language jv", "id, en"),
        ("report --period 2026-11 --unit nowhere", "nowhere"),
        ("serve --port 99999", "--port"),
        ("serve --port http", "integer"),
        ("simulate fax", "fax"),
        ("user add somebody", "--role"),
        ("user add somebody --role pimpinan --email nowhere", "'nowhere' is no address"),
    ],
)
def test_wrong_use_is_answered_with_2_and_one_line(shell: Shell, words: str, says: str) -> None:
    assert said_no(shell(*words.split()), 2, says)


def test_a_command_loads_no_more_than_it_needs() -> None:
    """Each of these takes a tenth of a second and more, at every start of every process."""
    heavy = (
        "aiohttp alembic argon2 fastapi faust httpx numpy PIL reportlab requests sklearn sqlalchemy twilio"
    )
    told = "import sys, laporhub.hub.cli, laporhub.hub.worker_words; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert set(heavy.split()) & set(done.stdout.split()) == set()


# ── what cannot be done ──


def test_an_unknown_profile_or_channel_is_named_with_those_there_are(shell: Shell, tmp_path: Path) -> None:
    path = file(tmp_path, web("1"))
    assert said_no(shell.on_data("ingest", "web", path, "--profile", "nowhere"), 1, "nowhere", PROFILE)
    assert said_no(shell.on_data("ingest", "fax", path), 1, "'fax'", "whatsapp")
    assert said_no(shell("parse", "fax", path), 1, "'fax'", "twilio")
    assert said_no(shell("classify", "jalan", "--profile", "nowhere"), 1, "nowhere")


def test_a_database_that_is_none_is_said_in_a_line(shell: Shell) -> None:
    shell.data.mkdir()
    (shell.data / "hub.db").write_text("catatan harian " * 100)
    assert said_no(shell.on_data("case", "list"), 1, "database cannot be used", "not a database")


@pytest.mark.parametrize(
    "words",
    [
        "case show LGWA-0000-0000-0000",
        "case do LGWA-0000-0000-0000 verify",
        "deadletter show x_nothing",
        "deadletter replay x_nothing",
        "token nobody",
        "user deactivate nobody",
        "erase p_nobody",
    ],
)
def test_what_is_not_there_is_said_in_one_line(shell: Shell, words: str) -> None:
    assert said_no(shell.on_data(*words.split()), 1, words.split()[-1].removesuffix("verify"))


def test_a_data_folder_that_cannot_be_used_is_said_in_one_line(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    assert said_no(shell("case", "list", "--data", "taken"), 1, "taken")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "hub.db").write_bytes(b"no database at all" * 100)
    assert said_no(shell("case", "list", "--data", "broken"), 1, "not a database")


def test_half_of_a_setting_is_said_with_the_other_half(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPORHUB_TWILIO_ACCOUNT_SID", "AC0")
    assert said_no(shell.on_data("case", "list"), 1, "LAPORHUB_TWILIO_AUTH_TOKEN")


def test_a_second_hub_on_the_same_data_is_refused_and_lists_can_be_read(shell: Shell, tmp_path: Path) -> None:
    shell.done("ingest", "web", file(tmp_path, web("1")))
    port = free_port()
    serve = (sys.executable, "-m", "laporhub.hub.cli", "serve", "--data", "data", "--port", port)
    with subprocess.Popen(serve, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stderr is not None
            assert running.stderr.readline() == f"LaporHub: http://127.0.0.1:{port}\n"
            assert (
                httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False, timeout=60).status_code == 200
            )
            assert said_no(shell.on_data("serve", "--port", port), 1, port, "--port")
            refused = shell.on_data("ingest", "web", tmp_path / "payloads.txt")
            assert said_no(refused, 1, "Another laporhub", "--data")
            assert len(shell.done("case", "list").lines) == 1
        finally:
            running.terminate()
            assert running.wait() == 0, "it was asked to end, and ended"


# ── complaints in ──


def test_ingest_counts_what_became_of_each_line(shell: Shell, tmp_path: Path) -> None:
    """Twice the same is one, empty words are refused, what nobody can read is kept for a person."""
    lines = [twilio("SM1", COMPLAINT), twilio("SM2", COMPLAINT), twilio("SM1", COMPLAINT), twilio("SM3", " ")]
    path = file(tmp_path, *lines, "Body=no+sid", "")
    counted = shell.done("ingest", "sms", path).json
    assert counted == {"accepted": 2, "duplicate": 1, "rejected": 1, "dead_lettered": 1}
    again = shell.done("ingest", "sms", path).json
    assert again == {"accepted": 0, "duplicate": 3, "rejected": 1, "dead_lettered": 1}
    assert len(shell.done("deadletter", "list").lines) == 2


@pytest.mark.parametrize(
    ("channel", "lines"),
    [
        ("web", [web("1"), web("2")]),
        ("app", [web("1"), web("2", anonymous=True)]),
        ("whatsapp", [twilio("SM1", COMPLAINT, "whatsapp:"), twilio("SM2", COMPLAINT, "whatsapp:")]),
        ("sms", [twilio("SM1", COMPLAINT), twilio("SM2", COMPLAINT)]),
    ],
)
def test_ingest_takes_the_payloads_of_each_channel(
    shell: Shell, tmp_path: Path, channel: str, lines: list[str]
) -> None:
    path = file(tmp_path, *lines)
    nothing = {"rejected": 0, "dead_lettered": 0}
    assert shell.done("ingest", channel, path).json == {"accepted": 2, "duplicate": 0} | nothing
    assert shell.done("ingest", channel, path, path).json == {"accepted": 0, "duplicate": 4} | nothing
    assert {case["channel"] for case in shell.done("case", "list").lines} == {channel}


def test_ingest_into_a_profile_of_ones_own(shell: Shell, tmp_path: Path) -> None:
    path = file(tmp_path, web("1"))
    assert shell.done("ingest", "web", path, "--profile", SAMPLE).json["accepted"] == 1
    assert shell.done("case", "list", "--profile", SAMPLE).json["profile"] == "kota-contoh"


def test_replies_that_the_platform_does_not_take_now_are_left_for_serve(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands_complaints, "_PATIENCE", timedelta(0))
    monkeypatch.setenv("LAPORHUB_TWILIO_ACCOUNT_SID", "AC0")
    monkeypatch.setenv("LAPORHUB_TWILIO_AUTH_TOKEN", "not-a-secret")
    monkeypatch.setenv("LAPORHUB_TWILIO_API_URL", f"http://127.0.0.1:{free_port()}")
    outcome = shell.on_data("ingest", "sms", file(tmp_path, twilio("SM1", COMPLAINT)), "--deliver")
    assert (outcome.status, outcome.json["accepted"]) == (0, 1)
    assert "laporhub serve" in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("channel", "line", "author"),
    [
        ("web", web("1"), "tel:+6281100000001"),
        ("app", web("1"), "tel:+6281100000001"),
        ("whatsapp", twilio("SM1", COMPLAINT, "whatsapp:"), "whatsapp:+6281100000001"),
        ("sms", twilio("SM1", COMPLAINT), "+6281100000001"),
        ("twilio", twilio("SM1", COMPLAINT), "+6281100000001"),
    ],
)
def test_parse_shows_what_the_connector_makes_of_it(
    shell: Shell, tmp_path: Path, channel: str, line: str, author: str
) -> None:
    outcome = shell("parse", channel, file(tmp_path, line))
    assert (outcome.status, outcome.err) == (0, "")
    names = {"external_id", "author_id", "text", "kind", "sent_at", "attachments", "location"}
    assert set(outcome.json) == names
    assert (outcome.json["author_id"], outcome.json["text"]) == (author, COMPLAINT)
    assert list(tmp_path.iterdir()) == [tmp_path / "payloads.txt"], "nothing is stored"


def test_parse_says_what_it_ignores_and_what_it_cannot_read(shell: Shell, tmp_path: Path) -> None:
    sent = twilio("SM1", "", "whatsapp:", Direction="outbound-api")
    assert "ignored" in shell("parse", "whatsapp", file(tmp_path, sent)).json
    outcome = shell("parse", "whatsapp", file(tmp_path, "Body=no+sid", sent))
    assert outcome.status == 1
    assert ["error" in line for line in outcome.lines] == [True, False]


@pytest.mark.parametrize(
    "channel", ["web", "app", "x", "facebook", "instagram", "sms", "whatsapp", "hotline", "email", "counter"]
)
def test_parse_says_of_every_channel_that_there_is_nothing_in_a_file(
    shell: Shell, tmp_path: Path, channel: str
) -> None:
    hollow = tmp_path / "kosong"
    for content in (b"", b"\xef\xbb\xbf\r\n \n"):
        hollow.write_bytes(content)
        outcome = shell("parse", channel, hollow)
        assert (outcome.status, outcome.err) == (1, "")
        assert outcome.json == {"error": f"{hollow}: there is nothing in this file"}


def test_parse_reads_the_other_files_when_one_is_empty(shell: Shell, tmp_path: Path) -> None:
    hollow = tmp_path / "kosong"
    hollow.touch()
    outcome = shell("parse", "web", hollow, file(tmp_path, web("1")))
    assert (outcome.status, ["error" in line for line in outcome.lines]) == (1, [True, False])


def test_parse_shows_what_was_taken_back(shell: Shell, tmp_path: Path) -> None:
    deleted = '{"data": {"event_type": "post.delete", "payload": {"id": "101", "author_id": "2222"}}}'
    assert shell("parse", "x", file(tmp_path, deleted)).json == {"withdrawn": "101", "author_id": "2222"}


def test_classify_reads_its_argument_or_what_is_piped_in(shell: Shell) -> None:
    told, piped = shell("classify", COMPLAINT), shell("classify", "-", stdin=COMPLAINT)
    assert (told.status, told.err) == (0, "")
    assert told.json == piped.json == shell("classify", stdin=COMPLAINT).json
    best = told.json["units"][0]
    assert 0 < best["probability"] <= 1
    assert best["reasons"]
    assert {"units", "topic", "urgency", "place", "flags"} <= set(told.json)


# ── cases ──


def test_a_case_is_listed_shown_and_worked(shell: Shell, ticket: str) -> None:
    shown = shell.done("case", "show", ticket.lower().replace("-", " ")).json
    assert shown["case"]["ticket"] == ticket
    assert [event["sequence"] for event in shown["events"]] == list(range(1, len(shown["events"]) + 1))
    unit = shown["case"]["suggestion"]["units"][0]["unit"]
    assert shell.done("case", "do", ticket, "dispose", f"unit={unit}").json["status"] == "disposed"
    answer = ("case", "do", ticket, "respond", "response=Sudah diperbaiki = selesai.")
    assert shell.done(*answer, "--role", "admin_unit", "--unit", unit).json["status"] == "drafted"
    assert shell.done("case", "list", "--status", "drafted", "--unit", unit).json["ticket"] == ticket
    assert shell.done("case", "list", "--status", "received").lines == []
    assert shell.done("case", "list", "--q", ticket, "--channel", "web").json["ticket"] == ticket


def test_a_step_is_taken_in_a_role_of_the_profile_that_may(shell: Shell, ticket: str) -> None:
    """No role is the same in every profile: without `--role` the step itself says whose it is."""
    unit = shell.done("case", "show", ticket).json["case"]["suggestion"]["units"][0]["unit"]

    def taken(*words: str) -> tuple[str, str | None]:
        shell.done("case", "do", ticket, *words)
        steps = [each for each in shell.done("case", "show", ticket).json["events"] if "actorrole" in each]
        last = [each for each in steps if each["data"]["kind"] == "transitioned"][-1]
        return last["actorrole"], last.get("actorunit")

    assert taken("verify") == ("admin_gubernur", None)
    assert taken("dispose", f"unit={unit}") == ("admin_gubernur", None)
    assert taken("accept") == ("admin_unit", unit)
    assert taken("respond", "response=Sudah.") == ("admin_unit", unit)


def test_a_step_that_is_not_allowed_is_refused_in_one_line(shell: Shell, ticket: str) -> None:
    assert said_no(shell.on_data("case", "do", ticket, "approve"), 1, "approve")
    assert said_no(shell.on_data("case", "do", ticket, "nonsense"), 1, "nonsense")
    assert said_no(shell.on_data("case", "do", ticket, "dispose"), 1, "unit")
    assert said_no(shell.on_data("case", "do", ticket, "dispose", "unit=nowhere"), 1, "nowhere")
    assert said_no(shell.on_data("case", "do", ticket, "verify", "--role", "pimpinan"), 1, "pimpinan")


def test_the_report_counts_and_prints(shell: Shell, ticket: str) -> None:
    year = shell.done("case", "list").json["opened_at"][:4]
    counted = shell.done("report", "--period", year).json
    assert (counted["cases"], counted["by_channel"]) == (1, {"web": 1})
    page = shell.done("report", "--period", f"{year}-Q1", "--format", "html").out
    assert page.startswith("<!doctype html>")
    for form, beginning in (("pdf", b"%PDF-"), ("xlsx", b"PK")):
        made = shell.data.parent / f"report.{form}"
        shell.done("report", "--period", year, "--format", form, "--output", made, "--language", "en")
        assert made.read_bytes().startswith(beginning)
    none = shell.done("report", "--period", "2001-02", "--unit", "dishub").json
    assert (none["unit"], none["cases"], none["is_final"]) == ("dishub", 0, True)


# ── the operator ──


def test_a_dead_letter_is_listed_shown_and_taken_once_more(shell: Shell, tmp_path: Path) -> None:
    shell.done("ingest", "whatsapp", file(tmp_path, "Body=Sinta+Contohwati"))
    letter = shell.done("deadletter", "list").json
    assert letter["reason"]
    assert "Contohwati" not in json.dumps(letter)
    assert shell.done("deadletter", "show", letter["id"]).json["body"] == "Body=Sinta+Contohwati"
    for name in (letter["id"], "all"):
        again = shell.on_data("deadletter", "replay", name)
        assert (again.status, again.json["dead_lettered"]) == (1, 1)
    assert shell.done("deadletter", "list").json["id"] == letter["id"]


def test_replaying_nothing_is_no_failure(shell: Shell) -> None:
    assert shell.done("deadletter", "replay", "all").out == ""


def test_accounts_are_made_listed_given_a_token_and_ended(shell: Shell) -> None:
    made = shell.done("user", "add", "dewi", "--role", "admin_disposisi").json
    assert len(made["password"]) >= 10
    own = ("user", "add", "budi", "--role", "pimpinan", "--password", "a long enough one")
    assert "password" not in shell.done(*own).json
    assert [account["username"] for account in shell.done("user", "list").lines] == ["budi", "dewi"]
    assert len(shell.done("token", "dewi").json["token"]) > 20
    shell.done("user", "deactivate", "dewi")
    assert shell.done("user", "list").json["username"] == "budi"
    assert said_no(shell.on_data("token", "dewi"), 1, "dewi")


def test_an_account_that_makes_no_sense_is_refused(shell: Shell) -> None:
    assert said_no(shell.on_data("user", "add", "x", "--role", "king"), 1, "king", "pimpinan")
    assert said_no(shell.on_data("user", "add", "x", "--role", "admin_unit"), 1, "--unit")
    short = ("user", "add", "x", "--role", "pimpinan", "--password", "short")
    assert said_no(shell.on_data(*short), 1, "10 characters")
    assert shell.done("user", "list").out == ""


def test_a_person_is_erased_once(shell: Shell, ticket: str) -> None:
    reporter = shell.done("case", "show", ticket).json["case"]["reporter"]
    assert shell.done("erase", reporter).json["keys_erased"] == 1
    assert said_no(shell.on_data("erase", reporter), 1, "erased before")
    assert shell.done("case", "show", ticket).json["case"]["ticket"] == ticket


def test_the_doctor_names_what_is_missing_and_what_to_do(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = shell.done("doctor").out
    assert "reports by e-mail: not sent: set LAPORHUB_EMAIL_IMAP_HOST, LAPORHUB_EMAIL_SMTP_HOST" in found
    for remedy in ("LAPORHUB_TWILIO_ACCOUNT_SID", "LAPORHUB_PUBLIC_URL", "laporhub user add"):
        assert remedy in found
    shell.done("user", "add", "dewi", "--role", "pimpinan")
    assert "laporhub user add" not in shell.done("doctor").out
    monkeypatch.setenv("LAPORHUB_PROFILE", "nowhere")
    broken = shell.on_data("doctor")
    assert (broken.status, broken.err) == (1, "")
    assert "nowhere" in broken.out


# ── profiles ──


def test_a_good_profile_is_said_to_be_good(shell: Shell) -> None:
    for where in (PROFILE, SAMPLE):
        outcome = shell("profile", "check", where)
        assert (outcome.status, outcome.err) == (0, "")
        assert ": ok." in outcome.out
    assert shell("profile", "graph", SAMPLE).out.startswith("stateDiagram")
    assert set(shell("profile", "schema").json) == {"profile.yaml", "units.yaml", "days.yaml"}


@pytest.mark.parametrize("command", ["profile check WHERE", "case list --data data --profile WHERE"])
def test_a_mistake_in_a_profile_is_shown_with_file_line_and_remedy(
    shell: Shell, tmp_path: Path, command: str
) -> None:
    where = tmp_path / "kota"
    for source in (path for path in SAMPLE.rglob("*") if path.is_file()):
        target = where / source.relative_to(SAMPLE)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        target.write_text(text.replace("initial: new", "initial: neu"), encoding="utf-8")
    lines = (where / "profile.yaml").read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "initial: neu" in line)
    outcome = shell(*command.replace("WHERE", str(where)).split())
    assert (outcome.status, outcome.out) == (1, "")
    assert f"profile.yaml:{number}:" in outcome.err
    assert "neu" in outcome.err
    assert "“new”" in outcome.err, "it says which there are"
    assert "Traceback" not in outcome.err
