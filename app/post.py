"""Sending letters: the words, in the reader's language, and the loop that hands them in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from adapters.notify.email import Mailer, MailFault
from adapters.settings import Settings
from app.i18n import LANGUAGES, N_, Tongue
from app.views.marks import kind_name
from app.views.webhooks import OFF
from tenants.letters import Outgoing, letter_failed, letter_sent, take_letters
from tenants.unit import Units

LOOK_S = 5.0
log = structlog.get_logger(__name__)

SUBJECTS: Mapping[str, str] = {
    "invite": N_("%(sender)s invites you to %(workspace)s"),
    "reset": N_("Set a new password"),
    "password": N_("Your password was changed"),
    "app-added": N_("An authenticator app was added to your account"),
    "app-removed": N_("The authenticator app of your account was removed"),
    "passkey-added": N_("A passkey was added to your account"),
    "passkey-removed": N_("A passkey of your account was removed"),
    "codes-made": N_("New recovery codes were made for your account"),
    "code-used": N_("A recovery code of your account was used"),
    "factors-removed": N_("All second factors of your account were removed"),
    "approval": N_("Your decision is asked for: %(title)s"),
    "webhook": N_("A webhook of %(workspace)s was switched off"),
}
FACTOR_BODY = N_(
    "Hello %(name)s,\n\n%(subject)s.\n\nIf this was not you, set a new password here at once, then look at your "
    "passkeys, second factor and sessions in the settings:\n%(link)s"
)
BODIES: Mapping[str, str] = {
    "invite": N_(
        "%(sender)s invites you to the workspace %(workspace)s in Video Factory OS.\n\nOpen this link to join. "
        "It works once, for 7 days:\n%(link)s\n\nIf you do not know the sender, ignore this letter: nothing happens."
    ),
    "reset": N_(
        "Hello %(name)s,\n\nopen this link to set a new password. It works once, for 30 minutes:\n%(link)s\n\n"
        "If you did not ask for it, ignore this letter: your password stays as it is."
    ),
    "password": N_(
        "Hello %(name)s,\n\nthe password of your account was changed, and all other sessions were ended.\n\n"
        "If this was not you, set a new one here at once:\n%(link)s"
    ),
    "approval": N_(
        "Hello %(name)s,\n\njob #%(number)s “%(title)s” in %(workspace)s has made its step “%(step)s” and waits for "
        "your decision. Without one it is cancelled on %(day)s.\n\nLook at the result and decide:\n%(link)s\n\n"
        "You get this letter because you asked for it in your personal settings; it can be switched off there."
    ),
    "webhook": N_(
        "Hello %(name)s,\n\nthe webhook %(called)s of the workspace %(workspace)s was switched off: %(why)s\n\n"
        "Nothing is sent to it any more. Look at its last messages, switch it on again and recover what it has missed, "
        "up to 14 days back:\n%(link)s"
    ),
}
PATHS: Mapping[str, str] = {"invite": "/invite/", "reset": "/reset/"}
"""Where the link of a letter leads; that of a notice to a page where the account can be taken back."""


def write_letter(letter: Outgoing, address: str) -> tuple[str, str]:
    """Subject and text of a letter; `address` is where this installation is reached."""
    tongue = Tongue(letter.language if letter.language in LANGUAGES else "en")
    values = {
        "name": letter.name,
        "workspace": letter.workspace,
        "sender": letter.sender,
        "link": f"{address}{PATHS.get(letter.kind, '/forgot')}{letter.token}",
    }
    if letter.kind == "approval":
        values |= _question(tongue, letter, address)
    if letter.kind == "webhook":
        values |= _endpoint(tongue, letter, address)
    subject = tongue.gettext(SUBJECTS[letter.kind]) % values
    body = tongue.gettext(BODIES.get(letter.kind, FACTOR_BODY))
    return subject, body % {**values, "subject": subject}


def _question(tongue: Tongue, letter: Outgoing, address: str) -> dict[str, str]:
    """What a letter about a question says of it."""
    told = letter.data
    return {
        "title": str(told["title"]),
        "number": str(told["number"]),
        "step": kind_name(tongue, str(told["step"])),
        "day": tongue.day(datetime.fromisoformat(str(told["until"]))) if told["until"] else "–",
        "link": f"{address}{told['path']}",
    }


def _endpoint(tongue: Tongue, letter: Outgoing, address: str) -> dict[str, str]:
    """What a letter about an endpoint says of it."""
    told = letter.data
    called = f"{told['description']} ({told['host']})" if told["description"] else str(told["host"])
    return {"called": called, "why": tongue.gettext(OFF[str(told["reason"])]), "link": f"{address}{told['path']}"}


async def deliver(units: Units, settings: Settings) -> int:
    """Hand in every letter that is due; answer how many were accepted."""
    if not settings.mail:
        return 0
    mailer, sent = Mailer(settings.smtp_url, settings.mail_from), 0
    for letter in await take_letters(units):
        subject, text = write_letter(letter, settings.address)
        try:
            await mailer.send(letter.address, subject, text)
        except MailFault as fault:
            log.warning("letter.failed", letter=str(letter.id), kind=letter.kind, error=str(fault), final=fault.final)
            await letter_failed(units, letter.id, str(fault), final=fault.final)
            continue
        await letter_sent(units, letter.id)
        sent += 1
    return sent


async def keep_delivering(units: Units, settings: Settings) -> None:
    """Look for letters until cancelled; several web servers share the work row by row."""
    while settings.mail:
        try:
            await deliver(units, settings)
        except (SQLAlchemyError, OSError) as error:
            log.warning("letters.no_database", error=type(error).__name__)
        await asyncio.sleep(LOOK_S)
