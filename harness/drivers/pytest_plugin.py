"""The pytest plugin: `pytest scenarios --url …` or `--target …`, every promise × operation an item of its own.

Without either option harness.toml is read. The controller starts the target and freezes the contract before anything is
collected; the workers of xdist, and the pytest that `harness verify` starts, join that run.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.drivers import checks
from harness.drivers.joined import JOINED, Joined
from harness.drivers.turns import beside
from harness.errors import HarnessError
from harness.finding import Finding, Severity
from harness.run import BROKEN, VARIABLE, Attachment, Run, verdicts
from harness.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Generator

    from harness.drivers.promised import Promised
    from harness.report import Report

WRONG = pytest.StashKey[str]()
WORKER_KEY = "harness_run"
CLAIM = "scenario.failed"
PARAMETER = "api_promise"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options that name a target; they mean what they mean to `harness verify`."""
    group = parser.getgroup("harness", "verify a running API against its contract and promises")
    group.addoption("--url", default="", help="address of a running API")
    group.addoption("--target", choices=["process", "containers"], default="", help="start that target of harness.toml")
    group.addoption("--contract", default="", help="OpenAPI document: a file, or a path on the target")
    group.addoption(
        "--overlay", action="append", default=[], help="OpenAPI Overlay file with promises; may be repeated"
    )
    group.addoption("--api-seed", type=int, default=None, help="seed of everything that is drawn")
    group.addoption("--reports", default="reports", help="folder for the run's report")
    group.addoption("--safe", dest="safe_api", action="store_true", help="send nothing but reads and the login")
    group.addoption("--allow-remote", action="store_true", help="allow a target that is not this machine")


@dataclass(frozen=True, slots=True)
class Held:
    """What an item is given: a promise of an operation that must hold."""

    promised: Promised

    def hold(self) -> None:
        """Fails with the findings, or skips with the reason where nothing could be told."""
        verdict, *others = self.promised.examine()
        findings = [finding for told in (verdict, *others) for finding in told.findings]
        if findings:
            pytest.fail("\n\n".join(map(_text, findings)), pytrace=False)
        if verdict.status is Status.INCONCLUSIVE:
            pytest.skip(f"INCONCLUSIVE: {verdict.reason or 'nothing was examined'}")


def _text(finding: Any) -> str:
    lines = [
        f"{finding.code} [{finding.severity.value}] {finding.operation}: {finding.title}",
        f"promised: {finding.promised}",
        f"seen: {finding.seen} ({finding.confirmation.value})",
        f"again: harness replay {finding.fingerprint}",
    ]
    return "\n".join(lines)


