"""What a request costs the load generator: our client beside Locust's own, in one run, as a ratio.

By hand: `python tests/benchmarks/load_client.py`. A bare server in a process of its own answers 300 bytes; each client
sends the same number of requests over 64 connections, in turn; what is told is the processor time of this process. On a
shared machine the ratio says more than the microseconds.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import gevent
from geventhttpclient import HTTPClient

from harness.load.client import Client
from harness.targets.process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECTIONS = 64
REQUESTS = 32_000
ROUNDS = 3
PATH = "/api/v1/products?page=1&limit=20"
HEADERS = {"Authorization": "Bearer abcdefghijklmnop", "Accept": "application/json"}
SERVER = r"""
import asyncio, sys
ANSWER = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-ID: abc\r\nContent-Length: 300\r\n\r\n"
          + b"a" * 300)

class Answering(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(ANSWER * data.count(b"\r\n\r\n"))

async def main():
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", int(sys.argv[1]), backlog=1000)
    print("up", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


def ours(port: int) -> Callable[[], None]:
    """One walk of a connection's share by our client; raises where an answer is not 200."""
    client = Client(f"http://127.0.0.1:{port}")

    def walk() -> None:
        for _ in range(REQUESTS // CONNECTIONS):
            reply = client.request("GET", PATH, HEADERS)
            if reply.status != 200:
                raise RuntimeError(reply.error)

    return walk


def theirs(port: int) -> Callable[[], None]:
    """The same by geventhttpclient, which is under Locust's FastHttpUser."""
    client = HTTPClient("127.0.0.1", port, concurrency=CONNECTIONS, headers=HEADERS)

    def walk() -> None:
        for _ in range(REQUESTS // CONNECTIONS):
            response = client.get(PATH)
            response.read()
            if response.status_code != 200:
                raise RuntimeError(response.status_code)

    return walk


def cost_us(walk: Callable[[], None]) -> float:
    """Processor microseconds of a request in this process."""
    began = time.process_time()
    for greenlet in gevent.joinall([gevent.spawn(walk) for _ in range(CONNECTIONS)]):
        greenlet.get()
    return (time.process_time() - began) / REQUESTS * 1e6


def main() -> None:
    """Both clients in turn, three rounds, and the ratio of each round."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        server.stdout.readline()
        ratios = []
        for _ in range(ROUNDS):
            own, other = cost_us(ours(port)), cost_us(theirs(port))
            ratios.append(other / own)
            sys.stdout.write(f"ours {own:.1f} us, geventhttpclient {other:.1f} us a request, ratio {other / own:.2f}\n")
        sys.stdout.write(f"median ratio {statistics.median(ratios):.2f}\n")
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
