"""What the service takes and answers."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_impl.contract.fields import NO_NUL
from reference_impl.errors import invalid

LARGEST = 2**63 - 1
Sql = Annotated[str, Meta(min_length=1, max_length=100_000, pattern=NO_NUL, examples=["SELECT name FROM shelf"])]
Text = Annotated[str, Meta(pattern=NO_NUL, examples=["text"])]
Whole = Annotated[int, Meta(ge=-LARGEST - 1, le=LARGEST, examples=[1])]
Count = Annotated[int, Meta(ge=0, le=LARGEST, examples=[1])]


class Blob(msgspec.Struct, forbid_unknown_fields=True):
    """Bytes, which JSON has not: in base64."""

    base64: Annotated[str, Meta(pattern="^[A-Za-z0-9+/]*={0,2}$", examples=["AAE="])]


Value = Whole | float | Text | bool | Blob | None
Values = Annotated[list[Value], Meta(max_length=1000, examples=[[]])]


class StatementInput(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One statement; its values come as parameters `?` only, never within the text."""

    sql: Sql
    params: Values = []  # msgspec copies an empty list for each value


class Expectation(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A guard: how many rows an operation must answer, or change; otherwise nothing of the transaction is kept."""

    rows: Count | UnsetType = UNSET
    changes: Count | UnsetType = UNSET


class Operation(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One step of a transaction."""

    kind: Literal["query", "queryOne", "run"]
    sql: Sql
    params: Values = []
    expect: Expectation | UnsetType = UNSET


class TransactionInput(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Steps that are kept together or not at all."""

    operations: Annotated[list[Operation], Meta(min_length=1, max_length=100)]


class Rows(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Every row, by column name."""

    rows: list[dict[str, Value]]


class OneRow(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The first row, or null."""

    row: dict[str, Value] | None


class Changes(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """How many rows changed, the row id of the last insert, and the rows of a RETURNING clause."""

    changes: Count
    last_insert_rowid: Whole
    rows: list[dict[str, Value]]


class Result(msgspec.Struct, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """What one step answered: `rows`, `row` or `changes`, as its kind asks."""

    rows: list[dict[str, Value]] | UnsetType = UNSET
    row: dict[str, Value] | UnsetType | None = UNSET
    changes: Count | UnsetType = UNSET
    last_insert_rowid: Whole | UnsetType = UNSET


class Results(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """One result a step, in their order."""

    results: list[Result]


def bound(values: list[Any]) -> tuple[Any, ...]:
    """Return parameters as SQLite takes them; VALIDATION_ERROR when base64 is none."""
    found: list[Any] = []
    for position, value in enumerate(values):
        if isinstance(value, Blob):
            try:
                found.append(base64.b64decode(value.base64, validate=True))
            except binascii.Error as error:
                raise invalid(f"params[{position}]", "it is not base64") from error
        else:
            found.append(value)
    return tuple(found)


def shown(value: Any) -> Any:
    """Return a column as JSON has it."""
    return Blob(base64.b64encode(value).decode()) if isinstance(value, bytes) else value
