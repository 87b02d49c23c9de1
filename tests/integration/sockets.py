"""People and WebSockets of a running reference API."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.servers.api import PASSWORD, Api

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT_S = 20.0
QUIET_S = 0.4
API = "/api/v1"
SECOND = {"X-Tenant-ID": "beta"}


@dataclass
class Client:
    """One socket: what came and was not asked for yet stays in order."""

    socket: ClientConnection
    came: list[dict[str, Any]] = field(default_factory=list)

    def send(self, kind: str, **members: Any) -> None:
        """Send a message."""
        self.socket.send(json.dumps({"type": kind, **members}))

    def take(self, kind: str, **members: Any) -> dict[str, Any]:
        """The next message of a type with these members; what came before it stays."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            for number, message in enumerate(self.came):
                if message["type"] == kind and members.items() <= message.items():
                    return self.came.pop(number)
            assert time.monotonic() < deadline, (kind, members, self.came)
            self.came.append(json.loads(self.socket.recv(timeout=LIMIT_S)))

    def ask(self, kind: str, **members: Any) -> dict[str, Any]:
        """Send a message and return its direct answer."""
        mark = f"m{time.monotonic_ns()}"
        self.send(kind, id=mark, **members)
        deadline = time.monotonic() + LIMIT_S
        while True:
            for number, message in enumerate(self.came):
                if message.get("replyTo") == mark:
                    return self.came.pop(number)
            assert time.monotonic() < deadline, self.came
            self.came.append(json.loads(self.socket.recv(timeout=LIMIT_S)))

    def refused(self, kind: str, **members: Any) -> str:
        """Send a message and return the code of its refusal."""
        answer = self.ask(kind, **members)
        assert answer["type"] == "error", answer
        assert {"code", "message", "retryable", "requestId"} <= answer["error"].keys()
        return str(answer["error"]["code"])

    def others(self, kind: str) -> list[dict[str, Any]]:
        """Every message of a type that is there when a pong has come round."""
        self.ask("ping")
        return [message for message in self.came if message["type"] == kind]

    def closed(self) -> tuple[int, str]:
        """Read to the end: the code and the reason of the close."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                self.came.append(json.loads(self.socket.recv(timeout=LIMIT_S)))
        return self.socket.close_code or 0, self.socket.close_reason or ""


@dataclass
class House:
    """A running API, and ways to people and sockets."""

    api: Api
    http: httpx.Client
    open: contextlib.ExitStack
    count: int = 0

    def send(self, method: str, path: str, token: str = "", **options: Any) -> httpx.Response:
        """Send a request."""
        headers = {**options.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        return self.http.request(method, self.api.url + API + path, headers=headers, **options)

    def login(self, email: str, **options: Any) -> tuple[str, str]:
        """A user's id and a token."""
        answer = self.send("POST", "/auth/login", json={"email": email, "password": PASSWORD}, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["user"]["id"], answer.json()["accessToken"]

    def user(self, **options: Any) -> tuple[str, str]:
        """A new user's id and a token."""
        self.count += 1
        body = {"email": f"u{self.count}@example.test", "password": PASSWORD, "name": f"U {self.count}"}
        answer = self.send("POST", "/auth/register", json=body, **options)
        assert answer.status_code == 201, answer.text
        return self.login(body["email"], **options)

    def socket(self, token: str = "", path: str = API + "/ws", **headers: str) -> Client:
        """An open socket; the first message was `connected`."""
        told = {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        url = self.api.url.replace("http", "ws") + path
        client = Client(self.open.enter_context(connect(url, additional_headers=told, close_timeout=1)))
        assert json.loads(client.socket.recv(timeout=LIMIT_S)).items() >= {"type": "connected"}.items()
        if token or "ticket=" in path:
            client.take("room_joined", room="global")
        return client

    def status(self, path: str = API + "/ws", **headers: str) -> tuple[int, dict[str, Any]]:
        """The status and the body that refuse a handshake."""
        with (
            pytest.raises(InvalidStatus) as refused,
            connect(self.api.url.replace("http", "ws") + path, additional_headers=headers),
        ):
            pass
        response = refused.value.response
        return response.status_code, json.loads(response.body or b"null")


@contextlib.contextmanager
def served(folder: Path, *words: str, **environment: str) -> Iterator[House]:
    """A house, torn down at the end; `words` go to the command that serves."""
    api = Api(folder, **environment)
    api.set_up("alpha", "beta")
    with httpx.Client(timeout=LIMIT_S) as http, contextlib.ExitStack() as stack:
        try:
            api.start(*words)
            yield House(api, http, stack)
        finally:
            api.stop()
