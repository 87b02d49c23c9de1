"""README and the other documents say what is so: commands, tables, files and examples are held against the code."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from harness import checklist, config
from harness.contract import Contract
from harness.contract.overlay import applied
from harness.contract.overlay import problems as overlay_problems
from harness.exits import PRECEDENCE
from harness.options import parser
from harness.promises.annotations import problems as promise_problems
from harness.promises.catalogue import PROMISES
from tests.repo.sources import ROOT, Block, blocks, text, tracked

if TYPE_CHECKING:
    import argparse

README = Path("README.md")
DOCUMENTS = [path for path in tracked() if path.suffix == ".md" and path.parts[0] != "tests"]
CONSOLE = [block for path in DOCUMENTS for block in blocks(path, "console")]
PYTHON = [block for path in DOCUMENTS for block in blocks(path, "python")]
TOML = [block for path in DOCUMENTS for block in blocks(path, "toml")]
YAML = [block for path in DOCUMENTS for block in blocks(path, "yaml")]
# Those of `python` are held in test_docs_reference.py; those of `docker` ask for a daemon.
KNOWN_PROGRAMS = {"harness", "pytest", "locust", "schemathesis", "python", "docker"}
ASSIGNED = re.compile(r"[A-Z_]+=")


def place(block: Block) -> str:
    """Where a block stands, as a test's name."""
    return block.place


def commands(block: Block) -> list[list[str]]:
    """The words of each command of a console block, without variables set; what does not begin with `$ ` is output."""
    told = block.body.replace("\\\n", " ").splitlines()
    shown = [shlex.split(line[2:], comments=True) for line in told if line.startswith("$ ")]
    return [[word for word in words if not ASSIGNED.match(word)] for words in shown]


def subcommands(top: argparse.ArgumentParser) -> set[str]:
    """The commands that a parser knows."""
    return {name for action in top._actions if isinstance(action.choices, dict) for name in action.choices}


@pytest.mark.parametrize("block", CONSOLE, ids=place)
def test_commands_of_the_documents_are_taken(block: Block) -> None:
    """Each option of a `harness` command shown is one that the command has; every other program is one we know."""
    shown = commands(block)
    assert shown, "a console block shows commands after `$ `"
    for program, *words in shown:
        assert program in KNOWN_PROGRAMS
        if program == "harness":
            parser().parse_args(words)


def test_every_command_is_shown() -> None:
    """README names each command of `harness`."""
    shown = {words[1] for block in blocks(README, "console") for words in commands(block) if words[0] == "harness"}
    named = set(re.findall(r"`([a-z]+)`", text(README)))
    assert subcommands(parser()) - shown - named == set()


def test_exit_codes_are_documented_in_their_order() -> None:
    """README's table has each code once, in the order of precedence."""
    table = text(README).partition("## Exit codes")[2].partition("\n## ")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == [
        int(code) for code in PRECEDENCE
    ]


def test_every_promise_is_documented() -> None:
    """README's table has each promise of the catalogue, and none that is not there."""
    table = text(README).partition("## What is promised")[2].partition("\n## ")[0]
    told = re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)
    assert sorted(told) == sorted(promise.key for promise in PROMISES)


def test_readme_shows_the_two_commands() -> None:
    """One line sets up and verifies, the other runs the tests."""
    (block,) = blocks(README, "sh")
    verify, tests = block.body.splitlines()
    assert verify.endswith("tox run -e verify")
    assert tests == ".venv/bin/tox"


@pytest.mark.parametrize("block", TOML, ids=place)
def test_toml_of_the_documents_is_taken(block: Block, tmp_path: Path) -> None:
    """An example of harness.toml, or of a checklist, is one that is read without a problem."""
    if block.body.startswith("[[item]]"):
        file = tmp_path / "checklist.toml"
        file.write_text(block.body, encoding="utf-8")
        assert len(checklist.read(file)) == block.body.count("[[item]]")
        return
    assert config.checked(tomllib.loads(block.body), ROOT, block.place).folder == ROOT


def test_our_own_configuration_is_taken() -> None:
    """harness.toml of this repository is read without a problem, and what it names is there."""
    own = config.read(ROOT / config.FILE)
    assert own.target["process"]["command"]
    assert [name for name in own.scenarios.get("tests", ()) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("block", YAML, ids=place)
def test_overlays_of_the_documents_are_taken(block: Block) -> None:
    """An example of an overlay is a valid one, and its promises are ones that can be made."""
    overlay = yaml.safe_load(block.body)
    assert overlay_problems(overlay) == []
    contract = Contract.read(_pets(overlay), block.place)
    assert promise_problems(contract, PROMISES) == []


def _pets(overlay: Any) -> dict[str, Any]:
    """The pet shop of the documents with an overlay laid over it."""
    paths: dict[str, Any] = {
        "/pets": {"post": {"operationId": "addPet"}, "get": {"operationId": "listPets"}},
        "/pets/{id}": {
            "get": {"operationId": "getPet", "responses": {"200": {"description": "a pet"}}},
            "patch": {"operationId": "updatePet"},
            "delete": {"operationId": "deletePet"},
        },
        "/pets/pictures": {"post": {"operationId": "addPicture"}},
        "/pets/bulk": {"post": {"operationId": "addPets"}, "patch": {"operationId": "updatePets"}},
        "/login": {"post": {"operationId": "login"}},
        "/logout": {"post": {"operationId": "leave"}},
        "/keys": {"post": {"operationId": "addKey"}},
        "/keys/{id}": {"delete": {"operationId": "revokeKey"}},
        "/orders": {"post": {"operationId": "addOrder"}},
        "/orders/{id}/cancel": {"post": {"operationId": "cancelOrder"}},
        "/backups": {"post": {"operationId": "backUp", "tags": ["Backups"]}},
        "/shutdown": {"post": {"operationId": "shutDown"}},
        "/events": {"get": {"operationId": "events"}},
        "/tokens/refresh": {"post": {"operationId": "refreshTokens"}},
    }
    components = {"schemas": {"Error": {"type": "object"}}}
    document = {"openapi": "3.1.0", "info": {"title": "pets", "version": "1"}, "paths": paths, "components": components}
    return applied(document, overlay, "the example")


def test_python_of_the_documents_runs() -> None:
    """Every example in Python, where there is one, runs to its end."""
    for block in PYTHON:
        exec(compile(block.body, block.place, "exec", dont_inherit=True), {"__name__": "example"})  # noqa: S102 - our own documents


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_links_lead_somewhere(path: Path) -> None:
    """A link into the repository leads to a tracked file or folder."""
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", text(path))
    assert [link for link in links if not (ROOT / path.parent / link).exists()] == []


def test_the_folders_drawn_are_there() -> None:
    """ARCHITECTURE.md draws no folder that does not exist."""
    drawn = text(Path("ARCHITECTURE.md")).partition("## Folders")[2].partition("\n## ")[0]
    top, missing = "", []
    for indent, name in re.findall(r"^( {4,6})(\w+)/ ", drawn, re.MULTILINE):
        top = name if len(indent) == 4 else top
        folder = ROOT / name if len(indent) == 4 else ROOT / top / name
        missing += [] if folder.is_dir() else [str(folder.relative_to(ROOT))]
    assert missing == []
