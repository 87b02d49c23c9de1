"""Two tools on the same planted defects as one page: what each caught, missed or could not tell."""

from __future__ import annotations

import json
import shlex
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.render.text import clipped, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

MAX_TOLD = 3
MAX_LENGTH = 160
NOT_RUN = "not run here"
PROOF = {"defects", "clean", "contract_hash", "budget_s", "asked", "jobs", "whole"}
PROVED = {"id", "caught", "by", "why", "seconds"}
COMPARISON = {"tool", "version", "command", "identities", "budget_s", "contract_hash", "clean", "defects"}
COMPARED = {"id", "title", "classes", "verdict", "by", "why", "sent"}

HEAD = """# Scoreboard

Planted defects, each in a build of its own, and what two tools say of it: `harness prove`, and `schemathesis run` as
a person calls it. The last command wrote the page, from its own run or from the files that it names.

```console
{commands}
```
"""


def read(file: Path) -> Mapping[str, Any]:
    """What `harness prove --json` wrote; raises UsageError where the file is no such thing."""
    return _record(file, PROOF, PROVED, "a proof", "name a file that `harness prove --json FILE` wrote")


def read_kept(file: Path, hashes: Mapping[str, str]) -> Mapping[str, Any]:
    """What `harness prove --against schemathesis --json` wrote; raises UsageError where the file is no such thing.

    Nor may one of the proofs, whose contract's hashes are given by their files, be of another contract.
    """
    fix = "name a file that `harness prove --against schemathesis --json FILE` wrote"
    record = _record(file, COMPARISON, COMPARED, "a comparison", fix)
    other = [name for name, digest in hashes.items() if digest != record["contract_hash"]]
    if other:
        raise UsageError(f"{', '.join(other)} is the proof of another contract than that of {file}; make both anew")
    return record


