"""Hostile input over HTTP against a whole hub: it is refused or kept, and never breaks anything.

The hub is real down to its database; only the socket is left out. No answer may be a server error, nothing that
was taken may be lost, and nothing that was refused may leave a trace.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support import COMPLETE
from web_hub import PROFILE, PUBLIC_URL, Web, a_day, web_on

from laporhub.pipeline.hub_port import Receipt
from laporhub.pipeline.ids import message_id
from laporhub.pipeline.store.cases import already_received
from laporhub.pipeline.tracking import Query

FORM = "application/x-www-form-urlencoded"
OFFICE = "whatsapp:+628112920200"
TOKEN = "t" * 32
HOOK = "/hooks/twilio"
COMPLAINTS = "/api/v1/complaints"
LIMIT = 100_000

few = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
many = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
strange = st.sampled_from(
    [
        "\0",
        "\0jalan\0rusak\0",
        "\u202eقسر نلاج\u202c",
        "الطريق مكسور منذ أسبوع في بندونغ",
        "\ufeff\u200b\u2066\u2069",
        "\U000e0041\U0001f468\u200d\U0001f469",
        "'; DROP TABLE cases; --",
        "{{ 7*7 }}{% for x in y %}",
        "<script>alert(1)</script>",
        "a" * 5000,
        "e" + "\u0301" * 400,
        "\r\n\r\nHTTP/1.1 200 OK",
        "../../etc/passwd",
    ]
)
words = text | strange


def signature(url: str, fields: dict[str, str], token: str = TOKEN) -> str:
    """As Twilio documents it: the address, then each name and value in the order of the names."""
    said = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.digest(token.encode(), said.encode(), hashlib.sha1)).decode()


class Hub:
    """A hub with a day's cases, and the event loop it lives in: tests of hypothesis are not asynchronous."""

    def __init__(self, runner: asyncio.Runner, web: Web, cases: dict[str, Receipt]) -> None:
        self.runner, self.web, self.cases = runner, web, cases
        self.numbers = count(1)

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer, which is never a server error."""
        answer = self.runner.run(self.web.browser.request(method, path, **more))
        assert answer.status_code < 500, f"{method} {path.partition('?')[0]}: {answer.status_code}"
        return answer

    def signed(self, fields: dict[str, str], path: str = HOOK, **more: Any) -> httpx.Response:
        headers = {"x-twilio-signature": signature(PUBLIC_URL + path, fields), "content-type": FORM}
        return self.send("POST", path, content=urlencode(fields), headers=headers, **more)

    def new_sid(self) -> str:
        return f"SM{next(self.numbers):032x}"

    def cases_now(self) -> int:
        counted = self.web.hub.tracking.count(Query((PROFILE,)), "channel", self.web.clock())
        return sum(counted.values())

    def is_kept(self, sid: str, channel: str = "whatsapp", account: str = OFFICE) -> bool:
        """Whether a message of this id is in the log."""
        name = message_id(PROFILE, channel, account, sid)
        with self.web.hub.database.connect() as connection:
            return name in already_received(connection, [name])

    def letters(self) -> int:
        return len(self.web.hub.dead_letters())

    def bearer(self) -> dict[str, str]:
        return self.web.bearer("gubernur")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        web = runner.run(stack.enter_async_context(web_on(tmp_path_factory.mktemp("hub"))))
        try:
            yield Hub(runner, web, runner.run(a_day(web)))
        finally:
            runner.run(stack.aclose())


def is_problem(answer: httpx.Response) -> bool:
    return (
        answer.headers["content-type"] == "application/problem+json"
        and answer.json()["status"] == answer.status_code
        and bool(answer.json()["title"])
    )


# ── hooks ────────────────────────────────────────────────────────────────────────────────────────


def test_signatures_here_are_made_as_twilio_documents_them() -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    made = signature("https://mycompany.com/myapp.php?foo=1&bar=2", fields, "12345")
    assert made == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@many
@given(body=words, name=words, sender=st.integers(0, 99), more=st.dictionaries(words, words, max_size=4))
def test_whatever_twilio_signed_becomes_a_message_or_a_dead_letter(
    hub: Hub, body: str, name: str, sender: int, more: dict[str, str]
) -> None:
    sid, before = hub.new_sid(), hub.letters()
    own = {"MessageSid": sid, "From": f"whatsapp:+62800{sender:08d}", "To": OFFICE}
    answer = hub.signed({**more, **own, "Body": body, "ProfileName": name, "SmsStatus": "received"})
    assert answer.status_code == 200
    assert hub.is_kept(sid) or hub.letters() == before + 1


@few
@given(fields=st.dictionaries(words, words, min_size=1, max_size=6))
def test_signed_nonsense_is_kept_as_a_dead_letter(hub: Hub, fields: dict[str, str]) -> None:
    fields = {"Nonsense": hub.new_sid(), **fields}
    before, cases = hub.letters(), hub.cases_now()
    assert hub.signed(fields).status_code == 200
    assert (hub.letters(), hub.cases_now()) == (before + 1, cases)


@few
@given(st.binary(max_size=400))
@example(b"\x00\xff\xfe\x80")
@example(b"%PDF-1.7\n\x93\xfa")
@example(b"MessageSid=SM1&Body=%FF%FE")
@example(b"")
def test_a_signed_binary_body_is_kept_as_a_dead_letter(hub: Hub, body: bytes) -> None:
    """What is no form is signed by the address, which then holds the body's digest."""
    body += hub.new_sid().encode()
    path = f"{HOOK}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"x-twilio-signature": signature(PUBLIC_URL + path, {})}
    before, cases = hub.letters(), hub.cases_now()
    assert hub.send("POST", path, content=body, headers=headers).status_code == 200
    assert (hub.letters(), hub.cases_now()) == (before + 1, cases)
    changed = hub.send("POST", path, content=body + b" ", headers=headers)
    assert changed.status_code == 403
    assert hub.letters() == before + 1


