"""Codes of authenticator apps (RFC 6238: SHA-1, 6 digits, steps of 30 seconds), and the picture that sets one up."""

from __future__ import annotations

import hmac
import re
from datetime import datetime

import pyotp
import segno

from tenants.secret import Secret

STEP_S = 30
DIGITS = 6
TOLERANCE = 1
"""Steps that the clocks of a phone and of this machine may be apart."""


def new_secret() -> Secret:
    """A random secret of 160 bits in base32, as apps read it."""
    return Secret(pyotp.random_base32(32))


def matching_step(secret: Secret, code: str, now: datetime) -> int | None:
    """The time step whose code this is, at most TOLERANCE from now; None when it is none of them."""
    typed = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", typed):
        return None
    app, present = pyotp.TOTP(secret.reveal(), digits=DIGITS, interval=STEP_S), int(now.timestamp()) // STEP_S
    found = None
    # All are compared, so that the time taken does not tell which one it was.
    for step in range(present - TOLERANCE, present + TOLERANCE + 1):
        if hmac.compare_digest(app.generate_otp(step), typed):
            found = step
    return found


def setup_address(secret: Secret, person: str, issuer: str) -> str:
    """The address that an app reads from the picture."""
    return pyotp.TOTP(secret.reveal(), digits=DIGITS, interval=STEP_S).provisioning_uri(name=person, issuer_name=issuer)


def picture(address: str) -> str:
    """A QR code as the address of an SVG picture, dark on white in every theme."""
    return segno.make(address, error="m").svg_data_uri(scale=4, border=3, dark="#000", light="#fff")


def spaced(secret: Secret) -> str:
    """The secret in groups of four, for typing."""
    plain = secret.reveal()
    return " ".join(plain[place : place + 4] for place in range(0, len(plain), 4))
