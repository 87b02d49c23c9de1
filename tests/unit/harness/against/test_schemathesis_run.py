"""The other tool as a process: how it is called, how long it may take, and what each of its endings means."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from harness.against.schemathesis_run import Call, Failure, Said, said, words
from harness.mask import Mask

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "tok-3f2a91c0d4e7"
REPORT = {
    "schemathesis_version": "4.32.5",
    "complete": True,
    "stop_reason": "max_time",
    "failures": [],
    "errors": [],
    "test_cases": {"generated": 7},
}
ENTRIES = [
    {"check": "not_a_server_error", "operation": "POST /notes", "signature": "500"},
    {"check": "not_a_server_error", "operation": "POST /notes", "signature": "503"},
    {"check": "use_after_free", "operation": "GET /notes/{id}", "signature": ""},
]
JUNIT = """<testsuites><testsuite>
<testcase name="GET /notes"><error>Authentication Error</error></testcase>
<testcase name="POST /notes"><failure>ST101</failure></testcase>
</testsuite></testsuites>"""
FOUND = {Failure("not_a_server_error", "POST /notes"), Failure("use_after_free", "GET /notes/{id}")}
WRITTEN = "all is written"
# A tool that does what it is told: writes these files, shows how it was called, and ends so.
STAND_IN = """
import json, os, stat, sys, time
told = json.loads({told!r})
words = sys.argv[1:]
after = lambda name: words[words.index(name) + 1]
own = [word for word in words if word.startswith(("{{", "tok-"))]
print(json.dumps(dict(words=words, mode=stat.S_IMODE(os.stat("credentials.json").st_mode), place=os.getcwd(),
    credentials=json.load(open("credentials.json")), settings=open(after("--config-file")).read())), flush=True)
print(told["says"], flush=True)
time.sleep(told["sleeps_s"])
if told["report"] is not None:
    open(after("--report-json-path"), "w").write(told["report"])
open(after("--report-junit-path"), "w").write(told["junit"])
if told["entries"] is not None:
    json.dump(dict(entries=told["entries"]), open(after("--baseline"), "w"))
