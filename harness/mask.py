"""Keeps secrets out of histories and reports: values that are known to be secret, and members named as such."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from harness.contract import pointer

if TYPE_CHECKING:
    from harness.exchange import Exchange

PLACEHOLDER = "[masked]"
SECRET_HEADERS = {
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
    "api-key",
}
SECRET_NAMES = {
    "password", "currentpassword", "newpassword", "oldpassword", "passwd", "secret", "clientsecret", "token",
    "accesstoken", "refreshtoken", "idtoken", "apikey", "authorization", "privatekey",
}  # fmt: skip
PASSWORD_HASH = re.compile(r"(\$(?:argon2\w*|2[abxy]|scrypt|pbkdf2[\w-]*|[156y])\$)[^\s\"']+")
MIN_LENGTH = 6
# Cutting a text into pieces costs about what this many searches through it do, however long it is (measured).
_SEARCHES = 300


class Mask:
    """Replaces secrets in a history's record. A registered value is replaced wherever it stands, by its kind's name."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        # The values by how they begin, as most texts hold none: what a text is looked through for first.
        self._by_head: dict[str, tuple[str, ...]] = {}

    def register(self, value: str, kind: str = "token") -> None:
        """From now on the value shows as `[masked kind]`; one shorter than 6 characters would blind the record.

        It is known in JSON and percent-encoded too. Another thread may read meanwhile: it sees some forms of it or all.
        """
        if len(value) < MIN_LENGTH or value in self._values:
            return
        for form in _forms(value) - self._values.keys():
            self._values[form] = f"[masked {kind}]"
            head = form[:MIN_LENGTH]
            self._by_head[head] = (*self._by_head.get(head, ()), form)

    def learn(self, body: Any, pointers: tuple[str, ...]) -> None:
        """Registers what stands at the pointers of an answer."""
        for place in pointers:
            for value in pointer.find(body, place):
                if isinstance(value, str):
                    self.register(value)

    def record(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record of an exchange with every secret replaced."""
        for side in ("request", "response"):
            message = record.get(side)
            if message is None:
                continue
            message["headers"] = [self._header(name, value) for name, value in message["headers"]]
            if "body" in message:
                message["body"] = self.text(_members_masked(message["body"]))
            if "body_base64" in message:
                message["body_base64"] = self._bytes(message["body_base64"])
            if "body_zlib" in message:
                body = self._body(zlib.decompress(base64.b64decode(message["body_zlib"])))
                message["body_zlib"] = base64.b64encode(zlib.compress(body, 1)).decode("ascii")
            if "path" in message:
                message["path"] = self.text(message["path"])
                message["query"] = [
                    [name, PLACEHOLDER if is_secret_name(name) else self.text(value)]
                    for name, value in message["query"]
                ]
        record["error"] = self.text(record["error"])
        record["identity"] = self.value(record["identity"])
        return record

    def answered(self, exchange: Exchange) -> Exchange:
        """The exchange with registered values replaced in the body of its answer; its request stays as it was sent."""
        response = exchange.response
        if response is None or not response.body:
            return exchange
        body = self._body(response.body)
        return exchange if body == response.body else replace(exchange, response=replace(response, body=body))

    def value(self, value: Any) -> Any:
        """A copy of a JSON value in which every text, names of members among them, is masked."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.value(member) for member in value]
        if isinstance(value, Mapping):
            return {self.value(name): self.value(member) for name, member in value.items()}
        return value

    def text(self, text: str) -> str:
        """The text with registered values and password hashes replaced."""
        for value in self._found(text):
            text = text.replace(value, self._values[value])
        return PASSWORD_HASH.sub(rf"\1{PLACEHOLDER}", text) if "$" in text else text

    def _bytes(self, encoded: str) -> str:
        """The base64 of a body that is no text, with registered values replaced in its bytes."""
        return base64.b64encode(self._body(base64.b64decode(encoded))).decode("ascii")

    def _body(self, body: bytes) -> bytes:
        for value in self._found(body.decode("utf-8", "replace")):
            body = body.replace(value.encode("utf-8", "surrogatepass"), self._values[value].encode())
        return body

    def _found(self, text: str) -> list[str]:
        """The registered values that stand in a text, the longest first, as one may be part of another."""
        by_head = self._by_head
        if len(by_head) < _SEARCHES:
            near = [head for head in tuple(by_head) if head in text]
        else:
            pieces = {text[at : at + MIN_LENGTH] for at in range(len(text) - MIN_LENGTH + 1)}
            near = [piece for piece in pieces if piece in by_head]
        return sorted((value for head in near for value in by_head[head] if value in text), key=len, reverse=True)

    def _header(self, name: str, value: str) -> list[str]:
        lower = name.lower()
        if lower == "set-cookie":
            cookie, _, attributes = value.partition(";")
            return [name, f"{cookie.partition('=')[0]}={PLACEHOLDER}" + (f";{attributes}" if attributes else "")]
        if lower == "cookie" and "=" in value:
            names = (part.partition("=")[0].strip() for part in value.split(";"))
            return [name, "; ".join(f"{cookie}={PLACEHOLDER}" for cookie in names)]
        if lower in SECRET_HEADERS:
            scheme, _, rest = value.partition(" ")
            return [name, f"{scheme} {PLACEHOLDER}" if rest else PLACEHOLDER]
        return [name, self.text(value)]


def _forms(value: str) -> set[str]:
    """How a value can stand in a message: as it is, in JSON with and without ASCII escapes, percent-encoded."""
    whole = value.encode("utf-8", "surrogatepass")
    shown = json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]
    return {value, *shown, quote(whole, safe=""), quote_plus(whole)}


def is_secret_name(name: str) -> bool:
    """Whether a member or parameter of this name holds a secret, however it is written."""
    return re.sub(r"[^a-z]", "", name.lower()) in SECRET_NAMES


def _members_masked(text: str) -> str:
    lowered = text.lower().replace("_", "").replace("-", "")
    if not any(f'{name}"' in lowered for name in SECRET_NAMES):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    masked, changed = _masked(value)
    return json.dumps(masked, ensure_ascii=False) if changed else text


def _masked(value: Any) -> tuple[Any, bool]:
    if isinstance(value, list):
        pairs = [_masked(member) for member in value]
        return [member for member, _ in pairs], any(changed for _, changed in pairs)
    if not isinstance(value, dict):
        return value, False
    result, any_changed = {}, False
    for name, member in value.items():
        if isinstance(member, str) and is_secret_name(name):
            result[name], any_changed = PLACEHOLDER, True
        else:
            result[name], changed = _masked(member)
            any_changed = any_changed or changed
    return result, any_changed
