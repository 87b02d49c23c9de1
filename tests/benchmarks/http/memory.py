"""Memory of one worker over 100,000 requests: reads, writes and refusals in turn; what is told is its growth.

By hand: `python tests/benchmarks/http/memory.py [--requests 100000] [--steady]`. The resident set is read from /proc
every tenth of the way; the first fifth fills caches and pools, and what counts is the slope of the rest. One request in
five makes a product; with `--steady` it changes the caller's own name instead, so that the tables stay as they are but
for a row of the audit log.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import client
import served

CONNECTIONS = 16


def resident_kib(pid: int) -> int:
    """The resident set of a process."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    match = re.search(r"VmRSS:\s+(\d+) kB", text)
    assert match is not None, "Linux tells it"
    return int(match[1])


def main() -> None:
    """Send and print one table."""
    options = argparse.ArgumentParser()
    options.add_argument("--requests", type=int, default=100_000)
    options.add_argument("--steady", action="store_true")
    told = options.parse_args()
    with served.reference(1000) as server:
        typed = {**server.headers, "Content-Type": "application/json"}
        ids = server.facts["products"]

        def make(number: int) -> bytes:
            match number % 5:
                case 0 if told.steady:
                    body = {"name": f"Name {number % 7}"}
                    own = f"/api/v1/users/{server.facts['sellerId']}"
                    return client.raw("PATCH", own, typed, json.dumps(body).encode())
                case 0:
                    body = {"name": f"Bowl {number}", "price": 19.99, "categoryId": server.facts["categoryId"]}
                    return client.raw("POST", "/api/v1/products", typed, json.dumps(body).encode())
                case 1:
                    return client.raw("GET", "/api/v1/products?limit=20", server.headers)
                case 2:
                    return client.raw("POST", "/api/v1/orders", typed, b'{"items": "none"}')
                case 3:
                    return client.raw(
                        "GET", f"/api/v1/orders/{ids[0]}", {**server.headers, "X-Request-ID": f"r{number}"}
                    )
                case _:
                    return client.raw("GET", f"/api/v1/products/{ids[number % len(ids)]}", server.headers)

        pid, step = server.pid, told.requests // 10
        seen = [resident_kib(pid)]
        print("| requests | resident KiB |")
        print("|---:|---:|")
        for part in range(10):
            client.closed(server.port, make, connections=CONNECTIONS, count=step, first=part * step)
            seen.append(resident_kib(pid))
            print(f"| {(part + 1) * step:,} | {seen[-1]:,} |", flush=True)
        grown, counted = seen[-1] - seen[2], 8 * step
        print(f"\nover the last {counted:,}: {grown:+,} KiB, {grown * 1024 / counted:+.1f} bytes a request")


if __name__ == "__main__":
    main()
