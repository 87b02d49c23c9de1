"""Renders an OpenAPI document as one HTML page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

JsonObject = dict[str, Any]

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --key: #2563eb; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem 1.5rem; max-width: 68rem; }
h1 { margin-bottom: 0; } h2 { border-bottom: 1px solid var(--line); margin-top: 3rem; }
nav ul { columns: 3 14rem; padding-left: 1rem; } code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); overflow-x: auto; padding: .75rem; border-radius: 6px; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .25rem .75rem; }
summary { cursor: pointer; } summary b { display: inline-block; min-width: 4.5rem; color: var(--key); }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { border-top: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; }
.soft { opacity: .75; }
"""
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; frame-ancestors 'none'"
_CODE = re.compile(r"`([^`]+)`")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_BOUNDS = ("format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "default")


def page(document: JsonObject) -> bytes:
    """Return the page in UTF-8."""
    return Page(document).html().encode()


def prose(text: str) -> str:
    """Return paragraphs with `code` and **bold** as HTML."""
    paragraphs = [escape(part) for part in text.strip().split("\n\n")]
    marked = [_BOLD.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", part)) for part in paragraphs]
    return "".join(f"<p>{part}</p>\n" for part in marked)


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table of cells that are HTML already; nothing without rows."""
    if not rows:
        return ""
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{''.join(lines)}</table>\n"


def code(value: Any) -> str:
    """Return a JSON value as a block."""
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>\n"


def name_of(reference: str) -> str:
    """Return the last part of a reference."""
    return reference.rsplit("/", 1)[1]


def type_of(schema: JsonObject) -> str:
    """Return what a schema takes, in a few words of HTML."""
    if "$ref" in schema:
        name = escape(name_of(schema["$ref"]))
        return f'<a href="#schema-{name}">{name}</a>'
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(type_of(part) for part in schema[choice])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    kind = schema.get("type", "any")
    kind = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if kind == "array":
        kind = f"list of {type_of(schema.get('items', {}))}"
    bounds = [f"{name} <code>{escape(json.dumps(schema[name]))}</code>" for name in _BOUNDS if name in schema]
    return ", ".join([kind, *bounds])


class Page:
    """One document's page."""

    def __init__(self, document: JsonObject) -> None:
        self._document = document

    def html(self) -> str:
        """Return the whole page."""
        info = self._document["info"]
        title = escape(info["title"])
        lines = [
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<style>{STYLE}</style></head><body>",
            f'<h1>{title}</h1><p class="soft">Version {escape(info["version"])} ·',
            '<a href="/openapi.json">OpenAPI</a></p>',
            prose(info.get("description", "")) + self._navigation() + self._operations() + self._schemas(),
            "</body></html>\n",
        ]
        return "\n".join(lines)

    def _by_tag(self) -> dict[str, list[tuple[str, str, JsonObject]]]:
        found: dict[str, list[tuple[str, str, JsonObject]]] = {}
        for path, item in self._document["paths"].items():
            for method, operation in item.items():
                if isinstance(operation, dict) and "responses" in operation:
                    tag = (operation.get("tags") or ["operations"])[0]
                    found.setdefault(tag, []).append((method.upper(), path, operation))
        return found

    def _navigation(self) -> str:
        links = [f'<li><a href="#{escape(tag)}">{escape(tag)}</a></li>' for tag in (*self._by_tag(), "schemas")]
        return f"<nav><ul>{''.join(links)}</ul></nav>\n"

    def _operations(self) -> str:
        sections = []
        for tag, operations in self._by_tag().items():
            told = "".join(self._operation(*operation) for operation in operations)
            sections.append(f'<h2 id="{escape(tag)}">{escape(tag)}</h2>\n{told}')
        return "".join(sections)

    def _operation(self, method: str, path: str, operation: JsonObject) -> str:
        name = escape(operation.get("operationId", path))
        told = [
            f'<details id="{name}"><summary><b>{method}</b> <code>{escape(path)}</code> ',
            f"{escape(operation.get('summary', ''))}</summary>\n",
            prose(operation.get("description", "")) if operation.get("description") else "",
            self._parameters(operation),
        ]
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            told.append(f"<h4>Body: <code>{escape(kind)}</code>, {type_of(media.get('schema', {}))}</h4>\n")
            told.append(code(media["example"]) if "example" in media else "")
        told.append("<h4>Answers</h4>\n")
        told += [self._response(status, response) for status, response in operation["responses"].items()]
        if operation.get("x-promises"):
            told.append(f"<h4>Promises</h4>\n{code(operation['x-promises'])}")
        return "".join(told) + "</details>\n"

    def _parameters(self, operation: JsonObject) -> str:
        rows = []
        for entry in operation.get("parameters", []):
            parameter = self._followed(entry)
            name = f"<code>{escape(parameter['name'])}</code>" + (" (required)" if parameter.get("required") else "")
            schema = parameter.get("schema", {})
            words = parameter.get("description", schema.get("description", ""))
            rows.append((name, escape(parameter["in"]), type_of(schema), escape(words)))
        return table(("Parameter", "In", "Type", ""), rows)

    def _response(self, status: str, response: JsonObject) -> str:
        response = self._followed(response)
        told = f"<p><strong>{escape(status)}</strong> {escape(response.get('description', ''))}"
        headers = " ".join(f"<code>{escape(name)}</code>" for name in response.get("headers", {}))
        told += f'<br><span class="soft">{headers}</span></p>\n' if headers else "</p>\n"
        for kind, media in response.get("content", {}).items():
            told += f"<p><code>{escape(kind)}</code>: {type_of(media.get('schema', {}))}</p>\n"
            if status.startswith("2") and "example" in media:
                told += code(media["example"])
            elif media.get("examples"):
                told += "<p>" + " ".join(f"<code>{escape(name)}</code>" for name in media["examples"]) + "</p>\n"
        return told

    def _schemas(self) -> str:
        told = ['<h2 id="schemas">schemas</h2>\n']
        for name, schema in self._document.get("components", {}).get("schemas", {}).items():
            required = schema.get("required", [])
            rows = [
                (
                    f"<code>{escape(member)}</code>" + (" (required)" if member in required else ""),
                    type_of(part),
                    escape(part.get("description", "")),
                )
                for member, part in schema.get("properties", {}).items()
            ]
            words = f" {escape(schema['description'])}" if "description" in schema else ""
            body = table(("Member", "Type", ""), rows) or f"<p>{type_of(schema)}</p>"
            told.append(
                f'<details open id="schema-{escape(name)}"><summary><code>{escape(name)}</code>{words}</summary>\n'
                f"{body}</details>\n"
            )
        return "".join(told)

    def _followed(self, entry: JsonObject) -> JsonObject:
        """Return what a reference within the document points to."""
        while "$ref" in entry:
            found: Any = self._document
            for part in entry["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            entry = found
        return entry