@few
@given(
    body=st.binary(max_size=300)
    | words.map(lambda said: urlencode({"MessageSid": "SM9", "Body": said}).encode()),
    signed=st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
    kind=st.sampled_from(
        [FORM, "application/json", "multipart/form-data", "text/plain; charset=nonsense", ""]
    ),
)
def test_what_is_not_signed_is_403_and_leaves_no_trace(
    hub: Hub, body: bytes, signed: str | None, kind: str
) -> None:
    before = (hub.letters(), hub.cases_now())
    headers = {"content-type": kind} | ({"x-twilio-signature": signed} if signed is not None else {})
    for path in (HOOK, f"{HOOK}/status", f"{HOOK}?bodySHA256={hashlib.sha256(body).hexdigest()}"):
        answer = hub.send("POST", path, content=body, headers=headers)
        assert answer.status_code == 403 and is_problem(answer)
    assert (hub.letters(), hub.cases_now()) == before


def test_one_letter_changed_on_the_way_is_a_forgery(hub: Hub) -> None:
    fields = {"MessageSid": hub.new_sid(), "From": "whatsapp:+6280000000001", "To": OFFICE, "Body": COMPLETE}
    made = signature(PUBLIC_URL + HOOK, fields)
    headers = {"x-twilio-signature": made, "content-type": FORM}
    for name in fields:
        forged = urlencode(fields | {name: f"{fields[name]}1"})
        assert hub.send("POST", HOOK, content=forged, headers=headers).status_code == 403
    for path in (f"{HOOK}/status", f"{HOOK}?x=1"):
        assert hub.send("POST", path, content=urlencode(fields), headers=headers).status_code == 403
    assert not hub.is_kept(fields["MessageSid"])


@few
@given(
    status=words | st.sampled_from(["sent", "delivered", "failed", "read", "undelivered"]),
    reply=words | st.none(),
    code=words | st.integers().map(str),
)
def test_a_status_of_nothing_changes_nothing(hub: Hub, status: str, reply: str | None, code: str) -> None:
    query = f"?{urlencode({'reply': reply, 'part': '0'})}" if reply is not None else ""
    before = hub.cases_now()
    fields = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": code}
    assert hub.signed(fields, f"{HOOK}/status{query}").status_code == 200
    assert hub.cases_now() == before


# ── size ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [HOOK, f"{HOOK}/status", COMPLAINTS, "/", "/staff/sign-in", "/t/x/messages"])
@pytest.mark.parametrize("announced", [True, False])
def test_what_is_too_large_is_413(hub: Hub, path: str, announced: bool) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    body: Any = b"x" * 2_000_000 if announced else slowly()
    kind = "application/json" if path == COMPLAINTS else FORM
    before = (hub.letters(), hub.cases_now())
    answer = hub.send("POST", path, content=body, headers={"content-type": kind})
    assert answer.status_code == 413
    assert (hub.letters(), hub.cases_now()) == before


