"""Every REST operation of the reference: its own saturation rate, and its p95 at 60 % of it, against 200 ms.

By hand: `python tests/benchmarks/http/operations.py [--only products.list …]`. One worker on one core, SQLite, 10,000
products; the client has the other core. The closed loop keeps sixteen connections busy and gives the rate; the open
loop then sends at 60 % of it on a timetable, latency from the due time. Passwords are hashed cheaply here, since their
cost is chosen; `--hashing` measures the two operations that hash at production's cost.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

import client
import people_plans
import plans
import served
import shop_plans

if TYPE_CHECKING:
    from plans import Plan
    from served import Served

CONNECTIONS = 16
SHARE = 0.6
OBJECTIVE_MS = 200.0
FLOOR_PER_S = {True: 300, False: 100}


def measured(server: Served, name: str, plan: Plan) -> str:
    """One line of the table; an unexpected status is told instead of a figure."""
    warm = plan.count // 10
    client.closed(server.port, plan.make, connections=CONNECTIONS, count=warm)
    busy = client.closed(server.port, plan.make, connections=CONNECTIONS, count=plan.count, first=warm)
    if set(busy.statuses) != {plan.status}:
        return f"| {name} | {plan.status} | answered {dict(busy.statuses)}: {list(busy.bodies.values())[-1][:200]!r} |"
    rate = SHARE * busy.rate_per_s
    timed = client.timed(
        server.port,
        plan.make,
        rate_per_s=rate,
        duration_s=plan.count / rate,
        connections=2 * CONNECTIONS,
        first=warm + plan.count,
    )
    if set(timed.statuses) != {plan.status}:
        return (
            f"| {name} | {plan.status} | answered {dict(timed.statuses)}: {list(timed.bodies.values())[-1][:200]!r} |"
        )
    p95_ms, floor = timed.quantile_ms(0.95), FLOOR_PER_S[plan.reads]
    misses = [f"p95 over {plan.objective_ms:g} ms"] if p95_ms >= plan.objective_ms else []
    misses += [f"below {floor}/s"] if busy.rate_per_s < floor else []
    return (
        f"| {name} | {busy.rate_per_s:,.0f} | {rate:,.0f} | {timed.quantile_ms(0.5):.1f} | {p95_ms:.1f} "
        f"| {', '.join(misses) or 'kept'} |"
    )


def main() -> None:
    """Measure and print one table, and name what has no plan."""
    options = argparse.ArgumentParser()
    options.add_argument("--only", nargs="*", default=[])
    options.add_argument("--products", type=int, default=10_000)
    options.add_argument("--hashing", action="store_true")
    told = options.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {served.CLIENT_CORE})
    cheap = {} if told.hashing else {"API_ARGON2_TIME_COST": "1", "API_ARGON2_MEMORY_KIB": "64"}
    with served.login_provider() as trusted, served.reference(told.products, **cheap, **trusted) as server:
        known = {**people_plans.of(server, hashing=told.hashing), **shop_plans.of(server)}
        documented = plans.documented(server)
        operations = [*documented, *(name for name in known if name.split(" ")[0] in documented and " " in name)]
        print("| operation | saturated at /s | sent at /s | p50 ms | p95 ms | floor and objective |")
        print("|---|---:|---:|---:|---:|---|", flush=True)
        for name in operations:
            if (told.only and name not in told.only) or name not in known:
                continue
            print(measured(server, name, known[name]()), flush=True)
        left = sorted(set(operations) - set(known))
        print(f"\nnot in the table: {', '.join(left) or 'none'}")


if __name__ == "__main__":
    main()
