"""Whole loads: Locust in a subprocess against small servers whose delays are known."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.drivers.load import GENERIC, Status, examine, run_load
from harness.history import exchanges
from harness.identities import Identity
from harness.load.plan import Plan
from harness.verdict import Status as Judged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Serve = Callable[[str], str]

ROOT = Path(__file__).parents[4]
OPERATIONS = {"operations": [["things.list", "/things"]]}

# argv: how to delay. It prints its port. "stalls" freezes for the second half of every second.
SERVER = """
import asyncio, sys, time
delay = sys.argv[1]
count = 0
start = time.monotonic()
OK = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 2\\r\\n\\r\\n{}"
FAILED = OK.replace(b"200 OK", b"500 Internal Server Error")

class Protocol(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        global count
        count += 1
        wait, answer = 0.005, OK
        if delay == "known" and count % 10 == 0:
            wait = 0.08
        elif delay == "stalls":
            phase = (time.monotonic() - start) % 1
            wait += max(0, 1 - phase) if phase > 0.5 else 0
        elif delay == "fails" and count % 5 == 0:
            answer = FAILED
        elif delay == "refuses":
            answer = OK.replace(b"200 OK", b"401 Unauthorized")
        asyncio.get_running_loop().call_later(wait, self.transport.write, answer)

async def main():
    server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that end with the test; gives their URL."""
    started: list[subprocess.Popen[bytes]] = []

    def start(delay: str) -> str:
        server = subprocess.Popen([sys.executable, "-c", SERVER, delay], stdout=subprocess.PIPE)
        started.append(server)
        assert server.stdout is not None
        return f"http://127.0.0.1:{int(server.stdout.readline())}"

    yield start
    for server in started:
        server.kill()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()


def plan(url: str, run: Path, *, rate_per_s: float = 150, duration_s: float = 2) -> Plan:
    """A plan over the generic load's one operation."""
    who = Identity("ada", headers=(("Authorization", "Bearer t0ken-of-ada"),))
    return Plan(url, run, rate_per_s, duration_s, warm_up_s=0.5, seed=1, identities=(who,), options=OPERATIONS)


def test_a_known_distribution_is_measured_as_it_is(serve: Serve, tmp_path: Path) -> None:
    """Nine answers in ten take 5 ms and one takes 80: p50 and p95 say so, at the planned rate, unrounded."""
    result = run_load(plan(serve("known"), tmp_path))
    assert (result.status, result.reason, result.exit_code) == (Status.OK, "", 0)
    measured = result.measurement.operation("things.list")
    assert measured is not None
    assert measured.latency is not None
    assert result.measurement.sent == result.measurement.planned == measured.count
    assert 120 < result.measurement.reached_rate_per_s < 180
    assert 5 <= measured.latency.p50_ms < 20
    assert 80 <= measured.latency.p95_ms < 120
    assert all("t0ken" not in path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert {"things.list"} == {exchange.operation for exchange in exchanges(tmp_path)}


def test_a_stall_is_charged_to_all_who_would_have_come(serve: Serve, tmp_path: Path) -> None:
    """A server that freezes for half of every second has a p95 near 450 ms; a closed loop would say 5."""
    result = run_load(plan(serve("stalls"), tmp_path, duration_s=3))
    measured = result.measurement.operation("things.list")
    assert measured is not None
    assert measured.latency is not None
    assert result.reason == ""
    assert 380 < measured.latency.p95_ms < 560
    assert result.measurement.lag_p50_ms < 20


def test_an_objective_is_examined_until_it_is_settled(serve: Serve, tmp_path: Path) -> None:
    """An objective that holds takes one run; one that fails takes two, and names what shows it."""
    good = examine(plan(serve("known"), tmp_path / "good", duration_s=1), {"things.list": {"p95_ms": 1000}})
    assert [verdict.status for verdict in good.verdicts] == [Judged.PASS]
    assert len(good.results) == 1
    bad = examine(plan(serve("fails"), tmp_path / "bad", duration_s=1), {"things.list": {"error_ratio": 0.01}})
    (verdict,) = bad.verdicts
    assert (verdict.status, len(bad.results)) == (Judged.FAIL, 2)
    witnesses = {exchange.id: exchange.status for exchange in exchanges(tmp_path / "bad")}
    assert [witnesses[witness] for witness in verdict.findings[0].witnesses] == [500, 500, 500]


def test_refusals_say_nothing_of_an_objective(serve: Serve, tmp_path: Path) -> None:
    """A load that is answered 401 throughout is inconclusive, however fast it is refused."""
    found = examine(
        plan(serve("refuses"), tmp_path, duration_s=1), {"things.list": {"p95_ms": 200}, "other": {}}, left_s=lambda: 3
    )
    told = {verdict.operation: verdict for verdict in found.verdicts}
    assert {Judged.INCONCLUSIVE} == {verdict.status for verdict in told.values()}
    assert "refused with a 4xx" in told["things.list"].reason
    assert "did not send" in told["other"].reason


def test_a_run_that_sent_nothing_is_inconclusive(tmp_path: Path) -> None:
    """A journey that cannot be set up sends nothing: the reason is the generator's own words."""
    journey = tmp_path / "broken.py"
    journey.write_text(
        textwrap.dedent("""
        from harness.load.journey import Route, SetUpError
        from harness.load.user import TimetableUser

        class Broken(TimetableUser):
            @staticmethod
            def set_up(briefing):
                raise SetUpError("no quarter given")
                yield
        """)
    )
    result = run_load(plan("http://127.0.0.1:9", tmp_path, duration_s=1), journey)
    assert result.status is Status.INCONCLUSIVE
    assert "no quarter given" in result.reason
    assert (result.exit_code, result.measurement.sent) == (1, 0)


def test_a_locustfile_that_does_not_load_is_inconclusive(tmp_path: Path) -> None:
    """Locust's own refusal is told."""
    result = run_load(plan("http://127.0.0.1:9", tmp_path, duration_s=1), tmp_path / "none.py")
    assert result.status is Status.INCONCLUSIVE
    assert "ended with" in result.reason


def test_a_target_that_is_gone_is_measured_as_errors(tmp_path: Path) -> None:
    """Every arrival that is refused a connection is an error, not a missing sample."""
    result = run_load(plan("http://127.0.0.1:9", tmp_path, duration_s=1))
    measured = result.measurement.operation("things.list")
    assert measured is not None
    assert (measured.error_ratio, measured.latency) == (1.0, None)


def test_a_killed_generator_leaves_what_it_had_sent(serve: Serve, tmp_path: Path) -> None:
    """The samples of a generator that was killed are read, and the run says that it was killed."""
    pids: list[int] = []

    def kill(elapsed_s: float, _total_s: float) -> None:
        places = list((tmp_path / "history").glob("*.samples.jsonl"))
        if elapsed_s > 2 and places and not pids:
            pids.append(int(places[0].name.split("-")[1].split(".")[0]))
            os.kill(pids[0], signal.SIGKILL)

    result = run_load(plan(serve("known"), tmp_path, duration_s=10), progress=kill)
    assert "killed by SIGKILL" in result.reason
    assert result.status is Status.INCONCLUSIVE
    assert 0 < result.measurement.sent < result.measurement.planned


def test_an_interrupt_ends_the_generator(serve: Serve, tmp_path: Path) -> None:
    """Ctrl-C passes on once no process is left."""

    def interrupt(elapsed_s: float, _total_s: float) -> None:
        if elapsed_s > 1 and list((tmp_path / "history").glob("*.samples.jsonl")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_load(plan(serve("known"), tmp_path, duration_s=30), progress=interrupt)
    (place,) = (tmp_path / "history").glob("*.samples.jsonl")
    with pytest.raises(ProcessLookupError):
        os.kill(int(place.name.split("-")[1].split(".")[0]), 0)


def by_hand(url: str, *, users: int, run_time: str) -> subprocess.CompletedProcess[str]:
    """`locust -f harness/load/generic.py` as a person types it."""
    command = [sys.executable, "-m", "locust", "-f", str(GENERIC), "--host", url, "--headless", "--only-summary"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*command, "-u", str(users), "-r", str(users), "-t", run_time],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        cwd=ROOT,
        check=False,
    )


@pytest.fixture
def documented() -> Iterator[str]:
    """A server that serves its own OpenAPI document, with one read that needs nothing and one that needs an id."""
    document = (
        '{"openapi": "3.1.0", "paths": {"/things": {"get": {"operationId": "things.list"}}, '
        '"/things/{id}": {"get": {"operationId": "things.get"}}}}'
    )
    code = textwrap.dedent(f"""
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_GET(self):
                body = {document!r}.encode() if self.path == "/openapi.json" else b"[]"
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *_): pass
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_port, flush=True)
        server.serve_forever()
    """)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.kill()


def test_locust_by_hand_works_and_tells_exact_percentiles(documented: str) -> None:
    """Without a plan each user adds one arrival a second, over the reads of the served document."""
    done = by_hand(documented, users=60, run_time="3s")
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("things.list"))
    count, errors = (int(word) for word in line.split()[1:3])
    assert 60 < count < 300
    assert errors == 0
    assert "things.get" not in done.stdout


def test_locust_by_hand_that_sent_nothing_is_an_error(serve: Serve) -> None:
    """Locust alone would end with 0; a set-up that found nothing to read ends with 1 and says so."""
    done = by_hand(serve("refuses"), users=1, run_time="2s")
    assert done.returncode == 1
    assert "no request was sent" in done.stderr
    assert "required parameter" in done.stderr


def test_this_process_never_imports_gevent() -> None:
    """The parent's modules are free of gevent and Locust, whose import patches a process."""
    code = "import sys, harness.drivers.load; print(sorted({'gevent', 'locust'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert told.stdout.strip() == "[]"
