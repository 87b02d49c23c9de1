"""What a target sent, made fit to be shown: no control characters, no hidden direction, no more than a page needs.

Answers of a target are foreign text. An escape sequence in one must not drive a terminal, and a bidirectional override
must not turn a line round.
"""

from __future__ import annotations

import re
import unicodedata

HEX_WIDTH = 16
ASCII_SIGNS = {"\u2026": "~", "\u00b7": "-", "\u00d7": "x", "\u2013": "-", "\u2014": "-", "\u2588": "#", "\u2591": "."}
MAX_GROWTH = 3
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")  # fmt: skip # noqa: E501 - one class of characters
_JSON_PART = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|\s+', re.DOTALL)
_INDENT = "  "
MAX_INDENT = 12


def printable(text: str) -> str:
    """The text with control, direction and surrogate characters written as escapes; newline and tab stay."""
    return _UNFIT.sub(_escape, text.replace("\r\n", "\n"))


def is_printable(text: str) -> bool:
    """Whether `printable` leaves the text as it is."""
    return printable(text) == text


def one_line(text: str) -> str:
    """The text printable and on one line."""
    return " ".join(printable(text).split())


def clipped(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"


def ascii_only(text: str) -> str:
    """The text in ASCII for a terminal that has no more: no character becomes two, so that nothing grows wider."""
    return text if text.isascii() else "".join(map(_ascii, text))


def _ascii(character: str) -> str:
    if character in ASCII_SIGNS or character.isascii():
        return ASCII_SIGNS.get(character, character)
    if unicodedata.combining(character):
        return ""
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base.isascii() else "?"


def shown_body(body: bytes | None, limit: int) -> tuple[str, str]:
    """A body as text of about `limit` characters, and a note: what it is, its size, how much is left out.

    JSON is indented; nothing else of it is changed. What is no UTF-8 is shown as a hex dump.
    """
    if not body:
        return "", ""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        kept = body[: max(HEX_WIDTH, limit // 4)]
        return _hex(kept), f"binary, {_size(len(body))}{_left_out(len(body) - len(kept), 'bytes')}"
    kept_text = text[:limit]
    indented = _indented(kept_text) if text.lstrip()[:1] in {"{", "["} else kept_text
    shown = indented if len(indented) <= MAX_GROWTH * limit else kept_text
    return printable(shown), f"{_size(len(body))}{_left_out(len(text) - len(kept_text), 'characters')}"


def counted(count: int, one: str, many: str = "") -> str:
    """`1 finding`, `2 findings`, thousands set apart by commas."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - Latin-1 ends there


def _size(count: int) -> str:
    return counted(count, "byte")


def _left_out(count: int, unit: str) -> str:
    return f", {count:,} more {unit} in the history" if count > 0 else ""


def _hex(data: bytes) -> str:
    lines = []
    for start in range(0, len(data), HEX_WIDTH):
        part = data[start : start + HEX_WIDTH]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)  # noqa: PLR2004 - printable ASCII
        lines.append(f"{start:06x}  {part.hex(' '):<{HEX_WIDTH * 3}} {shown}")
    return "\n".join(lines)


def _indented(text: str) -> str:
    """JSON with line breaks between its members, by its tokens alone, so that a cut or double member stays visible."""
    out: list[str] = []
    depth, start = 0, 0
    for match in _JSON_PART.finditer(text):
        out.append(text[start : match.start()])
        start, part = match.end(), match[0]
        if part in {"{", "["}:
            empty = text[start : start + 1] in {"}", "]"}
            depth += 1
            out.append(part if empty else part + _line(depth))
        elif part in {"}", "]"}:
            empty = text[match.start() - 1 : match.start()] in {"{", "["}
            depth = max(0, depth - 1)
            out.append(part if empty else _line(depth) + part)
        elif part == ",":
            out.append(part + _line(depth))
        elif part == ":":
            out.append(": ")
        elif not part.isspace():
            out.append(part)
    return "".join([*out, text[start:]])


def _line(depth: int) -> str:
    return "\n" + _INDENT * min(depth, MAX_INDENT)
