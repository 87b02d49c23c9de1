"""Several workers of the reference API: one port, one mind, and no way to be without Redis."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.started import until
from tests.servers.api import ADMIN, PASSWORD, Api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.redis import RedisServer

pytestmark = pytest.mark.engines("sqlite")  # processes and ports; what they agree on is asked on both


@pytest.fixture
def api(tmp_path: Path, redis: RedisServer, database: Callable[[], dict[str, str]]) -> Iterator[Api]:
    """Two workers over that Redis."""
    installed = Api(tmp_path, API_REDIS_URL=redis.url, **database())
    installed.set_up("alpha")
    installed.start("--workers", "2")
    yield installed
    installed.stop()


def test_several_workers_need_redis(tmp_path: Path) -> None:
    """Without it they could not agree: wrong use, and the message says what to set."""
    refused = Api(tmp_path).command("serve", "--workers", "2", "--port", "0")
    assert refused.returncode == 2
    assert refused.stderr.startswith("--workers 2 needs API_REDIS_URL")
    assert Api(tmp_path).command("serve", "--workers", "0", "--port", "0").returncode == 2


def test_a_taken_port_is_not_shared(api: Api, tmp_path: Path, redis: RedisServer) -> None:
    """A second start on the same port is refused, though workers share theirs."""
    second = Api(tmp_path, API_REDIS_URL=redis.url).command("serve", "--workers", "2", "--port", str(api.port))
    assert second.returncode == 1
    assert f"127.0.0.1:{api.port} cannot be bound" in second.stderr


def test_a_worker_that_dies_is_replaced(api: Api) -> None:
    """The port answers all the time, by the other worker or by the one that follows."""
    victim, survivor = api.workers()
    os.kill(victim, signal.SIGKILL)
    assert until(lambda: len(api.workers()) == 2 and victim not in api.workers(), 20)
    assert survivor in api.workers()
    for _ in range(20):
        assert httpx.get(f"{api.url}/health").status_code == 200
    assert f"Worker {victim} ended with -9" in api.log()


def test_workers_that_keep_dying_end_the_server(api: Api) -> None:
    """Restarts are bounded: a fault that comes back is not hidden."""
    seen: set[int] = set()
    while api.process is not None and api.process.poll() is None:
        for worker in set(api.workers()) - seen:
            seen.add(worker)
            os.kill(worker, signal.SIGKILL)
    assert api.ended() == 1
    assert "within a minute" in api.log()


def test_workers_do_not_outlive_their_parent(api: Api) -> None:
    """Killed, the parent can tell them nothing; they end when its pipe does."""
    workers = api.workers()
    api.signal(signal.SIGKILL)
    api.ended()
    assert until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 20)


@pytest.mark.engines("sqlite", "postgresql")
def test_what_one_worker_writes_the_other_lists(api: Api) -> None:
    """Each request on a connection of its own: a list asked for after a write's answer shows it (C2, S07)."""
    token = httpx.post(f"{api.url}/api/v1/auth/login", json={"email": ADMIN, "password": PASSWORD}).json()
    headers = {"Authorization": f"Bearer {token['accessToken']}"}
    for place in range(40):
        made = httpx.post(f"{api.url}/api/v1/categories", json={"name": f"Category {place}"}, headers=headers)
        assert made.status_code == 201, made.text
        for _ in range(2):
            names = [item["name"] for item in httpx.get(f"{api.url}/api/v1/categories").json()["items"]]
            assert names[0] == f"Category {place}"


def test_who_cannot_reach_redis_is_not_ready(api: Api, redis: RedisServer) -> None:
    """Calls are 503 then, as no limit could be kept, and so is /ready; the process itself is healthy, and recovers."""
    redis.kill()
    for path in ("/api/v1/products", "/ready"):
        answer = httpx.get(f"{api.url}{path}", timeout=20)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert answer.headers["retry-after"]
    assert httpx.get(f"{api.url}/health", timeout=20).status_code == 200
    redis.start()
    assert until(lambda: all(httpx.get(f"{api.url}/ready", timeout=20).status_code == 200 for _ in range(6)), 20)
    assert httpx.get(f"{api.url}/api/v1/products", timeout=20).status_code == 200


def test_metrics_are_of_all_workers(api: Api) -> None:
    """Whichever worker is asked counts what all did, also what one did that is dead and replaced."""
    name = 'http_requests_total{method="GET",route="/api/v1/products",status="200"}'

    def counted() -> set[float]:
        texts = [httpx.get(f"{api.url}/metrics").text for _ in range(12)]
        return {float(line.split()[1]) for text in texts for line in text.splitlines() if line.startswith(name)}

    for _ in range(30):
        assert httpx.get(f"{api.url}/api/v1/products").status_code == 200
    assert counted() == {30.0}
    victim = api.workers()[0]
    os.kill(victim, signal.SIGKILL)
    assert until(lambda: len(api.workers()) == 2 and victim not in api.workers(), 20)
    for _ in range(10):
        assert httpx.get(f"{api.url}/api/v1/products").status_code == 200
    assert counted() == {40.0}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_end_in_order(api: Api, number: signal.Signals) -> None:
    """SIGTERM ends with 0, Ctrl-C with 130; no worker is left."""
    workers = api.workers()
    api.signal(number)
    assert api.ended() == {signal.SIGTERM: 0, signal.SIGINT: 130}[number]
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    assert "Traceback" not in api.log()
