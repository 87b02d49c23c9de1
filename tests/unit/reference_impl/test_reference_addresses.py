"""Whom limits count where nobody is signed in: an address of IPv4, and of IPv6 the /64 that one client has."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import httpx
from hypothesis import given
from hypothesis import strategies as st

from reference_impl.identity.addresses import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.reference_impl.conftest import Shop

HALVES = st.integers(0, 2**64 - 1)


@given(HALVES, HALVES, HALVES, HALVES)
def test_addresses_of_one_64_are_one_client(network: int, other: int, host: int, another: int) -> None:
    """Two addresses count as one exactly where their first 64 bits agree."""
    one, same, elsewhere = (
        counted(str(ipaddress.IPv6Address(high << 64 | low)))
        for high, low in ((network, host), (network, another), (other, host))
    )
    assert one == same
    assert (one == elsewhere) == (network == other)


@given(st.ip_addresses(v=4))
def test_an_address_of_ipv4_is_counted_whole(address: ipaddress.IPv4Address) -> None:
    """It is one client's, as far as can be told; so is what is no address."""
    assert counted(str(address)) == str(address)
    assert [counted(text) for text in ("testclient", "")] == ["testclient", ""]


def test_a_client_of_ipv6_has_one_quota(open_shop: Callable[..., Shop]) -> None:
    """Going from one address of its /64 to the next buys neither requests nor guesses; the next /64 is free."""
    shop = open_shop(global_quota=6, login_failures=3, login_failure_window_s=900.0)

    def sent(address: str, path: str, **options: object) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(shop.application, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://shop.test/api/v1") as client:
                return await client.request("POST" if options else "GET", path, **options)  # type: ignore[arg-type]  # passed on as it came

        return shop.runner.run(send())

    wrong = {"email": "nobody@example.test", "password": "wrong password"}
    guesses = [sent(f"2001:db8::{number}", "/auth/login", json=wrong).status_code for number in range(4)]
    assert guesses == [401, 401, 401, 429]
    reads = [sent(f"2001:db8::a:{number}", "/products").status_code for number in range(3)]
    assert reads == [200, 200, 429]
    assert sent("2001:db8:0:1::1", "/products").status_code == 200
