"""The catalogue of findings as a person reads it: docs/findings.md, and what `harness codes` says."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from harness.codes import CODES
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.codes import Code

HEAD = """# Findings

Every finding has a code of this page; its fingerprint (code, operation and kind, hashed) is the same in every run. The page is written from `harness/codes.toml`, which a test holds it to:

```console
$ harness codes --markdown
$ harness codes roles.role-allowed
```

The severity is the usual one; where a judge departs from it, the text says so. WFC numbers are those of Web Fuzzing Commons (the enum `DefinedFaultCategory` of its release 0.9.0; F121, F122, F207
and F311 as Schemathesis 4.32 writes them), OWASP numbers those of the [API Security Top 10 2023](https://owasp.org/API-Security/editions/2023/en/0x11-t10/). A code has one only where the other list says the same.
"""  # noqa: E501 - lines of the page


def page() -> str:
    """The whole of docs/findings.md."""
    parts = [HEAD]
    for promise, group in groupby(CODES.items(), key=lambda item: item[0].split(".")[0]):
        parts.append(f"## {promise}\n")
        parts += [f"{_section(name, code)}\n" for name, code in group]
    return "\n".join(parts)


def table() -> str:
    """A line for each code: how bad it is and its title."""
    wide = max(map(len, CODES))
    return "\n".join(f"{name:{wide}}  {code.severity.value:8}  {code.title}" for name, code in CODES.items())


def one(name: str) -> str:
    """Everything about one code; raises UsageError where there is none of this name."""
    code = CODES.get(name)
    if code is None:
        near = [known for known in CODES if known.startswith(f"{name.partition('.')[0]}.")]
        known = ", ".join(near) or ", ".join(sorted({known.split(".")[0] for known in CODES}))
        raise UsageError(f"there is no code {name!r}", [f"known are {known}", "all stand in `harness codes`"])
    lines = [f"{name}: {code.title} ({code.severity.value})", f"  what it means  {code.means}"]
    lines.append(f"  how to mend    {code.mend}")
    known_as = _known_as(code)
    return "\n".join([*lines, *([f"  known as       {known_as}"] if known_as else [])])


def _section(name: str, code: Code) -> str:
    known_as = _known_as(code)
    return "\n".join(
        [
            f"### {name}",
            "",
            f"**{code.title}** · {code.severity.value}{f' · {known_as}' if known_as else ''}",
            "",
            f"{code.means}",
            "",
            f"*Mend*: {code.mend}",
            *(["", f"Told once: by {' or '.join(code.told_by)} where that is found too."] if code.told_by else []),
        ]
    )


def _known_as(code: Code) -> str:
    """The numbers in other catalogues, those that a kind has among them."""
    by_kind = [f"WFC F{number} (kind {form})" for form, number in code.wfc_by_kind.items()]
    return ", ".join([*code.references(), *by_kind])
