"""What harness.toml says: the target, the identities, the scenarios and the planted defects; every problem at once."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "harness.toml"

_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_POINTER = {"type": "string", "pattern": "^/"}
_LIST = {"type": "array", "items": _TEXT}
_NAMES = {**_LIST, "minItems": 1, "uniqueItems": True}
_PREFIX = {"type": "string", "pattern": r"^/.*\{tenant\}"}
# A program, and its words, of which one may be empty.
_COMMAND = {"type": "array", "prefixItems": [_TEXT], "items": {"type": "string"}, "minItems": 1}
_COMMANDS = {"type": "array", "items": _COMMAND}
_SECONDS = {"type": "number", "exclusiveMinimum": 0}
_FOLDER = {"type": "string", "pattern": "^/."}


def _closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


_SERVICE = _closed(
    {
        "image": _TEXT,
        "command": _COMMAND,
        "environment": _TEXTS,
        "tmpfs": {"type": "array", "items": _FOLDER},
        "ready": _COMMAND,
    },
    "image",
    "ready",
)
_CONTAINERS = _closed(
    {
        "images": {**_TEXTS, "propertyNames": {"pattern": "^[A-Z][A-Z0-9_]*$"}},
        "build": _closed({"context": _TEXT, "dockerfile": _TEXT, "arguments": _TEXTS}),
        "image": _TEXT,
        "prepare": _COMMANDS,
        "set_up": _COMMANDS,
        "command": _COMMAND,
        "environment": _TEXTS,
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "data": _FOLDER,
        "restricted": {"type": "boolean"},
        "contract": _TEXT,
        "health": _TEXT,
        "start_timeout_s": _SECONDS,
        # The name is one that the API finds the service by.
        "services": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"},
            "additionalProperties": _SERVICE,
        },
    },
    "port",
)
_CALL = {"operation": _TEXT, "path": _TEXTS, "body": {"type": "object"}, "facts": _TEXTS}
SCHEMA = _closed(
    {
        "contract": _closed({"file": _TEXT, "overlays": _LIST}),
        "target": _closed(
            {
                "url": _TEXT,
                "process": _closed(
                    {
                        "command": _COMMAND,
                        "prepare": _COMMANDS,
                        "environment": _TEXTS,
                        "contract": _TEXT,
                        "health": _TEXT,
                        "start_timeout_s": _SECONDS,
                    },
                    "command",
                ),
                "containers": _CONTAINERS,
            }
        ),
        "identities": _closed(
            {
                "tenants": _closed(
                    {"header": _TEXT, "prefix": _PREFIX, "names": _NAMES}, "names"
                ),
                "present": _TEXTS,
                "roles": _LIST,
                "default_role": _TEXT,
                "register": _closed(_CALL, "operation", "body"),
                "login": _closed({**_CALL, "token": _TEXT}, "operation", "body", "token"),
                "grant": _closed({**_CALL, "by": _TEXT, "again": {"type": "boolean"}}, "operation", "by"),
                "void": _closed(
                    {
                        "token_command": _COMMAND,
                        "kinds": {**_LIST, "minItems": 1, "uniqueItems": True},
                        "environment": _TEXTS,
                        "tokens": _TEXTS,
                        "revoked": _closed({**_CALL, "by": _TEXT, "done": _POINTER}, "operation"),
                        "barred": _closed({**_CALL, "by": _TEXT, "done": _POINTER}, "operation"),
                    }
                ),
                "known": {
                    "type": "array",
                    "items": _closed(
                        {"name": _TEXT, "roles": _LIST, "tenant": _TEXT, "token": _TEXT}
                        | dict.fromkeys(("login", "headers", "facts"), _TEXTS),
                        "name",
                    ),
                },
            }
        ),
        "scenarios": _closed({"tests": _LIST, "load": _TEXT, "checklist": _TEXT}),
        "load": _closed(
            {
                "rate_per_s": {"type": "number", "exclusiveMinimum": 0},
                "duration_s": {"type": "number", "exclusiveMinimum": 0},
                "users": {"type": "integer", "minimum": 1},
            }
        ),
        "baseline": _closed({"file": _TEXT}, "file"),
        "prove": _closed(
            {
                "list": _COMMAND,
                "command": _COMMAND,
                "profiles": {
                    "type": "object",
                    "propertyNames": {"pattern": "^[A-Za-z0-9]+( [A-Za-z0-9]+)*$", "not": {"const": "1"}},
                    "additionalProperties": _closed({"config": _TEXT, "command": _COMMAND, "environment": _TEXTS}),
                },
            },
            "list",
            "command",
        ),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Config:
    """The values of harness.toml, checked; `folder` is what its relative paths start from.

    Each part is the table of that name as it stands in the file, empty where there is none.
    """

    folder: Path
    contract: Mapping[str, Any] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)
    identities: Mapping[str, Any] = field(default_factory=dict)
    scenarios: Mapping[str, Any] = field(default_factory=dict)
    load: Mapping[str, Any] = field(default_factory=dict)
    prove: Mapping[str, Any] = field(default_factory=dict)
    baseline: Mapping[str, Any] = field(default_factory=dict)


def read(path: Path) -> Config:
    """The configuration in a file; raises UsageError with every problem at once."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}; mend that place") from error
    return checked(values, path.parent, str(path))


