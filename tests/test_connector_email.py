"""E-mail: what lies in a mailbox is understood, and what the mail servers say on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from support import MONDAY, Clock

from laporhub.connectors.email import EmailConfig, EmailConnector, compose, connector
from laporhub.connectors.email_mailbox import Position
from laporhub.connectors.files import payloads
from laporhub.pipeline.connector import Failed, Ignored, Outgoing, Parsed, Raw, Sent, StatusUpdate, Unknown
from laporhub.pipeline.errors import Misconfigured, RetryLater, StopChannel, Unparsable
from laporhub.pipeline.messages import Inbound
from laporhub.simulators.mail import MailSimulator

FIXTURES = Path(__file__).parent / "fixtures" / "email"
OFFICE = "lapor@kota.contoh.test"
SERVER = "mx.kota.contoh.test"
LOCAL: Mapping[str, str] = {
    "imap_host": "127.0.0.1", "imap_security": "none", "smtp_host": "127.0.0.1", "smtp_security": "none",
    "username": OFFICE, "password": "rahasia",
}  # fmt: skip


def read(name: str, authserv_id: str | None = SERVER) -> Parsed:
    config = EmailConfig.model_validate({**LOCAL, "authserv_id": authserv_id})
    [raw] = payloads(FIXTURES / f"{name}.eml", "email")
    [item] = EmailConnector(config).parse(raw)
    return item


def message(name: str, authserv_id: str | None = SERVER) -> Inbound:
    item = read(name, authserv_id)
    assert isinstance(item, Inbound)
    return item


# ── in ──


def test_a_new_mail_is_a_message_with_its_subject_and_without_its_signature() -> None:
    mail = message("new")
    assert mail.text == "Jalan rusak di Desa Contoh\n\nSejak kemarin berlubang, dua motor jatuh."
    assert (mail.author_id, mail.email, mail.name) == (
        "mailto:warga1@warga.contoh.test",
        "warga1@warga.contoh.test",
        "Warga Contoh",
    )
    assert mail.sent_at == datetime(2026, 11, 23, 2, tzinfo=UTC)
    assert "warga" not in mail.external_id + str(mail.thread)


def test_a_sender_is_verified_only_by_the_word_of_our_own_server() -> None:
    assert message("new").verified
    assert not message("new", "elsewhere.test").verified
    assert not message("new", None).verified
    assert not message("reply").verified


def test_an_answer_is_in_the_thread_of_the_mail_it_answers() -> None:
    new, answer = message("new"), message("reply")
    assert answer.thread == new.thread
    assert answer.text == "Masih berlubang."
    assert answer.ticket is None, "the thread says it"


def test_one_that_names_only_our_mail_finds_its_thread_by_it() -> None:
    assert message("reply_only_in_reply_to").thread == "0123456789abcdef0123"


def test_html_alone_is_read_as_text() -> None:
    assert message("html_only").text == "Lampu jalan padam & gélap"


def test_files_come_along_and_a_signatures_logo_does_not() -> None:
    mail = message("attachments")
    assert [(file.name, file.media_type) for file in mail.files] == [
        ("IMG_0001.jpg", "image/jpeg"),
        ("surat lurah.pdf", "application/pdf"),
    ]
    assert (mail.kind, mail.text) == ("attachment", "Foto\n\nJembatan retak.")


def test_broken_headers_and_charsets_are_read_as_well_as_it_goes() -> None:
    mail = message("broken_charset")
    assert mail.text.endswith("Selokan mampat – bau “sekali”.")
    assert (mail.email, mail.sent_at) == ("warga1@warga.contoh.test", None)


def test_a_mail_without_an_id_has_one_by_its_words() -> None:
    assert message("no_message_id").external_id == message("no_message_id").external_id


def test_what_cannot_be_read_is_shown_to_a_person() -> None:
    assert message("encrypted").kind == "unsupported"


@pytest.mark.parametrize(
    "name", ["auto_reply", "auto_reply_old", "mass", "list", "null_sender", "own", "delayed"]
)
def test_what_no_person_wrote_is_never_answered(name: str) -> None:
    assert isinstance(read(name), Ignored)


def test_a_bounce_is_the_failure_of_the_reply_it_is_about() -> None:
    ours = "<laporhub.r_1.2.0123456789abcdef0123@kota.contoh.test>"
    assert read("bounce") == StatusUpdate("r_1", "failed", ours, "bounced (5.1.1)", 2)
    assert read("delivered") == StatusUpdate("r_1", "delivered", ours, None, 2)


def test_a_ticket_in_the_subject_of_a_new_mail_names_its_case() -> None:
    raw = Raw(b"From: a@b.test\r\nSubject: Tanya LGEM-0000-0000-0000\r\n\r\nBagaimana kabarnya?")
    [mail] = connector({}).parse(raw)
    assert isinstance(mail, Inbound)
    assert mail.ticket == "LGEM-0000-0000-0000"


def test_mails_without_end_inside_each_other_are_unparsable() -> None:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000)
    )
    with pytest.raises(Unparsable):
        connector({}).parse(Raw(b"From: a@b.test\r\n" + nested))


def test_an_mbox_is_many_mails(tmp_path: Path) -> None:
    mails = [(FIXTURES / f"{name}.eml").read_bytes().replace(b"\r\n", b"\n") for name in ("new", "reply")]
    (tmp_path / "box").write_bytes(
        b"".join(b"From x Mon Nov 23 09:00:00 2026\n" + mail + b"\n" for mail in mails)
    )
    found = [connector({}).parse(raw)[0] for raw in payloads(tmp_path / "box", "email")]
    assert [item.text.split()[0] for item in found if isinstance(item, Inbound)] == ["Jalan", "Masih"]


# ── settings ──


def test_a_password_goes_to_no_other_machine_in_the_clear() -> None:
    with pytest.raises(Misconfigured, match=r"mail\.test"):
        connector({**LOCAL, "imap_host": "mail.test"})


def test_a_cursor_of_another_numbering_begins_anew() -> None:
    assert Position.read("7:20:10", 7) == Position(7, 20, 10)
    for cursor in (None, "8:20:10", "nonsense", "7:99999999999:1"):
        assert Position.read(cursor, 7) == Position(7)


# ── with a server ──


@pytest.fixture
async def server() -> AsyncIterator[tuple[MailSimulator, EmailConnector]]:
    simulator = MailSimulator(OFFICE, Clock())
    async with simulator.running() as (_, told):
        yield simulator, EmailConnector(EmailConfig.model_validate(told), Clock())


REPLY = Outgoing(
    "r_1", 0, "mailto:warga1@warga.contoh.test", OFFICE, "Nomor LGEM-0000-0000-0000", None, MONDAY
)


async def test_mails_are_marked_once_they_are_kept_and_not_before(
    server: tuple[MailSimulator, EmailConnector],
) -> None:
    simulator, mail = server
    for number in range(25):
        simulator.arrives("warga1@warga.contoh.test", f"Laporan {number}")
    first = await mail.poll(OFFICE, None)
    assert (len(first.payloads), first.more) == (20, True)
    assert not any(each.seen for each in simulator.folder.mails)
    second = await mail.poll(OFFICE, first.cursor)
    assert (len(second.payloads), second.more) == (5, False)
    assert [each.seen for each in simulator.folder.mails] == [True] * 20 + [False] * 5
    assert (await mail.poll(OFFICE, second.cursor)).payloads == []
    assert all(each.seen for each in simulator.folder.mails)


async def test_a_folder_set_up_anew_is_read_anew(server: tuple[MailSimulator, EmailConnector]) -> None:
    simulator, mail = server
    simulator.arrives("warga1@warga.contoh.test", "Laporan")
    cursor = (await mail.poll(OFFICE, None)).cursor
    simulator.folder.renumber()
    assert len((await mail.poll(OFFICE, cursor)).payloads) == 1


async def test_of_a_very_large_mail_the_beginning_is_read(
    server: tuple[MailSimulator, EmailConnector],
) -> None:
    simulator, mail = server
    simulator.arrives("warga1@warga.contoh.test", "Jalan rusak. " * 20_000)
    small = EmailConnector(mail._configured().model_copy(update={"max_bytes": 2**16}), Clock())
    [raw] = (await small.poll(OFFICE, None)).payloads
    assert len(raw.body) == 2**16
    [item] = small.parse(raw)
    assert isinstance(item, Inbound)
    assert item.text.startswith("Jalan rusak.")


async def test_an_answer_keeps_subject_and_thread_and_says_that_it_is_automatic(
    server: tuple[MailSimulator, EmailConnector],
) -> None:
    simulator, mail = server
    asked = message("new")
    outgoing = Outgoing(
        "r_1", 0, asked.author_id, OFFICE, "Nomor LGEM-0000-0000-0000.", None, MONDAY, reply_to=asked.reply_to
    )
    outcome = await mail.publish(outgoing)
    [(to, body)] = simulator.sent
    said = message_from_bytes(body)
    assert to == "warga1@warga.contoh.test"
    assert said["Subject"] == "Re: Jalan rusak di Desa Contoh [LGEM-0000-0000-0000]"
    assert said["In-Reply-To"] == said["References"] == "<a1@warga.contoh.test>"
    assert outcome == Sent(said["Message-ID"])
    assert said["Auto-Submitted"] == "auto-replied"
    assert OFFICE not in [value for name, value in said.items() if name.lower() in ("cc", "bcc")]
    [ours] = mail.parse(Raw(simulator.folder.mails[0].body))
    assert isinstance(ours, Ignored), "our own copy is no complaint"


def test_what_a_person_wrote_is_not_automatic() -> None:
    human = Outgoing("r_1", 0, "mailto:a@b.test", OFFICE, "Sudah ditambal.", None, MONDAY, human=True)
    assert compose(human, "LaporGub", MONDAY)["Auto-Submitted"] is None


@pytest.mark.parametrize("subject", ["a=0D=0ABcc:_x@y.test", "Jalan=0Arusak"])
def test_a_subject_brings_no_header_along(subject: str) -> None:
    [mail] = connector({}).parse(Raw(f"From: a@b.test\r\nSubject: =?utf-8?Q?{subject}?=\r\n\r\nx".encode()))
    assert isinstance(mail, Inbound)
    reply = Outgoing("r_1", 0, "mailto:a@b.test", OFFICE, "x", None, MONDAY, reply_to=mail.reply_to)
    said = message_from_bytes(compose(reply, "", MONDAY).as_bytes())
    assert said["Bcc"] is None
    assert said["Subject"].startswith("Re: ")


async def test_what_the_server_says_is_told_apart(server: tuple[MailSimulator, EmailConnector]) -> None:
    simulator, mail = server
    simulator.failures.append("busy")
    with pytest.raises(RetryLater):
        await mail.publish(REPLY)
    simulator.failures.append("refused")
    assert await mail.publish(REPLY) == Failed("rejected (550)")
    simulator.unknown.add("warga1@warga.contoh.test")
    assert await mail.publish(REPLY) == Failed("no_such_address (550)")
    simulator.unknown.clear()
    simulator.failures.append("lost")
    assert isinstance(await mail.publish(REPLY), Unknown)
    assert simulator.sent == []


async def test_while_our_copy_may_still_come_nothing_is_sent_again(
    server: tuple[MailSimulator, EmailConnector],
) -> None:
    simulator, mail = server
    simulator.failures.append("lost")
    await mail.publish(REPLY)
    with pytest.raises(RetryLater):
        await mail.look_up(REPLY, frozenset())
    late = EmailConnector(mail._configured(), Clock(MONDAY + timedelta(minutes=3)))
    assert await late.look_up(REPLY, frozenset()) is None
    simulator.failures.append("taken")
    await mail.publish(REPLY)
    assert isinstance(await mail.look_up(REPLY, frozenset()), Sent)


async def test_a_wrong_password_stops_the_account(server: tuple[MailSimulator, EmailConnector]) -> None:
    _, mail = server
    wrong = EmailConnector(mail._configured().model_copy(update={"username": "x@y.test"}), Clock())
    with pytest.raises(StopChannel, match="PASSWORD"):
        await wrong.poll(OFFICE, None)
    assert not (await wrong.check(OFFICE)).ok
    assert (await mail.check(OFFICE)).ok


async def test_a_server_that_is_away_is_asked_again_later() -> None:
    away = EmailConnector(EmailConfig.model_validate({**LOCAL, "imap_port": 9, "smtp_port": 9}), Clock())
    for call in (
        away.poll(OFFICE, None),
        away.publish(REPLY),
        away.check(OFFICE),
        away.look_up(REPLY, frozenset()),
    ):
        with pytest.raises(RetryLater):
            await call
