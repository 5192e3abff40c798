"""The page behind an invitation link: join as oneself, or with a new account."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from adapters.signin.passwords import judge
from app.door import door_page, password_fault, welcome
from app.errors import Tied
from app.forms import FormFault, FormState, read_form
from app.i18n import LANGUAGES, Tongue
from app.pages.sign_in_with import invitation_buttons
from app.pages.start import check_name
from app.session import browser_of, find_visitor, tongue_of
from app.site import AnyRequest, site_of
from app.throttle import knock
from app.views.members import ROLE_NAMES
from tenants.entrance import AddressTaken, join_as_new
from tenants.members import InvitationGone, Offer, accept_offer, look_at_offer
from tenants.people import Visitor


@get("/invite/{token:str}")
async def show_invitation(request: AnyRequest) -> Response[str]:
    """What is offered; looking does not use the link up."""
    visitor = await find_visitor(request)
    try:
        offer = await look_at_offer(site_of(request).units, request.path_params["token"])
    except InvitationGone:
        return door_page(request, "start/gone.html", 410, visitor=visitor, way="")
    return await _page(request, visitor, offer, FormState({"language": tongue_of(request, visitor).language}))


@post("/invite/{token:str}")
async def accept(request: AnyRequest) -> Response[Any]:
    """Join: as the signed-in person, else with a new account for the invited address."""
    visitor = await find_visitor(request)
    values = await read_form(request)
    site, token = site_of(request), request.path_params["token"]
    await knock(request)
    try:
        if visitor is not None:
            if visitor.only is not None:
                raise Tied
            offer = await accept_offer(site.units, token, visitor, browser_of(request).address)
            return Redirect(f"/w/{offer.slug}", status_code=303)
        offer = await look_at_offer(site.units, token)
        return await _join(request, offer, values)
    except InvitationGone:
        return door_page(request, "start/gone.html", 410, visitor=visitor, way="")


async def _join(request: AnyRequest, offer: Offer, values: dict[str, str]) -> Response[Any]:
    site = site_of(request)
    tongue = Tongue(values["language"]) if values.get("language") in LANGUAGES else tongue_of(request, None)
    name, password = " ".join(values.get("name", "").split()), values.get("password", "")
    faults = check_name(tongue, name)
    if (fault := judge(password, name, offer.email)) is not None:
        faults.append(FormFault("password", password_fault(tongue, fault)))
    form = FormState({"name": name, "language": tongue.language}, faults)
    if faults:
        return await _page(request, None, offer, form, 422, tongue)
    hashed = await site.passwords.hash(password)
    try:
        signed = await join_as_new(
            site.units, request.path_params["token"], name, tongue.language, hashed, browser_of(request)
        )
    except AddressTaken:
        text = tongue.gettext("This address has an account already. Sign in with it; the invitation waits.")
        return await _page(request, None, offer, FormState(form.values, [FormFault("", text)]), 409, tongue)
    return await welcome(request, signed.token, f"/w/{signed.slug}")


async def _page(
    request: AnyRequest,
    visitor: Visitor | None,
    offer: Offer,
    form: FormState,
    status: int = 200,
    tongue: Tongue | None = None,
) -> Response[str]:
    speech = tongue or tongue_of(request, visitor)
    return door_page(
        request,
        "start/invitation.html",
        status,
        visitor=visitor,
        tongue=speech,
        offer=offer,
        role=speech.gettext(ROLE_NAMES[offer.role]),
        form=form,
        token=request.path_params["token"],
        buttons=[] if visitor else await invitation_buttons(request, offer.slug, request.path_params["token"]),
    )
