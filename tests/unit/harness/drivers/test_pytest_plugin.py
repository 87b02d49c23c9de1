"""The pytest plugin inside a pytest of its own: items by promise and operation, one message for what is wrong."""

from __future__ import annotations

import http.server
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["pytester"]
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "One", "version": "1"},
    "x-promises": {"headers": {"X-Request-ID": {}}},
    "paths": {"/one": {"get": {"operationId": "one", "responses": {"200": {"description": "fine"}}}}},
}
SUITE = "from harness.suite.test_promises import test_promise\n"


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers 200 with what the server was told to send."""

    server: Served

    def do_GET(self) -> None:
        """The document, or nothing at all."""
        body = json.dumps(DOCUMENT).encode() if self.path == "/openapi.json" else b""
        self.send_response(200)
        for name, value in self.server.sent.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


class Served(http.server.ThreadingHTTPServer):
    """A server with the headers that it sends."""

    daemon_threads = True
    sent: dict[str, str]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def api() -> Iterator[Served]:
    """The API, keeping its promise."""
    with Served(("127.0.0.1", 0), Answers) as server:
        server.sent = {"X-Request-ID": "a"}
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(pytester: pytest.Pytester, *words: str, tests: str = SUITE) -> pytest.RunResult:
    """A pytest of its own on the suite."""
    pytester.makepyfile(test_api=tests)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:schemathesis", *words, timeout=120)


def record(pytester: pytest.Pytester) -> dict[str, Any]:
    """The newest run's run.json."""
    place: Path = pytester.path / "reports" / "latest" / "run.json"
    value: dict[str, Any] = json.loads(place.read_text())
    return value


def test_every_promise_and_operation_is_an_item(pytester: pytest.Pytester, api: Served) -> None:
    """Items are named promise-operation, can be selected, and the header names target and seed."""
    result = run(pytester, "--url", api.url, "--api-seed", "7", "-v", "-k", "headers-one")
    assert result.parseoutcomes()["passed"] == 1
    result.stdout.fnmatch_lines([f"harness: {api.url}, seed 7, contract *", "*test_promise?headers-one?*PASSED*"])
    assert (record(pytester)["status"], record(pytester)["exit_code"]) == ("complete", 0)


def test_a_finding_fails_the_item(pytester: pytest.Pytester, api: Served) -> None:
    """The failure tells code, promise, sight and how to see it again; no traceback of the harness."""
    api.sent = {}
    result = run(pytester, "--url", api.url, "-k", "headers-one")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["headers.missing ?*? one: *", "promised: *", "seen: *", "again: harness replay *"])
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")
    assert record(pytester)["exit_code"] == 1


def test_a_test_of_ones_own_has_the_run(pytester: pytest.Pytester, api: Served) -> None:
    """The fixture `run` is the run of the session; a test that breaks is told to it."""
    own = "def test_own(run):\n    assert run.url.startswith('http')\n"
    tests = f"{own}\ndef test_broken(run):\n    raise OSError('lost')\n"
    result = run(pytester, "--url", api.url, tests=tests)
    result.assert_outcomes(passed=1, failed=1)
    told = (pytester.path / "reports" / "latest" / "verdicts.jsonl").read_text()
    assert "OSError: lost" in told


def test_the_tests_of_the_checklist_come_last(pytester: pytest.Pytester, api: Served) -> None:
    """What reads files tells nothing sooner for being first; without a run pytest's own order stays."""
    own = "import pytest\n\n\n@pytest.mark.checks('R1')\ndef test_read(run):\n    assert run\n\n\n"
    result = run(pytester, "--url", api.url, "-v", tests=f"{own}{SUITE}")
    done = [line for line in result.outlines if line.startswith("test_api.py::test_")]
    assert len(done) > 2
    assert "test_read PASSED" in done[-1]


LOST = """
import os, signal


class Lost:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)


def test_one(run):
    Lost()


def test_two(run):
    raise AssertionError("it was begun after a Ctrl-C")
"""


def test_ctrl_c_that_falls_into_a_finalizer_is_heeded(pytester: pytest.Pytester, api: Served) -> None:
    """Python passes over what is raised there; the next item is not begun all the same."""
    result = run(pytester, "--url", api.url, "-W", "ignore::pytest.PytestUnraisableExceptionWarning", tests=LOST)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "it was begun" not in str(result.stdout)
    assert record(pytester)["status"] == "partial"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--url", "http://127.0.0.1:1"), "does not answer as an HTTP server"),
        (("--url", "ftp://x"), "it must be an http or https address"),
        (("--target", "process"), "there is no harness.toml here and no --url"),
        ((), "there is no harness.toml here and no --url"),
    ],
    ids=["unreachable", "no-address", "no-configuration", "nothing"],
)
def test_what_is_wrong_is_one_message(pytester: pytest.Pytester, words: tuple[str, ...], reason: str) -> None:
    """Pytest ends with its code for wrong use, and shows no traceback."""
    result = run(pytester, *words)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    told = "\n".join(result.outlines + result.errlines)
    assert told.count(reason) == 1
    assert ".py:" not in told
    assert not list(pytester.path.glob("reports/2*"))


def test_a_test_of_ones_own_without_a_target(pytester: pytest.Pytester) -> None:
    """A test that asks for the run where there is none ends the session with the same message."""
    result = run(pytester, tests="def test_own(run):\n    assert run\n")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "there is no harness.toml here and no --url" in "\n".join(result.outlines + result.errlines)


def test_a_session_without_api_is_left_alone(pytester: pytest.Pytester) -> None:
    """Where nothing asks for the harness no target is looked for and no report is written."""
    result = run(pytester, tests="def test_sum():\n    assert 1 + 1 == 2\n")
    result.assert_outcomes(passed=1)
    assert not (pytester.path / "reports").exists()


@pytest.mark.parametrize("claim", ["assert 1 == 2, 'the sum is wrong'", "pytest.fail('the sum is wrong')"])
def test_a_claim_of_ones_own_that_fails_is_a_finding(pytester: pytest.Pytester, api: Served, claim: str) -> None:
    """A failed test beside the suite is told to the run like any other fault, with its own words."""
    own = f'import pytest\n\n\ndef test_own(run):\n    """Sums are right."""\n    {claim}\n'
    result = run(pytester, "--url", api.url, tests=own)
    result.assert_outcomes(failed=1)
    (folder,) = pytester.path.glob("reports/*-*")
    (finding,) = [json.loads(line) for line in (folder / "findings.jsonl").read_text().splitlines()]
    assert (finding["code"], finding["promised"]) == ("scenario.failed", "Sums are right.")
    assert "the sum is wrong" in finding["seen"]
    assert json.loads((folder / "run.json").read_text())["exit_code"] == 1
