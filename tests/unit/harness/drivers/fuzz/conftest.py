"""A shop of items over HTTP: correct, or with one planted fault, so that a fuzzing has something real to meet."""

from __future__ import annotations

import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from harness.contract import Contract
from harness.history import exchanges
from harness.identities import Identity
from harness.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.exchange import Exchange

NAME_LENGTH, MAX_PRICE, MAX_LIMIT = 20, 1000, 100
SECURED = [{"bearer": []}]
SAID = {"description": "as told"}
IDENTIFIED = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
ITEM = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH},
        "price": {"type": "integer", "minimum": 0, "maximum": MAX_PRICE},
    },
    "additionalProperties": False,
}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}}
CLIENT = {"name": "X-Client", "in": "header", "required": True, "schema": {"type": "string", "enum": ["web", "app"]}}
MADE = {
    **SAID,
    "content": {"application/json": {"schema": IDENTIFIED}},
    "links": {
        "read": {"operationId": "items.get", "parameters": {"id": "$response.body#/id"}},
        "delete": {"operationId": "items.delete", "parameters": {"id": "$response.body#/id"}},
    },
}


def _operation(name: str, *statuses: str, **more: Any) -> dict[str, Any]:
    responses = dict.fromkeys((*statuses, "401", "429"), SAID)
    return {"operationId": name, "security": SECURED, "responses": responses, **more}


def document() -> dict[str, Any]:
    """The contract of the shop, a fresh copy."""
    body = {"required": True, "content": {"application/json": {"schema": ITEM}}}
    create = _operation("items.create", "400", requestBody=body)
    create["responses"]["201"] = MADE
    paths = {
        "/items": {"get": _operation("items.list", "200", "400", parameters=[LIMIT, CLIENT]), "post": create},
        "/items/{id}": {
            "parameters": [ID],
            "get": _operation("items.get", "200", "404"),
            "delete": _operation("items.delete", "204", "404"),
        },
        "/logout": {"post": _operation("logout", "204")},
    }
    told = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": paths,
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }
    return json.loads(json.dumps(told))


class Shop:
    """One shop on a loopback port. `faults` are planted; `quota` is how many creations a token may make in all."""

    def __init__(self, *faults: str, quota: int = 10**9, dies_after: int = 10**9) -> None:
        self.faults, self.quota, self.dies_after = set(faults), quota, dies_after
        self.items: dict[str, dict[str, Any]] = {}
        self.graves: dict[str, dict[str, Any]] = {}
        self.tokens = {"first"}
        self.created: dict[str, int] = {}
        self.requests = 0
        self._numbers = itertools.count(100)
        shop = self

        class Handler(BaseHTTPRequestHandler):
            """Answers one connection."""

            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return lambda: shop.serve(self)
                raise AttributeError(name)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Gives the port back."""
        self.server.shutdown()
        self.server.server_close()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Reads one request and answers it."""
        self.requests += 1
        if self.requests > self.dies_after:
            handler.close_connection = True
            return
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        status, value, headers = self.answer(handler.command, handler.path, handler.headers, body)
        data = b"" if value is None else json.dumps(value).encode()
        handler.send_response(status)
        for name, text in {**headers, **({"Content-Type": "application/json"} if data else {})}.items():
            handler.send_header(name, text)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
        handler.wfile.flush()

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, Any, dict[str, str]]:
        """The status, the JSON value and the headers of one call."""
        url = urlsplit(target)
        parts = url.path.strip("/").split("/")
        allow = {"logout": "POST", "items": "GET, POST" if len(parts) == 1 else "GET, DELETE"}.get(parts[0], "")
        if method not in allow.split(", "):
            return self._undeclared(method, allow)
        token = (headers.get("Authorization") or "").removeprefix("Bearer ")
        known = token in self.tokens or ("any-token" in self.faults and token)
        if not known and not ("open-list" in self.faults and (method, parts) == ("GET", ["items"])):
            return 401, {}, {}
        if parts == ["logout"]:
            self.tokens.discard(token)
            return 204, None, {}
        if len(parts) == 1:
            return self._list(url.query, headers) if method == "GET" else self._create(token, body)
        return self._one(method, unquote(parts[1]))

    def _undeclared(self, method: str, allow: str) -> tuple[int, Any, dict[str, str]]:
        if method == "PATCH" and "patch-accepted" in self.faults:
            return 200, {}, {}
        told = {"Allow": "GET, PUT" if "allow-lies" in self.faults else allow}
        return (204, None, told) if method == "OPTIONS" else (405, {}, {} if "no-allow" in self.faults else told)

    def _list(self, query: str, headers: Any) -> tuple[int, Any, dict[str, str]]:
        limits = parse_qs(query, keep_blank_values=True).get("limit", ["10"])
        client = headers.get("X-Client", "web" if "client-optional" in self.faults else "")
        fit = all(text.isdigit() and 1 <= int(text) <= MAX_LIMIT for text in limits)
        if client not in {"web", "app"} or not fit:
            return 400, {}, {}
        return 200, list(self.items.values())[: int(limits[-1])], {}

    def _create(self, token: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        if self.created.get(token, 0) >= self.quota:
            return 429, {}, {"Retry-After": "60"}
        try:
            item = json.loads(body)
        except ValueError:
            return 400, {}, {}
        if not _fits(item) or ("bound-refused" in self.faults and item.get("price") == MAX_PRICE):
            return 400, {}, {}
        self.created[token] = self.created.get(token, 0) + 1
        made = {"id": f"item-{next(self._numbers)}", **item}
        if "lost" not in self.faults:
            self.items[made["id"]] = made
        return 201, made, {}

    def _one(self, method: str, name: str) -> tuple[int, Any, dict[str, str]]:
        if name in self.graves and method == "GET" and "undead" in self.faults:
            return 200, self.graves[name], {}
        if name not in self.items:
            return 404, {}, {}
        if method == "GET":
            return 200, self.items[name], {}
        self.graves[name] = self.items.pop(name)
        return 204, None, {}


def _fits(item: Any) -> bool:
    if not isinstance(item, dict) or set(item) - {"name", "price"}:
        return False
    name, price = item.get("name"), item.get("price", 0)
    whole = isinstance(price, int | float) and not isinstance(price, bool) and price == int(price)
    return isinstance(name, str) and 1 <= len(name) <= NAME_LENGTH and whole and 0 <= price <= MAX_PRICE


@pytest.fixture
def open_shop() -> Iterator[Callable[..., Shop]]:
    """Opens shops that are closed at the end of the test."""
    opened: list[Shop] = []

    def opening(*faults: str, **more: int) -> Shop:
        opened.append(Shop(*faults, **more))
        return opened[-1]

    yield opening
    for shop in opened:
        shop.close()


@pytest.fixture
def caller() -> Identity:
    """The identity that every shop knows."""
    return Identity("first", ("user",), headers=(("authorization", "Bearer first"),))


@pytest.fixture
def contract() -> Contract:
    """The shop's contract."""
    return Contract(document())


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Callable[[Shop], Recorder]]:
    """Gives recorders, each with a run folder of its own, that are closed at the end of the test."""
    opened: list[Recorder] = []

    def recording(shop: Shop) -> Recorder:
        opened.append(Recorder(shop.url, tmp_path / str(len(opened)), "fuzz"))
        return opened[-1]

    yield recording
    for recorder in opened:
        recorder.close()


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[[int], list[Exchange]]:
    """What the nth recorder of the test wrote."""
    return lambda number: exchanges(tmp_path / str(number))
