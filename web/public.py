"""For everybody: the form, the receipt, and finding a report by its ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from laporhub.pipeline.errors import NotFound, Refused, RetryLater
from laporhub.pipeline.hub_port import Receipt
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say
from laporhub.web import forms, words
from laporhub.web.alike import Shown, before_sending
from laporhub.web.history import clock_title
from laporhub.web.i18n import Translator
from laporhub.web.problems import retry_after, status_of
from laporhub.web.site import render, site_of, translator_of

router = APIRouter(include_in_schema=False)

CHANNEL = "web"


def _chosen(request: Request) -> Rulebook:
    return site_of(request).rulebook(request.path_params.get("profile"))


Chosen = Annotated[Rulebook, Depends(_chosen)]


@router.get("/")
@router.get("/p/{profile}/")
def form_page(request: Request, rulebook: Chosen) -> Response:
    return _form(request, rulebook, {}, {})


@router.post("/")
@router.post("/p/{profile}/")
async def send_form(request: Request, rulebook: Chosen) -> Response:
    """Takes the form; with faults, shows it again with all that was typed."""
    site = site_of(request)
    if CHANNEL not in rulebook.profile.channels:
        raise NotFound("This profile has no web form")
    fields, files = await forms.read_upload(request)
    faults = forms.check_form(fields, rulebook, site.settings.now()) | forms.check_files(files)
    again = bool(files)
    if faults:
        return _form(request, rulebook, fields, faults, status=422, again=again)
    body = forms.from_form(fields, rulebook.calendar.zone)
    key = fields.get("key") or site.settings.new_key()
    inbound = forms.complaint(body, key[:200], rulebook.calendar.zone, files)
    if "different" not in fields and not inbound.private:
        t = translator_of(request)
        similar = await run_in_threadpool(before_sending, site, rulebook, inbound, t)
        if similar:
            return _form(request, rulebook, fields, {}, similar=similar, again=again)
    try:
        receipt = await site.hub.receive(rulebook.name, CHANNEL, inbound)
    except (Refused, RetryLater) as error:
        message = words.refusal(error, translator_of(request))
        page = _form(request, rulebook, fields, {}, status=status_of(error), message=message, again=again)
        page.headers.update(retry_after(error))
        return page
    return await run_in_threadpool(_received, request, rulebook, receipt)


def _form(
    request: Request,
    rulebook: Rulebook,
    fields: Mapping[str, str],
    faults: Mapping[str, str],
    *,
    status: int = 200,
    message: str = "",
    similar: Sequence[Shown] = (),
    again: bool = False,
) -> Response:
    """The form. `similar`: reports that its writer may mean; sending it again sends it. `again`: files were chosen,
    which no browser chooses by itself again.
    """
    return render(
        request,
        "form.html",
        similar=similar,
        again=again,
        rulebook=rulebook,
        status=status,
        open=CHANNEL in rulebook.profile.channels,
        required=forms.required_fields(rulebook),
        **form_words(request, rulebook, fields, faults, message, translator_of(request)),
    )


def form_words(
    request: Request,
    rulebook: Rulebook,
    fields: Mapping[str, str],
    faults: Mapping[str, str],
    message: str,
    t: Translator,
) -> dict[str, Any]:
    """What `complaint.html` needs, for whoever fills it in."""
    return {
        "values": fields,
        "faults": {name: fault_word(kind, t) for name, kind in faults.items()},
        "message": message,
        "labels": field_labels(t),
        "seers": seers(rulebook, t),
        "key": fields.get("key") or site_of(request).settings.new_key(),
    }


def field_labels(t: Translator) -> dict[str, str]:
    return {
        "text": t("Isi laporan"),
        "place": t("Lokasi kejadian"),
        "occurred_at": t("Waktu kejadian"),
        "phone": t("Nomor HP"),
        "name": t("Nama"),
        "email": t("Email"),
        "files": t("Foto atau berkas"),
        "website": t("Biarkan kosong"),
    }


def seers(rulebook: Rulebook, t: Translator) -> str:
    """The roles that may open who a reporter is."""
    roles = [role.title for role in rulebook.profile.roles.values() if role.sees_identity]
    return ", ".join(say(title, t.language, rulebook.language) for title in roles) or t("tidak seorang pun")


def fault_word(kind: str, t: Translator) -> str:
    return {
        "empty": t("Bagian ini perlu diisi."),
        "long": t(
            "Tulisan ini terlalu panjang. Paling banyak 100.000 huruf untuk isi laporan, 500 untuk yang lain."
        ),
        "phone": t("Tulis nomor HP dengan 8 sampai 15 angka, misalnya 0812 3456 7890."),
        "email": t("Tulis alamat email seperti nama@contoh.id."),
        "time": t("Tulis tanggal dan jam seperti 31-12-2026 14.30."),
        "future": t("Waktu kejadian belum terjadi. Periksa tanggal dan jamnya."),
        "many": t("Paling banyak 3 berkas sekaligus; yang lain dapat dikirim sesudahnya."),
        "big": t("Ada berkas yang lebih besar dari 10 MB."),
        "hollow": t("Ada berkas yang kosong: tidak ada isinya. Periksa berkasnya, lalu pilih lagi."),
        "kind": t("Ada berkas yang bukan foto, video, suara atau PDF."),
        "ask": t("Tanyakan kepada pelapor. Jika memang tidak ada, simpan sekali lagi tanpa ini."),
        "machine": t(
            "Kiriman ini tampak seperti dikirim mesin. Jika Anda manusia, tekan Kirim laporan sekali lagi."
        ),
    }[kind]


def _received(request: Request, rulebook: Rulebook, receipt: Receipt) -> Response:
    told = receipt_words(request, rulebook, receipt, translator_of(request))
    return render(request, "received.html", rulebook=rulebook, private=True, **told)


def receipt_words(request: Request, rulebook: Rulebook, receipt: Receipt, t: Translator) -> dict[str, Any]:
    """What a receipt says: number, link, what is due when. Blocking."""
    site = site_of(request)
    state = site.hub.case(receipt.ticket)
    token = site.hub.tracking_token(receipt.case_id)
    ticking = words.running(state) if state else []
    link = f"/t/{quote(receipt.ticket)}?k={quote(token)}"
    return {
        "receipt": receipt,
        "link": link,
        "full_link": site.settings.public_url.rstrip("/") + link,
        "due": [(clock_title(rulebook, name, t), clock.due_at) for name, clock in ticking],
    }


@router.get("/lacak", name="search")
def search(request: Request, nomor: str = "") -> Response:
    """Finds a report by its ticket, however it was typed."""
    site = site_of(request)
    typed = forms.clean(nomor)[:60]
    state = site.hub.case(typed) if typed else None
    if state is not None:
        return RedirectResponse(f"/t/{quote(state.ticket)}", 303)
    return render(request, "not_found.html", status=404 if typed else 200, private=True, typed=typed)
