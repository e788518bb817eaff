"""The page of the simulated mail server: the office's mailbox and what citizens got, and a form to write."""

from __future__ import annotations

from collections.abc import Sequence
from email.header import decode_header, make_header
from email.message import Message
from html import escape


def page(address: str, inbox: Sequence[Message], sent: Sequence[Message]) -> str:
    return f"""<!doctype html><html lang="id"><meta charset="utf-8"><title>Surel simulasi</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:16px system-ui;max-width:46rem;margin:1rem auto;padding:0 1rem}}
article{{border:1px solid #ccc;border-radius:8px;padding:.5rem 1rem;margin:.5rem 0;white-space:pre-wrap}}
input,textarea,button{{font:inherit;width:100%;box-sizing:border-box;margin:.2rem 0}}</style>
<h1>Surel simulasi</h1>
<form method="post" action="/kirim"><label>Dari <input name="dari" type="email" required></label>
<label>Perihal <input name="perihal"></label><label>Isi <textarea name="pesan" rows="4" required></textarea></label>
<button>Kirim ke {escape(address)}</button></form>
<h2>Diterima warga</h2>{_list(sent)}<h2>Kotak masuk kantor</h2>{_list(inbox)}</html>"""


def _list(mails: Sequence[Message]) -> str:
    return "".join(map(_mail, reversed(mails))) or "<p>Belum ada.</p>"


def _mail(mail: Message) -> str:
    head = " · ".join(
        escape(str(make_header(decode_header(str(mail.get(name, "")))))) for name in ("From", "To")
    )
    subject = escape(str(make_header(decode_header(str(mail.get("Subject", ""))))))
    data = mail.get_payload(decode=True)
    words = data.decode(mail.get_content_charset() or "utf-8", "replace") if isinstance(data, bytes) else "…"
    return f"<article><b>{subject or '(tanpa perihal)'}</b>\n<small>{head}</small>\n{escape(words)}</article>"