def _record(file: Path, members: set[str], of_defects: set[str], what: str, fix: str) -> Mapping[str, Any]:
    """The object in a file, with those members and those of each defect at the least; raises UsageError."""
    try:
        record: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        whole = set(record) >= members and all(set(entry) >= of_defects for entry in record["defects"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} cannot be read as {what} ({type(error).__name__}); {fix}") from error
    if not whole or ("tool" in record) != ("tool" in members):
        raise UsageError(f"{file} is not {what}; {fix}")
    return record


def page(compared: Mapping[str, Any], proofs: Mapping[str, Mapping[str, Any]], markdown: str, kept: str = "") -> str:
    """The whole page; `proofs` are by their files, `kept` names that of a comparison which was run before."""
    proved = {entry["id"]: entry for proof in proofs.values() for entry in proof["defects"]}
    commands = "\n".join(f"$ {line}" for line in _commands(compared, proofs, markdown, kept))
    lines = [HEAD.format(commands=commands), *_figures(compared, proofs, proved)]
    lines += ["", "| id | planted | class | harness | Schemathesis |", "|---|---|---|---|---|"]
    lines += [_row(entry, proved.get(entry["id"])) for entry in compared["defects"]]
    return "\n".join(lines) + "\n" + _rules().format(identities=", ".join(compared["identities"]) or "nobody")


def is_unknown(compared: Mapping[str, Any]) -> bool:
    """Whether something of the comparison could not be told."""
    unknown = any(entry["verdict"] == "unknown" for entry in compared["defects"])
    return unknown or any(clean["unknown"] for clean in compared["clean"])


def counted(compared: Mapping[str, Any]) -> str:
    """One line: how many were caught, missed and could not be told."""
    told = [str(entry["verdict"]) for entry in compared["defects"]]
    of = ", ".join(f"{told.count(verdict)} {verdict}" for verdict in ("caught", "missed", "unknown"))
    return f"{len(told)} defects under {compared['tool']}: {of}"


def _commands(
    compared: Mapping[str, Any], proofs: Mapping[str, Mapping[str, Any]], markdown: str, kept: str
) -> list[str]:
    """The command of each proof, of the comparison, and of the page where that is another."""
    lines = []
    for file, proof in proofs.items():
        only = ["--only", *(entry["id"] for entry in proof["defects"])]
        budget = ["--seeds", str(proof["asked"]["seeds"]), "--budget", f"{proof['budget_s']:g}s"]
        budget += ["--jobs", str(proof["jobs"])] if proof["jobs"] > 1 else []
        lines.append(["harness", "prove", *only, *budget, "--json", file])
    against = ["harness", "prove", "--against", compared["tool"]]
    own = ["--only", *(entry["id"] for entry in compared["defects"])]
    own += ["--seeds", str(compared["clean"][0]["runs"]), "--against-budget", f"{compared['budget_s']:g}s"]
    seed = compared["command"][compared["command"].index("--seed") + 1]
    own += ["--seed", seed] if seed != "1" else []
    table = [*(["--compare", *proofs] if proofs else []), "--markdown", markdown]
    if kept:
        lines += [[*against, *own, "--json", kept], [*against, "--kept", kept, *table]]
    else:
        lines += [[*against, *own, *table]]
    return [shlex.join(words) for words in lines]


def _figures(
    compared: Mapping[str, Any], proofs: Mapping[str, Mapping[str, Any]], proved: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """What was run, how long, how busy the machine was, and the sums."""
    rows = compared["defects"]
    own = [proved[entry["id"]] for entry in rows if entry["id"] in proved]
    caught = sum(bool(entry["caught"]) for entry in own)
    budgets = " or ".join(sorted({f"{proof['budget_s']:g} s" for proof in proofs.values()}))
    cut = "" if all(proof["whole"] for proof in proofs.values()) else " A proof was cut before its end."
    verdicts = [str(entry["verdict"]) for entry in rows]
    sums = f"{verdicts.count('missed')} missed, {verdicts.count('unknown')} unknown"
    command = f"`{shlex.join(compared['command'])}`, one worker unless schemathesis.toml says otherwise"
    cases = [int(entry["sent"]) for entry in rows if entry["verdict"] != "unknown"]
    sent = f", {min(cases):,} to {max(cases):,} test cases" if cases else ""
    times = f"{compared['budget_s']:g} s for each run{sent} ({command}){_load(rows)}"
    told = [
        f"harness: **{caught} of {len(own)}** caught, {budgets} at most for each verification{_load(own)}.{cut}"
        if own
        else "harness: not run for this page.",
        f"Schemathesis {compared['version']}: **{verdicts.count('caught')} of {len(rows)}** caught, {sums}; {times}.",
    ]
    for clean in compared["clean"]:
        errors = "; ".join(clean["errors"]) or "nothing"
        failures = "; ".join(f"`{failure}`" for failure in clean["failures"]) or "nothing"
        told.append(
            f"What fails under Schemathesis on the clean build (profile {clean['profile']}, {clean['runs']} runs "
            f"together), and counts for no defect: {failures}. Errors of its own there: {errors}."
        )
    return [f"- {line}" for line in told]


def _load(rows: Sequence[Mapping[str, Any]]) -> str:
    loads = [float(entry.get("load", 0)) for entry in rows if entry.get("load")]
    return f"; load of the machine at the start of each {min(loads):.1f} to {max(loads):.1f}" if loads else ""


def _row(entry: Mapping[str, Any], proof: Mapping[str, Any] | None) -> str:
    cells = [entry["id"], _cell(entry["title"]), ", ".join(entry["classes"]), _own(proof), _other(entry)]
    return f"| {' | '.join(cells)} |"


def _own(proof: Mapping[str, Any] | None) -> str:
    if proof is None:
        return NOT_RUN
    if proof["caught"]:
        return f"caught, {proof['seconds']:.0f} s: {_cell(proof['by'].partition(' (')[0])}"
    return f"**missed**: {_cell(proof['why'].partition(' (')[0])}"


def _other(entry: Mapping[str, Any]) -> str:
    if entry["verdict"] == "caught":
        return f"caught: {_listed(entry['by'])}"
    if entry["verdict"] == "missed":
        return f"missed ({_cell(entry['why'])})" if entry["why"] else "missed"
    return f"unknown: {_cell(entry['why'])}"


def _listed(texts: Iterable[str]) -> str:
    kept = list(texts)
    more = f", and {len(kept) - MAX_TOLD} more" if len(kept) > MAX_TOLD else ""
    return ", ".join(_cell(text) for text in kept[:MAX_TOLD]) + more


def _cell(text: str) -> str:
    """The text in a table's cell, on one line; what it holds of Markdown is shown as it is."""
    shown = clipped(one_line(text), MAX_LENGTH)
    return "".join(f"\\{sign}" if sign in "\\|`*_<[" else sign for sign in shown)


@cache
def _rules() -> str:
    """What counts, as the page ends with it."""
    return (files("harness.render") / "templates" / "scoreboard.md.txt").read_text("utf-8")