def pytest_configure(config: pytest.Config) -> None:
    """On a worker, joins the controller's run; elsewhere only a target that was named is started at once."""
    config.addinivalue_line("markers", checks.LINE)
    given = getattr(config, "workerinput", {}).get(WORKER_KEY)
    if given:
        _join(config, Attachment.from_json(given))
    elif VARIABLE in os.environ and not hasattr(config, "workerinput"):
        _join(config, Attachment.from_environment())
    elif config.getoption("url") or config.getoption("target"):
        _open(config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """An item that failed and told the run no finding: a failed claim is one itself, any other error broke the item."""
    report = yield
    joined = item.config.stash.get(JOINED, None)
    if joined is not None:
        checks.record(joined.run, item, report)
    if joined is None or not report.failed or call.excinfo is None:
        return report
    told, joined.failed = joined.run.failed > joined.failed, joined.run.failed
    if told:
        return report
    error = call.excinfo.value
    if isinstance(error, AssertionError | pytest.fail.Exception):
        joined.run.tell(_claimed(item, str(error)))
        joined.failed = joined.run.failed
    else:
        joined.run.tell(Verdict(BROKEN, item.name, reason=f"{type(error).__name__}: {error}", driver="pytest"))
    return report


def _claimed(item: pytest.Item, error: str) -> Verdict:
    """A test of the user's own that failed, as a finding: it was seen once, and pytest runs it again."""
    finding = Finding(
        code=CLAIM,
        title=f"the test {item.name} fails",
        severity=Severity.HIGH,
        operation="",
        kind=item.nodeid,
        promised=(getattr(item, "obj", None).__doc__ or f"{item.nodeid} holds").strip().splitlines()[0],
        seen=error.strip().splitlines()[0] if error.strip() else "it failed without a word",
    )
    return Verdict("scenario", "", 1, (finding,), driver="pytest")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Notes that pytest was interrupted: its report is marked partial."""
    joined = session.config.stash.get(JOINED, None)
    if joined is not None:
        joined.interrupted = exitstatus == pytest.ExitCode.INTERRUPTED


def pytest_runtest_setup(item: pytest.Item) -> None:
    """No item is begun after a Ctrl-C, whatever became of it."""
    joined = item.config.stash.get(JOINED, None)
    if joined is not None and joined.pressed:
        raise KeyboardInterrupt


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test of the checklist waits for what must run alone, and that for it."""
    joined = item.config.stash.get(JOINED, None)
    if joined is None or not checks.told_of(item) or PARAMETER in getattr(item, "fixturenames", ()):
        return (yield)
    with beside(joined.run, alone=False):
        return (yield)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends what was started; a run of pytest's own leaves its report."""
    joined = config.stash.get(JOINED, None)
    if joined is None:
        return
    try:
        if joined.report is not None:
            _report(joined.run, joined.report, interrupted=joined.interrupted)
    finally:
        joined.close.close()


def _report(run: Run, report: Report, *, interrupted: bool) -> None:
    from harness import archive, ending  # noqa: PLC0415 - loaded only where an API is verified
    from harness.exits import Exit  # noqa: PLC0415 - same

    if interrupted:
        ended = ending.stopped(report, run.folder, Exit.INTERRUPTED, "interrupted; this is what it had recorded")
    else:
        ended = ending.complete(report, run.contract, run.folder, verdicts(run.folder))
    archive.write_all(ended, run.folder)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker of xdist, through its pipe, which run it belongs to."""
    joined = node.config.stash.get(JOINED, None)
    if joined is not None:
        node.workerinput[WORKER_KEY] = joined.run.attachment.to_json()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Items that judge one survey go to one worker, in their order: what must run alone stays last."""
    if JOINED not in config.stash or config.getvalue("dist") not in {"load", "loadscope"}:
        return None
    from harness.drivers.scheduling import SurveyScheduling  # noqa: PLC0415 - needed only where xdist runs

    config.option.loadscopereorder = False
    return SurveyScheduling(config, log)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """An item for each promise × operation of the contract."""
    if PARAMETER not in metafunc.fixturenames:
        return
    try:
        joined = _joined(metafunc.config)
    except pytest.UsageError as error:
        metafunc.config.stash[WRONG] = str(error)
        metafunc.parametrize(PARAMETER, [])
        return
    from harness.drivers.items import items  # noqa: PLC0415 - the promises are loaded only where an API is verified

    found = items(joined.run, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    metafunc.parametrize(PARAMETER, [pytest.param(Held(item), id=item.key) for item in found])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tells what is wrong here: while a file is collected pytest would show it with a traceback.

    In a run the checklist's tests come last, as they read what does not change; left out where it was asked for others.
    """
    if WRONG in config.stash:
        raise pytest.UsageError(config.stash[WRONG])
    joined = config.stash.get(JOINED, None)
    if joined is None:
        return
    items.sort(key=lambda item: bool(checks.told_of(item)))
    passed_over = checks.unselected(items, joined.run)
    if passed_over:
        config.hook.pytest_deselected(items=passed_over)
        items[:] = [item for item in items if item not in passed_over]


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest) -> Run:
    """The run that this session works in: its contract, stages and recorder."""
    try:
        return _joined(request.config).run
    except pytest.UsageError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)


def _joined(config: pytest.Config) -> Joined:
    if JOINED not in config.stash:
        _open(config)
    return config.stash[JOINED]


def _join(config: pytest.Config, attachment: Attachment | None) -> None:
    if attachment is None:
        return
    close = contextlib.ExitStack()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    config.stash[JOINED] = Joined(close.enter_context(Run(attachment, f"pytest{worker}")), close)


def _open(config: pytest.Config) -> None:
    """Opens a run of its own, as `harness verify` would; what is wrong is told in one message, without a traceback."""
    from harness import archive  # noqa: PLC0415 - loaded only where an API is verified
    from harness.ending import begun  # noqa: PLC0415 - same
    from harness.session import Wanted, opened, point_latest  # noqa: PLC0415 - same

    close = contextlib.ExitStack()
    wanted = Wanted(
        url=config.getoption("url"),
        target=config.getoption("target"),
        contract=config.getoption("contract"),
        overlays=tuple(config.getoption("overlay")),
        seed=config.getoption("api_seed"),
        reports=Path(config.getoption("reports")),
        allow_remote=config.getoption("allow_remote"),
        safe=config.getoption("safe_api"),
    )
    try:
        session = close.enter_context(opened(wanted))
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error
    report = begun(session, archive.versions(), again=f"pytest --api-seed {session.attachment.seed}")
    archive.write_run(report, session.folder)
    point_latest(session.folder)
    config.stash[JOINED] = Joined(close.enter_context(Run(session.attachment, "pytest")), close, report)
    config.stash[JOINED].heed()


def pytest_report_header(config: pytest.Config) -> str | None:
    """Which run, target and seed this is."""
    joined = config.stash.get(JOINED, None)
    if joined is None:
        return None
    run = joined.run
    return f"harness: {run.url}, seed {run.seed}, contract {run.contract.hash[:12]}, {run.folder.name}"
