"""Which addresses requests may reach: pure decisions, nothing is resolved or dialled."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.egress_rules import DENIED_V4, Allowance, EgressRefused, check_addresses, denial

NOBODY = Allowance()


class TestDenial:
    @pytest.mark.parametrize(
        "text",
        [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.170",
            "192.0.2.7",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b:1::a00:1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "4000::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fe80::1%eth0",
            "fec0::1",
            "ff02::1",
        ],
    )
    def test_what_is_not_public(self, text: str) -> None:
        assert denial(ipaddress.ip_address(text))

    @pytest.mark.parametrize(
        "text",
        [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
        ],
    )
    def test_what_is_public(self, text: str) -> None:
        assert denial(ipaddress.ip_address(text)) == ""

    @given(st.ip_addresses(v=4))
    def test_the_table_decides_for_every_ipv4_address(self, address: ipaddress.IPv4Address) -> None:
        inside = any(address in ipaddress.ip_network(text) for text, _ in DENIED_V4)
        assert bool(denial(address)) == inside

    @given(st.ip_addresses(v=6))
    def test_nothing_outside_2000_3_is_public(self, address: ipaddress.IPv6Address) -> None:
        if int(address) >> 125 != 1:
            assert denial(address)

    @given(st.ip_addresses(v=4))
    def test_an_ipv4_address_in_ipv6_form_is_never_public(self, address: ipaddress.IPv4Address) -> None:
        for prefix in ("::ffff:", "64:ff9b::"):
            assert denial(ipaddress.ip_address(f"{prefix}{address}"))


class TestChecking:
    def test_one_bad_address_spoils_the_answer(self) -> None:
        with pytest.raises(EgressRefused, match=r"10\.0\.0\.5 \(private\)"):
            check_addresses("mixed.example", 443, ["1.1.1.1", "10.0.0.5"], NOBODY)

    def test_other_ports_are_refused(self) -> None:
        with pytest.raises(EgressRefused, match="ports 80 and 443 only"):
            check_addresses("web.example", 6379, ["1.1.1.1"], NOBODY)

    def test_no_address_at_all(self) -> None:
        with pytest.raises(EgressRefused, match="no address"):
            check_addresses("nobody.example", 443, [], NOBODY)

    def test_public_addresses_stay_in_order(self) -> None:
        found = ["2606:4700::1111", "1.1.1.1"]
        assert check_addresses("web.example", 443, found, NOBODY) == found


class TestAllowance:
    def test_by_network_and_port(self) -> None:
        allow = Allowance.parse("127.0.0.0/8:9101, [::1]:9102")
        assert check_addresses("localhost", 9101, ["127.0.0.1"], allow) == ["127.0.0.1"]
        assert check_addresses("localhost", 9102, ["::1"], allow) == ["::1"]
        for port, address in ((9102, "127.0.0.1"), (9101, "::1"), (9101, "10.0.0.1")):
            with pytest.raises(EgressRefused):
                check_addresses("localhost", port, [address], allow)

    def test_by_name(self) -> None:
        allow = Allowance.parse("Intranet.example:8443")
        assert check_addresses("intranet.example", 8443, ["10.0.0.9"], allow)
        with pytest.raises(EgressRefused):
            check_addresses("evil.intranet.example", 8443, ["10.0.0.9"], allow)

    def test_without_a_port_every_port(self) -> None:
        assert check_addresses("a", 1, ["::1"], Allowance.parse("::1"))

    @pytest.mark.parametrize(
        "text", ["127.0.0.1:0", "127.0.0.1:x", "host:70000", "[::1", "*.example", "a b", "1.2.3.0/40"]
    )
    def test_what_cannot_be_read_is_named(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"“.*”"):
            Allowance.parse(text)

    def test_nothing(self) -> None:
        assert Allowance.parse("  , ") == NOBODY
