"""`harness init`: what it writes is taken and finds nothing false; what it recognises of the reference's document."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from harness.contract.document import read_file
from harness.session import read_contract
from tests.integration.started import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.contract import Contract
    from tests.integration.started import Done

# What a person would have to add to the overlay of the reference: no document without promises shows it.
KINDS = ("resource", "envelope", "headers", "version", "idempotency", "page")


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The reference's document, and the same without its promises."""
    folder = tmp_path_factory.mktemp("reference")
    told = subprocess.run(
        [sys.executable, "-m", "reference_impl", "openapi"], cwd=ROOT, capture_output=True, check=True, timeout=60
    )
    whole, bare = folder / "whole.json", folder / "openapi.json"
    whole.write_bytes(told.stdout)
    bare.write_text(json.dumps(_without(json.loads(told.stdout))))
    return whole, bare


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(member) for key, member in value.items() if key != "x-promises"}
    return [_without(item) for item in value] if isinstance(value, list) else value


def test_a_start_for_a_running_api(harness: Callable[..., Done], notes: Callable[..., str], tmp_path: Path) -> None:
    """The files that init writes for the notes API are taken as they are, and nothing false is found by them."""
    begun = harness("init", "--url", notes())
    assert begun.code == 0, begun.text
    assert "resource: note" in begun.out
    told = yaml.safe_load((tmp_path / "overlay.yaml").read_text())["actions"][0]["update"]["x-promises"]
    assert told["envelope"] == {"schema": {"$ref": "#/components/schemas/Error"}}
    assert told["resource"]["note"] == {
        "create": "notes.create", "read": "notes.get", "list": "notes.list", "delete": "notes.delete",
        "items": "", "id": "/id",
    }  # fmt: skip
    done = harness("promises", "--budget", "60s", "--seed", "1")
    assert done.code == 0, done.text
    assert (tmp_path / "reports/latest/findings.jsonl").read_text() == ""


def test_init_sends_reads_alone(harness: Callable[..., Done], notes: Callable[..., str], tmp_path: Path) -> None:
    """Nothing is made by init, so another init reads as little, and files that are there are left as they are."""
    url = notes()
    assert harness("init", "--url", url).code == 0
    first = (tmp_path / "overlay.yaml").read_bytes()
    assert b"and 2 reads of" in first
    again = harness("init", "--url", url)
    assert again.code == 2
    assert "overlay.yaml is there already; choose another folder with --output" in again.err
    assert "harness.toml is there already" in again.err
    assert (tmp_path / "overlay.yaml").read_bytes() == first
    (tmp_path / "other").mkdir()
    assert harness("init", "--url", url, "--output", "other/overlay.yaml").code == 0
    assert (tmp_path / "other" / "overlay.yaml").read_bytes() == first


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "neither --url nor --contract is given"),
        (("--contract", "none.json"), 2, "none.json cannot be read"),
        (("--url", "http://127.0.0.1:9"), 3, "does not answer"),
        (("--url", "http://192.0.2.1"), 2, "add --allow-remote if you mean it"),
    ],
)
def test_what_cannot_be_begun(
    harness: Callable[..., Done], tmp_path: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    """Each ends with its code and one message, and writes nothing."""
    done = harness("init", *words)
    assert (done.code, told in done.err) == (code, True), done.text
    assert not (tmp_path / "overlay.yaml").exists()
    assert not (tmp_path / "harness.toml").exists()


def test_what_is_recognised_of_the_reference(
    harness: Callable[..., Done], documents: tuple[Path, Path], tmp_path: Path
) -> None:
    """From the document without its promises init recovers most of them, none wrongly, and how callers are had."""
    whole, bare = documents
    begun = harness("init", "--contract", str(bare))
    assert begun.code == 0, begun.text
    linted = harness("contract", "lint", str(bare), "--overlay", "overlay.yaml")
    assert linted.code == 0, linted.text
    found = read_contract(read_file(bare), "bare", [tmp_path / "overlay.yaml"])
    real = read_contract(read_file(whole), "whole", [])
    recalled = {kind: _recall(kind, real, found) for kind in KINDS}
    print(json.dumps(recalled))  # noqa: T201 - the figures, for whoever runs it with -s
    assert {kind: share for kind, (share, _) in recalled.items() if share < 0.6} == {}
    assert {kind: wrong for kind, (_, wrong) in recalled.items() if wrong} == {}
    told, own = (
        tomllib.loads(path.read_text())["identities"] for path in (tmp_path / "harness.toml", ROOT / "harness.toml")
    )
    assert told["register"]["operation"] == own["register"]["operation"]
    assert told["login"] == {**own["login"], "body": {"email": "{name}@example.test", "password": "{password}"}}


def _recall(kind: str, real: Contract, found: Contract) -> tuple[float, list[str]]:
    """The share of what is really promised that was recognised as it is, and what was recognised otherwise."""
    wanted, told = (dict(_facts(kind, contract)) for contract in (real, found))
    same = [place for place, value in wanted.items() if told.get(place) == value]
    wrong = [
        place for place, value in told.items() if place in wanted or kind == "resource" if wanted.get(place) != value
    ]
    return round(len(same) / len(wanted), 2), wrong


def _facts(kind: str, contract: Contract) -> list[tuple[str, Any]]:
    """Single facts of a kind of promise: a member of a resource, the style of a list, the forms of a version."""
    if kind in {"envelope", "headers"}:
        return [
            (f"{kind}.{name}", value) for name, value in contract.defaults[kind].items() if value != {"absent": True}
        ]
    if kind == "resource":
        declared = contract.defaults["resource"].items()
        return [(f"{name}.{key}", value) for name, entry in declared for key, value in entry.items() if key != "again"]
    keys = {"version": ("resource", "forms"), "idempotency": ("header",), "page": ("style", "bounds")}[kind]
    return [
        (f"{operation.id}.{key}", entry[key])
        for operation in contract.operations
        if isinstance(entry := contract.promise(kind, operation), dict)
        for key in keys
        if key in entry
    ]
