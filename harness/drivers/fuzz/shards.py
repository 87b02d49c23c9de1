"""Divides a contract's operations over processes, since one is bound by the interpreter's lock.

Operations stay together that a sequence joins: by a link, as parts of one resource, or where one makes what stands in
the other's path. The rest is divided evenly by how much there is to draw.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract import Contract

SUMMED = ("operations", "examined", "sent", "paced", "findings")
BODY_WEIGHT = 3


def shards(contract: Contract, count: int) -> tuple[frozenset[str], ...]:
    """So many sets of operation ids at most, the heaviest first; none is empty where there are operations."""
    groups = sorted(_joined(contract), key=lambda group: (-_weight(contract, group), min(group)))
    found: list[set[str]] = [set() for _ in range(max(1, min(count, len(groups))))]
    for group in groups:
        min(found, key=lambda shard: _weight(contract, shard)).update(group)
    return tuple(frozenset(shard) for shard in found)


def _weight(contract: Contract, group: set[str]) -> int:
    return sum(
        (BODY_WEIGHT if contract.by_id[name].bodies else 1) + len(contract.by_id[name].parameters) for name in group
    )


def _joined(contract: Contract) -> list[set[str]]:
    """The sets of operations that are joined, directly or over others."""
    group = {operation.id: {operation.id} for operation in contract.operations}
    for one, other in _edges(contract):
        if one in group and other in group and group[one] is not group[other]:
            group[one] |= group[other]
            for name in group[other]:
                group[name] = group[one]
    return list({id(members): members for members in group.values()}.values())


def _edges(contract: Contract) -> Iterator[tuple[str, str]]:
    for resource in contract.resources:
        for name in resource.operations:
            yield resource.create or next(iter(resource.operations)), name
    for operation in contract.operations:
        for need in contract.prerequisites.needs(operation):
            if need.place == "path" and need.producer is not None:
                yield operation.id, need.producer.operation
        for answer in operation.answers:
            for link in answer.links.values():
                yield operation.id, _linked(contract, link)


def _linked(contract: Contract, link: Any) -> str:
    """The operation that a link leads to; empty where it is not known."""
    told = contract.schema(link)
    if told.get("operationId"):
        return str(told["operationId"])
    place = str(told.get("operationRef", "")).partition("#")[2]
    return next((item.id for item in contract.operations if place and item.pointer == place), "")


class Several:
    """Processes that each fuzz one shard; `lines` gives their progress added up."""

    def __init__(self, arguments: Sequence[str], count: int) -> None:
        command = [sys.executable, "-m", "harness.drivers.fuzz", *arguments, "--of", str(count), "--shard"]
        self._told: dict[int, dict[str, Any]] = {}
        self._processes = [
            subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
            for number in range(count)
        ]
        self._threads = [
            threading.Thread(target=self._read, args=(number,), daemon=True) for number in range(len(self._processes))
        ]

    def run(self) -> int:
        """Waits for all of them; the worst of their exit codes."""
        for thread in self._threads:
            thread.start()
        codes = [process.wait() for process in self._processes]
        for thread in self._threads:
            thread.join(1.0)
        return max(abs(code) for code in codes)

    def _read(self, number: int) -> None:
        stream = self._processes[number].stdout
        for line in stream if stream is not None else ():
            try:
                record = json.loads(line)
                self._told[number] = {**record, **{name: int(record[name]) for name in SUMMED}}
            except (ValueError, KeyError, TypeError):
                sys.stdout.write(line)  # what a process says when it breaks
                sys.stdout.flush()
                continue
            told = list(self._told.values())
            whole = {**record, **{name: sum(item[name] for item in told) for name in SUMMED}}
            sys.stdout.write(json.dumps(whole) + "\n")
            sys.stdout.flush()
