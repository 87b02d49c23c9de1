"""A valid value for a JSON Schema, drawn with a given random source: small, plain, different each time.

Examples that the document gives are kept for what they are not unique in. This is no fuzzer: it makes the one ordinary
body that a case needs to get on; drivers of Hypothesis and Schemathesis make the strange ones.
"""

from __future__ import annotations

import base64
import re
import string
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from harness.contract.shape import flattened
from harness.errors import CannotTell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from harness.contract.contract import Contract

# Members that an API mostly wants to differ from one thing to the next, whatever its document gives as a default.
UNIQUE_NAMES = {"email", "slug", "username", "login"}
MAX_DEPTH = 8
MAX_REDRAWS = 50
SPREAD = 50
FINEST = Fraction(1, 10**12)
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Examples:
    """Draws values for the schemas of one contract. `nonce` makes strings of this draw unlike those of any other."""

    contract: Contract
    random: Random
    nonce: str

    def value(self, schema: Any, *, name: str = "", everything: bool = False) -> Any:
        """A valid value; required members only, or with `everything` the optional ones too.

        Raises CannotTell where the schema asks for what cannot be drawn.
        """
        return self._value(schema, name, 0, everything=everything)

    def _value(self, node: Any, name: str, depth: int, *, everything: bool) -> Any:
        schema = flattened(self.contract, node)
        if "const" in schema:
            return schema["const"]
        if "default" in schema and not _unique_name(name):
            return schema["default"]
        if schema.get("enum"):
            return self.random.choice([value for value in schema["enum"] if value is not None] or [None])
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, depth, everything=everything)
        if kind == "array":
            return self._array(schema, name, depth, everything=everything)
        return self._scalar(schema, name, kind)

    def _scalar(self, schema: Mapping[str, Any], name: str, kind: str) -> Any:
        if kind == "string":
            return self._string(schema, name)
        if kind in {"integer", "number"}:
            return self._number(schema, kind)
        return self.random.choice([True, False]) if kind == "boolean" else None

    def _object(self, schema: Mapping[str, Any], depth: int, *, everything: bool) -> dict[str, Any]:
        if depth > MAX_DEPTH:
            raise CannotTell("the schema of the request body nests deeper than can be drawn")
        properties: Mapping[str, Any] = schema.get("properties", {})
        required = list(dict.fromkeys(schema.get("required", ())))
        optional = [key for key in properties if key not in required] if everything and depth < MAX_DEPTH // 2 else []
        chosen = [
            key for key in (*required, *optional) if not self.contract.schema(properties.get(key)).get("readOnly")
        ]
        while len(chosen) < schema.get("minProperties", 0):
            spare = next((key for key in properties if key not in chosen), f"member{len(chosen)}")
            chosen.append(spare)
        others = schema.get("additionalProperties", {})
        return {key: self._value(properties.get(key, others), key, depth + 1, everything=everything) for key in chosen}

    def _array(self, schema: Mapping[str, Any], name: str, depth: int, *, everything: bool) -> list[Any]:
        count = max(schema.get("minItems", 0), min(1, schema.get("maxItems", 1)))
        if depth > MAX_DEPTH and not schema.get("minItems"):
            return []
        items = schema.get("items", {})
        drawn: list[Any] = []
        for _ in range(count * (MAX_REDRAWS if schema.get("uniqueItems") else 1)):
            value = self._value(items, name, depth + 1, everything=everything)
            if not schema.get("uniqueItems") or value not in drawn:
                drawn.append(value)
            if len(drawn) == count:
                return drawn
        if len(drawn) < count:
            raise CannotTell(f"{name or 'a list'} must hold {count} items that differ, and so many could not be drawn")
        return drawn

    def _number(self, schema: Mapping[str, Any], kind: str) -> int | float:
        step = Fraction(str(schema.get("multipleOf", 1 if kind == "integer" else "0.01")))
        if kind == "integer":
            step = Fraction(step.numerator)
        first, last = _multiples(schema, step)
        while first > last and kind == "number" and "multipleOf" not in schema and step > FINEST:
            step /= 10
            first, last = _multiples(schema, step)
        if first > last:
            raise CannotTell(f"no {kind} fits {dict(schema)}")
        drawn = self.random.randint(first, last) * step
        return int(drawn) if drawn.denominator == 1 else float(drawn)

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        made = self._formatted(schema.get("format", ""), name)
        low, high = schema.get("minLength", 0), schema.get("maxLength", 1 << 16)
        if made is not None and low <= len(made) <= high and re.search(schema.get("pattern", ""), made):
            return made
        if "pattern" in schema:
            return self._patterned(schema, name, low, high)
        made = self._fresh(name)
        return made[-high:] if len(made) > high > 0 else "" if high == 0 else made + self._letters(low - len(made))

    def _formatted(self, form: str, name: str) -> str | None:
        moment = EPOCH + timedelta(seconds=self.random.randrange(10**7))
        makers: dict[str, Callable[[], str]] = {
            "uuid": lambda: str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
            "email": lambda: f"{self.nonce}{self._letters(8)}@example.test",
            "date-time": lambda: moment.isoformat().replace("+00:00", "Z"),
            "date": lambda: moment.date().isoformat(),
            "time": lambda: moment.time().isoformat() + "Z",
            "uri": lambda: f"https://example.test/{self.nonce}{self._letters(8)}",
            "url": lambda: f"https://example.test/{self.nonce}{self._letters(8)}",
            "hostname": lambda: f"{self._letters(8)}.example.test",
            "ipv4": lambda: "192.0.2.1",
            "ipv6": lambda: "2001:db8::1",
            "byte": lambda: base64.b64encode(self._letters(6).encode()).decode(),
        }
        if form not in makers and re.sub(r"[^a-z]", "", name.lower()) in {"email", "emailaddress"}:
            form = "email"
        return makers[form]() if form in makers else None

    def _fresh(self, name: str) -> str:
        """A string that no other draw gives; a password of letters, digits and signs where the name asks for one."""
        return f"Pw1-{self._letters(12)}!" if is_password(name) else f"{name or 'text'}-{self.nonce}-{self._letters(5)}"

    def _patterned(self, schema: Mapping[str, Any], name: str, low: int, high: int) -> str:
        """A string that fits a pattern: a fresh one, by plain candidates or simple classes, else the example told."""
        pattern = schema["pattern"]
        letters = self._letters(max(8, low))
        for candidate in (
            self._fresh(name),
            f"{self.nonce}{letters}",
            f"{name}-{letters}",
            letters,
            letters.upper(),
            f"{self.random.randrange(10**8):08}",
            f"#{letters}",
        ):
            if low <= len(candidate) <= high and re.search(pattern, candidate):
                return candidate
        drawn = _from_classes(pattern, self.random)
        if drawn is not None and re.search(pattern, drawn) and low <= len(drawn) <= high:
            return drawn
        told = [example for example in (schema.get("example"), *schema.get("examples", ())) if example]
        if told:
            return str(told[0])
        raise CannotTell(
            f"no string could be drawn for the pattern {pattern!r} of {name or 'a value'}; give an example"
        )

    def _letters(self, count: int) -> str:
        return "".join(self.random.choice(string.ascii_lowercase) for _ in range(count))


