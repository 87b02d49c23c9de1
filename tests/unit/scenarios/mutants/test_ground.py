"""A mutant runs from a copy, is verified as any build is, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import config
from harness.errors import UsageError
from scenarios.mutants.fate import Fate
from scenarios.mutants.ground import Ground, Stopped, written
from scenarios.mutants.kinds import mutants
from scenarios.mutants.source import Source

ROOT = Path(__file__).parents[4]
MAIN = "reference_impl/__main__.py"
# An API of one operation, its document, and work that nobody sees.
SERVER = """
import http.server
import json
import sys

NAMED = {"answer": 42}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "answers", "version": "1"},
    "paths": {"/answer": {"get": {"operationId": "answer", "responses": {"200": {
        "description": "the answer",
        "content": {"application/json": {"schema": {"const": {"answer": 42}}}}}}}}},
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = 0

    def do_GET(self):
        Handler.seen += 7
        found = {"/health": {}, "/openapi.json": DOCUMENT, "/answer": NAMED}.get(self.path)
        body = json.dumps(found).encode()
        self.send_response(200 if found is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[-1])), Handler).serve_forever()
"""
TOML = """
[target.process]
command = ["{python}", "-m", "reference_impl", "{port}"]
contract = "/openapi.json"
health = "/health"
start_timeout_s = 5
"""


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """An API of one operation in the place of the reference API, and a folder to work in."""
    (tmp_path / MAIN).parent.mkdir()
    (tmp_path / MAIN).with_name("__init__.py").write_text("", encoding="utf-8")
    (tmp_path / MAIN).write_text(SERVER, encoding="utf-8")
    (tmp_path / "harness.toml").write_text(TOML, encoding="utf-8")
    work = tmp_path / "work"
    work.mkdir()
    words = ("--only", "promises")
    return Ground(tmp_path, config.read(tmp_path / "harness.toml"), work, 120.0, words)


def test_only_the_mutated_file_is_another(tmp_path: Path) -> None:
    """What was compiled of the file before is gone, and of all files one differs."""
    shutil.copytree(ROOT / "reference_impl", tmp_path / "reference_impl")
    path = "reference_impl/price.py"
    compiled = tmp_path / "reference_impl" / "__pycache__" / "price.cpython-312.pyc"
    compiled.parent.mkdir(exist_ok=True)
    compiled.write_bytes(b"old")
    source = Source(path, (ROOT / path).read_text("utf-8"))
    mutant = mutants(source)[0]
    written(mutant, source, tmp_path)
    assert not compiled.exists()
    files = [file.relative_to(ROOT) for file in (ROOT / "reference_impl").rglob("*.py")]
    assert [str(file) for file in files if (ROOT / file).read_bytes() != (tmp_path / file).read_bytes()] == [path]


def test_none_is_tried_once_told_to_end(ground: Ground) -> None:
    """A trial that begins after the command was told to end makes nothing."""
    source = Source(MAIN, SERVER)
    ground.stopping.set()
    with pytest.raises(Stopped):
        ground.tried(mutants(source)[0], source)
    assert list(ground.work.iterdir()) == []


@pytest.mark.slow
def test_a_mutant_is_killed_survives_or_is_discarded(ground: Ground) -> None:
    """By a wrong answer, by a number that nobody sees, and by a server that does not come up; nothing is left."""
    ground.hold()
    source = Source(MAIN, SERVER)
    before = {Fate.KILLED: "42", Fate.SURVIVED: "7", Fate.DISCARDED: '"/health"'}
    first = {fate: next(each for each in mutants(source) if each.before == text) for fate, text in before.items()}
    trials = {fate: ground.tried(mutant, source) for fate, mutant in first.items()}
    assert [trial.fate for trial in trials.values()] == list(trials)
    assert trials[Fate.KILLED].why == "schema.body at answer"
    assert trials[Fate.SURVIVED].why == "holds"
    assert [path.name for path in ground.work.iterdir()] == ["openapi.json"]


@pytest.mark.slow
def test_nothing_is_told_of_mutants_of_a_build_that_does_not_hold(ground: Ground) -> None:
    """A clean build with a finding ends the command with what was found."""
    (ground.root / MAIN).write_text(SERVER.replace('"answer": 42}\n', '"answer": 41}\n'), encoding="utf-8")
    with pytest.raises(UsageError, match=r"does not hold[^$]*schema"):
        ground.hold()


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """Interrupted while a run goes on, the command ends with 130; its folders and processes are gone."""
    command = [sys.executable, "-m", "scenarios.mutants", "--count", "1"]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) as process:
        ends = time.monotonic() + 60
        while not list(tmp_path.glob("mutants-*/mutant-*/verify.log")) and time.monotonic() < ends:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[1].decode()
    assert (process.returncode, told) == (130, "mutants: interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_reader_that_goes_is_no_error() -> None:
    """A list whose reader has seen enough ends without a word."""
    command = [sys.executable, "-m", "scenarios.mutants", "--list", "--count", "3000"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
        code = process.wait(60)
    assert (code, told) == (130, b"")
