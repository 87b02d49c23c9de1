"""Writes what was recognised as an OpenAPI overlay: each entry below its evidence, what is not sure as a comment."""

from __future__ import annotations

import json
import re
import textwrap
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.recognition.sign import comment, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract import Contract, Operation
    from harness.recognition.sign import Sign, Unknown

WIDTH = 118
PLAIN = re.compile(r"[A-Za-z$/][\w/.$-]*", re.ASCII)
WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
HEAD = (
    "A start, written by `harness init` from {source}. Look at each line and its evidence, mend it, and take the # "
    "away from what the API does promise. What stands under x-promises is examined by `harness verify`."
)


def written(contract: Contract, source: str, signs: Sequence[Sign], unknown: Sequence[Unknown]) -> str:
    """The overlay's text: YAML that `harness contract lint --overlay` takes, whatever was recognised."""
    title = contract.document.get("info", {}).get("title", "the API")
    lines = [*_comment(HEAD.format(source=source), ""), "overlay: 1.0.0"]
    lines += [f"info: {_flow({'title': f'What {title} promises', 'version': '1'})}", "actions:"]
    lines += _document(contract, [sign for sign in signs if not sign.operation])
    by_operation: dict[str, list[Sign]] = defaultdict(list)
    for sign in signs:
        if sign.operation:
            by_operation[sign.operation].append(sign)
    for operation in contract.operations:
        if operation.id in by_operation:
            lines += ["", *_operation(operation, by_operation[operation.id])]
    if unknown:
        lines += ["", *_comment("Not recognised, and how to tell it:", "")]
        for item in unknown:
            lines += _comment(f"- {item.what}: {item.fix}", "")
    return "\n".join(lines) + "\n"


def _document(contract: Contract, signs: Sequence[Sign]) -> Iterator[str]:
    yield "  - target: $"
    yield "    update:"
    yield "      x-promises:"
    standing = [key for key in ("schema", "leaks") if key not in contract.defaults]
    yield from (f"        {key}: {{}}" for key in standing or ("schema",))
    by_key: dict[str, list[Sign]] = defaultdict(list)
    for sign in signs:
        by_key[sign.key].append(sign)
    for key, found in by_key.items():
        if key == "resource":
            yield "        resource:"
            for sign in found:
                yield from _comment(sign.evidence, " " * 10)
                yield f"          {_flow(sign.name)}: {_flow(sign.value)}"
        else:
            yield from _entries(key, found, " " * 8)


def _operation(operation: Operation, signs: Sequence[Sign]) -> Iterator[str]:
    """One action; one whose every entry is a comment is a comment itself."""
    _, path, method = pointer.tokens(operation.pointer)
    off = "" if any(sign.sure for sign in signs) else "# "
    target = f"$.paths['{path}'].{method}"
    yield f"  {off}- target: {_flow(target)}"
    yield f"  {off}  update:"
    yield f"  {off}    x-promises:"
    for sign in signs:
        if off:
            yield from _comment(sign.evidence, "  ", "#       # ")
            yield f"  #       {sign.key}: {_flow(sign.value)}"
        else:
            yield from _entries(sign.key, [sign], " " * 8)


def _entries(key: str, signs: Sequence[Sign], before: str) -> Iterator[str]:
    """One key; of several signs those that add up are joined in one list."""
    for sign in signs:
        yield from _comment(sign.evidence, before)
    value: Any = signs[0].value
    if isinstance(value, list):
        value = [item for sign in signs for item in sign.value]
    yield f"{before}{'' if signs[0].sure else '# '}{key}: {_flow(value)}"


def _comment(text: str, before: str, sign: str = "# ") -> list[str]:
    return textwrap.wrap(comment(text), WIDTH, initial_indent=before + sign, subsequent_indent=f"{before}{sign}  ",
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip


def _flow(value: Any) -> str:
    """A value on one line of YAML; a text that could be read as anything else is quoted as JSON quotes it."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_flow(str(key))}: {_flow(member)}' for key, member in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if not isinstance(value, str):
        return json.dumps(value)
    if PLAIN.fullmatch(value) and value.lower() not in WORDS:
        return value
    return quoted(value)
