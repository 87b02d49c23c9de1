"""The few places where PostgreSQL wants the one body of SQL written otherwise."""

from __future__ import annotations

import functools
import itertools
import re

_PART = re.compile(r"""--[^\n]*|'[^']*'|"[^"]*"|\?""")
_TEXT_COLUMN = re.compile(r"--[^\n]*|'[^']*'|\bTEXT\b")
_TABLE = re.compile(r"(?:\s|--[^\n]*\n)*(?:CREATE|ALTER)\s+TABLE\b", re.IGNORECASE)


@functools.lru_cache(maxsize=4096)
def spelled(sql: str, *, lock: bool = False) -> str:
    """Return a text with `$1`, `$2` for `?` outside quotes; `lock` asks for its rows' locks.

    The text columns of a table sort by bytes, as SQLite's do, whatever the database's locale.
    """
    count = itertools.count(1)
    text = _PART.sub(lambda part: f"${next(count)}" if part[0] == "?" else part[0], sql)
    if _TABLE.match(text):
        text = _TEXT_COLUMN.sub(lambda part: 'TEXT COLLATE "C"' if part[0] == "TEXT" else part[0], text)
    return f"{text} FOR UPDATE" if lock else text
