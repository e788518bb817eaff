"""Signing in and out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from laporhub.web import forms
from laporhub.web.desk import Staff, check_csrf, session_cookie
from laporhub.web.guard import local_path
from laporhub.web.site import render, site_of, translator_of

router = APIRouter(include_in_schema=False)


@router.get("/staff/sign-in", name="sign_in_page")
def sign_in_page(request: Request, next: str = "") -> Response:
    return _page(request, {"next": next})


def _page(request: Request, values: dict[str, str], message: str = "", status: int = 200) -> Response:
    target = local_path(values.get("next"), "/staff")
    return render(
        request,
        "sign_in.html",
        private=True,
        status=status,
        username=values.get("username", ""),
        target=target,
        message=message,
    )


@router.post("/staff/sign-in")
async def sign_in(request: Request) -> Response:
    """A new session, or the form again; after too many wrong passwords one has to wait."""
    site, t = site_of(request), translator_of(request)
    fields = await forms.read_form(request)
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return _page(request, fields, t("Masuk hanya bisa dari halaman ini."), 403)
    now, username = site.settings.now(), fields.get("username", "")[:200]
    address = request.client.host if request.client else ""
    # Passwords are taken as they are: cleaning would change them.
    async with request.form(max_files=0, max_fields=60) as form:
        password = str(form.get("password", ""))[:1000]
    # From here to `failed` nothing may wait: attempts that come together are counted one by one.
    if site.attempts.blocked(username, address, now):
        wait = t("Terlalu banyak percobaan. Tunggu 5 menit, lalu coba lagi.")
        return _page(request, fields, wait, 429)
    if site.sign_ins.full:
        page = _page(request, fields, t("Sedang banyak yang masuk. Coba lagi sebentar lagi."), 429)
        page.headers["Retry-After"] = "5"
        return page
    site.attempts.failed(username, address, now)
    secret = await site.sign_ins.run(site.hub.accounts.sign_in, username, password, now)
    if secret is None:
        return _page(request, fields, t("Nama pengguna atau kata sandi tidak cocok."), 401)
    site.attempts.succeeded(username, address)
    response = RedirectResponse(local_path(fields.get("next"), "/staff"), 303)
    response.set_cookie(
        session_cookie(site),
        secret,
        httponly=True,
        samesite="lax",
        secure=site.settings.cookie_secure,
        path="/",
    )
    return response


@router.post("/staff/sign-out")
async def sign_out(request: Request, session: Staff) -> Response:
    site = site_of(request)
    check_csrf(session, await forms.read_form(request))
    await run_in_threadpool(site.hub.accounts.sign_out, session.secret or "")
    response = RedirectResponse("/staff/sign-in", 303)
    response.delete_cookie(session_cookie(site), secure=site.settings.cookie_secure, httponly=True)
    return response
