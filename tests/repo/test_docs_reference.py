"""docs/reference.md says what is so: its settings, commands, files and example are held against reference_impl."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from reference_impl import commands, settings
from reference_impl.application import Application
from reference_impl.dosql import commands as dosql
from reference_impl.dosql.types import StatementInput, TransactionInput
from reference_impl.settings.reader import PROFILES, Reader
from scenarios import servers
from tests.repo.sources import ROOT, blocks, text, tracked

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path("docs/reference.md")
PARSERS = {"reference_impl": commands.parser, "reference_impl.dosql": dosql.parser}
MAINS = {"reference_impl": commands.main, "reference_impl.dosql": dosql.main}
SECRETS = {"API_TOKEN_KEY": "k" * 32}


class Noting(Reader):
    """A reader of an empty environment that notes the default that each profile has."""

    def __init__(self) -> None:
        super().__init__({}, "verify", [])
        self.noted: dict[str, dict[str, Any]] = {}

    def read(self, name: str, parse: Callable[[str], Any], rule: str, defaults: dict[str, Any], **told: Any) -> Any:
        """Note the defaults and return that of the profile."""
        self.noted[name] = defaults
        return super().read(name, parse, rule, defaults, **told)


def noted() -> dict[str, dict[str, Any]]:
    """Every setting with its defaults by profile, in the order they are read."""
    reader = Noting()
    settings._read(reader)
    return {"API_PROFILE": dict.fromkeys(PROFILES, "development"), **reader.noted}


def shown(name: str, value: Any) -> str:
    """A default as the page writes it."""
    if name.endswith("_KEY") and value:
        return "drawn anew"
    if isinstance(value, bool):
        return "`on`" if value else "`off`"
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    if isinstance(value, float):
        value = f"{value:g}"
    return f"`{value}`" if str(value) else "empty"


def cell(name: str, defaults: dict[str, Any]) -> str:
    """What the column `default` says: production's value, then those of the profiles that have another."""
    told = {profile: shown(name, defaults[profile]) if profile in defaults else "required" for profile in PROFILES}
    others: dict[str, list[str]] = {}
    for profile in PROFILES:
        if told[profile] != told["production"]:
            others.setdefault(told[profile], []).append(profile)
    return "; ".join([told["production"], *(f"{', '.join(names)}: {value}" for value, names in others.items())])


def section(title: str) -> str:
    """The text below a heading, up to the next."""
    return text(PAGE).partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@dataclass(frozen=True, slots=True)
class Shown:
    """A command that the page shows: its settings, the module it runs, the words after that."""

    environment: dict[str, str]
    module: str
    words: list[str]


def ours() -> list[Shown]:
    """The commands of our own modules that the page shows, in its order."""
    lines = [line[2:] for block in blocks(PAGE, "console") for line in block.body.splitlines() if line[:2] == "$ "]
    found = []
    for line in lines:
        told = shlex.split(line, comments=True)
        environment = dict(word.split("=", 1) for word in told if re.match(r"[A-Z_]+=", word))
        rest = told[len(environment) :]
        found += [Shown(environment, rest[2], rest[3:])] if rest[:2] == ["python", "-m"] else []
    return found