LONG = {
    "one word": "a" * LIMIT,
    "many words": ("jalan rusak di Batang " * LIMIT)[:LIMIT],
    "right to left": "ش" * LIMIT,
    "marks on one letter": "e" + "\u0301" * (LIMIT - 1),
    "line feeds": "jalan\n" + "\n" * (LIMIT - 12) + "rusak.",
    "digits": "0" * LIMIT,
    "numbers": ("0800000000 " * LIMIT)[:LIMIT],
    "brackets": "[" * LIMIT,
    "quotes": '"' * LIMIT,
    "addresses": ("a@b.c " * LIMIT)[:LIMIT],
}


@pytest.mark.parametrize("said", LONG.values(), ids=LONG)
def test_a_hundred_thousand_characters_are_taken_on_every_channel(hub: Hub, said: str) -> None:
    assert len(said) == LIMIT
    sent = hub.send("POST", COMPLAINTS, json={"text": said})
    assert sent.status_code == 201
    receipt = sent.json()
    for path in (f"/t/{receipt['ticket']}", f"/t/{receipt['ticket']}?k={receipt['tracking_token']}"):
        assert hub.send("GET", path).status_code == 200
    page = hub.send(
        "POST", "/", data={"text": said, "place": "Batang", "phone": "0800 0000 0001", "key": said[:9]}
    )
    assert page.status_code == 200 and "LGWP-" in page.text
    sid, sender = hub.new_sid(), f"whatsapp:+62800{next(hub.numbers):08d}"
    assert hub.signed({"MessageSid": sid, "From": sender, "To": OFFICE, "Body": said}).status_code == 200
    assert hub.is_kept(sid)


def test_one_character_more_is_refused_and_named(hub: Hub) -> None:
    before = hub.cases_now()
    answer = hub.send("POST", COMPLAINTS, json={"text": "a" * (LIMIT + 1)})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "text"
    page = hub.send(
        "POST", "/", data={"text": "a" * (LIMIT + 1), "place": "Batang", "phone": "0800 0000 0001"}
    )
    assert page.status_code == 422 and "100.000" in page.text
    assert hub.cases_now() == before
    sid, letters = hub.new_sid(), hub.letters()
    fields = {"MessageSid": sid, "From": "whatsapp:+6280000000002", "To": OFFICE, "Body": "a" * (LIMIT + 1)}
    assert hub.signed(fields).status_code == 200
    assert not hub.is_kept(sid) and hub.letters() == letters + 1


# ── the API ──────────────────────────────────────────────────────────────────────────────────────

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
when = (
    st.datetimes().map(lambda at: at.isoformat())
    | st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat())
    | st.dates().map(str)
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-02-30", "-1", "1e400"])
    | st.integers()
    | st.floats(allow_nan=False)
)
some_place = st.fixed_dictionaries(
    {},
    optional={
        "address": words | anything,
        "lat": st.floats() | anything,
        "lon": st.floats() | anything,
        "district": words | anything,
        "village": words | anything,
    },
)
complaint = st.fixed_dictionaries(
    {"text": words | anything},
    optional={
        "phone": words
        | st.sampled_from(["0800 0000 0001", "+62 800 0000 0001", "0", "١٢٣٤٥٦٧٨٩"])
        | anything,
        "name": words | anything,
        "email": words | st.emails() | anything,
        "location": some_place | anything,
        "occurred_at": when | anything,
        "private": st.booleans() | anything,
        "anonymous": st.booleans() | anything,
        "attachments": st.lists(st.fixed_dictionaries({"url": words | anything}), max_size=12) | anything,
        "unknown": anything,
    },
)


