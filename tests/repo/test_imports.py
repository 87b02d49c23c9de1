"""ARCHITECTURE.md's picture and walls are what the imports say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repo.sources import Block, blocks, imports, modules, reached, within

ARCHITECTURE = Path("ARCHITECTURE.md")
LAYERS = [line.split() for block in blocks(ARCHITECTURE, "layers") for line in block.body.splitlines() if line]
WALLS = [line.split() for block in blocks(ARCHITECTURE, "walls") for line in block.body.splitlines() if line]


def part(name: str) -> str:
    """The file or folder of harness/ that a module lies in; empty for the package itself."""
    return [*name.split("."), ""][1]


def test_the_picture_is_there() -> None:
    """ARCHITECTURE.md has the two blocks that these tests read."""
    assert len(LAYERS) > 5
    assert len(WALLS) > 5
    assert isinstance(blocks(ARCHITECTURE, "layers")[0], Block)


def test_every_part_stands_once_in_the_picture() -> None:
    """No file or folder of harness/ is missing from the layers, and none that is gone is left."""
    drawn = [name for line in LAYERS for name in line]
    parts = {part(name) for name in modules() if within(name, "harness")} - {"", "__init__"}
    assert sorted(drawn) == sorted(parts)


def test_imports_point_one_way() -> None:
    """A module imports only from lines below its own, or from its own folder."""
    line_of = {name: number for number, line in enumerate(LAYERS) for name in line}
    against = [
        f"{name} imports {imported}"
        for name in modules()
        if within(name, "harness") and part(name)
        for imported in imports(name)
        if within(imported, "harness") and part(imported) and part(imported) != part(name)
        if line_of.get(part(imported), -1) <= line_of.get(part(name), -1)
    ]
    assert against == []


@pytest.mark.parametrize("wall", WALLS, ids=" ".join)
def test_a_wall_holds(wall: list[str]) -> None:
    """What one side must not import, or only one side may, is so."""
    if wall[0] == "only":
        owners = wall[1 : wall.index("imports")]
        foreign = wall[wall.index("imports") + 1 :]
        against = [
            f"{name} imports {imported}"
            for name in modules()
            if not any(within(name, owner) for owner in owners)
            for imported in imports(name)
            if any(within(imported, package) for package in foreign)
        ]
    else:
        package, never, how, *foreign = wall
        assert never == "never"
        looked_at = [name for name in modules() if within(name, package)]
        assert looked_at, f"{package} is no module; the wall is out of date"
        against = [
            f"{name} {how} {imported}"
            for name in looked_at
            for imported in (imports(name) if how == "imports" else reached(name))
            if any(within(imported, other) for other in foreign)
        ]
    assert against == []


def test_a_breach_would_be_seen() -> None:
    """The graph is not empty: what is known to import the patching packages is seen to, near and far."""
    assert "locust" in imports("harness.load.user")
    assert any(within(name, "schemathesis") for name in reached("harness.drivers.fuzz.__main__"))
    assert "harness.exits" in reached("harness.cli")
