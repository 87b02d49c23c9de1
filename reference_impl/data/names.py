"""Which names a tenant may have."""

from __future__ import annotations

from reference_impl.settings.reader import TENANT_NAME


def tenant_name(name: str) -> str:
    """Return a name that a tenant may have; ValueError with the rule otherwise."""
    if not TENANT_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no tenant's name: use 1 to 63 of a-z, 0-9 and -, no - at an end.")
    return name
