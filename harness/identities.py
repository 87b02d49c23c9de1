"""Who a request speaks for: an identity as the API knows it, with the headers that prove it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CREDENTIALS, GIVEN = "credentials", "given"


@dataclass(frozen=True, slots=True)
class Identity:
    """One caller. `headers` carry its credentials and never show in a repr or a history.

    `facts` are what the API told about it (its id, its e-mail), by the names that harness.toml gives them; one whose
    token or key was given from outside has `credentials: given`.
    """

    name: str
    roles: tuple[str, ...] = ()
    tenant: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    facts: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def id(self) -> str:
        """The id that the API gave this identity; empty where it is not known."""
        return self.facts.get("id", "")


ANONYMOUS = Identity("anonymous")
