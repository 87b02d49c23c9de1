"""The end of the reference API while its database says nothing: within its bound, by the code that is documented."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from reference_impl.server import GRACE_S
from tests.servers.api import Api
from tests.servers.postgres import own_postgres  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.postgres import Cluster

pytestmark = pytest.mark.slow
REQUESTS = 600


@pytest.mark.parametrize("told", [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_paused_postgresql_does_not_hold_it_up(
    tmp_path: Path,
    own_postgres: Cluster,  # noqa: F811 - the fixture
    told: tuple[signal.Signals, int],
) -> None:
    """Hundreds of rows of the log wait: the end comes all the same, and says how many of them are lost."""
    api = Api(tmp_path, API_DATABASE_URL=own_postgres.url())
    api.set_up("alpha")
    api.start()
    try:
        with httpx.Client(base_url=api.url) as client:
            assert client.get("/api/v1/products").status_code == 200
            time.sleep(1.5)  # until its row is stored
            own_postgres.pause()
            for _ in range(REQUESTS):
                assert client.get("/api/v1/nothing").status_code == 404
        begun = time.monotonic()
        api.signal(told[0])
        assert api.ended() == told[1], api.log()
        assert time.monotonic() - begun < GRACE_S, api.log()
    finally:
        api.stop()
        own_postgres.resume()
    (lost,) = [line["rows"] for line in api.lines() if line.get("message") == "rows of the request log were not stored"]
    assert lost == REQUESTS
    assert "Traceback" not in api.log()
