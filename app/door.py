"""What the pages of the door share: whole pages without a frame, where to go afterwards, and the fresh session."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.response import Redirect

from app.errors import SignedOut
from app.i18n import Tongue
from app.room import answer, local_path
from app.session import browser_of, csrf_of, session_cookie, token_of, tongue_of
from app.site import AnyRequest, site_of
from app.views.shell import look_of
from tenants.directory import end_session
from tenants.entrance import prove_again
from tenants.people import Visitor


def door_page(
    request: AnyRequest, template: str, status: int = 200, *, visitor: Visitor | None = None, **values: Any
) -> Response[str]:
    """A page of the door, in the person's language or the browser's."""
    tongue = values.pop("tongue", None) or tongue_of(request, visitor)
    person = visitor.person if visitor else None
    frame = {"me": person, "look": look_of(person), "shell": None, "csrf": csrf_of(token_of(request)), "here": ""}
    return answer(request, tongue, template, "", {**frame, **values}, status)


def next_path(text: str) -> str:
    """Where to go after signing in: a path of ours that is not the door itself."""
    path = local_path(text, "/")
    return "/" if path.startswith(("/sign-in", "/sign-out")) else path


async def welcome(request: AnyRequest, token: str, path: str) -> Response[Any]:
    """End the browser's old session, give it the fresh one, and go."""
    site = site_of(request)
    old = token_of(request)
    if old:
        await end_session(site.units, old)
    response: Response[Any] = Redirect(path, status_code=303)
    response.set_cookie(session_cookie(site, token))
    return response


async def proved(request: AnyRequest, visitor: Visitor, method: str, path: str) -> Response[Any]:
    """Somebody signed in has proved once more who they are: note it, give the session a new cookie, and go on."""
    site = site_of(request)
    token = await prove_again(site.units, visitor.session_hash, method, browser_of(request))
    if token is None:
        raise SignedOut
    response: Response[Any] = Redirect(path, status_code=303)
    response.set_cookie(session_cookie(site, token))
    return response


def password_fault(tongue: Tongue, fault: str) -> str:
    """Why a new password is not accepted, in one sentence with the fix."""
    return {
        "short": tongue.gettext("Use at least 12 characters; three or four unrelated words are easy to remember."),
        "long": tongue.gettext("Use at most 128 characters."),
        "hidden": tongue.gettext("The password holds a control character. Type it again."),
        "personal": tongue.gettext("Leave your name and address out of the password."),
        "common": tongue.gettext("This password is on the lists that attackers try first. Choose another."),
        "simple": tongue.gettext("This password repeats itself or follows the keyboard. Choose another."),
    }[fault]
