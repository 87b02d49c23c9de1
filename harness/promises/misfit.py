"""Where a JSON value breaks a schema of the contract beyond doubt.

A validator is exact; servers and their languages are not of one mind about patterns, lengths and formats. A misfit is
told only where every common reading agrees that the rule is broken, so that no correct API is blamed for its dialect.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from harness.contract import pointer
from harness.mask import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import jsonschema_rs

    from harness.contract import Contract

MASKED = PLACEHOLDER.rstrip("]")
MAX_MISFITS = 20
MAX_SHOWN = 80
NEAR = 1e-9
SERVER_FORMATS = {"uuid", "date", "date-time", "time", "ipv4", "ipv6"}
UNSURE_RULES = {"not", "contentEncoding", "contentMediaType", "custom", "referencing", "fromUtf8"}
HEX_DIGITS = re.compile(r"[0-9a-fA-F]{32}")
DATE_LIKE = re.compile(r"\s*[+-]?\d{4,}")


class Side(StrEnum):
    """Who wrote the value: the client (a request) or the server (a response). Each has members the other must set."""

    CLIENT = "readOnly"
    SERVER = "writeOnly"


@dataclass(frozen=True, slots=True)
class Misfit:
    """One broken rule: `place` is a pointer with `*` for what varies, `rule` the keyword, `message` names the value."""

    place: str
    rule: str
    message: str
    value: Any = None

    @property
    def kind(self) -> str:
        """Stable words for a fingerprint: the place and the rule."""
        return f"{self.place or '/'} {self.rule}"


def misfits(contract: Contract, at: str, value: Any, side: Side) -> list[Misfit]:
    """Every rule that the value clearly breaks, of the schema at a pointer of the document; none where unsure."""
    validator = contract.validator(at) if at else None
    if validator is None:
        return []
    try:
        if validator.is_valid(value):
            return []
        if not _plain(value):
            return []
        return [
            Misfit(_place(error), _rule(told), _message(told), error.instance)
            for error, _ in zip(validator.iter_errors(value), range(MAX_MISFITS), strict=False)
            if _clear(contract, error, side)
            for told in (_meant(error),)
        ]
    except (ValueError, RecursionError):  # a value that cannot be handed to the validator at all
        return []


def _meant(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """The one rule that a value of a union breaks where its type picks one branch: of `date-time or null`, the format.

    Where no branch takes its type, that is the rule. The union itself where more branches than one take the type, or
    where that branch breaks below the value itself.
    """
    kind: Any = error.kind
    if kind.name not in {"anyOf", "oneOf"} or type(kind).__name__ == "OneOfMultipleValid":
        return error
    at = error.instance_path
    own = [[inner.kind.name for inner in branch if inner.instance_path == at] for branch in kind.context]
    fitting = [branch for branch, rules in zip(kind.context, own, strict=True) if "type" not in rules]
    if not fitting and all(len(branch) == 1 for branch in kind.context):
        return _meant(kind.context[0][0])
    if len(fitting) != 1 or len(fitting[0]) != 1 or fitting[0][0].instance_path != at:
        return error
    return _meant(fitting[0][0])


def _plain(value: Any) -> bool:
    """Whether a JSON value says the same everywhere: no infinite number, no half of a surrogate pair."""
    for place, leaf in pointer.leaves(value):
        if isinstance(leaf, float) and not math.isfinite(leaf):
            return False
        if any(
            "\ud800" <= character <= "\udfff" for text in (place, leaf) if isinstance(text, str) for character in text
        ):
            return False
    return True


def _place(error: jsonschema_rs.ValidationError) -> str:
    """The instance's pointer with `*` for an index and for a member that the schema does not name."""
    rules = [str(token) for token in error.evaluation_path]
    named = {after for before, after in pairwise(rules) if before == "properties"}
    tokens = [token if isinstance(token, str) and token in named else "*" for token in error.instance_path]
    missing = getattr(error.kind, "property", None) if error.kind.name == "required" else None
    return "".join(f"/{pointer.escape(token)}" for token in [*tokens, *([str(missing)] if missing else [])])


def _rule(error: jsonschema_rs.ValidationError) -> str:
    name = error.kind.name
    return {"required": "missing", "additionalProperties": "extra member", "unevaluatedProperties": "extra member"}.get(
        name, name
    )


def _message(error: jsonschema_rs.ValidationError) -> str:
    return error.message if len(error.message) <= MAX_SHOWN * 2 else f"{error.message[: MAX_SHOWN * 2]}..."


