"""Requests a second of a fuzzing: `schemathesis run` beside the harness in one process and in two.

`python tests/benchmarks/fuzz_throughput.py --seconds 60` gives each the clean build of the reference implementation,
one after the other, in turns; the target itself counts what it answered. The machine must have two cores that nothing
else uses; the target is on the same ones. Exit 1 where the harness in two processes has not 1.5 times as many as
`schemathesis run` in its one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from harness.against.comparison import Ground, Options
from harness.contract.document import parsed
from harness.profiles import FIRST, Profile, profiles
from harness.session import Wanted, configuration, read_contract
from harness.targets import fetched

if TYPE_CHECKING:
    from harness.targets import ProcessTarget

WANTED = 1.5
OTHER, ONE, TWO = "schemathesis run", "harness, 1 process", "harness, 2 processes"
POLL_S = 0.5
COUNTED = "http_requests_total{"
LEAST_BEGUN = 50
"""Requests until which somebody is only signing in."""


class Count(threading.Thread):
    """Asks a target how many requests it has answered, again and again, and when."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.over = url, threading.Event()
        self.seen: list[tuple[float, float]] = []

    def run(self) -> None:
        """Until it is over; its own requests do not count."""
        with httpx.Client(timeout=10) as client:
            while not self.over.wait(POLL_S):
                try:
                    lines = client.get(f"{self.url}/metrics").text.splitlines()
                except httpx.HTTPError:
                    continue  # it is busy: the next time tells as much
                own = len(self.seen)
                total = sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(COUNTED))
                self.seen.append((time.monotonic(), total - own))

    def rate(self) -> float:
        """Requests a second from when it began in earnest to its last."""
        begun = [item for item in self.seen if item[1] >= self.seen[0][1] + LEAST_BEGUN]
        last = next((item for item in begun if item[1] == begun[-1][1]), None)
        if last is None or last is begun[0]:
            raise SystemExit("too few requests were seen for a rate: give more --seconds, and see what the tool says")
        return (last[1] - begun[0][1]) / (last[0] - begun[0][0])


def main() -> int:
    """Measures and prints one line a run and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rates: dict[str, list[float]] = {OTHER: [], ONE: [], TWO: []}
    for number in range(options.rounds):
        for name in rates if number % 2 == 0 else reversed(rates):
            rates[name].append(measured(name, options.seconds, options.seed + number))
            sys.stdout.write(f"{name}: {rates[name][-1]:.0f} requests/s\n")
            sys.stdout.flush()
    medians = {name: statistics.median(found) for name, found in rates.items()}
    sys.stdout.write(f"{TWO} to {ONE}: {medians[TWO] / medians[ONE]:.2f}\n")
    sys.stdout.write(f"{TWO} to {OTHER}: {medians[TWO] / medians[OTHER]:.2f} (wanted {WANTED})\n")
    return 0 if medians[TWO] / medians[OTHER] >= WANTED else 1


def measured(name: str, seconds: int, seed: int) -> float:
    """The rate of one run against a target of its own."""
    wanted = Wanted(seed=seed)
    profile = profiles(configuration(wanted), None, [FIRST])[FIRST]
    with tempfile.TemporaryDirectory() as place, profile.clean() as target:
        count = Count(target.url)
        count.start()
        if name == OTHER:
            _other(profile, target, wanted, seconds, Path(place))
        else:
            _harness(target, seconds, seed, 1 if name == ONE else 2, place)
        count.over.set()
        count.join()
    return count.rate()


def _harness(target: ProcessTarget, seconds: int, seed: int, jobs: int, reports: str) -> None:
    command = [sys.executable, "-m", "harness.cli", "fuzz", "--url", target.url, "--contract", "/openapi.json"]
    command += ["--budget", f"{seconds}s", "--jobs", str(jobs), "--seed", str(seed), "--reports", reports]
    environment = {**os.environ, **target.environment}
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env=environment)


def _other(profile: Profile, target: ProcessTarget, wanted: Wanted, seconds: int, folder: Path) -> None:
    path = profile.table.get("contract", "/openapi.json")
    document = fetched(target.url, path)
    contract = read_contract(parsed(document, path), path, [])
    ground = Ground(Options(wanted, budget_s=seconds), profile, folder, document, contract)
    ground.said(target, "schemathesis", wanted.seed or 1)


if __name__ == "__main__":
    raise SystemExit(main())
