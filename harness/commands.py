"""What each command does: options in, one module called, words out, exit code back."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness import against, archive, baseline, history, judge, prove, replay, selection
from harness import verify as verification
from harness.clock import SystemClock
from harness.contract.document import read_file
from harness.errors import TargetError, UsageError
from harness.exits import Exit
from harness.finding import Severity
from harness.options import wanted
from harness.promises import objective
from harness.promises.catalogue import BY_KEY, declared
from harness.recognition import begin
from harness.render import classes, needs, scoreboard, terminal
from harness.render.outlet import Outlet
from harness.render.progress import Progress
from harness.report import RunStatus, worst_first
from harness.run import frozen_contract
from harness.session import Wanted, chosen_target, configuration, read_contract

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping

    from harness.contract import Contract, Operation
    from harness.proof import Proven

POLL_S = 0.2


def _verify(options: Namespace, phase: str = "") -> Exit:
    only = frozenset(word for text in options.only for word in text.split(",") if word)
    chosen = verification.Options(
        wanted=wanted(options),
        budget_s=options.budget,
        only=only | ({phase} if phase else frozenset()),
        fail_on=Severity(options.fail_on),
        jobs=max(1, options.jobs),
        examples=options.examples,
        first=options.first,
        again=_again(options, phase or "verify"),
        min_coverage=options.min_coverage,
        baseline=baseline.chosen(options.baseline, configuration(wanted(options))),
    )
    with Progress(
        sys.stderr, SystemClock(), budget_s=options.budget, phases=(*selection.phases(chosen.only), "judge")
    ) as progress:
        report = verification.verify(chosen, progress)
    terminal.show(report, sys.stdout, where=str(options.reports / report.run_id))
    return report.exit_code or Exit.HOLDS


def _replay(options: Namespace) -> Exit:
    folder = archive.located(options.run, options.reports)
    replayed = replay.replay(folder, options.finding, wanted(options))
    finding = replayed.finding
    _say(f"{replayed.answer}: {finding.code} at {finding.operation} ({finding.fingerprint})\n  {replayed.reason}")
    return replayed.answer.exit_code


def _prove(options: Namespace) -> Exit:
    ids = tuple(word for text in options.only for word in text.split(",") if word)
    for name in ("json", "markdown"):
        file: Path | None = getattr(options, name)
        if file and not file.absolute().parent.is_dir():
            raise UsageError(f"--{name} is {file}, and {file.parent} is no folder; make it, or choose another")
    asked = Wanted(seed=options.seed, reports=options.reports, config=options.config)
    if options.against:
        return _against(options, asked, ids)
    if options.compare or options.markdown or options.kept:
        raise UsageError("--compare, --kept and --markdown are of two tools; give --against schemathesis as well")

    def keep(proven: Proven) -> None:
        if options.json:
            archive.write_text(options.json, json.dumps(proven.to_record(), indent=2) + "\n")

    told = prove.Options(asked, ids, options.seeds, options.budget, max(1, options.jobs))
    proven = prove.prove(told, _say, keep)
    keep(proven)
    caught = sum(proof.caught for proof in proven.defects)
    _say(f"{caught} of {len(proven.defects)} defects caught; {proven.alarms} false alarms on {options.seeds} seeds")
    for line in proven.broken:
        _say(f"the clean build did not hold: {line}")
    return proven.exit_code


def _against(options: Namespace, asked: Wanted, ids: tuple[str, ...]) -> Exit:
    proofs = {str(file): scoreboard.read(file) for file in options.compare}
    hashes = {file: str(proof["contract_hash"]) for file, proof in proofs.items()}
    if options.kept:
        record = scoreboard.read_kept(options.kept, hashes)
        code = Exit.INCONCLUSIVE if scoreboard.is_unknown(record) else Exit.HOLDS
    else:
        asked_against = against.Options(asked, ids, options.seeds, options.against_budget, hashes)
        compared = against.compare(asked_against, _say)
        record, code = compared.to_record(), compared.exit_code
    if options.json:
        archive.write_text(options.json, json.dumps(record, indent=2) + "\n")
    if options.markdown:
        page = scoreboard.page(record, proofs, str(options.markdown), str(options.kept or ""))
        archive.write_text(options.markdown, page)
    _say(scoreboard.counted(record))
    return code


def _report(options: Namespace) -> Exit:
    folder = archive.located(options.run, options.reports)
    report = archive.read(folder)
    if report.status is not RunStatus.COMPLETE and not report.findings:
        verdicts = judge.standing(frozen_contract(folder), history.exchanges(folder))
        found = worst_first(finding for verdict in verdicts for finding in verdict.findings)
        report = replace(report, findings=found, verdicts=report.verdicts or tuple(verdicts))
    archive.write_rendered(report, folder)
    terminal.show(report, sys.stdout, where=str(options.reports / folder.name))
    return Exit.HOLDS


def _judge(options: Namespace) -> Exit:
    folder = archive.located(options.run, options.reports)
    verdicts = judge.standing(frozen_contract(folder), history.exchanges(folder))
    findings = worst_first(finding for verdict in verdicts for finding in verdict.findings)
    for finding in findings:
        _say(
            f"{finding.severity.value:8} {finding.code} at {finding.operation}: {finding.title} ({finding.fingerprint})"
        )
    examined = sum(verdict.examined for verdict in verdicts)
    _say(f"{len(findings)} findings in {examined} observations of {len(verdicts)} standing promises × operations")
    if findings:
        return Exit.FINDINGS
    return Exit.HOLDS if examined else Exit.INCONCLUSIVE


def _init(options: Namespace) -> Exit:
    _say(begin.begun(begin.Asked(options.url, options.contract, options.output, options.allow_remote)))
    return Exit.HOLDS


def _contract(options: Namespace) -> Exit:
    contract = read_contract(read_file(options.file), str(options.file), [Path(name) for name in options.overlay])
    if options.action == "plan":
        _say(needs.plan(contract, str(options.file)))
        return Exit.HOLDS
    held = Counter(key for operation in contract.operations for key in BY_KEY if _is_promised(contract, key, operation))
    _say(f"{options.file}: OpenAPI {contract.document['openapi']}, {len(contract.operations)} operations, no problem")
    for key, promise in BY_KEY.items():
        default = sum(promise.applies(contract, operation) for operation in contract.operations)
        _say(f"  {key:13} promised by {held[key]:3} operations, examined on {default}")
    for resource in contract.resources:
        origin = "declared" if resource.declared else "from the paths"
        _say(f"  resource {resource.name} ({origin}): {', '.join(resource.operations)}")
    return Exit.HOLDS


def _is_promised(contract: Contract, key: str, operation: Operation) -> bool:
    """Whether a promise is made of an operation; the document's objective is one of every operation."""
    return contract.promise(key, operation) is not None and (key == objective.KEY or declared(contract, key, operation))


