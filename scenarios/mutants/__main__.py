"""Mutants of the reference API, and how many of them the ordinary run kills: `python -m scenarios.mutants --count 100`.

What follows `--` is given to `harness verify`. docs/mutants.md tells what is mutated, what is not, and what came of it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from harness import config, interruption
from harness.errors import HarnessError, UsageError
from harness.exits import Exit
from scenarios.mutants.choice import ordered
from scenarios.mutants.fate import Fate, Sample, Trial
from scenarios.mutants.ground import Ground
from scenarios.mutants.scope import sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scenarios.mutants.mutant import Mutant
    from scenarios.mutants.source import Source

NOT_KILLED = (Fate.SURVIVED, Fate.UNREACHED, Fate.UNKNOWN)
ROOT = Path(__file__).parents[2].absolute()


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    options = argparse.ArgumentParser("scenarios.mutants", description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--count", type=int, default=100, help="mutants that start (100)")
    options.add_argument("--seed", type=int, default=1, help="draws which, and in what order (1)")
    options.add_argument("--skip", type=int, default=0, metavar="N", help="pass over the first N of that order")
    options.add_argument(
        "--jobs", type=int, default=min(2, os.cpu_count() or 1), help="mutants at a time (two at most, one a core)"
    )
    options.add_argument("--only", nargs="+", default=[], metavar="PATH", help="mutate these files or folders instead")
    options.add_argument("--budget", type=float, default=150.0, metavar="S", help="seconds of each run (150)")
    options.add_argument("--at-least", type=float, default=80.0, metavar="PERCENT", help="killed, for exit code 0 (80)")
    options.add_argument("--json", type=Path, metavar="FILE", help="where all trials are written")
    options.add_argument("--list", action="store_true", help="show the first --count mutants and start none")
    options.add_argument("words", nargs="*", metavar="-- OPTION", help="further options of harness verify")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line; the exit code."""
    options = parser().parse_args(arguments)
    interruption.listen()
    try:
        _check(options)
        files = {source.path: source for source in sources(ROOT, options.only)}
        mutants = islice(ordered(list(files.values()), options.seed), options.skip, None)
        if options.list:
            for mutant in islice(mutants, options.count):
                _say(mutant.told())
            return Exit.HOLDS
        sample = Sample(options.seed, tuple(_trials(options, files, mutants)))
    except HarnessError as error:
        sys.stderr.write(f"mutants: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("mutants: interrupted\n")
        return Exit.INTERRUPTED
    except BrokenPipeError:  # whoever reads has seen enough; what is left to be flushed goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.INTERRUPTED
    if options.json:
        options.json.write_text(json.dumps(sample.to_record(), indent=2) + "\n", encoding="utf-8")
    left = [trial for fate in NOT_KILLED for trial in sample.of(fate)]
    _say(sample.told([f"{item.told()}\n{item.mutant.diff(files[item.mutant.path].text)}" for item in left]))
    return Exit.HOLDS if sample.judged and sample.percent >= options.at_least else Exit.FINDINGS


def _check(options: argparse.Namespace) -> None:
    problems = [f"--{name} is {getattr(options, name)}; it is 1 or more" for name in ("count", "jobs", "budget")]
    wrong = [problem for problem in problems if float(problem.split()[2].rstrip(";")) < 1]
    wrong += [f"--skip is {options.skip}; it is 0 or more"] if options.skip < 0 else []
    if options.json and not options.json.absolute().parent.is_dir():
        wrong.append(f"--json is {options.json}, and {options.json.parent} is no folder; make it, or choose another")
    if wrong:
        raise UsageError("wrong options", wrong)


def _trials(options: argparse.Namespace, files: dict[str, Source], mutants: Iterator[Mutant]) -> list[Trial]:
    """Every trial, told as it ends, in the order of the mutants."""
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as work:
        told = config.read(ROOT / config.FILE)
        ground = Ground(ROOT, told, Path(work), options.budget, tuple(options.words))
        reached = ground.hold()
        _say(f"the build without a mutant holds, and ran {len(reached.lines)} lines")

        def tried(mutant: Mutant) -> Trial:
            source = files[mutant.path]
            if not reached.holds(mutant, source):
                return Trial(mutant, Fate.UNREACHED, "the run without a mutant does not get there", 0.0)
            return ground.tried(mutant, source)

        with ThreadPoolExecutor(options.jobs) as pool:
            try:
                return filled(options.count, options.jobs, mutants, lambda mutant: pool.submit(tried, mutant))
            finally:
                ground.stopping.set()


def filled(count: int, jobs: int, mutants: Iterator[Mutant], submit: Callable[[Mutant], Future[Trial]]) -> list[Trial]:
    """Tries mutants in their order until `count` of them started, `jobs` at a time, and none that is not needed."""
    running: dict[Future[Trial], int] = {}
    trials: dict[int, Trial] = {}
    judged = number = 0
    while True:
        while len(running) < min(jobs, count - judged) and (mutant := next(mutants, None)) is not None:
            running[submit(mutant)] = number
            number += 1
        if not running:
            return [trials[at] for at in sorted(trials)]
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            trial = trials[running.pop(future)] = future.result()
            judged += trial.fate is not Fate.DISCARDED
            _say(f"{judged:3}/{count} {trial.told()}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
