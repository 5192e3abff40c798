"""GitHub, which signs people in by plain OAuth 2 without ID tokens: its API says who came, and with which address.

The identity is the account's number, which outlives a change of its name. Only a verified primary address counts.
"""

from __future__ import annotations

from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from adapters.egress import guarded_options
from adapters.egress_rules import Allowance
from adapters.signin.kinds import KINDS
from adapters.signin.oidc import CAPS, FAULTS, clean_name
from adapters.signin.port import Account, Answer, Attempt, check_address
from tenants.people import clean_email
from tenants.signin_rules import Proof, SignInRefused

KIND = KINDS["github"]
API_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


def api_of(server: str) -> str:
    """Where the API of a server is: github.com has its own host, others a path."""
    return "https://api.github.com" if server == KIND.issuer else f"{server}/api/v3"


class GitHub:
    """The kind of door that GitHub and its servers on one's own machines have."""

    def __init__(self, allow: Allowance) -> None:
        self._allow = allow

    async def begin(self, account: Account, attempt: Attempt, *, again: bool) -> str:
        server = check_address(account.way.issuer, self._allow)
        async with self._client(account) as client:
            address, _ = client.create_authorization_url(
                f"{server}/login/oauth/authorize",
                state=attempt.state,
                code_verifier=attempt.verifier,
                **(KIND.again if again else {}),
            )
        return str(address)

    async def finish(self, account: Account, attempt: Attempt, answer: Answer, *, again: bool) -> Proof:
        server = check_address(account.way.issuer, self._allow)
        if answer.issuer not in (None, server, f"{server}/login/oauth"):
            raise SignInRefused("token", "the answer comes from another issuer")
        async with self._client(account) as client:
            await self._exchange(client, server, attempt, answer)
            person = await self._ask(client, f"{api_of(server)}/user")
            addresses = await self._ask(client, f"{api_of(server)}/user/emails")
        return read_person(server, person, addresses)

    async def look(self, account: Account) -> str:
        server = check_address(account.way.issuer, self._allow)
        async with self._client(account) as client:
            try:
                # An empty code is always refused; how it is refused tells whether GitHub knows the client.
                await client.fetch_token(
                    f"{server}/login/oauth/access_token", grant_type="authorization_code", code="0"
                )
            except OAuthError as error:
                if error.error == "bad_verification_code":
                    return f"{server} answers and knows the client"
                raise SignInRefused("provider", f"it says {str(error.error)[:60]}") from error
            except FAULTS as error:
                raise SignInRefused("provider", f"it cannot be asked ({type(error).__name__})") from error
        raise SignInRefused("provider", "it takes any code")

    def _client(self, account: Account) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            account.way.client_id,
            account.secret.reveal(),
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 the name of a method
            scope=KIND.scope,
            redirect_uri=account.redirect_uri,
            code_challenge_method="S256",
            **guarded_options(self._allow, CAPS),
        )

    async def _exchange(self, client: AsyncOAuth2Client, server: str, attempt: Attempt, answer: Answer) -> None:
        try:
            await client.fetch_token(
                f"{server}/login/oauth/access_token", grant_type="authorization_code", code=answer.code,
                code_verifier=attempt.verifier, redirect_uri=client.redirect_uri,
            )  # fmt: skip
        except OAuthError as error:
            raise SignInRefused("provider", f"it refuses the code ({str(error.error)[:60]})") from error
        except FAULTS as error:
            raise SignInRefused("provider", f"it does not exchange the code ({type(error).__name__})") from error

    async def _ask(self, client: AsyncOAuth2Client, address: str) -> Any:
        try:
            answer = await client.get(address, headers=API_HEADERS)
            answer.raise_for_status()
            return answer.json()
        except FAULTS as error:
            raise SignInRefused("provider", f"its API does not answer ({type(error).__name__})") from error


def read_person(server: str, person: Any, addresses: Any) -> Proof:
    """What GitHub's API proves. Raises SignInRefused."""
    number = person.get("id") if isinstance(person, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise SignInRefused("provider", "its API does not say who came")
    email = primary_address(addresses)
    name = clean_name(person.get("name") or person.get("login"))
    domain = email.rpartition("@")[2] if email else ""
    return Proof(server, str(number), email, email is not None, domain, name)


def primary_address(addresses: Any) -> str | None:
    """The primary address, if it is verified; GitHub's own no-reply addresses reach nobody."""
    for row in addresses if isinstance(addresses, list) else []:
        if not isinstance(row, dict):
            continue
        if row.get("primary") is True and row.get("verified") is True:
            found = clean_email(str(row.get("email", "")))
            return None if found is None or found.endswith("users.noreply.github.com") else found
    return None
