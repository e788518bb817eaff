"""The two networks as a web page: plain HTML, no script, nothing from elsewhere."""

from __future__ import annotations

from datetime import timedelta, timezone

from jinja2 import Environment

from laporhub.simulators.meta_network import Network, Said

_WIB = timezone(timedelta(hours=7))

_STYLE = """
*{box-sizing:border-box}
body{margin:0;font:16px/1.45 system-ui,sans-serif;color:#1d2420;background:#e9ecf2}
main{max-width:48rem;margin:auto;padding:1rem;display:grid;gap:1rem;grid-template-columns:minmax(0,1fr)}
h1{font-size:1.25rem;margin:0}
h2{font-size:1.05rem;margin:1rem 1rem 0}
iframe{display:block;width:100%;height:60vh;border:0;border-radius:.75rem;background:#fff}
form{display:grid;gap:.6rem;background:#fff;border-radius:.75rem;padding:1rem}
label{font-weight:600}
input,select,textarea,button{font:inherit;width:100%;padding:.6rem;border-radius:.5rem}
input,select,textarea{border:1px solid #6f7885}
button{background:#1d4f91;color:#fff;border:0;min-height:44px;font-weight:600}
.news{background:#fff4d6;border-left:.3rem solid #9a6b00;padding:.6rem 1rem;margin:0}
ul{list-style:none;margin:0;padding:0 1rem 1rem}
li{margin:.5rem 0;padding:.5rem .75rem;border-radius:.75rem;background:#eef0f4}
li{white-space:pre-wrap;overflow-wrap:anywhere}
li.under{margin-left:1.5rem}
li.ours{background:#dce8fb}
small{display:block;color:#4a5260}
.bare{background:#fff}
"""

_ENVIRONMENT = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)

_PAGE = _ENVIRONMENT.from_string("""<!doctype html>
<html lang="id">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Facebook dan Instagram (simulasi)</title>
<style>{{ style|safe }}</style>
</head>
<body>
<main>
<h1>Facebook dan Instagram (simulasi)</h1>
{% if news %}<p class="news" role="status">{{ news }}</p>{% endif %}
<form method="post" action="/kirim">
<label for="nama">Nama warga</label>
<input id="nama" name="nama" required value="{{ name }}">
<label for="lewat">Lewat</label>
<select id="lewat" name="lewat">
<option value="facebook-komentar">Facebook, komentar</option>
<option value="facebook-pesan">Facebook, pesan pribadi</option>
<option value="instagram-komentar">Instagram, komentar</option>
<option value="instagram-pesan">Instagram, pesan pribadi</option>
</select>
<label for="pesan">Pesan</label>
<textarea id="pesan" name="pesan" rows="3" required></textarea>
<button>Kirim sebagai warga</button>
</form>
<iframe src="/percakapan" title="Komentar dan pesan"></iframe>
</main>
</body>
</html>
""")

_SAID = _ENVIRONMENT.from_string("""<!doctype html>
<html lang="id">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>Komentar dan pesan</title>
<style>{{ style|safe }}</style>
</head>
<body class="bare">
{% for title, lines in parts %}
<h2>{{ title }}</h2>
<ul>
{% for line, is_under, is_ours in lines %}
<li class="{{ 'under ' if is_under }}{{ 'ours' if is_ours }}"><strong>{{ line.name }}</strong> {{ line.text }}
{%- if line.attachments %} [{{ line.attachments|length }} lampiran]{% endif -%}
<small>{{ line.created.astimezone(wib).strftime("%d/%m %H:%M") }}</small></li>
{% else %}
<li>Belum ada.</li>
{% endfor %}
</ul>
{% endfor %}
</body>
</html>
""")


def page(news: str | None, name: str | None) -> str:
    """A form to write as a citizen, and what was said below it."""
    return _PAGE.render(style=_STYLE, news=news, name=name or "")


def said(network: Network) -> str:
    """All threads, the latest first; it loads itself again."""
    parts = [
        ("Komentar di Facebook", _threads(network, "facebook")),
        ("Komentar di Instagram", _threads(network, "instagram")),
        ("Pesan pribadi", _talks(network)),
    ]
    return _SAID.render(style=_STYLE, parts=parts, wib=_WIB)


def _threads(network: Network, where: str) -> list[tuple[Said, bool, bool]]:
    ours = {network.page_id, network.instagram_id}
    posts = [p for p in network.posts if p.where == where and not p.is_gone and p.author not in ours]
    tops = [c for c in network.comments if c.where == where and not c.parent and not c.is_gone]
    lines: list[tuple[Said, bool, bool]] = [(post, False, False) for post in posts]
    for top in tops:
        under = [c for c in reversed(network.comments) if c.parent == top.id and not c.is_gone]
        lines += [(top, False, top.author in ours), *((each, True, each.author in ours) for each in under)]
    return lines


def _talks(network: Network) -> list[tuple[Said, bool, bool]]:
    lines = []
    for citizen in dict.fromkeys(direct.citizen for direct in network.directs):
        talk = [direct for direct in reversed(network.directs) if direct.citizen == citizen]
        lines += [(each, each is not talk[0], each.author != citizen) for each in talk]
    return lines
