"""Known findings: a file that names each with a reason and a date, so that it does not fail a run until then."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.codes import CODES
from harness.errors import UsageError
from harness.report import Known, KnownState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from harness.config import Config
    from harness.finding import Finding

FILE = "harness.baseline.toml"
KEYS = ("fingerprint", "code", "operation", "reason", "expires")
FINGERPRINT = re.compile(r"[0-9a-f]{12}")
GIVEN_DAYS = 90
HEAD = """\
# Findings that are known and do not fail a run. Each needs a reason; it counts again after its last day, `expires`.
"""


def held(
    entries: Iterable[Known],
    findings: Iterable[Finding],
    examined: Collection[tuple[str, str]],
    operations: Collection[str],
    today: date,
) -> tuple[Known, ...]:
    """Each entry with what a run says of it.

    `examined` holds the promise and operation of which the run examined all there was; an operation that the contract
    has no more is gone with its findings.
    """
    found = {finding.fingerprint for finding in findings}
    return tuple(replace(entry, state=_state(entry, found, examined, operations, today)) for entry in entries)


def lasting(entries: Iterable[Known], today: date) -> frozenset[str]:
    """The fingerprints that are accepted on a day."""
    return frozenset(entry.fingerprint for entry in entries if today <= date.fromisoformat(entry.expires))


def chosen(name: str, config: Config) -> tuple[Known, ...]:
    """The entries of the file that an option or harness.toml names, else of the usual one beside it, if any."""
    told = config.baseline.get("file", "")
    if name:
        return read(Path(name))
    if told:
        return read(config.folder / told)
    usual = config.folder / FILE
    return read(usual) if usual.is_file() else ()


def read(path: Path) -> tuple[Known, ...]:
    """The entries of a file; raises UsageError with every problem at once."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; write one with `harness baseline write`") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}; mend that place") from error
    taken = parsed(text, str(path))
    if taken.problems:
        count = len(taken.problems)
        raise UsageError(f"{path} has {count} problem{'s' if count > 1 else ''}", taken.problems)
    return taken.entries


@dataclass(frozen=True, slots=True)
class Parsed:
    """The entries of a text that has no problem, else its problems."""

    entries: tuple[Known, ...]
    problems: list[str]


def parsed(text: str, name: str) -> Parsed:
    """What a text says; raises UsageError where it is no TOML."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is not TOML: {error}; mend that place") from error
    told = values.get("known", [])
    problems = [f"unknown key {key!r}; the file has tables [[known]] only" for key in values if key != "known"]
    if not isinstance(told, list) or not all(isinstance(item, dict) for item in told):
        return Parsed((), [*problems, "known must be tables, each under [[known]]"])
    for number, item in enumerate(told, 1):
        place = f"known {number} ({item.get('fingerprint', 'no fingerprint')})"
        problems += [f"{place}: {problem}" for problem in _problems(item)]
    seen = [item.get("fingerprint") for item in told]
    problems += [
        f"{item} stands more than once; keep one" for item in sorted({str(x) for x in seen if seen.count(x) > 1})
    ]
    if problems:
        return Parsed((), problems)
    return Parsed(tuple(Known(**{**item, "expires": item["expires"].isoformat()}) for item in told), [])


def written(findings: Sequence[Finding], today: date) -> str:
    """The text of a file with every finding; reasons are left empty, so that it is taken once they are written."""
    last = today + timedelta(days=GIVEN_DAYS)
    parts = (
        f"# {_line(finding.severity.value)}: {_line(finding.title)}\n"
        "[[known]]\n"
        f'fingerprint = "{finding.fingerprint}"\n'
        f"code = {_text(finding.code)}\n"
        f"operation = {_text(finding.operation)}\n"
        'reason = ""\n'
        f"expires = {last.isoformat()}\n"
        for finding in findings
    )
    return "\n".join([HEAD, *parts])


def _state(
    entry: Known,
    found: Collection[str],
    examined: Collection[tuple[str, str]],
    operations: Collection[str],
    today: date,
) -> KnownState:
    if entry.fingerprint in found:
        return KnownState.KNOWN if today <= date.fromisoformat(entry.expires) else KnownState.EXPIRED
    absent = bool(entry.operation) and entry.operation not in operations
    if absent or (entry.code.partition(".")[0], entry.operation) in examined:
        return KnownState.GONE
    return KnownState.NOT_EXAMINED


def _problems(item: Mapping[str, Any]) -> list[str]:
    """What is wrong with one entry, each with the value, the rule and the fix."""
    found = [f"unknown key {key!r}; allowed are {', '.join(KEYS)}" for key in item if key not in KEYS]
    missing = [key for key in KEYS if key not in item]
    found += [f"{key} is missing; write it" for key in missing]
    for key in ("fingerprint", "code", "operation", "reason"):
        if key in item and not isinstance(item[key], str):
            found.append(f"{key} is {item[key]!r}; it must be a text")
    fingerprint, code, reason, expires = (item.get(key) for key in ("fingerprint", "code", "reason", "expires"))
    if isinstance(fingerprint, str) and not FINGERPRINT.fullmatch(fingerprint):
        found.append(f"fingerprint is {fingerprint!r}; it must be the 12 hex digits that a report shows")
    if isinstance(code, str) and code not in CODES:
        found.append(f"code is {code!r}, which is none; `harness codes` has all")
    if isinstance(reason, str) and not reason.strip():
        found.append("reason is empty; write why it is accepted for now")
    if "expires" in item and (not isinstance(expires, date) or isinstance(expires, datetime)):
        found.append(f"expires is {expires!r}; it must be a date without quotes, such as 2027-01-31")
    return found


def _text(text: str) -> str:
    """A text as a TOML basic string, which has JSON's escapes; half a surrogate pair is none."""
    fit = text.encode("utf-8", "replace").decode()
    return json.dumps(fit, ensure_ascii=False).replace("\x7f", "\\u007F")


def _line(text: str) -> str:
    return " ".join(_text(text)[1:-1].split())