def _clear(contract: Contract, error: jsonschema_rs.ValidationError, side: Side) -> bool:
    """Whether the rule is broken in every common reading of it."""
    kind: Any = error.kind  # the stub has no members of the single kinds
    value = error.instance
    rule = kind.name
    if rule in UNSURE_RULES or _has_mask(value):
        return False
    if rule == "required":
        return not _set_elsewhere(contract, error, str(kind.property), side)
    if rule in {"anyOf", "oneOf"}:
        return type(kind).__name__ != "OneOfMultipleValid" and all(
            any(_clear(contract, inner, side) for inner in branch) for branch in kind.context
        )
    if isinstance(value, str):
        return _text_is_wrong(rule, kind, value, side)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_is_wrong(rule, kind, value)
    return True


def _has_mask(value: Any) -> bool:
    return any(
        MASKED in text for place, leaf in pointer.leaves(value) for text in (place, leaf) if isinstance(text, str)
    )


def _set_elsewhere(contract: Contract, error: jsonschema_rs.ValidationError, name: str, side: Side) -> bool:
    """Whether the missing member is one that the other side sets, or that a default stands in for."""
    location = unquote((error.absolute_keyword_location or "").partition("#")[2])
    holder = pointer.get(contract.document, location.rpartition("/")[0])
    properties = holder.get("properties") if isinstance(holder, dict) else None
    member = _joined(contract, (properties or {}).get(name))
    return side.value in member or (side is Side.CLIENT and "default" in member)


def _joined(contract: Contract, node: Any) -> dict[str, Any]:
    """The keywords of a schema and of what it joins by allOf."""
    own = dict(node) if isinstance(node, dict) else {}
    schema = {**contract.schema(node), **own}
    for part in schema.get("allOf", ()):
        schema = {**contract.schema(part), **schema}
    return {key: value for key, value in schema.items() if value is not False}


def _text_is_wrong(rule: str, kind: Any, value: str, side: Side) -> bool:
    limit: int = getattr(kind, "limit", 0)
    if rule == "format":
        return (side is Side.SERVER and kind.format in SERVER_FORMATS) or clearly_not(kind.format, value)
    if rule == "pattern":
        return _no_dialect_finds(kind.pattern, value)
    if rule == "minLength":
        return len(value.encode()) < limit
    if rule == "maxLength":
        return len(unicodedata.normalize("NFC", value).strip()) > limit
    if rule in {"enum", "const"} and side is Side.CLIENT:
        options: Sequence[Any] = kind.options if rule == "enum" else [kind.expected_value]
        return value.strip().casefold() not in {option.casefold() for option in options if isinstance(option, str)}
    return True


def _no_dialect_finds(pattern: str, value: str) -> bool:
    """Whether Python's reading of the pattern refuses the value too, trimmed or not."""
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError):
        return False
    return not any(compiled.search(text) for text in (value, value.strip()))


def clearly_not(form: str, value: str) -> bool:
    """Whether a string is of a format in no reading; False for formats about which readings differ."""
    text = value.strip()
    if form == "uuid":
        bare = text.removeprefix("urn:uuid:").strip("{}").replace("-", "")
        return HEX_DIGITS.fullmatch(bare) is None
    if form in {"date", "date-time"}:
        return DATE_LIKE.match(text) is None
    return form == "email" and "@" not in text


def _number_is_wrong(rule: str, kind: Any, value: float) -> bool:
    """A bound or step that is broken in doubles too, since many servers know no other number."""
    try:
        rounded = float(value)
    except OverflowError:
        return rule not in {"multipleOf", "enum", "const"}
    limit = getattr(kind, "limit", None)
    if isinstance(limit, int | float) and rule in {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}:
        return _beyond(rule, rounded, float(limit), exact=isinstance(value, int))
    if rule == "multipleOf":
        steps = rounded / float(kind.multiple_of)
        return math.isfinite(steps) and abs(steps - round(steps)) > NEAR * max(1.0, abs(steps))
    return True


def _beyond(rule: str, value: float, limit: float, *, exact: bool) -> bool:
    """Whether a bound is passed; a fraction that reads as the bound itself may have been rounded to it."""
    if value == limit:
        return exact and rule.startswith("exclusive")
    return value < limit if rule.endswith("inimum") else value > limit


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object in a JSON value: its name and what it holds."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name, member
            yield from members(member)
    elif isinstance(value, list):
        for member in value:
            yield from members(member)
