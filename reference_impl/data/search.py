"""Search that both engines agree on: text case folded when it is written, looked for with LIKE."""

from __future__ import annotations

import re

_WILD = re.compile(r"([\\%_])")
# A noncharacter (Unicode, 23.7), so that what is looked for does not reach from one text into the next.
_BETWEEN = "\U0010ffff"


def folded(*texts: str) -> str:
    """Return what a search looks in."""
    return _BETWEEN.join(texts).casefold()


def containing(search: str) -> str:
    r"""Return the pattern, for `LIKE ? ESCAPE '\'`, of texts that hold the search itself."""
    literal = _WILD.sub(r"\\\1", search.casefold())
    return f"%{literal}%"
