"""Another transport of an operation as the contract tells it: where a call goes, in which form, what answers are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.exchange import Outcome
from harness.promises.attempt import Attempt
from harness.promises.transports import orpc, plain
from harness.promises.transports.input import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Request, Response
    from harness.promises.transports.input import Input
    from harness.stage import Stage

KEY = "transports"
METHOD = "POST"
ALIKE, NESTED = "alike", "nested"
GATED = {401, 403, 429}
# What is said of a call's input alone, and neither of who calls, of the state of things, nor of what is served.
OF_THE_INPUT = {400, 413, 415, 422}


@dataclass(frozen=True, slots=True)
class Form:
    """A wire form: the content type and bytes of a call, and whether a successful answer is one of the form.

    `within` is the pointer at which an answer holds what the document's own would be. One that `nests` may have calls
    whose input keeps path, query and body apart.
    """

    body: Callable[[Input], tuple[str, bytes]]
    answers: Callable[[Response], bool]
    within: str = ""
    nests: bool = False


FORMS: Mapping[str, Form] = {
    "orpc": Form(orpc.body, orpc.answers, orpc.WITHIN, nests=True),
    "json": Form(plain.body, plain.answers),
}


@dataclass(frozen=True, slots=True)
class Door:
    """One transport at one operation; `path` is absolute on the server, without what a tenant puts before it."""

    name: str
    path: str
    form: Form

    @property
    def word(self) -> str:
        """What tells its steps, cases and findings: `over rpc`."""
        return f"over {self.name}"

    def through(
        self, stage: Stage, operation: Operation, request: Request, *, written: Callable[..., Input] = joined
    ) -> Request:
        """A request of the operation as it is sent here; it belongs to no operation of the document.

        `written` makes its input of it. Raises CannotTell where this transport has no words for it.
        """
        kind, body = self.form.body(written(stage.contract, operation, request))
        kept = tuple(pair for pair in request.headers if pair[0].lower() != "content-type")
        path = stage.actors.tenant_prefix(request.identity.tenant or stage.tenant) + self.path
        headers = (*kept, ("Content-Type", kind))
        secrets = tuple(f"{self.form.within}{place}" for place in request.secret_pointers)
        return replace(
            request,
            method=METHOD,
            path=path,
            operation="",
            query=(),
            headers=headers,
            body=body,
            secret_pointers=secrets,
        )

    def serves(self, allowed: Exchange, alike: Exchange | None) -> bool:
        """Whether the operation is served here: one that may is let in, or is refused as by the document's transport.

        The latter where both found no thing, say, and turned nobody away for who it is.
        """
        if self.let_in(allowed):
            return True
        refused = allowed.outcome is Outcome.REFUSED and allowed.status not in GATED
        return refused and alike is not None and alike.status == allowed.status

    def let_in(self, exchange: Exchange) -> bool:
        """Whether a call did its work: it succeeded, in an answer of this form and not in a page that is for all."""
        answer = exchange.response
        return answer is not None and Attempt("", "", exchange).let_in and self.form.answers(answer)


def doors(contract: Contract, operation: Operation) -> list[Door]:
    """The further transports of an operation, in the order of the contract."""
    return [
        Door(told["name"], _path(told, operation), FORMS[told["format"]])
        for told in contract.promise(KEY, operation) or ()
    ]


def _path(told: Mapping[str, Any], operation: Operation) -> str:
    if "path" in told:
        return str(told["path"])
    separator = told.get("separator", "/")
    name = separator.join(quote(part, safe="") for part in operation.id.split("."))
    return f"{told['prefix'].rstrip('/')}/{name}"
