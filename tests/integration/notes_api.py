"""A small API that keeps its contract, as a target that starts at once: `python notes_api.py PORT`.

Told by the environment: NOTES_PID a file for its process id, NOTES_DELAY_S a wait before each answer, NOTES_FAULT
`forgets` (a note that was made cannot be read), `fails` (every answer is 500) or `refuses` (no token is taken),
NOTES_TOKEN the token that may delete, NOTES_HOST the address that it listens at. With NOTES_LOGINS, such as `3/60`,
the token is the password of `keeper` and `reader`, who log in at /login, so many times within so many seconds.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

FAULT = os.environ.get("NOTES_FAULT", "")
DELAY_S = float(os.environ.get("NOTES_DELAY_S", "0"))
TOKEN = os.environ.get("NOTES_TOKEN", "")
LOGINS, _, WINDOW_S = os.environ.get("NOTES_LOGINS", "").partition("/")
ACCOUNTS = ("keeper", "reader")
OPEN_PATHS = {"/openapi.json", "/health"}

_NOTE = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "text": {"type": "string"}},
    "required": ["id", "text"],
    "additionalProperties": False,
}
_NEW = {
    "type": "object",
    "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 40}},
    "required": ["text"],
    "additionalProperties": False,
}
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1, "maximum": 2**31}}


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _answers(*statuses: int, body: Any = None) -> dict[str, Any]:
    error = _json({"$ref": "#/components/schemas/Error"})
    return {
        str(status): {"description": "as it says"}
        | ({"content": error} if status >= 400 else {"content": _json(body)} if body else {})
        for status in statuses
    }


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Notes", "version": "1"},
    "x-promises": {"headers": {"X-Content-Type-Options": {"const": "nosniff"}}, "objective": {"p95_ms": 2000}},
    "paths": {
        "/notes": {
            "get": {"operationId": "notes.list", "responses": _answers(200, body={"type": "array", "items": _NOTE})},
            "post": {
                "operationId": "notes.create",
                "requestBody": {"required": True, "content": _json(_NEW)},
                "responses": _answers(201, 400, 415, body=_NOTE),
            },
        },
        "/notes/{id}": {
            "get": {"operationId": "notes.get", "parameters": [_ID], "responses": _answers(200, 400, 404, body=_NOTE)},
            "delete": {
                "operationId": "notes.delete",
                "parameters": [_ID],
                "responses": _answers(204, 400, *((401, 403) if TOKEN else ()), 404),
                **({"security": [{"token": []}]} if TOKEN else {}),
                **({"x-promises": {"roles": {"allow": ["keeper"], "anonymous": 401}}} if TOKEN else {}),
            },
        },
    },
    "components": {
        "schemas": {
            "Error": {
                "type": "object",
                "properties": {"error": {"type": "string"}},
                "required": ["error"],
                "additionalProperties": False,
            }
        },
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    },
}

_ENTRANCE = {
    "type": "object",
    "properties": {name: {"type": "string", "minLength": 1} for name in ("name", "password")},
    "required": ["name", "password"],
    "additionalProperties": False,
}
_LOGIN = {
    "operationId": "auth.login",
    "requestBody": {"required": True, "content": _json(_ENTRANCE)},
    "responses": _answers(
        200, 400, 401, 415, 429, body={"type": "object", "properties": {"token": {"type": "string"}}}
    ),
}
if LOGINS:
    DOCUMENT["paths"]["/login"] = {"post": _LOGIN}


class Refused(Exception):
    """What a request is answered instead."""

    def __init__(self, status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(text)
        self.status, self.headers = status, headers


class Notes(BaseHTTPRequestHandler):
    """Answers as DOCUMENT says."""

    protocol_version = "HTTP/1.1"
    kept: ClassVar[dict[int, str]] = {}
    lock = threading.Lock()
    count = 0
    logins: ClassVar[list[float]] = []
    tokens: ClassVar[dict[str, str]] = {}

    def answer(self) -> None:
        """Any method, any path."""
        if DELAY_S and self.path not in OPEN_PATHS:
            time.sleep(DELAY_S)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, value, headers = (*self.answered(body), ())
        except Refused as refused:
            status, value, headers = refused.status, {"error": str(refused)}, refused.headers
        data = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, text in (("X-Content-Type-Options", "nosniff"), *headers):
            self.send_header(name, text)
        if value is not None:
            self.send_header("Content-Type", "application/json")
        if value is not None or status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def answered(self, body: bytes) -> tuple[int, Any]:
        """The status and the value of the body."""
        path = self.path.split("?")[0]
        if FAULT == "fails" and path not in OPEN_PATHS:
            raise Refused(500, "out of order")
        if path in OPEN_PATHS and self.command == "GET":
            return 200, DOCUMENT if path == "/openapi.json" else {"status": "up"}
        if path == "/notes":
            self.allow("GET", "POST")
            return (201, self.made(body)) if self.command == "POST" else (200, self.listed())
        if path == "/login" and LOGINS:
            self.allow("POST")
            return 200, {"token": self.logged_in(body)}
        if path.startswith("/notes/"):
            self.allow("GET", "DELETE")
            return self.one(path.removeprefix("/notes/"))
        raise Refused(404, "no such path")

    def allow(self, *methods: str) -> None:
        """Refuses other methods."""
        if self.command not in methods:
            raise Refused(405, "no such method here", (("Allow", ", ".join(methods)),))

    def listed(self) -> list[dict[str, Any]]:
        """Every note."""
        with self.lock:
            return [{"id": number, "text": text} for number, text in self.kept.items()]

    def json(self, body: bytes) -> Any:
        """The body's value."""
        if self.headers.get_content_type() != "application/json":
            raise Refused(415, "send application/json")
        try:
            return json.loads(body)
        except ValueError as error:
            raise Refused(400, "no JSON") from error

    def logged_in(self, body: bytes) -> str:
        """A fresh token of an account; every try counts, and one too many is told when to come again."""
        now = time.monotonic()
        with self.lock:
            self.logins[:] = [at for at in self.logins if now - at < float(WINDOW_S)]
            if len(self.logins) >= int(LOGINS):
                left = math.ceil(self.logins[0] + float(WINDOW_S) - now)
                raise Refused(429, "too many logins", (("Retry-After", str(max(1, left))),))
            self.logins.append(now)
        value = self.json(body)
        if not isinstance(value, dict) or set(value) != {"name", "password"}:
            raise Refused(400, "name and password must be there and stand alone")
        if not all(isinstance(item, str) and item for item in value.values()):
            raise Refused(400, "name and password must be texts")
        if value["name"] not in ACCOUNTS or value["password"] != TOKEN:
            raise Refused(401, "no such account", (("WWW-Authenticate", "Bearer"),))
        token = secrets.token_hex(8)
        self.tokens[token] = value["name"]
        return token

    def made(self, body: bytes) -> dict[str, Any]:
        """A new note."""
        value = self.json(body)
        text = value.get("text") if isinstance(value, dict) else None
        if not isinstance(text, str) or not 1 <= len(text) <= 40 or set(value) != {"text"}:
            raise Refused(400, "text must be of 1 to 40 characters and stand alone")
        with self.lock:
            Notes.count += 1
            self.kept[self.count] = text
            return {"id": self.count, "text": text}

    def one(self, name: str) -> tuple[int, Any]:
        """One note, read or deleted."""
        if self.command == "DELETE" and TOKEN:
            self.entered()
        if not name.isascii() or not name.isdigit() or not 1 <= int(name) <= 2**31:
            raise Refused(400, "the id must be a number from 1")
        with self.lock:
            if int(name) not in self.kept or (FAULT == "forgets" and self.command == "GET"):
                raise Refused(404, "no such note")
            text = self.kept[int(name)]
            if self.command == "DELETE":
                del self.kept[int(name)]
                return 204, None
            return 200, {"id": int(name), "text": text}

    def entered(self) -> None:
        """Refuses who has not the token, or who logged in and is not the keeper."""
        given = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        name = self.tokens.get(given, "") if LOGINS else "keeper" if given == TOKEN else ""
        if not name or FAULT == "refuses":
            raise Refused(401, "who are you?", (("WWW-Authenticate", "Bearer"),))
        if name != "keeper":
            raise Refused(403, "you may not")

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


class Server(ThreadingHTTPServer):
    """Takes many connections at once."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Whoever went away does not want to be told."""


if __name__ == "__main__":
    if "NOTES_PID" in os.environ:
        Path(os.environ["NOTES_PID"]).write_text(str(os.getpid()))
    Server((os.environ.get("NOTES_HOST", "127.0.0.1"), int(sys.argv[1])), Notes).serve_forever()
