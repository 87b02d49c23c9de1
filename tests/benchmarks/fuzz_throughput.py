"""Answers a second of a fuzzing in one process and in two: `python tests/benchmarks/fuzz_throughput.py --seconds 60`.

Each runs `harness fuzz` over the reference implementation, one after the other, in turns. The machine must have two
cores that nothing else uses; the target is on the same ones. Exit 1 where the median ratio is below 1.5.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.drivers.fuzz.campaign import DRIVER
from harness.history import exchanges

WANTED = 1.5
JOBS = (1, 2)
NS_PER_S = 1e9


def main() -> int:
    """Measures and prints one line a run and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rates: dict[int, list[float]] = {jobs: [] for jobs in JOBS}
    for number in range(options.rounds):
        for jobs in JOBS if number % 2 == 0 else reversed(JOBS):
            rate = measured(jobs, options.seconds, options.seed + number)
            rates[jobs].append(rate)
            sys.stdout.write(f"{jobs} process{'es' if jobs > 1 else ''}: {rate:.0f} answers/s\n")
            sys.stdout.flush()
    one, two = (statistics.median(rates[jobs]) for jobs in JOBS)
    sys.stdout.write(f"ratio {two / one:.2f} (wanted {WANTED})\n")
    return 0 if two / one >= WANTED else 1


def measured(jobs: int, seconds: int, seed: int) -> float:
    """Answers a second, from the first request of the fuzzing's passes to the last answer."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "harness.cli", "fuzz", "--budget", f"{seconds}s", "--jobs", str(jobs)]
        command += ["--seed", str(seed), "--reports", folder]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        found = [
            item
            for item in exchanges(Path(folder) / "latest")
            if item.driver == DRIVER and item.case.startswith("fuzz/") and item.response is not None
        ]
    took_ns = max(item.done_ns for item in found) - min(item.sent_ns for item in found)
    return len(found) / (took_ns / NS_PER_S)


if __name__ == "__main__":
    raise SystemExit(main())
