"""What is said on the simulated X as a web page: plain HTML, no script, nothing from elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from jinja2 import Environment

from laporhub.simulators.x_network import Network

_WIB = timezone(timedelta(hours=7))
_SHOWN = 30

_PAGE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""<!doctype html>
<html lang="id">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>X (simulasi)</title>
<style>
*{box-sizing:border-box}
body{margin:0;font:16px/1.45 system-ui,sans-serif;color:#16202a;background:#eef1f4}
main{max-width:70rem;margin:auto;padding:1rem;display:grid;gap:1rem;grid-template-columns:minmax(0,1fr)}
h1{font-size:1.25rem;margin:0}
h2{font-size:1rem;margin:0 0 .5rem}
section{background:#fff;border-radius:.75rem;padding:1rem}
ol{list-style:none;margin:0 0 1rem;padding:0 0 0 .75rem;border-left:3px solid #cfd9e2}
li{padding:.4rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
small{display:block;color:#4a5865;white-space:normal}
.office{background:#e3f1fb;padding:.4rem .6rem;border-radius:.5rem;margin:.2rem 0}
form{display:grid;gap:.6rem}
label{font-weight:600}
input,select,textarea,button{font:inherit;width:100%;padding:.6rem;border-radius:.5rem;border:1px solid #66747f}
button{background:#0f4c75;color:#fff;border:0;min-height:44px;font-weight:600}
.news{background:#fff4d6;border-left:.3rem solid #9a6b00;padding:.6rem 1rem;margin:0}
@media(min-width:48rem){main{grid-template-columns:1fr 1fr}h1,.news,.write{grid-column:1/-1}}
</style>
</head>
<body>
<main>
<h1>X (simulasi) · akun kantor @{{ office.username }}</h1>
{% if news %}<p class="news" role="status">{{ news }}</p>{% endif %}
<section class="write">
<form method="post" action="/kirim">
<label for="nama">Nama akun warga</label>
<input id="nama" name="nama" required value="warga_contoh" maxlength="15" pattern="[A-Za-z0-9_]+">
<label for="lewat">Lewat</label>
<select id="lewat" name="lewat">
<option value="post">Postingan yang menyebut @{{ office.username }}</option>
<option value="dm">Pesan langsung (DM)</option>
</select>
<label for="pesan">Isi</label>
<textarea id="pesan" name="pesan" rows="3" required></textarea>
<button>Kirim sebagai warga</button>
</form>
</section>
<section>
<h2>Postingan</h2>
{% for thread in threads %}
<ol>
{% for post in thread %}
<li{% if post.author == office %} class="office"{% endif %}><small>{{ post.author.name }} @{{ post.author.username }}
 · {{ when(post.created) }}</small>{{ post.text }}</li>
{% endfor %}
</ol>
{% else %}
<p>Belum ada postingan.</p>
{% endfor %}
</section>
<section>
<h2>Pesan langsung</h2>
{% for citizen, messages in talks %}
<ol aria-label="Percakapan dengan @{{ citizen.username }}">
{% for message in messages %}
<li{% if message.sender == office %} class="office"{% endif %}><small>@{{ message.sender.username }}
 · {{ when(message.created) }}</small>{{ message.text }}</li>
{% endfor %}
</ol>
{% else %}
<p>Belum ada pesan.</p>
{% endfor %}
</section>
</main>
</body>
</html>
""")


def page(network: Network, news: str | None) -> str:
    """The newest threads and conversations, and a form to write as a citizen."""
    conversations = list(dict.fromkeys(post.conversation for post in network.seen()))[:_SHOWN]
    citizens = {message.citizen.id: message.citizen for message in network.messages()}
    talks = [(each, network.messages(name)[::-1]) for name, each in list(citizens.items())[:_SHOWN]]
    threads = [network.thread(name) for name in conversations]
    return _PAGE.render(office=network.office, threads=threads, talks=talks, news=news, when=_when)


def _when(at: datetime) -> str:
    return at.astimezone(_WIB).strftime("%d/%m %H.%M")
