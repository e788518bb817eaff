"""The commands of privacy, as an operator types them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from support import form, hub_on
from test_cli import Shell

PROFILE = "laporgub-jateng"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(monkeypatch, capsys, tmp_path)


def a_case(shell: Shell) -> tuple[str, str]:
    """Ticket and pseudonym of a complaint whose reporter somebody looked up."""

    async def send() -> tuple[str, str]:
        async with hub_on(shell.data) as hub:
            receipt = await hub.receive(PROFILE, "web", form(1))
            hub.unseal(receipt.case_id, "gubernur", "pemeriksaan lapangan, hubungi 0811 0000 0001")
            state = hub.case(receipt.ticket)
            assert state is not None
            return state.ticket, state.reporter

    return asyncio.run(send())


def looked_up(shell: Shell, ticket: str) -> str | None:
    async def look() -> str | None:
        async with hub_on(shell.data) as hub:
            state = hub.case(ticket)
            assert state is not None
            return hub.unseal(state.id, "gubernur", "pemeriksaan").name

    return asyncio.run(look())


def test_a_ticket_names_the_person_to_be_erased(shell: Shell) -> None:
    ticket, reporter = a_case(shell)
    told = shell.done("erase", ticket, "--reason", "diminta pelapor").json
    assert told["reporter"] == reporter and told["keys_erased"] == 1
    assert looked_up(shell, ticket) is None
    again = shell.on_data("erase", ticket)
    assert again.status == 1 and "there is no key" in again.err


def test_the_audit_log_is_listed_without_the_numbers_that_were_typed(shell: Shell) -> None:
    ticket, _ = a_case(shell)
    [line] = shell.done("audit", "list").lines
    assert (line["number"], line["actor"], line["action"], line["subject"]) == (
        1,
        "gubernur",
        "unseal",
        ticket,
    )
    assert line["reason"] == "pemeriksaan lapangan, hubungi [nomor telepon]"


def test_the_audit_log_is_verified_and_a_fault_is_told(shell: Shell) -> None:
    a_case(shell)
    told = shell.done("audit", "verify").json
    assert (told["records"], told["faults"]) == (1, [])
    assert shell.done("audit", "verify", "--noted", told["head"]).json["faults"] == []
    with sqlite3.connect(shell.data / "hub.db") as database:
        database.execute("UPDATE audit SET actor = 'orang-lain'")
    outcome = shell.on_data("audit", "verify")
    assert outcome.status == 1 and "record 1 was changed" in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_log_that_was_begun_anew_is_found_until_somebody_answers_for_it(shell: Shell) -> None:
    ticket, _ = a_case(shell)
    with sqlite3.connect(shell.data / "hub.db") as database:
        database.executescript("DELETE FROM audit; DELETE FROM audit_head")
    looked_up(shell, ticket)
    outcome = shell.on_data("audit", "verify")
    assert outcome.status == 1 and "begun anew" in outcome.err
    told = shell.done("audit", "acknowledge", "--reason", "cadangan dipasang").json
    assert (told["number"], told["action"]) == (2, "acknowledge")
    assert shell.done("audit", "verify").json["faults"] == []


def test_what_was_kept_long_enough_is_forgotten_on_demand(shell: Shell) -> None:
    a_case(shell)
    assert shell.done("forget").json == {"persons_erased": 0, "files_deleted": 0}


def test_the_vault_gets_a_new_master_key(shell: Shell) -> None:
    ticket, _ = a_case(shell)
    before = (shell.data / "keys/master.key").read_text()
    told = shell.done("keys", "rotate").json
    assert told["keys_wrapped"] == 1
    assert (shell.data / "keys/master.key").read_text() != before
    assert [path.name for path in sorted((shell.data / "keys").glob("*.key"))] == [
        "master.key",
        "pepper.key",
        "web.key",
    ]
    assert looked_up(shell, ticket) == "Warga Contoh"


def test_a_running_hub_is_not_robbed_of_its_keys(shell: Shell) -> None:
    async def while_it_runs() -> None:
        async with hub_on(shell.data):
            outcome = await asyncio.to_thread(shell.on_data, "keys", "rotate")
            assert outcome.status == 1 and "Another laporhub works" in outcome.err

    asyncio.run(while_it_runs())
