"""How Schemathesis is let in: its file of credentials and its settings, of what harness.toml tells."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.against.callers import Caller, Callers, callers
from harness.contract import Contract
from harness.errors import CannotTell, UsageError
from harness.run import Attachment, Run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FIXED = {"fixedHeaders": [{"name": "Authorization", "value": "Bearer tok-3f2a91c0d4e7"}]}
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
DOCUMENT: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "none", "version": "1"}, "paths": {}}


@given(st.dictionaries(NAMES, VALUES, max_size=3), st.lists(NAMES, unique=True, max_size=3))
def test_settings_are_toml_that_tells_callers(headers: dict[str, str], names: list[str]) -> None:
    """What is written is read again: the headers, where the credentials stand, and several as peers; no credential."""
    own = Callers(tuple(Caller(name, (), FIXED) for name in names), tuple(headers.items()))
    text = own.settings("")
    told = tomllib.loads(text)
    assert {name: value.replace("$${", "${") for name, value in told.get("headers", {}).items()} == headers
    wfc = told.get("auth", {}).get("wfc", {})
    assert wfc.get("path") == ("credentials.json" if names else None)
    assert wfc.get("peers", []) == (names if len(names) > 1 else [])
    assert "tok-3f2a91c0d4e7" not in text
    assert [entry["name"] for entry in own.document["auth"]] == names


def test_the_projects_settings_stay() -> None:
    """Its own schemathesis.toml comes first, tables and all, and what it tells of callers is not told twice."""
    own = Callers((Caller("admin", ("admin",), FIXED),), (("X-Tenant", "alpha"),))
    project = 'seed = 7\n[[operations]]\ninclude-operation-id = "a"\nenabled = false'
    told = tomllib.loads(own.settings(project))
    assert told["seed"] == 7
    assert told["operations"] == [{"include-operation-id": "a", "enabled": False}]
    assert told["headers"] == {"X-Tenant": "alpha"}
    assert told["auth"]["wfc"]["path"] == "credentials.json"
    for its in ('[headers]\nX = "1"\n', '[auth.basic]\nusername = "a"\npassword = "b"\n'):
        again = tomllib.loads(own.settings(its))
        assert {**again, **tomllib.loads(its)} == again


def test_settings_that_are_no_toml() -> None:
    """A schemathesis.toml that cannot be read is told as wrong use."""
    with pytest.raises(UsageError, match=r"schemathesis\.toml is not TOML"):
        Callers().settings("seed = = 1")


def opened(folder: Path, identities: Mapping[str, Any], environment: Mapping[str, str]) -> Run:
    """A run on an address where nothing has to be sent."""
    attachment = Attachment(str(folder), "http://127.0.0.1:9", 1, identities, environment)
    return Run(attachment, "against", contract=Contract(DOCUMENT))


def test_known_identities_by_their_headers(tmp_path: Path) -> None:
    """Tokens and keys that are told go as they are, one of each role, the last told first; nothing is logged in."""
    known = [
        {"name": "root", "roles": ["admin"], "token": "{env:ROOT_TOKEN}"},
        {"name": "reader", "roles": ["user"], "headers": {"X-Key": "{env:READER_KEY}"}},
    ]
    told = {"roles": ["user", "admin"], "known": known, "tenants": {"header": "X-Tenant", "names": ["alpha"]}}
    with opened(tmp_path, told, {"ROOT_TOKEN": "root-token-1", "READER_KEY": "reader-key-1"}) as run:
        found = callers(run)
    assert found.headers == (("X-Tenant", "alpha"),)
    assert found.told == ("root (admin)", "reader (user)")
    assert found.peers == ("root", "reader")
    assert [entry["fixedHeaders"] for entry in found.document["auth"]] == [
        [{"name": "Authorization", "value": "Bearer root-token-1"}],
        [{"name": "X-Key", "value": "reader-key-1"}],
    ]
    assert "root-token-1" not in repr(found)


def test_nobody_is_told(tmp_path: Path) -> None:
    """Where harness.toml tells no identity, Schemathesis has none, and no line on them is written."""
    with opened(tmp_path, {}, {}) as run:
        found = callers(run)
    assert (found.identities, found.settings("")) == ((), "")


def test_identities_that_cannot_be_had(tmp_path: Path) -> None:
    """Where some are told and none lets itself be had, the reason is told: that is not the same as nobody."""
    told = {"known": [{"name": "root", "roles": ["admin"], "login": {"name": "root"}}]}
    login = {"operation": "sessions.create", "body": {"name": "{name}"}, "token": "/token"}
    with opened(tmp_path, {**told, "login": login}, {}) as run, pytest.raises(CannotTell, match=r"sessions\.create"):
        callers(run)


def test_tenants_in_the_path(tmp_path: Path) -> None:
    """A tenant that stands in front of every path cannot be told to Schemathesis."""
    tenants = {"prefix": "/t/{tenant}", "names": ["alpha"]}
    with opened(tmp_path, {"tenants": tenants}, {}) as run, pytest.raises(UsageError, match="told in the path"):
        callers(run)
