"""One operation of the contract: what it takes, what it may answer, and what it promises."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.contract.form import FORMS

EVENT_STREAM = "text/event-stream"

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter; `pointer` is where its schema stands in the document."""

    name: str
    place: str
    required: bool
    schema: Mapping[str, Any]
    pointer: str
    example: Any = None


@dataclass(frozen=True, slots=True)
class Body:
    """One media type of a request or a response; `pointer` is where its schema stands, empty where it has none.

    `encoding` is what a form's document tells of single members, by name.
    """

    media_type: str
    pointer: str
    schema: Mapping[str, Any]
    example: Any = None
    encoding: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """One documented response: its media types, the headers it must carry, and where each header's schema stands."""

    status: str
    bodies: tuple[Body, ...] = ()
    required_headers: tuple[str, ...] = ()
    header_pointers: tuple[tuple[str, str], ...] = ()
    links: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path template. `secured` says that the contract asks for an identity.

    `schemes` are the ways to prove one: the security schemes of each, all of which it takes together.
    """

    id: str
    method: str
    path: str
    parameters: tuple[Parameter, ...] = ()
    bodies: tuple[Body, ...] = ()
    body_required: bool = False
    answers: tuple[Answer, ...] = ()
    secured: bool = False
    optional_security: bool = False
    schemes: tuple[tuple[str, ...], ...] = ()
    promises: Mapping[str, Any] = field(default_factory=dict)
    pointer: str = ""

    @property
    def reads(self) -> bool:
        """Whether the method is safe (RFC 9110, 9.2.1)."""
        return self.method in {"GET", "HEAD", "OPTIONS"}

    @property
    def streams(self) -> bool:
        """Whether it answers events that may go on for ever: it has a beginning to judge and no time that it takes."""
        bodies = [body for answer in self.answers if answer.status.startswith("2") for body in answer.bodies]
        return bool(bodies) and all(body.media_type.lower().startswith(EVENT_STREAM) for body in bodies)

    @property
    def path_parameters(self) -> tuple[Parameter, ...]:
        """The parameters that stand in the path, in the document's order."""
        return tuple(parameter for parameter in self.parameters if parameter.place == "path")

    def json_body(self) -> Body | None:
        """The JSON request body; None where the operation takes none."""
        return next((body for body in self.bodies if is_json(body.media_type)), None)

    def form_body(self) -> Body | None:
        """The form that an operation without a JSON body takes; None where it takes none."""
        if self.json_body() is not None:
            return None
        return next((body for body in self.bodies if body.media_type.lower() in FORMS), None)

    def answer(self, status: int) -> Answer | None:
        """The documented response for a status: the number, then its class (`4XX`), then `default`."""
        wanted = (str(status), f"{status // 100}XX", "default")
        by_status = {answer.status.upper(): answer for answer in self.answers}
        return next((by_status[key.upper()] for key in wanted if key.upper() in by_status), None)

    def success(self) -> Answer | None:
        """The first documented 2xx response."""
        return next((answer for answer in self.answers if answer.status.startswith("2")), None)


ELSEWHERE = Operation(id="", method="", path="")
"""What a call belongs to that the contract does not have: a method that its path lacks, or a path of none."""


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON or built on it (RFC 6839)."""
    essence = media_type.split(";", maxsplit=1)[0].strip().lower()
    return essence in {"application/json", "text/json"} or essence.endswith("+json")