@many
@given(body=complaint | anything)
@example({"text": COMPLETE, "occurred_at": "0001-01-01T00:00:00+14:00"})
@example({"text": COMPLETE, "occurred_at": "0001-01-01T00:00:00"})
@example({"text": COMPLETE, "occurred_at": "9999-12-31T23:59:59-12:00"})
@example({"text": COMPLETE, "location": {"lat": math.inf, "lon": 0}})
@example({"text": COMPLETE, "location": {"lat": 1.0}})
@example({"text": COMPLETE, "attachments": [{"url": "http://[::1"}]})
def test_any_json_is_a_ticket_or_a_problem(hub: Hub, body: Any) -> None:
    before = hub.cases_now()
    content = json.dumps(body).encode()
    answer = hub.send("POST", COMPLAINTS, content=content, headers={"content-type": "application/json"})
    if answer.status_code == 201:
        receipt = answer.json()
        assert hub.cases_now() == before + 1
        public = hub.send("GET", f"{COMPLAINTS}/{receipt['ticket']}")
        own = hub.send("GET", f"{COMPLAINTS}/{receipt['ticket']}?token={receipt['tracking_token']}")
        assert public.status_code == own.status_code == 200
        for path in (f"/t/{receipt['ticket']}", f"/t/{receipt['ticket']}?k={receipt['tracking_token']}"):
            assert hub.send("GET", path).status_code == 200
    else:
        assert 400 <= answer.status_code < 500 and is_problem(answer)
        assert hub.cases_now() == before


@few
@given(
    content=st.binary(max_size=300),
    kind=st.sampled_from(["application/json", "text/json", FORM, "", "application/json; charset=utf-16"]),
    key=st.binary(max_size=40).filter(lambda key: not {0, 10, 13} & set(key)),
)
def test_any_bytes_are_a_problem(hub: Hub, content: bytes, kind: str, key: bytes) -> None:
    headers = [(b"content-type", kind.encode()), (b"idempotency-key", key), (b"accept-language", key)]
    answer = hub.send("POST", COMPLAINTS, content=content, headers=headers)
    assert 400 <= answer.status_code < 500 and is_problem(answer)


@few
@given(key=text.filter(str.isprintable).map(lambda key: key.encode()), said=words)
def test_the_same_key_and_words_are_one_complaint(hub: Hub, key: bytes, said: str) -> None:
    answers = [
        hub.send("POST", COMPLAINTS, json={"text": f"{COMPLETE} {said}"}, headers={b"idempotency-key": key})
        for _ in range(2 if key else 1)
    ]
    assert {answer.status_code for answer in answers} <= {201, 422}
    assert len({answer.json().get("ticket") for answer in answers}) == 1


# ── reading ──────────────────────────────────────────────────────────────────────────────────────

cursors = words | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
cursors |= anything.map(lambda place: base64.urlsafe_b64encode(json.dumps(place).encode()).decode())
cursors |= st.lists(st.integers() | st.floats() | st.booleans() | words, max_size=4).map(
    lambda place: base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
)
queries = st.fixed_dictionaries(
    {},
    optional={
        "profile": words | st.just(PROFILE),
        "status": words | st.just("received"),
        "unit": words | st.just("dinas-pupr"),
        "channel": words | st.just("web"),
        "q": words
        | st.sampled_from(["jalan OR", '"', "jalan*", "NEAR(a b)", "a AND NOT", "-", "said:x", "^a"]),
        "overdue": words | st.sampled_from(["true", "false", ""]),
        "cursor": cursors,
        "limit": words | st.integers().map(str),
        "tab": words | st.sampled_from(["mine", "late", "all"]),
        "lang": words | st.sampled_from(["id", "en"]),
        "token": words,
    },
)


@many
@given(query=queries, path=st.sampled_from(["cases", "stats"]))
@example({"cursor": base64.urlsafe_b64encode(b"[0,99999999999999999999,1]").decode()}, "cases")
@example({"cursor": base64.urlsafe_b64encode(b"[0,1e999,NaN]").decode()}, "cases")
@example({"cursor": base64.urlsafe_b64encode(b"[" * 9999).decode()}, "cases")
@example({"cursor": base64.urlsafe_b64encode(b"[0,1]").decode()}, "cases")
@example({"cursor": base64.urlsafe_b64encode(b"[true,0,1]").decode()}, "cases")
def test_any_question_to_a_list_is_answered(hub: Hub, query: dict[str, str], path: str) -> None:
    answer = hub.send("GET", f"/api/v1/{path}", params=query, headers=hub.bearer())
    assert answer.status_code == 200 or is_problem(answer)


