"""Credentials that do not hold, made from ones that do: unlike them, of their form, and nothing else is touched."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import void
from harness.actors import Actors
from harness.contract import Contract
from harness.identities import Identity
from harness.stage import Stage

CONTRACT = Contract({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}})
TOKENS = st.text("abcABCXYZ0189-_.", min_size=8)
TOLD: dict[str, Any] = {"tenants": {"header": "X-Shop", "names": ["north", "south"]}}


def made(kind: str, *headers: tuple[str, str]) -> Identity | None:
    """An identity of a kind, made from one with these headers."""
    stage = Stage(CONTRACT, Actors(TOLD), Random(1), "n1", tenant="north")
    steps = void.voided(stage, kind, Identity("ann", ("user",), "north", (*headers, ("X-Shop", "north"))))
    with pytest.raises(StopIteration) as end:
        next(steps)
    identity: Identity | None = end.value.value
    return identity


@given(TOKENS, st.sampled_from(["Bearer", "Token", "Basic"]))
def test_garbage_keeps_the_form(token: str, scheme: str) -> None:
    """A made-up token has the scheme and length of a valid one and is another; the tenant is told as before."""
    identity = made("garbage", ("Authorization", f"{scheme} {token}"))
    assert identity is not None
    (name, value), tenant = identity.headers
    assert (name, tenant) == ("Authorization", ("X-Shop", "north"))
    assert value.startswith(f"{scheme} ")
    assert len(value) == len(f"{scheme} {token}")
    assert value != f"{scheme} {token}"


@given(TOKENS, st.sampled_from(["X-Session", "Authorization"]))
def test_garbage_tells_nothing_of_the_credential(token: str, header: str) -> None:
    """What is a valid one turned round is masked too, in a header of any name."""
    told: list[str] = []
    stage = Stage(CONTRACT, Actors(TOLD), Random(1), "n1", secret=lambda value, _kind: told.append(value))
    with pytest.raises(StopIteration) as end:
        next(void.voided(stage, "garbage", Identity("ann", ("user",), "north", ((header, token),))))
    assert told == [end.value.value.headers[0][1]]


def test_the_scheme_is_changed_or_left_out() -> None:
    """The valid token stands under another scheme, and bare."""
    wrong, bare = (made(kind, ("Authorization", "Bearer abc")) for kind in void.FORMS)
    assert wrong is not None
    assert bare is not None
    assert wrong.headers[0] == ("Authorization", "Negotiate abc")
    assert bare.headers[0] == ("Authorization", "abc")


def test_a_key_without_a_scheme_has_none_to_change() -> None:
    """An API key is made up, and has no other form."""
    assert [made(kind, ("X-Api-Key", "abc")) for kind in void.FORMS] == [None, None]
    garbage = made("garbage", ("X-Api-Key", "abc1"), ("X-Client", "web"))
    assert garbage is not None
    assert garbage.headers[:2] == (("X-Api-Key", "1CBA"), ("X-Client", "web"))


def test_a_cookie_keeps_its_name() -> None:
    """Of a cookie the value is made up, so that it is a bad credential and not none at all."""
    garbage = made("garbage", ("Cookie", "session=abc; theme=dark1"))
    assert garbage is not None
    assert garbage.headers[0] == ("Cookie", "session=CBA; theme=1KRAD")


def test_nobody_has_no_credentials() -> None:
    """An identity without headers has no kind of bad credentials."""
    assert made("garbage") is None
