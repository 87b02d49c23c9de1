"""Reads bodies and queries into msgspec structs as JSON Schema means it: 1.0 is an integer, true is not."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec

from reference_impl.contract.strictness import ESCAPED_NUL, Names, nul_in, twice_in
from reference_impl.contract.upload import Upload
from reference_impl.errors import ApiError, ErrorDetail, invalid
from reference_impl.price import Price, price_of, price_of_text

if TYPE_CHECKING:
    from collections.abc import Callable

_INTEGER = re.compile(r"(-?(?:0|[1-9][0-9]{0,18}))(?:\.0{1,18})?")
_AT = re.compile(r" - at `(.+)`$")
_LARGEST_EXPONENT = 20
_MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidOperation, ValueError)


def hook(kind: type, value: Any) -> Any:
    """Decode the types msgspec does not know."""
    if kind is Price:
        return value if isinstance(value, Price) else price_of(value)
    if kind is Upload:
        if isinstance(value, Upload):
            return value
        raise ValueError("expected a file")
    raise NotImplementedError(kind)


def refused(error: Exception) -> ApiError:
    """Return the VALIDATION_ERROR for what msgspec says about a value."""
    text = str(error)
    match = _AT.search(text)
    field = match[1].removeprefix("$").removeprefix(".") if match else "body"
    message = _AT.sub("", text)
    return ApiError("VALIDATION_ERROR", f"{field}: {message}", details=(ErrorDetail(field, message),))


class BodyReader:
    """Reads one body type."""

    def __init__(self, kind: Any, *, partial: bool = False) -> None:
        self._kind = kind
        self._partial = partial
        self._optional = [field.name for field in msgspec.structs.fields(kind) if not field.required] if partial else []
        self._typed = msgspec.json.Decoder(kind, dec_hook=hook, float_hook=Decimal)
        self._names = Names(kind)

    def read(self, raw: bytes) -> Any:
        """Return the value; VALIDATION_ERROR when it is malformed or does not fit."""
        try:
            value = self._checked(self._typed.decode(raw))
        except msgspec.ValidationError:
            value = self.convert(json_value(raw))
        except _MALFORMED as error:
            raise invalid("body", "it is not well-formed JSON") from error
        if ESCAPED_NUL in raw:
            json_value(raw)
        refuse_twice(raw, self._names.twice_in)
        return value

    def convert(self, value: Any) -> Any:
        """Return a decoded JSON value as the type has it; integral numbers are integers."""
        try:
            return self._checked(msgspec.convert(integral(value), self._kind, dec_hook=hook))
        except msgspec.ValidationError as error:
            raise refused(error) from error
        except _MALFORMED as error:
            raise invalid("body", "it is not well-formed JSON") from error

    def _checked(self, value: Any) -> Any:
        if self._partial and all(getattr(value, name) is msgspec.UNSET for name in self._optional):
            raise invalid("body", "name at least one member to change")
        return value


def refuse_twice(raw: bytes | str, find: Callable[[Any], str | None] = twice_in) -> None:
    """VALIDATION_ERROR when an object of this JSON text names a member twice."""
    try:
        name = find(raw)
    except RecursionError as error:  # its reader goes less deep than the one before it
        raise invalid("body", "it is nested too deeply") from error
    if name is not None:
        raise invalid(name[:80], "it may stand once only")


_untyped = msgspec.json.Decoder(float_hook=Decimal)


def json_value(raw: bytes | str, field: str = "body") -> Any:
    """Return a JSON text's value, its numbers exact; VALIDATION_ERROR when it is malformed or holds U+0000."""
    try:
        value = _untyped.decode(raw)
        # Six characters after an escaped backslash look like the escape and are none.
        suspect = ESCAPED_NUL in (raw if isinstance(raw, bytes) else raw.encode())
        place = nul_in(value) if suspect else None
    except _MALFORMED as error:
        raise invalid(field, "it is not well-formed JSON") from error
    if place is not None:
        raise invalid(place or field, "it holds U+0000, which no text may")
    return value


def integral(value: Any) -> Any:
    """Return a JSON value with its integral decimals as integers, when they are small enough to be wanted."""
    if isinstance(value, Decimal):
        if value.adjusted() <= _LARGEST_EXPONENT and value == value.to_integral_value():
            return int(value)
        return value
    if isinstance(value, dict):
        return {key: integral(item) for key, item in value.items()}
    if isinstance(value, list):
        return [integral(item) for item in value]
    return value


def least_members(kind: Any) -> int:
    """Return how many members a partial body has at least: those required, and one to change."""
    return 1 + sum(field.required for field in msgspec.structs.fields(kind))


class QueryReader:
    """Reads one query type: no unknown name, no name twice."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._parsers: dict[str, Any] = {}
        if kind is not None:
            self._parsers = {field.encode_name: _parser(field.type) for field in msgspec.structs.fields(kind)}
        self._required = kind is not None and any(field.required for field in msgspec.structs.fields(kind))
        self._default = None if kind is None or self._required else msgspec.convert({}, kind)

    def read(self, raw: bytes) -> Any:
        """Return the value; VALIDATION_ERROR naming the parameter when it does not fit."""
        if not raw and not self._required:
            return self._default
        try:
            pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
        except ValueError as error:
            raise invalid("query", "it is not well-formed") from error
        values: dict[str, Any] = {}
        for name, text in pairs:
            parse = self._parsers.get(name)
            if parse is None:
                raise invalid("query", f"unknown parameter {name[:80]!r}")
            if "\0" in text:
                raise invalid(name, "it holds U+0000, which no text may")
            if name in values:
                raise invalid(name, "it may stand once only")
            try:
                values[name] = parse(text)
            except ValueError as error:
                raise invalid(name, str(error)) from error
        return self.convert(values)

    @property
    def names(self) -> frozenset[str]:
        """The names it knows."""
        return frozenset(self._parsers)

    def convert(self, values: dict[str, Any]) -> Any:
        """Return decoded values by name as the type has them."""
        if self._kind is None:
            return None
        try:
            return msgspec.convert(integral(values), self._kind, dec_hook=hook)
        except msgspec.ValidationError as error:
            raise refused(error) from error


def _parser(kind: Any) -> Any:
    """Return the function from text to the value msgspec checks."""
    bare = kind
    while get_origin(bare) not in (None, Literal):
        bare = next(part for part in get_args(bare) if part is not msgspec.UnsetType)
    if bare is int:
        return _integer
    if bare is Price:
        return price_of_text
    return str


def _integer(text: str) -> int:
    match = _INTEGER.fullmatch(text)
    if match is None:
        raise ValueError("expected an integer")
    return int(match[1])