def checked(values: Mapping[str, Any], folder: Path, name: str) -> Config:
    """The configuration of parsed values; raises UsageError with every problem at once."""
    problems = [_problem(error) for error in jsonschema_rs.Draft202012Validator(SCHEMA).iter_errors(dict(values))]
    problems += _known_problems(values.get("identities"))
    problems += _void_problems(values.get("identities"))
    if problems:
        raise UsageError(f"{name} has {len(problems)} problem{'s' if len(problems) > 1 else ''}", problems)
    if "void" in values.get("identities", {}):
        identities = values["identities"]
        values = {**values, "identities": {**identities, "void": {**identities["void"], "folder": str(folder)}}}
    return Config(folder, **values)


def _problem(error: jsonschema_rs.ValidationError) -> str:
    place = ".".join(str(part) for part in error.instance_path) or "the file"
    return f"{place}: {error.message}"


def _known_problems(identities: Any) -> list[str]:
    known = identities.get("known") if isinstance(identities, dict) else None
    found = []
    for entry in known if isinstance(known, list) else ():
        ways = [key for key in ("login", "token", "headers") if key in entry] if isinstance(entry, dict) else ["?"]
        if len(ways) != 1:
            found.append(
                f"identities.known {entry.get('name')!r}: it has {ways or 'none'} of login, token and headers; give one"
            )
        if isinstance(entry, dict) and "login" in entry and "login" not in identities:
            found.append(
                f"identities.known {entry.get('name')!r} logs in, but there is no table identities.login; write it"
            )
    return found


def _void_problems(identities: Any) -> list[str]:
    void = identities.get("void") if isinstance(identities, dict) else None
    if not isinstance(void, dict):
        return []
    found = []
    if ("token_command" in void) != ("kinds" in void):
        there, missing = ("token_command", "kinds") if "token_command" in void else ("kinds", "token_command")
        found.append(f"identities.void: it has {there} and no {missing}; give both, or none")
    if "token_command" in void and not any("{kind}" in str(word) for word in void["token_command"]):
        found.append(f"identities.void.token_command is {void['token_command']!r}; one of its words must hold {{kind}}")
    kinds, tokens = void.get("kinds", []), void.get("tokens", {})
    twice = sorted({*kinds, *({"revoked", "barred"} & set(void))} & set(tokens))
    found += [f"identities.void.tokens.{kind}: {kind} is told in another way too; give one" for kind in twice]
    return found


def filled(template: Any, values: Mapping[str, str], environment: Mapping[str, str]) -> Any:
    """The template with `{name}` replaced by values and `{env:NAME}` by the environment's.

    Raises UsageError that names a value that is not there; braces that hold no word are left alone.
    """
    if isinstance(template, dict):
        return {key: filled(member, values, environment) for key, member in template.items()}
    if isinstance(template, list):
        return [filled(member, values, environment) for member in template]
    if not isinstance(template, str):
        return template

    def replacement(match: re.Match[str]) -> str:
        name = match[1]
        source = environment if name.startswith("env:") else values
        key = name.removeprefix("env:")
        if key not in source:
            what = (
                f"set the environment variable {key}"
                if source is environment
                else f"known are {', '.join(sorted(values))}"
            )
            raise UsageError(f"{{{name}}} in {template!r} has no value; {what}")
        return source[key]

    return re.sub(r"\{((?:env:)?[A-Za-z_][A-Za-z0-9_]*)\}", replacement, template)
