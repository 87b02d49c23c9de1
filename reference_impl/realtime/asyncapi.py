"""Renders the WebSocket and the streams as an AsyncAPI 3.0 document, from the types that read and write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

from reference_impl.contract import schemas
from reference_impl.contract.procedure import PREFIX
from reference_impl.errors import ErrorEnvelope
from reference_impl.identity.cookies import SESSION
from reference_impl.realtime import frames, queries
from reference_impl.realtime.upgrade import PATH

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

    from reference_impl.contract.procedure import Procedure

JsonObject = dict[str, Any]
RECEIVED: tuple[type[msgspec.Struct], ...] = get_args(frames.ClientFrame)
SENT: tuple[type[msgspec.Struct], ...] = get_args(frames.ServerFrame)
_SOCKET = "socket"
_DESCRIPTION = (
    "What this API tells as it happens. Events are told after their commit, each once and in the order of their ids. "
    "A message that is refused is answered by `error` and leaves the socket open."
)
_ANONYMOUS = "The same, opened without signing in: pings, and the channel `products`; the rest is UNAUTHORIZED there."
_SIGNED_IN = ("bearer", "apiKey", "cookie")
_SECURITY: JsonObject = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "apiKey": {"type": "httpApiKey", "name": "X-API-Key", "in": "header"},
    "cookie": {
        "type": "httpApiKey",
        "name": SESSION,
        "in": "cookie",
        "description": "From a login that asked for it; a WebSocket by it opens for allowed origins only.",
    },
    "ticket": {
        "type": "httpApiKey",
        "name": "ticket",
        "in": "query",
        "description": "From `POST /api/v1/ws/tickets`, good once; for browsers, which cannot set headers.",
    },
}


def render(procedures: Sequence[Procedure]) -> JsonObject:
    """Return the document."""
    streams = [procedure for procedure in procedures if procedure.stream]
    data = [part for stream in streams for part in get_args(stream.output) or (stream.output,)]
    questions = [question.parameters for question in queries.QUESTIONS.values()]
    kinds = list(dict.fromkeys([*RECEIVED, *SENT, *data, *questions, ErrorEnvelope]))
    references, found = schemas.components(kinds)
    payloads = dict(zip(kinds, references, strict=True))
    channels: JsonObject = {_SOCKET: _socket()}
    operations: JsonObject = {
        "hear": _operation("receive", _SOCKET, "What a client says", [kind.__name__ for kind in RECEIVED]),
        "tell": _operation("send", _SOCKET, "What the server says", [kind.__name__ for kind in SENT]),
    }
    for stream in streams:
        name = _name(stream.id)
        told = [part.__name__ for part in get_args(stream.output) or (stream.output,)]
        channels[name] = _stream(stream, told)
        operations[f"{name}Tell"] = _operation("send", name, stream.summary, told)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Reference shop, as it happens",
            "version": "1.0.0",
            "description": _DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "sockets": {"host": "localhost", "protocol": "ws", "security": _schemes(*_SIGNED_IN, "ticket")},
            "anonymousSockets": {"host": "localhost", "protocol": "ws", "description": _ANONYMOUS},
            "streams": {"host": "localhost", "protocol": "http", "security": _schemes(*_SIGNED_IN)},
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "schemas": _plain(found),
            "messages": {kind.__name__: _message(kind, payloads[kind]) for kind in (*RECEIVED, *SENT, *data)},
            "securitySchemes": _SECURITY,
        },
    }


def _plain(schema: Any) -> Any:
    """Return schemas without OpenAPI's `discriminator`, which in AsyncAPI is a word and says what `const` says."""
    if isinstance(schema, dict):
        return {name: _plain(part) for name, part in schema.items() if name != "discriminator"}
    return [_plain(part) for part in schema] if isinstance(schema, list) else schema


def _schemes(*names: str) -> list[JsonObject]:
    return [{"$ref": f"#/components/securitySchemes/{name}"} for name in names]


def _socket() -> JsonObject:
    query = {"type": "object", "properties": {"ticket": {"type": "string"}}, "additionalProperties": False}
    return {
        "address": PATH,
        "title": "The WebSocket",
        "description": "Text messages, each a JSON object whose `type` says what it is.",
        "servers": [{"$ref": "#/servers/sockets"}, {"$ref": "#/servers/anonymousSockets"}],
        "messages": _messages([kind.__name__ for kind in (*RECEIVED, *SENT)]),
        "bindings": {"ws": {"method": "GET", "query": query, "bindingVersion": "0.1.0"}},
    }


def _stream(stream: Procedure, told: list[str]) -> JsonObject:
    return {
        "address": PREFIX + stream.path,
        "title": stream.summary,
        "description": f"The operation `{stream.id}` of the OpenAPI document. {stream.description}",
        "servers": [{"$ref": "#/servers/streams"}],
        "messages": _messages(told),
    }


def _operation(action: str, channel: str, summary: str, told: list[str]) -> JsonObject:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in told],
    }


def _messages(told: list[str]) -> JsonObject:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in told}


def _message(kind: type[msgspec.Struct], payload: JsonObject) -> JsonObject:
    return {
        "name": str(kind.__struct_config__.tag),
        "title": re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__),
        "summary": (kind.__doc__ or "").strip().partition("\n")[0],
        "contentType": "application/json",
        "payload": payload,
    }


def _name(operation_id: str) -> str:
    first, *others = operation_id.split(".")
    return first + "".join(word.capitalize() for word in others)