def _multiples(schema: Mapping[str, Any], step: Fraction) -> tuple[int, int]:
    """The first and the last factor of the step that the bounds allow, at most fifty apart.

    Where no minimum is told the first is 1 or the next above, if the maximum allows it.
    """
    lows = [-(-_exact(schema[key]) // step) for key in ("minimum",) if key in schema]
    lows += [_exact(schema[key]) // step + 1 for key in ("exclusiveMinimum",) if key in schema]
    highs = [_exact(schema[key]) // step for key in ("maximum",) if key in schema]
    highs += [-(-_exact(schema[key]) // step) - 1 for key in ("exclusiveMaximum",) if key in schema]
    first = max(lows) if lows else min([int(-(-1 // step)), *highs])
    return first, min([first + SPREAD, *highs])


def _exact(value: float) -> Fraction:
    return Fraction(str(value))


def is_password(name: str) -> bool:
    """Whether a member of this name is a password, which wants letters, digits and signs."""
    return "password" in name.lower() or name.lower() == "passwd"


def _unique_name(name: str) -> bool:
    return name.lower() in UNIQUE_NAMES


def _kind(schema: Mapping[str, Any]) -> str:
    declared = schema.get("type")
    if isinstance(declared, list):
        declared = next((kind for kind in declared if kind != "null"), "null")
    if declared:
        return str(declared)
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _from_classes(pattern: str, random: Random) -> str | None:
    """A string for a pattern that is a row of literals and classes with counts; None for anything else."""
    body = pattern.removeprefix("^").removesuffix("$")
    token = re.compile(r"(\[[^\]^]+\]|\\[dw]|[A-Za-z0-9_ /:.@#-])(?:\{(\d+)(?:,(\d*))?\}|([+*?]))?")
    drawn, at = "", 0
    while at < len(body):
        match = token.match(body, at)
        if match is None:
            return None
        low = int(match[2]) if match[2] else 1 if match[4] in {None, "+"} else 0
        choices = _characters(match[1])
        drawn += "".join(random.choice(choices) for _ in range(max(low, 1 if match[4] == "+" else low)))
        at = match.end()
    return drawn


def _characters(kind: str) -> str:
    classes = {r"\d": string.digits, r"\w": string.ascii_lowercase}
    if not kind.startswith("["):
        return classes.get(kind, kind)
    inner = kind[1:-1].replace(r"\d", string.digits).replace(r"\w", string.ascii_lowercase)
    ranges = re.sub(r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), inner)
    return ranges.replace("\\", "") or "a"
