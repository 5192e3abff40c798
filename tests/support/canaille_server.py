"""A real identity provider (canaille) on a loopback port, with one person and one client; a program of its own.

`python -m tests.support.canaille_server PORT REDIRECT_URI`: serves until its standard input ends.
"""

from __future__ import annotations

import datetime
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

CLIENT, SECRET = "films", "films-client-secret-0123456789"
PERSON, PASSWORD, EMAIL = "ada", "correct horse battery", "ada@example.org"


class Quiet(WSGIRequestHandler):
    """Says nothing of the requests it serves."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base's name
        pass


def main(port: int, redirect_uri: str) -> None:
    from canaille import create_app
    from canaille.app import models
    from canaille.backends import Backend
    from joserfc.jwk import RSAKey

    app = create_app(
        {
            "SECRET_KEY": "only-for-the-suite-0123456789abcdef",
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "SESSION_COOKIE_SECURE": False,
            "CANAILLE": {"DATABASE": "memory"},
            "CANAILLE_OIDC": {"ACTIVE_JWKS": [RSAKey.generate_key(2048).as_dict(private=True)]},
        }
    )
    with app.app_context(), app.backend.session():
        person = models.User(
            formatted_name="Ada Lovelace", given_name="Ada", family_name="Lovelace", user_name=PERSON, emails=[EMAIL],
            password=PASSWORD,
        )  # fmt: skip
        Backend.instance.save(person)
        client = models.Client(
            client_id=CLIENT,
            client_secret=SECRET,
            client_name="Films",
            client_uri="http://127.0.0.1",
            client_id_issued_at=datetime.datetime.now(datetime.UTC),
            redirect_uris=[redirect_uri],
            grant_types=["authorization_code"],
            response_types=["code"],
            scope=["openid", "profile", "email"],
            token_endpoint_auth_method="client_secret_basic",
        )
        Backend.instance.save(client)
        client.audience = [client]
        Backend.instance.save(client)
    server = make_server("127.0.0.1", port, app, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)  # noqa: T201 the suite waits for this word
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
