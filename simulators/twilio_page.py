"""The citizens' phones as a web page: plain HTML, no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Protocol

from jinja2 import Environment

_WIB = timezone(timedelta(hours=7))

_STYLE = """
*{box-sizing:border-box}
body{margin:0;font:16px/1.45 system-ui,sans-serif;color:#1d2420;background:#e9ede9}
main{max-width:64rem;margin:auto;padding:1rem;display:grid;gap:1rem;grid-template-columns:minmax(0,1fr)}
h1{font-size:1.25rem;margin:0}
p{margin:.25rem 0}
.phones{list-style:none;margin:0;padding:0;background:#fff;border-radius:.75rem;overflow:auto;max-height:28vh}
.phones a{display:block;padding:.7rem 1rem;color:inherit;text-decoration:none;border-bottom:1px solid #dde3dd}
.phones a:hover,.phones a:focus-visible,.phones [aria-current]{background:#dcefe3}
.phones small{display:block;color:#4c5a51;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.phone{background:#1d2420;border-radius:1.5rem;padding:.6rem;margin-bottom:1rem}
iframe{display:block;width:100%;height:55vh;border:0;border-radius:1rem;background:#efe9e0}
form{display:grid;gap:.6rem;background:#fff;border-radius:.75rem;padding:1rem}
label{font-weight:600}
input,select,textarea,button{font:inherit;width:100%;padding:.6rem;border-radius:.5rem}
input,select,textarea{border:1px solid #718078}
button{background:#0b6b3a;color:#fff;border:0;min-height:44px;font-weight:600}
.news{background:#fff4d6;border-left:.3rem solid #9a6b00;padding:.6rem 1rem}
.said{display:flex;flex-direction:column;gap:.5rem;padding:1rem;margin:0;list-style:none}
.said li{max-width:85%;padding:.5rem .75rem;border-radius:.75rem;white-space:pre-wrap;overflow-wrap:anywhere}
.inbound{align-self:flex-end;background:#d6f5c9}
.outbound-api{align-self:flex-start;background:#fff}
.said small{display:block;color:#4c5a51;margin-top:.2rem}
.chat{background:#efe9e0}
@media(min-width:48rem){
main{grid-template-columns:18rem minmax(0,1fr)}
h1,.news{grid-column:1/-1}
.phones{max-height:80vh}
}
"""

_STATUS = {
    "received": "terkirim",
    "queued": "menunggu",
    "sent": "terkirim",
    "delivered": "sampai",
    "read": "dibaca",
    "undelivered": "tidak sampai",
    "failed": "gagal",
}

_ENVIRONMENT = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)

_PAGE = _ENVIRONMENT.from_string("""<!doctype html>
<html lang="id">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>HP warga (simulasi)</title>
<style>{{ style|safe }}</style>
</head>
<body>
<main>
<h1>HP warga (simulasi)</h1>
{% if news %}<p class="news" role="status">{{ news }}</p>{% endif %}
<nav aria-label="Percakapan">
<ul class="phones">
{% for citizen, last in phones %}
<li><a href="/?dengan={{ citizen|urlencode }}"{% if citizen == chosen %} aria-current="page"{% endif %}>
{{ name(citizen) }}<small>{{ last[:80] }}</small></a></li>
{% else %}
<li><p style="padding:1rem">Belum ada percakapan. Tulis pesan pertama sebagai warga.</p></li>
{% endfor %}
</ul>
</nav>
<section>
{% if chosen %}
<div class="phone">
<iframe src="/percakapan?dengan={{ chosen|urlencode }}" title="Percakapan dengan {{ name(chosen) }}"></iframe>
</div>
{% endif %}
<form method="post" action="/kirim">
<label for="nomor">Nomor HP warga</label>
<input id="nomor" name="nomor" inputmode="tel" required value="{{ number }}">
{% if not only_sms %}
<label for="lewat">Lewat</label>
<select id="lewat" name="lewat">
<option value="whatsapp">WhatsApp</option>
<option value="sms"{% if sms %} selected{% endif %}>SMS</option>
</select>
{% endif %}
<label for="pesan">Pesan</label>
<textarea id="pesan" name="pesan" rows="3" required></textarea>
<button>Kirim sebagai warga</button>
</form>
</section>
</main>
</body>
</html>
""")

_BUBBLES = _ENVIRONMENT.from_string("""<!doctype html>
<html lang="id">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="4">
<title>Percakapan</title>
<style>{{ style|safe }}</style>
</head>
<body class="chat">
<ul class="said">
{% for message in said|reverse %}
<li class="{{ message.direction }}">{{ message.body }}
{%- if message.location %} [lokasi {{ message.location[0] }}, {{ message.location[1] }}]{% endif %}
{%- if message.media %} [{{ message.media|length }} foto]{% endif -%}
<small>{{ message.created.astimezone(wib).strftime("%d/%m %H:%M") }} ·
{{ status.get(message.status, message.status) }}
{%- if message.error_code %} (kode {{ message.error_code }}){% endif %}</small></li>
{% endfor %}
</ul>
</body>
</html>
""")


class Said(Protocol):
    """A message as a phone shows it."""

    body: str
    status: str
    created: datetime


def page(
    phones: Sequence[tuple[str, str]], chosen: str | None, news: str | None, *, only_sms: bool = False
) -> str:
    """All phones; the chosen one open, and a form to write as a citizen."""
    number = (chosen or "").removeprefix("whatsapp:")
    is_sms = bool(chosen) and not (chosen or "").startswith("whatsapp:")
    return _PAGE.render(
        style=_STYLE,
        phones=phones,
        chosen=chosen,
        news=news,
        number=number,
        sms=is_sms,
        only_sms=only_sms,
        name=_name,
    )


def bubbles(said: Iterable[Said]) -> str:
    """One conversation as the citizen sees it, newest on top; it loads itself again."""
    return _BUBBLES.render(style=_STYLE, said=list(said), status=_STATUS, wib=_WIB)


def _name(citizen: str) -> str:
    number = citizen.removeprefix("whatsapp:")
    return f"{number} · {'SMS' if number == citizen else 'WhatsApp'}"
