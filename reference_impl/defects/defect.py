"""What a planted defect says about itself, and the ways to put it in a part's place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reference_impl.procedures.catalogue import PROCEDURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.application import Parts
    from reference_impl.edge.authentication import Authentication

EVERY_OPERATION = tuple(procedure.id for procedure in PROCEDURES)


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect: where it comes from (`id`), what is wrong, and which findings count as having caught it."""

    id: str
    title: str
    codes: tuple[str, ...]
    operations: tuple[str, ...]
    plant: Callable[[Parts], Parts]
    profile: str = "1"

    def described(self) -> dict[str, Any]:
        """Return the row that `python -m reference_impl.defects list` prints."""
        return {
            "id": self.id,
            "title": self.title,
            "profile": self.profile,
            "codes": list(self.codes),
            "operations": list(self.operations),
        }


def changed(procedure_id: str, **changes: Any) -> Callable[[Parts], Parts]:
    """Return the planting that gives one procedure other fields."""
    if procedure_id not in EVERY_OPERATION:
        raise ValueError(f"{procedure_id} is no procedure: correct the defect.")

    def plant(parts: Parts) -> Parts:
        procedures = tuple(
            replace(procedure, **changes) if procedure.id == procedure_id else procedure
            for procedure in parts.procedures
        )
        return replace(parts, procedures=procedures)

    return plant


def identifying(authentication: type[Authentication]) -> Callable[[Parts], Parts]:
    """Return the planting of another authentication."""
    return lambda parts: replace(parts, authentication=authentication)


def unchecked(planting: Callable[[Parts], Parts]) -> Callable[[Parts], Parts]:
    """Return the planting with the database's own checks off, which would refuse the defect's rows."""

    def plant(parts: Parts) -> Parts:
        return replace(planting(parts), pragmas=("ignore_check_constraints=ON",))

    return plant
