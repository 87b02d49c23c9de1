"""A review checklist: each item's verdict from what a run told of promises and from tests that are marked with its id.

What an item says is judged by nothing else: an item of which a run told nothing is UNKNOWN, never PASS.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from harness.checked import CHECKS_FILE, Checked, Standing
from harness.errors import UsageError
from harness.history import lines
from harness.promises.catalogue import BY_KEY
from harness.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from harness.config import Config
    from harness.verdict import Verdict

SHOWN = 3
_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True}
SCHEMA = {
    "type": "object",
    "properties": {
        "item": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "id": _TEXT,
                    "list": _TEXT,
                    "text": _TEXT,
                    "promises": _TEXTS,
                    "codes": _TEXTS,
                    "tested": {"type": "boolean"},
                    "not_applicable": _TEXT,
                },
                "required": ["id", "list", "text"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["item"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a checklist.

    `promises` are keys whose verdicts tell of it; `codes` narrow their findings to those that begin so. `tested` says
    that tests marked `checks("<id>")` tell of it too. One with `not_applicable` is told by that reason alone.
    """

    id: str
    list: str
    text: str
    promises: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    tested: bool = False
    not_applicable: str = ""


def read(path: Path) -> tuple[Item, ...]:
    """The items of a checklist's TOML file; raises UsageError with every problem at once."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the checklist {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the checklist {path} is not TOML: {error}; mend that place") from error
    problems = [
        f"{'.'.join(map(str, error.instance_path)) or 'the file'}: {error.message}"
        for error in jsonschema_rs.Draft202012Validator(SCHEMA).iter_errors(values)
    ]
    if not problems:
        problems = list(_problems(values["item"]))
    if problems:
        raise UsageError(f"the checklist {path} has {len(problems)} problem{'s'[: len(problems) > 1]}", problems)
    return tuple(
        Item(**{**item, "promises": tuple(item.get("promises", ())), "codes": tuple(item.get("codes", ()))})
        for item in values["item"]
    )


def _problems(items: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    met: set[str] = set()
    for item in items:
        name = f"item {item['id']!r}"
        if item["id"] in met:
            yield f"{name} stands there twice; give each an id of its own"
        met.add(item["id"])
        unknown = sorted(set(item.get("promises", ())) - BY_KEY.keys())
        if unknown:
            yield f"{name} names {', '.join(unknown)}, which is no promise; promises are {', '.join(BY_KEY)}"
        told = [key for key in ("promises", "tested") if item.get(key)]
        if bool(told) == ("not_applicable" in item):
            beside = "not_applicable and " if told else "neither not_applicable nor "
            yield f"{name} has {beside}{' or '.join(told or ['promises', 'tested'])}; say what tells of it"
        if "codes" in item and "promises" not in item:
            yield f"{name} has codes without promises; name the promises whose findings they are"


def checked(items: Sequence[Item], told: Sequence[Verdict], tests: Sequence[Mapping[str, Any]]) -> tuple[Checked, ...]:
    """Each item with its standing; `tests` are the records of checks.jsonl (id, test, status, reason)."""
    return tuple(_checked(item, told, tests) for item in items)


def named(config: Config) -> tuple[Item, ...]:
    """The items of the checklist that a configuration names, none where it names none; raises UsageError."""
    file = config.scenarios.get("checklist")
    return read(config.folder / file) if file else ()


def of_run(items: Sequence[Item], folder: Path, told: Sequence[Verdict]) -> tuple[Checked, ...]:
    """Each item as far as a run told of it, by its verdicts and by the marked tests that its folder holds."""
    return checked(items, told, list(lines(folder / CHECKS_FILE)))


def _checked(item: Item, told: Sequence[Verdict], tests: Sequence[Mapping[str, Any]]) -> Checked:
    if item.not_applicable:
        return Checked(item.id, item.list, item.text, Standing.NOT_APPLICABLE, item.not_applicable)
    parts = [_promised(item, told)] if item.promises else []
    if item.tested:
        parts.append(_tested([record for record in tests if record.get("id") == item.id]))
    standings = {standing for standing, _ in parts}
    standing = next(one for one in (Standing.FAIL, Standing.UNKNOWN, Standing.PASS) if one in standings)
    evidence = "; ".join(text for one, text in parts if one is standing or standing is Standing.PASS)
    return Checked(item.id, item.list, item.text, standing, evidence)


def _promised(item: Item, told: Sequence[Verdict]) -> tuple[Standing, str]:
    """What verdicts say: a finding fails it; every promise that is named needs something examined."""
    own = [verdict for verdict in told if verdict.promise in item.promises]
    found = [
        f"{finding.code} at {finding.operation or 'no operation'}"
        for verdict in own
        for finding in verdict.findings
        if not item.codes or finding.code.startswith(item.codes)
    ]
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        return Standing.FAIL, ", ".join(found[:SHOWN]) + more
    bare = [key for key in item.promises if not any(v.examined for v in own if v.promise == key)]
    if bare:
        return Standing.UNKNOWN, f"nothing was examined of {', '.join(bare)}"
    untold = sorted({v.operation for v in own if v.status is Status.INCONCLUSIVE})
    if untold:
        return Standing.UNKNOWN, f"{', '.join(item.promises)} could not be told of {', '.join(untold[:SHOWN])}"
    places, examined = len({v.operation for v in own}), sum(v.examined for v in own)
    return Standing.PASS, f"{', '.join(item.promises)}: {examined:,} observations in {places} operations"


def _tested(records: Sequence[Mapping[str, Any]]) -> tuple[Standing, str]:
    for standing, status in ((Standing.FAIL, "failed"), (Standing.UNKNOWN, "skipped")):
        for record in records:
            if record.get("status") == status:
                return standing, f"{record.get('test')}: {record.get('reason')}"
    if not records:
        return Standing.UNKNOWN, "no test told of it"
    return Standing.PASS, ", ".join(dict.fromkeys(str(record.get("test")) for record in records))
