"""Settings from the environment, checked all at once: every problem names the value, the rule and the fix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reference_impl.settings.dosql import DoSql, dosql
from reference_impl.settings.edge import Edge, edge
from reference_impl.settings.identity import Identity, OAuth, identity, oauth
from reference_impl.settings.limits import Limits, limits
from reference_impl.settings.observe import Observe, observe
from reference_impl.settings.reader import PROFILES, Reader, SettingsError
from reference_impl.settings.realtime import Realtime, realtime
from reference_impl.settings.storage import Cache, Objects, Storage, cache, objects, storage

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Settings:
    """What one process runs with, a section a noun."""

    profile: str
    storage: Storage
    objects: Objects
    cache: Cache
    edge: Edge
    limits: Limits
    identity: Identity
    oauth: OAuth
    realtime: Realtime
    observe: Observe
    dosql: DoSql


def load(environment: Mapping[str, str]) -> Settings:
    """Read every setting; SettingsError with all problems when one is wrong or unknown."""
    profile = environment.get("API_PROFILE", "development")
    problems: list[str] = []
    if profile not in PROFILES:
        problems.append(f"API_PROFILE={profile!r} is refused: it must be one of {', '.join(PROFILES)}. Correct it.")
        profile = "development"
    settings = _read(Reader(environment, profile, problems))
    known = _known_names()
    problems += [
        f"{name} is not a setting: the prefix API_ is ours. Remove it or correct the name."
        for name in sorted(environment)
        if name.startswith("API_") and name not in known
    ]
    if problems:
        raise SettingsError(problems)
    return settings


def _read(reader: Reader) -> Settings:
    return Settings(
        profile=reader.profile,
        storage=storage(reader),
        objects=objects(reader),
        cache=cache(reader),
        edge=edge(reader),
        limits=limits(reader),
        identity=identity(reader),
        oauth=oauth(reader),
        realtime=realtime(reader),
        observe=observe(reader),
        dosql=dosql(reader),
    )


def _known_names() -> frozenset[str]:
    """Return every name `load` asks for, by asking for them."""
    asked: list[str] = ["API_PROFILE"]

    class Asked(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            asked.append(name)
            return default

    _read(Reader(Asked(), "verify", []))
    return frozenset(asked)