@few
@given(query=queries)
def test_any_question_to_the_queue_is_a_page(hub: Hub, query: dict[str, str]) -> None:
    if "laporhub" not in str(hub.web.browser.cookies):
        hub.runner.run(hub.web.sign_in("gubernur"))
    answer = hub.send("GET", "/staff", params=query)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.status_code in (200, 403, 404, 422)


@few
@given(ticket=words | st.from_regex(r"[A-Z]{4}-\d{4}-\d{4}-\d{4}", fullmatch=True), secret=words)
def test_any_ticket_and_any_secret_open_nothing(hub: Hub, ticket: str, secret: str) -> None:
    name = quote(ticket, safe="")
    private = hub.cases["private"].ticket
    for path in (f"/t/{name}", f"{COMPLAINTS}/{name}", f"/api/v1/cases/{name}"):
        assert hub.send("GET", path).status_code in (303, 307, 401, 404)
    assert hub.send("GET", "/lacak", params={"nomor": ticket}).status_code in (200, 303, 404)
    page = hub.send("GET", f"/t/{private}", params={"k": secret})
    assert page.status_code == 403 and "pungutan" not in page.text
    typed = hub.send("POST", f"/t/{private}", data={"k": secret})
    assert typed.status_code == 303 and "pungutan" not in typed.text
    known = b"".join(secret.encode().split())[:50].replace(b"\0", b"")
    told = hub.send("GET", f"{COMPLAINTS}/{private}", headers={b"authorization": b"Bearer " + known})
    assert told.status_code == 401


# ── forms ────────────────────────────────────────────────────────────────────────────────────────

report = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("text", "place", "phone", "name", "email", "key", "private", "anonymous", "website"), words
    )
    | {
        "occurred_at": words | when.map(str),
        "lat": words | st.floats().map(str),
        "lon": words | st.floats().map(str),
    },
)


@many
@given(fields=report)
@example({"text": COMPLETE, "place": "Batang", "phone": "0800 0000 0001", "occurred_at": "0001-01-01T00:00"})
@example({"text": COMPLETE, "phone": "0800 0000 0001", "lat": "nan", "lon": "nan"})
def test_any_form_is_a_receipt_or_the_form_again(hub: Hub, fields: dict[str, str]) -> None:
    before = hub.cases_now()
    page = hub.send("POST", "/", data=fields)
    assert page.status_code in (200, 422)
    assert hub.cases_now() == before + (page.status_code == 200)


@few
@given(
    content=st.binary(max_size=300),
    kind=st.sampled_from([FORM, "multipart/form-data; boundary=x", "multipart/form-data", "text/plain"]),
)
@example(
    b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\r\n--x--\r\n',
    "multipart/form-data; boundary=x",
)
@example(b"&".join(b"a%d=1" % number for number in range(2000)), FORM)
def test_any_bytes_as_a_form_are_told_what_is_wrong(hub: Hub, content: bytes, kind: str) -> None:
    before = hub.cases_now()
    for path in ("/", f"/t/{hub.cases['answered'].ticket}", "/staff/sign-in"):
        answer = hub.send("POST", path, content=content, headers={"content-type": kind})
        assert answer.status_code in (303, 400, 401, 413, 422, 429)
    assert hub.cases_now() == before


@settings(few, max_examples=15)
@given(name=words, secret=words, after=words)
def test_no_made_up_name_signs_in(hub: Hub, name: str, secret: str, after: str) -> None:
    sent = {"username": name, "password": secret, "next": after}
    assert hub.send("POST", "/staff/sign-in", data=sent).status_code in (401, 429)


@few
@given(body=anything, step=words | st.sampled_from(["dispose", "verify", "ask", "approve"]))
def test_any_action_is_taken_or_refused(hub: Hub, body: Any, step: str) -> None:
    path = f"/api/v1/cases/{hub.cases['new'].ticket}/actions/{quote(step, safe='')}"
    headers = hub.bearer() | {"content-type": "application/json"}
    answer = hub.send("POST", path, content=json.dumps(body).encode(), headers=headers)
    assert answer.status_code == 200 or is_problem(answer)


def test_afterwards_the_hub_is_well(hub: Hub) -> None:
    assert hub.send("GET", "/readyz").status_code == 200
    assert hub.send("POST", COMPLAINTS, json={"text": COMPLETE}).status_code == 201
