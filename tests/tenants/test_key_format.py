"""How API keys are written: every key reads back, everything else is refused before any look-up."""

from __future__ import annotations

import zlib
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.key_format import PREFIX, SIGNS, checksum, make_key, read_key
from tenants.key_rules import (
    OFFERED,
    PERSONAL_ACTS,
    REASONS,
    ApiKeyRefused,
    KeyWish,
    check_wish,
    comes_from,
    read_networks,
)
from tenants.principal import Forbidden, Principal
from tenants.redact import redact

signs = st.sampled_from(SIGNS)


def whole(public_id: str, secret: str) -> str:
    body = f"{PREFIX}{public_id}_{secret}"
    return body + checksum(body)


@given(st.text(signs, min_size=8, max_size=8), st.text(signs, min_size=32, max_size=32))
def test_every_written_key_reads_back(public_id: str, secret: str) -> None:
    found = read_key(whole(public_id, secret))
    assert found is not None
    assert (found.public_id, found.text.reveal()) == (public_id, whole(public_id, secret))


@given(st.data())
def test_one_changed_sign_is_noticed(data: st.DataObject) -> None:
    text = make_key().text.reveal()
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters().filter(lambda sign: sign != text[place]))
    assert read_key(text[:place] + other + text[place + 1 :]) is None


@given(st.text(max_size=80) | st.from_regex(rf"{PREFIX}[0-9A-Za-z_]{{30,60}}", fullmatch=True))
def test_garbage_is_no_key(text: str) -> None:
    # One in 56 thousand million of the second kind would be right by chance.
    assert read_key(text) is None


@given(st.binary(max_size=40).map(lambda data: data.hex()))
def test_the_checksum_is_crc_32_in_base_62(body: str) -> None:
    number = 0
    for sign in checksum(body):
        number = number * len(SIGNS) + SIGNS.index(sign)
    assert number == zlib.crc32(body.encode())


def test_fresh_keys_are_different_and_never_show_themselves() -> None:
    keys = [make_key() for _ in range(200)]
    assert len({key.public_id for key in keys}) == len({key.hash for key in keys}) == 200
    text = keys[0].text.reveal()
    assert len(text) == 55
    assert text not in f"{keys[0]!r} {keys[0].text}"
    assert text[20:] not in str(redact({"header": f"Bearer {text}", "note": f"it said {text}."}))


class TestWish:
    """Only what a person holds can be given away, and some rights never."""

    def maker(self, role: str = "admin", **more: object) -> Principal:
        return Principal(tenant_id=uuid4(), kind="person", role=role, actor_id=uuid4(), **more)  # type: ignore[arg-type]

    def wish(self, **more: object) -> KeyWish:
        return KeyWish(**{"name": "n", "scopes": frozenset({"jobs:read"}), **more})  # type: ignore[arg-type]

    def test_what_an_admin_may_give(self) -> None:
        check_wish(self.maker(), self.wish(scopes=frozenset(OFFERED), lasts=timedelta(days=90), networks=("::1/128",)))

    @pytest.mark.parametrize("role", ["operator", "viewer"])
    def test_others_give_nothing(self, role: str) -> None:
        with pytest.raises(Forbidden):
            check_wish(self.maker(role), self.wish())

    @pytest.mark.parametrize("scope", sorted(PERSONAL_ACTS))
    def test_acts_of_people_are_never_given(self, scope: str) -> None:
        with pytest.raises(ApiKeyRefused, match="right"):
            check_wish(self.maker("owner"), self.wish(scopes=frozenset({"jobs:read", scope})))

    @pytest.mark.parametrize(
        ("reason", "changes"),
        [
            ("name", {"name": ""}),
            ("name", {"name": "x" * 61}),
            ("name", {"name": "a\u202eb"}),
            ("scopes", {"scopes": frozenset()}),
            ("projects", {"projects": frozenset()}),
            ("lasts", {"lasts": timedelta(0)}),
            ("lasts", {"lasts": timedelta(days=5000)}),
            ("networks", {"networks": ("10.0.0.1/8",)}),
        ],
    )
    def test_refused(self, reason: str, changes: dict[str, object]) -> None:
        with pytest.raises(ApiKeyRefused) as refusal:
            check_wish(self.maker(), self.wish(**changes))
        assert str(refusal.value) == REASONS[reason]

    def test_projects_only_within_ones_own(self) -> None:
        mine, other = uuid4(), uuid4()
        maker = self.maker(projects=frozenset({mine}))
        check_wish(maker, self.wish(projects=frozenset({mine})))
        with pytest.raises(ApiKeyRefused):
            check_wish(maker, self.wish(projects=frozenset({mine, other})))


class TestNetworks:
    @pytest.mark.parametrize(
        ("address", "networks", "allowed"),
        [
            ("203.0.113.9", [], True),
            ("203.0.113.9", ["203.0.113.0/24"], True),
            ("203.0.114.9", ["203.0.113.0/24"], False),
            ("::ffff:203.0.113.9", ["203.0.113.0/24"], True),
            ("2001:db8::5", ["203.0.113.0/24", "2001:db8::/32"], True),
            ("fe80::1%eth0", ["fe80::/10"], True),
            ("2001:db9::5", ["2001:db8::/32"], False),
            ("", ["0.0.0.0/0"], False),
            ("unix", ["0.0.0.0/0"], False),
        ],
    )
    def test_where_it_comes_from(self, address: str, networks: list[str], allowed: bool) -> None:
        assert comes_from(address, networks) == allowed

    def test_written_by_people(self) -> None:
        assert read_networks(" 203.0.113.0/24,2001:DB8::/32 ; 192.0.2.7\n") == [
            "203.0.113.0/24",
            "2001:db8::/32",
            "192.0.2.7/32",
        ]
        assert read_networks("") == []
        for wrong in ("203.0.113.9/24", "everywhere", "1.2.3", "10.0.0.0/33", ",".join(["10.0.0.0/8"] * 21)):
            with pytest.raises(ApiKeyRefused):
                read_networks(wrong)