def _baseline(options: Namespace) -> Exit:
    findings = archive.read(archive.located(options.run, options.reports)).findings
    if options.output.exists():
        raise UsageError(
            f"{options.output} is there already; choose another with --output, and take over what you need"
        )
    archive.write_text(options.output, baseline.written(findings, SystemClock().wall().date()))
    _say(f"{options.output}: {len(findings)} findings; write a reason for each that is to be known, delete the others")
    return Exit.HOLDS


def _codes(options: Namespace) -> Exit:
    _say(
        classes.page().rstrip("\n")
        if options.markdown
        else classes.one(options.code)
        if options.code
        else classes.table()
    )
    return Exit.HOLDS


def _up(options: Namespace) -> Exit:
    asked = wanted(options)
    target = chosen_target(asked, configuration(asked))
    with target:
        _say(f"{target.url} is up; Ctrl-C ends it")
        for name, value in getattr(target, "drawn", {}).items():
            _say(f"  {name}={value}")
        while getattr(target, "alive", lambda: True)():
            time.sleep(POLL_S)
    raise TargetError("the target ended by itself; its command should serve until it is stopped")


def _again(options: Namespace, command: str) -> str:
    """The command that does this again, without the seed; nothing in it is secret."""
    words = ["harness", command]
    words += [f"--url {options.url}"] if options.url else []
    words += [f"--target {options.target}"] if options.target else []
    words += [f"--contract {options.contract}"] if options.contract else []
    words += [f"--overlay {name}" for name in options.overlay]
    words += [f"--config {options.config}"] if options.config else []
    words += [f"--min-coverage {options.min_coverage:g}"] if options.min_coverage is not None else []
    words += [f"--baseline {options.baseline}"] if options.baseline else []
    words += [f"--login {shlex.quote(options.login)}"] if options.login else []
    for name in ("bearer", "header", "account"):
        words += [f"--{name} {shlex.quote(text)}" for text in getattr(options, name)]
    words += ["--safe"] if options.safe else []
    words += [f"--examples {options.examples}"] if getattr(options, "examples", 0) else []
    words += ["--first"] if getattr(options, "first", False) else []
    words += [f"--only {','.join(options.only)}"] if options.only else []
    return " ".join(words)


def _say(text: str) -> None:
    outlet = Outlet(sys.stdout)
    outlet.write(f"{text}\n")
    outlet.flush()


def _only(phase: str) -> Callable[[Namespace], Exit]:
    return lambda options: _verify(options, phase)


COMMANDS: Mapping[str, Callable[[Namespace], Exit]] = {
    "verify": _verify,
    **{phase: _only(phase) for phase in selection.PHASES},
    "replay": _replay,
    "prove": _prove,
    "report": _report,
    "judge": _judge,
    "contract": _contract,
    "init": _init,
    "codes": _codes,
    "baseline": _baseline,
    "up": _up,
}
