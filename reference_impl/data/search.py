"""Search that both engines agree on: text case folded when it is written, looked for with LIKE."""

from __future__ import annotations

import re

_WILD = re.compile(r"([\\%_])")


def folded(*texts: str) -> str:
    """Return what a search looks in."""
    return "\n".join(texts).casefold()


def containing(search: str) -> str:
    r"""Return the pattern, for `LIKE ? ESCAPE '\'`, of texts that hold the search itself."""
    literal = _WILD.sub(r"\\\1", search.casefold())
    return f"%{literal}%"
