"""What a case is given to work with: the contract, its identities and tenant, and fresh values; nothing that sends."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness import canary
from harness.contract.example import Examples
from harness.exchange import Headers, Request
from harness.identities import ANONYMOUS, Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from harness.actors import Actors
    from harness.contract import Contract

NO_BODY: Any = object()


def _ignored(_value: str, _kind: str) -> None:
    """Where nothing is recorded, nothing needs masking."""


@dataclass(slots=True)
class Stage:
    """One case's world. `nonce` is unlike that of any other case-run, so its values meet no other's data.

    `secret` tells the recorder a value to mask, before it is sent. `taken` names known identities that are in use.
    `again` says that this run is to show once more what one before it found.
    `familiar` is set by a case in which one identity a tenant and role makes whatever is needed; else each is fresh.
    """

    contract: Contract
    actors: Actors
    random: Random
    nonce: str
    tenant: str = ""
    secret: Callable[[str, str], None] = _ignored
    source: str = ""
    taken: list[str] = field(default_factory=list)
    again: bool = False
    familiar: dict[tuple[str, str], Identity] | None = field(default=None, repr=False)
    _count: int = 0

    @property
    def examples(self) -> Examples:
        """Draws valid values for the contract's schemas."""
        return Examples(self.contract, self.random, self.nonce)

    def unique(self, prefix: str = "v") -> str:
        """A short text that no other call gives."""
        self._count += 1
        return f"{prefix}{self.nonce}{self._count}"

    def elsewhere(self, tenant: str, *, marked: bool = True) -> Stage:
        """The same case's world in another tenant; what it writes there shows that tenant's mark, or none."""
        nonce = canary.kin(self.nonce, tenant, marked=marked)
        return replace(self, tenant=tenant, nonce=nonce, _count=0)

    def anonymous(self) -> Identity:
        """Nobody, in this case's tenant."""
        return self.actors.anonymous(self.tenant)

    def request(  # noqa: PLR0913 - the parts of a request, all by name
        self,
        operation_id: str,
        *,
        path: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = NO_BODY,
        headers: Headers = (),
        identity: Identity = ANONYMOUS,
        step: str = "",
        secret_pointers: tuple[str, ...] = (),
    ) -> Request:
        """A request of an operation; values of the path are percent-encoded, a body other than bytes is sent as JSON.

        Raises KeyError where the contract has no such operation.
        """
        operation = self.contract.by_id[operation_id]
        concrete = self.actors.tenant_prefix(identity.tenant or self.tenant) + operation.path
        for name, value in (path or {}).items():
            concrete = concrete.replace(f"{{{name}}}", quote(str(value), safe=""))
        data: bytes | None = None
        extra: Headers = ()
        if body is not NO_BODY and body is not None:
            declared = operation.json_body()
            data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
            if not any(name.lower() == "content-type" for name, _ in headers):
                extra = (("Content-Type", declared.media_type if declared else "application/json"),)
        return Request(
            method=operation.method,
            path=concrete,
            operation=operation_id,
            query=tuple((name, str(value)) for name, value in (query or {}).items()),
            headers=(*headers, *extra),
            body=data,
            identity=identity,
            step=step,
            source=self.source,
            secret_pointers=(*secret_pointers, *self.contract.secrets(operation)),
        )
