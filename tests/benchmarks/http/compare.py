"""The reference beside Hono 4 on Node and FastAPI: the same operations, layers and writes, as ratios of one run.

By hand: `python tests/benchmarks/http/compare.py [--seconds 4] [--rounds 3]`, with FastAPI installed beside the project
(`pip install fastapi`) and npm on the path. Each server has one core, the client the other; the figures are answers a
second with sixteen connections kept busy, and the processor microseconds of the server for one; servers take turns
within a round; what is told is the median of the rounds. The ratios are of the rates; on a machine that does other work
too, those of the microseconds say more. The reference keeps no list here (its cache ages at once), as the others do.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

import client
import served

if TYPE_CHECKING:
    from collections.abc import Callable

    from served import Served

Figures = tuple[float, float]
CONNECTIONS = 16
FLOORS = {"POST, validated": (1.3, 2.0), "list of 20": (1.0, None), "one row": (0.8, None)}


def operations(server: Served) -> dict[str, tuple[int, Callable[[int], bytes]]]:
    """Each operation: the status it must answer and its n-th request."""
    # A page each, so that none answers for another that is asked at the same time.
    pages = [client.raw("GET", f"/api/v1/products?limit=20&page={page}", server.headers) for page in range(1, 401)]
    ids = server.facts["products"]
    ones = [client.raw("GET", f"/api/v1/products/{item}", server.headers) for item in ids]
    health = client.raw("GET", "/health", {})
    typed = {**server.headers, "Content-Type": "application/json"}

    def post(number: int) -> bytes:
        body = {
            "name": f"Walnut bowl {number}",
            "price": 19.99,
            "categoryId": server.facts["categoryId"],
            "stock": 10,
            "description": "Turned by hand from one piece.",
        }
        return client.raw("POST", "/api/v1/products", typed, json.dumps(body).encode())

    return {
        "POST, validated": (201, post),
        "list of 20": (200, lambda number: pages[number % len(pages)]),
        "one row": (200, lambda number: ones[number % len(ones)]),
        "health": (200, lambda _: health),
    }


def rate(server: Served, status: int, make: Callable[[int], bytes], first: int, seconds: float) -> Figures:
    """Answers a second and processor microseconds each; an answer of another status ends the benchmark."""
    client.closed(server.port, make, connections=CONNECTIONS, duration_s=seconds / 4, first=first)
    used_s = server.processor_s()
    measured = client.closed(server.port, make, connections=CONNECTIONS, duration_s=seconds, first=first + 5_000_000)
    used_s = server.processor_s() - used_s
    if set(measured.statuses) != {status}:
        raise SystemExit(f"{server.name} answered {dict(measured.statuses)}: {measured.bodies}")
    return measured.rate_per_s, used_s * 1e6 / measured.statuses[status]


def main() -> None:
    """Measure and print one table."""
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=4.0)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--products", type=int, default=10_000)
    told = options.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {served.CLIENT_CORE})
    rates: dict[tuple[str, str], list[Figures]] = {}
    for turn in range(told.rounds):
        openers = {
            "reference": served.reference(told.products, API_STORED_LOG="off", API_LIST_AGE_S="0.000001"),
            "hono": served.comparison("hono", served.hono(), told.products),
            "fastapi": served.comparison("fastapi", served.fastapi(), told.products),
        }
        for name, opener in openers.items():
            with opener as server:
                for operation, (status, make) in operations(server).items():
                    found = rate(server, status, make, turn * 10_000_000, told.seconds)
                    rates.setdefault((operation, name), []).append(found)
        for name, command in (
            ("reference", served.starlette()),
            ("hono", served.hono("bare.mjs")),
            ("fastapi", served.fastapi()),
        ):
            with served.bare(name, command) as server:
                request = client.raw("GET", "/bare", {})
                rates.setdefault(("bare framework", name), []).append(
                    rate(server, 200, lambda _, request=request: request, 0, told.seconds)
                )
    medians = {key: tuple(map(statistics.median, zip(*values, strict=True))) for key, values in rates.items()}
    report({key: (found[0], found[1]) for key, found in medians.items()})


def report(rates: dict[tuple[str, str], Figures]) -> None:
    """Print the table and whether each floor is reached."""
    names = ["reference /s (µs)", "Hono /s (µs)", "FastAPI /s (µs)", "of Hono (by µs)", "of FastAPI (by µs)", "wanted"]
    print(f"| operation | {' | '.join(names)} |")
    print("|---|---:|---:|---:|---:|---:|---|")
    for operation in dict.fromkeys(key[0] for key in rates):
        ours, hono, fastapi = (rates[operation, name] for name in ("reference", "hono", "fastapi"))
        hono_floor, fastapi_floor = FLOORS.get(operation, (None, None))
        wanted = ", ".join(
            f"{floor} x {name} {'reached' if ours[0] >= floor * other[0] else 'MISSED'}"
            for floor, name, other in ((hono_floor, "Hono", hono), (fastapi_floor, "FastAPI", fastapi))
            if floor is not None
        )
        figures = [f"{found[0]:,.0f} ({found[1]:.0f})" for found in (ours, hono, fastapi)]
        ratios = [f"{ours[0] / other[0]:.2f} ({other[1] / ours[1]:.2f})" for other in (hono, fastapi)]
        print(f"| {operation} | {' | '.join([*figures, *ratios])} | {wanted} |")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
