"""`schemathesis run` in a process of its own, as a person calls it, and what it says: failures, none, or nothing."""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from harness.child import Child
from harness.errors import UsageError
from harness.mask import PLACEHOLDER, is_secret_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.mask import Mask

PROGRAM = (sys.executable, "-m", "schemathesis.cli")
CHECKS = ("--checks", "all")
PHASES = ("--phases", "examples,coverage,fuzzing,stateful")
GRACE_S = 60.0
PASSED, FAILED = 0, 1
DOCUMENT, CONFIGURATION, CREDENTIALS = "openapi.json", "schemathesis.toml", "credentials.json"
LOG, REPORT, FAILURES, JUNIT = "schemathesis.log", "report.json", "failures.json", "junit.xml"
_MEMBER = re.compile(r'"(\w+)"(\s*:\s*)"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """One check that failed at one operation, named by method and path template as Schemathesis names it."""

    check: str
    operation: str

    def __str__(self) -> str:
        return f"{self.check} at {self.operation}"


@dataclass(frozen=True, slots=True)
class Said:
    """What a run said. `unknown` tells why it said nothing of use, and then nothing else counts.

    `errors` are the operations, or its own words for several, where it could not do all; `sent` counts test cases.
    """

    failures: frozenset[Failure] = frozenset()
    errors: frozenset[str] = frozenset()
    unknown: str = ""
    sent: int = 0
    version: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """One run: the address, its seed and time, and the three files that it reads.

    `document` is the clean build's, as it was served. `credentials` stand in a file of a temporary folder that only
    this user may read, and nowhere else.
    """

    url: str
    document: bytes = field(repr=False)
    seed: int
    budget_s: float
    configuration: str
    credentials: Mapping[str, Any] = field(repr=False)


def words(document: str, url: str, budget_s: float, seed: int) -> list[str]:
    """What is typed after the program's name; files that only the comparison reads are left out."""
    limits = ["--max-time", str(max(1, round(budget_s))), "--seed", str(seed)]
    return ["run", document, "--origin", url, *CHECKS, *PHASES, *limits]


def said(call: Call, folder: Path, mask: Mask, *, program: Sequence[str] = PROGRAM, grace_s: float = GRACE_S) -> Said:
    """Runs it to its end, or kills it `grace_s` after its time.

    Its files stay in the folder, secrets masked, also where it is interrupted.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DOCUMENT).write_bytes(call.document)
    (folder / CONFIGURATION).write_text(call.configuration, encoding="utf-8")
    command = [*program, "--config-file", str(folder / CONFIGURATION)]
    command += words(str(folder / DOCUMENT), call.url, call.budget_s, call.seed)
    command += ["--report", "json,junit", "--report-json-path", str(folder / REPORT), "--report-junit-path", JUNIT]
    command += ["--baseline", str(folder / FAILURES), "--no-color"]
    began = time.monotonic()
    try:
        code, junit = _ended(command, call, folder / LOG, call.budget_s + grace_s)
    finally:
        for name in (LOG, REPORT, FAILURES):
            _mask(folder / name, mask)
    seconds = time.monotonic() - began
    try:
        return _read(folder, junit, code, seconds)
    except (OSError, ValueError, KeyError, TypeError, ET.ParseError) as error:
        ended = "was killed" if code is None else f"ended with {code}"
        reason = f"it {ended} and left no report that can be read ({type(error).__name__}); see {folder.name}/{LOG}"
        return Said(unknown=reason, seconds=seconds)


def _ended(command: Sequence[str], call: Call, log: Path, limit_s: float) -> tuple[int | None, str]:
    """Its exit code, None where it was killed, and its JUnit file's text.

    What it keeps for its next run, it keeps where there is none.
    """
    with tempfile.TemporaryDirectory(prefix="harness-against-", ignore_cleanup_errors=True) as place:
        secret = Path(place) / CREDENTIALS
        secret.touch(mode=0o600)
        secret.write_text(json.dumps(call.credentials), encoding="utf-8")
        with log.open("wb") as output, Child(command, output=output, folder=Path(place)) as child:
            code = child.wait(limit_s)
        return code, _text(Path(place) / JUNIT)


def _read(folder: Path, junit: str, code: int | None, seconds: float) -> Said:
    if code is None:
        return Said(unknown=f"it did not end in its time and was killed; see {folder.name}/{LOG}", seconds=seconds)
    report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    titles = ", ".join(sorted(str(entry["title"]) for entry in report["errors"]))
    sent, version = int(report["test_cases"]["generated"]), str(report["schemathesis_version"])
    unknown = ""
    if code not in {PASSED, FAILED} or not report["complete"]:
        told = titles or str(report["stop_reason"])
        unknown = f"it ended with {code}: {told}; see {folder.name}/{LOG}"
    elif not sent:
        unknown = f"it sent no test case; see {folder.name}/{LOG}"
    errors = _errors(junit) if titles and not unknown else frozenset()
    return Said(_failures(folder, report), errors, unknown, sent, version, seconds)


def _errors(junit: str) -> frozenset[str]:
    """The test cases with an error, each named by its operation."""
    cases = ET.fromstring(junit).iter("testcase")  # noqa: S314 - written by the tool that was just run here
    return frozenset(str(case.get("name")) for case in cases if case.find("error") is not None)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _failures(folder: Path, report: Mapping[str, Any]) -> frozenset[Failure]:
    """Those of the file in which it keeps what is known, which names the check and the operation of each."""
    if not report["failures"] and not (folder / FAILURES).exists():
        return frozenset()
    kept = json.loads((folder / FAILURES).read_text(encoding="utf-8"))
    return frozenset(Failure(str(entry["check"]), str(entry["operation"])) for entry in kept["entries"])


def _mask(path: Path, mask: Mask) -> None:
    if path.exists():
        text = path.read_text(encoding="utf-8", errors="replace")
        path.write_text(_MEMBER.sub(_without_secret, mask.text(text)), encoding="utf-8")


def _without_secret(member: re.Match[str]) -> str:
    return f'"{member[1]}"{member[2]}"{PLACEHOLDER}"' if is_secret_name(member[1]) else member[0]


def project_settings(folder: Path) -> str:
    """The project's own schemathesis.toml, empty where it has none; raises UsageError where it cannot be read."""
    path = folder / CONFIGURATION
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}; mend it, or take it away") from error