def told_by(parser: argparse.ArgumentParser, before: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Every command of a parser, with its options."""
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if nested:
        found = [told_by(one, (*before, name)) for action in nested for name, one in action.choices.items()]
        return set().union(*found)
    options = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    return {before, *((*before, option) for option in options - {"--help"})}


def test_every_setting_is_in_the_table_with_its_defaults() -> None:
    """The table names each setting that is read, no other, and what each profile has where it is not set."""
    rows = re.findall(r"^\| `(API_\w+)` \| (.+?) \| .+ \|$", section("Settings"), re.MULTILINE)
    assert dict(rows) == {name: cell(name, defaults) for name, defaults in noted().items()}
    assert len(rows) == len(dict(rows))


def test_every_setting_that_is_named_is_one() -> None:
    """No document names a setting that would be refused."""
    documents = [path for path in tracked() if path.suffix == ".md" and path.parts[0] != "tests"]
    named = {name for path in documents for name in re.findall(r"\bAPI_[A-Z0-9_]*[A-Z0-9]\b", text(path))}
    compose = {"API_ENVIRONMENT", "API_VERSION", "API_WORKERS", "API_BIND"}  # of compose.yaml, not of the process
    assert {name for name in named - compose if not any(one.startswith(name) for one in noted())} == set()


@pytest.mark.parametrize("module", PARSERS)
def test_every_command_is_shown_with_its_options(module: str) -> None:
    """The page shows each command of a module, with each of its options."""
    lines = [set(command.words) for command in ours() if command.module == module]
    assert sorted(one for one in told_by(PARSERS[module]()) if not any(set(one) <= line for line in lines)) == []


def test_commands_are_taken() -> None:
    """Each command that the page shows is one that its parser takes, with settings that are read."""
    for command in ours():
        (PARSERS | {"scenarios.servers": servers.parser})[command.module]().parse_args(command.words)
        settings.load({name: value for name, value in command.environment.items() if name.startswith("API_")} | SECRETS)


def test_commands_do_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands that end, in the page's order in an empty folder, end without a complaint; PostgreSQL's are left."""
    monkeypatch.chdir(tmp_path)
    for command in ours():
        if "serve" in command.words or command.module not in MAINS or "API_DATABASE_URL" in command.environment:
            continue
        with monkeypatch.context() as around:
            for name, value in command.environment.items():
                around.setenv(name, value)
            MAINS[command.module](command.words)
    assert sorted(path.stem for path in tmp_path.glob("restored/tenants/*.sqlite")) == ["alpha", "default", "gamma"]
    assert capsys.readouterr().err == ""


def test_the_example_of_a_procedure_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The procedure that the page adds answers by REST and by RPC, and stands in the document with its promises."""
    (block,) = blocks(PAGE, "python")
    module: dict[str, Any] = {"__name__": "example"}
    exec(compile(block.body, block.place, "exec", dont_inherit=True), module)  # noqa: S102 - our own document
    told = settings.load({"API_PROFILE": "verify", "API_DATA": str(tmp_path), "API_DEFAULT_TENANT": "alpha"})

    async def answers() -> list[httpx.Response]:
        await commands.create_tenants(told, ["alpha"])
        application = Application(told, module["PARTS"])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://api.test") as client:
            found = [
                await client.get("/api/v1/greetings?name=Ada"),
                await client.post("/api/rpc/greetings/get", json={"json": {"name": "Ada"}}),
                await client.get("/api/v1/greetings"),
                await client.get("/openapi.json"),
            ]
        await application.tenants.close()
        return found

    rest, rpc, refused, document = asyncio.run(answers())
    assert rest.json() == rpc.json()["json"] == {"text": "Good morning, Ada."}
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    operation = document.json()["paths"]["/api/v1/greetings"]["get"]
    assert operation["x-promises"]["roles"] == {"allow": ["anyone"]}
    assert capsys.readouterr().out == "tenant alpha: created\n"


def test_layers_are_drawn_in_their_order(tmp_path: Path) -> None:
    """ARCHITECTURE.md has the layers that a request passes, from outside in."""
    (drawn,) = blocks(Path("ARCHITECTURE.md"), "order")
    layer: Any = Application(settings.load({"API_DATA": str(tmp_path)}))
    found = []
    while (layer := getattr(layer, "_app", None)) is not None:
        found.append(type(layer).__name__)
    assert re.findall(r"^(\w+)", drawn.body, re.MULTILINE) == found


def test_the_bodies_of_the_sql_service_are_taken() -> None:
    """The JSON that the page shows for the SQL service is what its verbs read."""
    bodies = [json.loads(block.body) for block in blocks(PAGE, "json")]
    assert bodies
    for body in bodies:
        msgspec.convert(body, TransactionInput if "operations" in body else StatementInput)


def test_files_that_are_named_are_there() -> None:
    """Every path in backticks of the page, as seen from reference_impl or from the root, is a file or a folder."""
    table = section("Where what is served")
    named = re.findall(r"`(\w[\w./-]*\.\w+|\w[\w/.-]*/|Dockerfile)`", table)
    assert len(named) > 30
    assert [name for name in named if not any((ROOT / base / name).exists() for base in ("reference_impl", "."))] == []


def test_every_package_stands_in_the_table_of_what_is_served() -> None:
    """No folder of reference_impl is left out of the page."""
    folders = {path.parts[1] for path in tracked() if path.parts[0] == "reference_impl" and len(path.parts) > 2}
    assert {folder for folder in folders if f"`{folder}/" not in section("Where what is served")} == set()