print("{WRITTEN}", flush=True)
time.sleep(told["lasts_s"])  # until it is interrupted, where it is told to last
sys.exit(told["code"])
"""


def stand_in(**told: Any) -> list[str]:
    """The program that stands in for Schemathesis."""
    usual = {
        "says": "",
        "sleeps_s": 0,
        "lasts_s": 0,
        "report": json.dumps(REPORT),
        "entries": None,
        "code": 0,
        "junit": JUNIT,
    }
    return [sys.executable, "-c", STAND_IN.format(told=json.dumps({**usual, **told}), WRITTEN=WRITTEN)]


def call(budget_s: float = 5.0) -> Call:
    """One run on an address that nothing is sent to here."""
    return Call("http://127.0.0.1:9", b"{}", 3, budget_s, 'seed = 1\n[headers]\nA = "b"\n', {"auth": [TOKEN]})


def mask() -> Mask:
    """A mask that knows the token."""
    own = Mask()
    own.register(TOKEN)
    return own


def run(folder: Path, **told: Any) -> Said:
    """What is made of a stand-in."""
    return said(call(), folder, mask(), program=stand_in(**told))


def test_how_it_is_called(tmp_path: Path) -> None:
    """All checks and phases, its time and seed, the given document; credentials in a file that goes again."""
    run(tmp_path)
    seen = json.loads((tmp_path / "schemathesis.log").read_text().splitlines()[0])
    assert " ".join(words(str(tmp_path / "openapi.json"), call().url, 5.0, 3)) in " ".join(seen["words"])
    assert (tmp_path / "openapi.json").read_bytes() == call().document
    assert {"all", "examples,coverage,fuzzing,stateful"} <= set(seen["words"])
    assert seen["words"][seen["words"].index("--max-time") + 1] == "5"
    assert seen["mode"] == 0o600
    assert seen["settings"] == call().configuration
    assert not any(TOKEN in word for word in seen["words"])
    assert seen["credentials"] == {"auth": ["[masked token]"]}
    assert not list(tmp_path.rglob("credentials.json"))
    assert not tmp_path.joinpath(seen["place"]).exists()


def test_nothing_that_fails(tmp_path: Path) -> None:
    """A run that ended with 0 says that nothing failed, and how much it sent."""
    told = run(tmp_path)
    assert (told.failures, told.unknown, told.sent, told.version) == (frozenset(), "", 7, "4.32.5")


def test_what_fails_is_named_by_check_and_operation(tmp_path: Path) -> None:
    """Signatures of one check at one operation are one failure."""
    report = {**REPORT, "failures": [{"title": "Server error"}], "errors": [{"title": "Network Error", "count": 1}]}
    told = run(tmp_path, code=1, report=json.dumps(report), entries=ENTRIES)
    assert told.failures == FOUND
    assert told.errors == {"GET /notes"}
    assert told.unknown == ""


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"code": 2, "report": json.dumps({**REPORT, "errors": [{"title": "No schema"}]})}, "ended with 2: No schema"),
        ({"code": 130}, "ended with 130: max_time"),
        ({"code": 0, "report": json.dumps({**REPORT, "complete": False})}, "ended with 0"),
        ({"code": 0, "report": json.dumps({**REPORT, "test_cases": {"generated": 0}})}, "sent no test case"),
        ({"code": 1, "report": None}, "ended with 1 and left no report"),
        ({"code": 1, "report": json.dumps({**REPORT, "errors": [{"title": "A"}]}), "junit": "<"}, "left no report"),
        ({"code": 0, "report": "not json"}, "left no report that can be read"),
        ({"code": 0, "report": "[]"}, "left no report that can be read"),
        ({"code": 1, "report": json.dumps({**REPORT, "failures": [{}]})}, "left no report that can be read"),
    ],
)  # fmt: skip
def test_what_says_nothing_is_unknown(told: dict[str, Any], why: str, tmp_path: Path) -> None:
    """Another exit code, a run cut short, no case, reports that are not there or not whole: each is told."""
    shown = run(tmp_path, **told)
    assert why in shown.unknown
    assert "schemathesis.log" in shown.unknown


def test_one_that_does_not_end_is_killed(tmp_path: Path) -> None:
    """After its time and the grace it is ended with what it started, and that is unknown."""
    began = time.monotonic()
    told = said(call(0.2), tmp_path, mask(), program=stand_in(sleeps_s=60), grace_s=0.2)
    assert "did not end in its time and was killed" in told.unknown
    assert time.monotonic() - began < 30


def test_no_secret_stays_in_what_it_wrote(tmp_path: Path) -> None:
    """Values that are known as secret, and members that are named as secrets are, are masked in its files."""
    says = f'it sent {TOKEN} and got {{"accessToken": "new-and-unknown", "name": "seen"}}'
    report = {**REPORT, "command": f"st run --header {TOKEN}"}
    run(tmp_path, says=says, report=json.dumps(report))
    log = (tmp_path / "schemathesis.log").read_text()
    assert '{"accessToken": "[masked]", "name": "seen"}' in log
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN in path.read_text()]


INTERRUPTED = """
import json, sys
from pathlib import Path
from harness.against.schemathesis_run import Call, said
from harness.mask import Mask
token, folder, *program = sys.argv[1:]
mask = Mask()
mask.register(token)
said(Call("http://127.0.0.1:9", b"{}", 3, 60.0, "", {"auth": [token]}), Path(folder), mask, program=program)
"""


def test_no_secret_stays_where_it_is_interrupted(tmp_path: Path) -> None:
    """Ctrl-C in the middle of it leaves its files masked too, and no credentials."""
    report, entries = json.dumps({**REPORT, "command": TOKEN}), [{"token": "new-and-unknown", "of": TOKEN}]
    told = stand_in(says=f"it sent {TOKEN}", lasts_s=60, report=report, entries=entries)
    command = [sys.executable, "-c", INTERRUPTED, TOKEN, str(tmp_path), *told]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        ends_s = time.monotonic() + 30
        log = tmp_path / "schemathesis.log"
        while not (log.exists() and WRITTEN in log.read_text()) and time.monotonic() < ends_s:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in process.communicate(timeout=30)[1].decode()
    left = {path.name: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert {"schemathesis.log", "report.json", "failures.json"} < set(left)
    assert not [name for name, text in left.items() if TOKEN in text or "new-and-unknown" in text]


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """One that cannot be started has said nothing."""
    assert "left no report" in said(call(), tmp_path, mask(), program=["/no/such/program"]).unknown
