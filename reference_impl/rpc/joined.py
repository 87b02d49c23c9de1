"""Takes the one input of a call apart: path parameters and query members by their names, the rest is the body."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from reference_impl.contract.reading import BodyReader, QueryReader
from reference_impl.edge.endpoint import Input
from reference_impl.errors import invalid

if TYPE_CHECKING:
    from reference_impl.contract.procedure import Procedure

_PARAMETER = re.compile(r"\{(\w+)")


class JoinedInput:
    """The input of one procedure: `{...path parameters, ...query members, ...body members}`."""

    def __init__(self, procedure: Procedure) -> None:
        self._path = tuple(_PARAMETER.findall(procedure.path))
        self._query = QueryReader(procedure.query)
        self._body = BodyReader(procedure.input, partial=procedure.partial) if procedure.input else None
        members = {field.encode_name for field in msgspec.structs.fields(procedure.input)} if self._body else set()
        places = [set(self._path), set(self._query.names), members]
        if sum(map(len, places)) != len(set().union(*places)):
            raise ValueError(
                f"{procedure.id}: path, query and body are one input in RPC, so no two of their members may share "
                "a name: rename one."
            )

    def split(self, value: Any) -> Input:
        """Return the parts of an input as the procedure's types have them; VALIDATION_ERROR when they do not fit."""
        if value is UNSET:
            value = {}
        if not isinstance(value, dict):
            raise invalid("input", "expected an object")
        members = dict(value)
        path = {name: _text(name, members.pop(name, None)) for name in self._path}
        query = self._query.convert({name: members.pop(name) for name in self._query.names & members.keys()})
        if self._body is not None:
            return Input(path, query, self._body.convert(members))
        for name in members:
            raise invalid("input", f"unknown member {name[:80]!r}")
        return Input(path, query)


def _text(name: str, value: Any) -> str:
    """Return a path parameter: text such as a path can hold."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise invalid(name, "expected text" if value is not None else "it is required")
    return value
