"""What the parent tells the subprocess: a JSON file without secrets, and the secrets in its environment.

The file's path comes in HARNESS_LOAD_PLAN. It names the identities and their roles; their headers and facts come as one
JSON object in HARNESS_LOAD_SECRETS, which the subprocess forgets once it has read it, so that no token is on the disk.
Without the first variable a locustfile is run by hand, and there is no plan.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.identities import Identity
from harness.load.timetable import Shape, Timetable

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "HARNESS_LOAD_PLAN"
SECRETS_VARIABLE = "HARNESS_LOAD_SECRETS"
SCHEMA_VERSION = 1


class PlanError(ValueError):
    """A plan that this version did not write; the message names the member."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One load run. `run` is the run's folder; `users` journeys are walked side by side at least.

    One in `whole_one_of` exchanges is written whole, beside every failure and what took longer than `whole_above_ms`.
    `options` are the journey's own.
    """

    url: str
    run: Path
    rate_per_s: float
    duration_s: float
    warm_up_s: float = 2.0
    seed: int = 0
    shape: Shape = Shape.POISSON
    users: int = 20
    timeout_s: float = 10.0
    whole_one_of: int = 100
    whole_above_ms: float | None = None
    identities: tuple[Identity, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def timetable(self) -> Timetable:
        """When its requests are due."""
        return Timetable(self.rate_per_s, self.duration_s, self.warm_up_s, self.seed, self.shape)

    def to_json(self) -> str:
        """What stands in the file: everything but the identities' headers and facts."""
        record = {
            **asdict(self),
            "run": str(self.run),
            "identities": [
                {"name": identity.name, "roles": identity.roles, "tenant": identity.tenant}
                for identity in self.identities
            ],
        }
        return json.dumps({"v": SCHEMA_VERSION, **record}, indent=2)

    def secrets_to_json(self) -> str:
        """What goes into the environment: the headers and facts of each identity, by its name."""
        return json.dumps(
            {
                identity.name: {"headers": identity.headers, "facts": dict(identity.facts)}
                for identity in self.identities
            }
        )

    @classmethod
    def from_json(cls, text: str, secrets: str) -> Plan:
        """The plan that `to_json` and `secrets_to_json` wrote."""
        record = json.loads(text)
        if record.pop("v", None) != SCHEMA_VERSION:
            raise PlanError(f"v is not {SCHEMA_VERSION}: another version of the harness wrote this plan")
        hidden = json.loads(secrets or "{}")
        identities = tuple(_identity(who, hidden.get(who["name"], {})) for who in record.pop("identities"))
        try:
            run, shape = Path(record.pop("run")), Shape(record.pop("shape"))
            return cls(run=run, shape=shape, identities=identities, **record)
        except (KeyError, TypeError) as error:
            raise PlanError(f"a plan lacks or has too much: {error}") from error


def plan_of_environment() -> Plan | None:
    """The plan that this process was started with; None where it was started by hand."""
    place = os.environ.get(VARIABLE)
    if not place:
        return None
    return Plan.from_json(Path(place).read_text(encoding="utf-8"), os.environ.pop(SECRETS_VARIABLE, ""))


def _identity(who: Mapping[str, Any], hidden: Mapping[str, Any]) -> Identity:
    headers = tuple((name, value) for name, value in hidden.get("headers", ()))
    return Identity(who["name"], tuple(who["roles"]), who["tenant"], headers, hidden.get("facts", {}))
