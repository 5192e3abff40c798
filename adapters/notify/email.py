"""E-mail over SMTP. An address of the server: `smtp://` (STARTTLS where offered), `smtps://` (TLS from the start)."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

TIMEOUT_S = 20.0


class MailFault(Exception):
    """Raised when a letter was not accepted; `final`: trying again is useless. The message holds no credentials."""

    def __init__(self, text: str, *, final: bool) -> None:
        super().__init__(text)
        self.final = final


@dataclass(frozen=True)
class Server:
    """Where letters are handed in."""

    host: str
    port: int
    tls: bool
    user: str = ""
    password: str = field(default="", repr=False)


def read_server(url: str) -> Server:
    """Read a server's address. Raises ValueError with the fix."""
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("give an address such as smtp://user:password@mail.example.org:587 or smtps://…:465")
    tls = parts.scheme == "smtps"
    return Server(
        parts.hostname,
        parts.port or (465 if tls else 587),
        tls,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def compose(sender: str, to: str, subject: str, text: str) -> EmailMessage:
    """Build a plain-text letter; line breaks in headers cannot get in."""
    letter = EmailMessage()
    letter["From"], letter["To"] = sender, to
    letter["Subject"] = " ".join(subject.split())
    letter["Date"], letter["Message-ID"] = (
        formatdate(usegmt=True),
        make_msgid(domain=sender.rpartition("@")[2].strip(">")),
    )
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(text)
    return letter


class Mailer:
    """Hands letters to one server."""

    def __init__(self, url: str, sender: str) -> None:
        self._server, self._sender = read_server(url), sender

    async def send(self, to: str, subject: str, text: str) -> None:
        """Hand a letter in. Raises MailFault."""
        import aiosmtplib

        at = self._server
        # A server elsewhere must speak TLS before it hears a password.
        starttls = None if not at.user or at.host in {"localhost", "127.0.0.1", "::1"} else True
        try:
            await aiosmtplib.send(
                compose(self._sender, to, subject, text),
                hostname=at.host,
                port=at.port,
                username=at.user or None,
                password=at.password or None,
                use_tls=at.tls,
                start_tls=False if at.tls else starttls,
                timeout=TIMEOUT_S,
            )
        except aiosmtplib.SMTPResponseException as fault:
            raise MailFault(f"{type(fault).__name__} {fault.code}", final=500 <= fault.code < 600) from fault
        except aiosmtplib.SMTPRecipientsRefused as fault:
            codes = [refused.code for refused in fault.recipients]
            raise MailFault(f"recipient refused {codes}", final=all(code >= 500 for code in codes)) from fault
        except (aiosmtplib.SMTPException, OSError) as fault:
            raise MailFault(type(fault).__name__, final=False) from fault
