"""Signing in, decided purely: claims, keys, issuers, addresses, domains."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from adapters.egress_rules import Allowance
from adapters.signin.github import primary_address
from adapters.signin.id_token import ALGORITHMS, Wanted, check_claims, pick_key
from adapters.signin.kinds import KINDS, issuer_of, lets_everyone, microsoft_issuer, serves
from adapters.signin.oidc import read_proof
from adapters.signin.port import Attempt, check_address
from tenants.signin_rules import Proof, SignInRefused, Way, may_join, read_domains

DIRECTORY = "72f988bf-86f1-41af-91ab-2d7cd011db47"
ONE = f"https://login.microsoftonline.com/{DIRECTORY}/v2.0"
MANY = "https://login.microsoftonline.com/organizations/v2.0"
NOW = 1_800_000_000


def claims(**changes: Any) -> dict[str, Any]:
    found = {"iss": ONE, "sub": "s", "aud": "us", "exp": NOW + 60, "iat": NOW, "nonce": "n", "tid": DIRECTORY}
    return {name: value for name, value in {**found, **changes}.items() if value is not None}


class TestClaims:
    @pytest.mark.parametrize(
        "changes",
        [
            {"sub": ""}, {"sub": 5}, {"sub": "x" * 256}, {"sub": "a\nb"}, {"aud": []}, {"aud": None},
            {"aud": {"us": 1}}, {"exp": True}, {"exp": "soon"}, {"exp": float("nan")}, {"exp": float("inf")},
            {"exp": NOW - 60},
            {"iat": None}, {"iat": NOW + 61}, {"nonce": ""}, {"nonce": 1}, {"nonce": "n "}, {"nbf": "x"},
            {"azp": ["us"]}, {"iss": ["x"]}, {"iss": ONE.upper()},
        ],
    )  # fmt: skip
    def test_refused(self, changes: dict[str, Any]) -> None:
        with pytest.raises(SignInRefused, match="token"):
            check_claims(claims(**changes), Wanted("microsoft", ONE, "us", "n", NOW))

    def test_accepted(self) -> None:
        for changes in ({}, {"aud": ["us"]}, {"exp": NOW - 59}, {"iat": NOW + 60}, {"azp": "us", "aud": ["us", "x"]}):
            check_claims(claims(**changes), Wanted("microsoft", ONE, "us", "n", NOW))

    @pytest.mark.parametrize(("auth_time", "good"), [(NOW, True), (NOW - 60, True), (NOW - 61, False), (None, False)])
    def test_a_fresh_proof_is_one_since_it_was_asked_for(self, auth_time: int | None, good: bool) -> None:
        wanted = Wanted("oidc", ONE, "us", "n", NOW + 10, since=NOW)
        if good:
            check_claims(claims(auth_time=auth_time), wanted)
            return
        with pytest.raises(SignInRefused, match="stale"):
            check_claims(claims(auth_time=auth_time), wanted)

    def test_no_algorithm_is_symmetric(self) -> None:
        assert not [alg for alg in ALGORITHMS if alg.startswith(("HS", "none"))]
        assert {kind for kind, _ in ALGORITHMS.values()} == {"RSA", "EC", "OKP"}


class TestMicrosoft:
    def test_with_many_directories_each_token_names_its_own(self) -> None:
        assert issuer_of("microsoft", MANY, {"tid": DIRECTORY}) == ONE
        check_claims(claims(), Wanted("microsoft", MANY, "us", "n", NOW))
        for wrong in ({"tid": "organizations"}, {"tid": None}, {"tid": f"{DIRECTORY}/../x"}, {"iss": MANY}):
            with pytest.raises(SignInRefused, match="issuer"):
                check_claims(claims(**wrong), Wanted("microsoft", MANY, "us", "n", NOW))

    def test_one_directory_is_that_one(self) -> None:
        other = DIRECTORY.replace("7", "8")
        with pytest.raises(SignInRefused, match="issuer"):
            check_claims(claims(tid=other, iss=ONE.replace("7", "8")), Wanted("microsoft", ONE, "us", "n", NOW))

    def test_only_named_directories(self) -> None:
        assert microsoft_issuer(DIRECTORY.upper()) == ONE
        assert microsoft_issuer("organizations") == MANY
        assert [microsoft_issuer(text) for text in ("", "contoso.com", "../x", f"{DIRECTORY}/x")] == [""] * 4
        assert lets_everyone("microsoft", ONE)
        assert not lets_everyone("microsoft", MANY)
        assert not lets_everyone("microsoft", microsoft_issuer("consumers"))
        assert serves("microsoft", MANY, ONE)
        assert not serves("microsoft", ONE, MANY)

    def test_an_address_counts_only_when_its_domain_s_owner_confirms_it(self) -> None:
        said = claims(email="boss@example.org", email_verified=True)
        assert read_proof("microsoft", ONE, said).domain == ""
        assert read_proof("microsoft", ONE, {**said, "xms_edov": True}).domain == "example.org"
        assert read_proof("microsoft", ONE, {**said, "xms_edov": "1"}).email_verified
        assert not read_proof("microsoft", ONE, {**said, "xms_edov": False}).email_verified


def test_google_vouches_by_its_hosted_domain_alone() -> None:
    issuer = KINDS["google"].issuer
    said = {"iss": issuer, "sub": "1", "email": "left@example.org", "email_verified": True}
    assert read_proof("google", issuer, said).domain == ""
    assert read_proof("google", issuer, {**said, "hd": "Example.org"}).domain == "example.org"


@pytest.mark.parametrize(("said", "good"), [(True, True), ("true", True), (False, False), ("false", False), (1, False)])
def test_an_address_is_verified_only_when_that_is_said(said: Any, good: bool) -> None:
    proof = read_proof("oidc", "https://i", {"sub": "1", "email": "A@Example.org", "email_verified": said})
    assert (proof.email, proof.email_verified, proof.domain) == ("a@example.org", good, "example.org" if good else "")


class TestKeys:
    RSA = RSAKey.generate_key(2048, {"kid": "a"}).as_dict(private=False)
    EC = ECKey.generate_key("P-256", {"kid": "a"}).as_dict(private=False)

    def test_the_one_that_is_named_and_fits(self) -> None:
        assert pick_key([self.RSA, self.EC], "a", "RS256").key_type == "RSA"
        assert pick_key([self.RSA, self.EC], "", "ES256").key_type == "EC"

    def test_refused(self) -> None:
        small = RSAKey.import_key(RSAKey.generate_key(2048).as_dict(private=False)).as_dict(private=False)
        shared = OctKey.import_key("0" * 32, {"kid": "a"}).as_dict(private=True)
        cases: list[tuple[list[Any], str, str]] = [
            ([], "a", "RS256"),
            ([self.RSA], "b", "RS256"),
            ([self.RSA, small], "", "RS256"),
            ([{**self.RSA, "use": "enc"}], "a", "RS256"),
            ([{**self.RSA, "alg": "RS512"}], "a", "RS256"),
            ([{**self.RSA, "n": "AQAB"}], "a", "RS256"),
            ([{"kty": "RSA", "kid": "a"}], "a", "RS256"),
            ([shared], "a", "RS256"),
        ]
        for keys, kid, alg in cases:
            with pytest.raises(SignInRefused, match="token"):
                pick_key(keys, kid, alg)


class TestAddresses:
    ALLOW = Allowance.parse("127.0.0.1:9000, localhost:9000, intranet.example:80")

    @pytest.mark.parametrize(
        "text", ["https://login.example.org/a?b=c", "http://127.0.0.1:9000/x", "http://localhost:9000"]
    )
    def test_good(self, text: str) -> None:
        assert check_address(text, self.ALLOW) == text

    @pytest.mark.parametrize(
        "text",
        [
            "", None, 5, "login.example.org", "http://login.example.org", "http://127.0.0.1:9001", "http://intranet.example",
            "javascript:alert(1)", "https://u:p@login.example.org", "https://login.example.org/#x", "https:///x",
            "https://a\nb", "https://login.example.org:x",
        ],
    )  # fmt: skip
    def test_refused(self, text: Any) -> None:
        with pytest.raises(SignInRefused, match="provider"):
            check_address(text, self.ALLOW)


class TestNewcomers:
    def test_who_may_join(self) -> None:
        home = uuid4()
        proof = Proof("i", "s", "a@example.org", True, "example.org")
        for newcomers, joins, good in (
            ("invited", home, False), ("domains", home, True), ("everyone", home, True), ("everyone", None, False),
        ):  # fmt: skip
            way = Way(uuid4(), None, "w", "oidc", "W", "i", "c", newcomers, ("example.org",), joins=joins)  # type: ignore[arg-type]
            assert may_join(way, proof) is good
        way = Way(uuid4(), home, "w", "oidc", "W", "i", "c", "domains", ("example.org",))
        assert not may_join(way, Proof("i", "s", "a@example.org", False, ""))

    def test_domains(self) -> None:
        assert read_domains(" @Example.org, b.example.com\nexample.org ") == (["example.org", "b.example.com"], "")
        for bad in ("gmail.com", "example", "*.example.org", "a b@c", "exa_mple.org", "1.2.3.4"):
            assert read_domains(f"good.example, {bad}")[1] != "", bad


def test_attempts_are_random_and_long() -> None:
    one, two = Attempt.fresh(0), Attempt.fresh(0)
    parts = {one.state, one.nonce, one.verifier, two.state, two.nonce, two.verifier}
    assert len(parts) == 6
    assert all(len(part) >= 43 for part in parts)


def test_githubs_own_addresses_reach_nobody() -> None:
    row = {"email": "1+a@users.noreply.github.com", "primary": True, "verified": True}
    assert primary_address([row]) is None
    assert primary_address([None, {**row, "email": "A@example.org"}]) == "a@example.org"
    assert primary_address("x") is None
