"""The project's own sources, as the tests of its architecture see them: tracked files, modules and their imports."""

from __future__ import annotations

import ast
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("harness", "scenarios", "reference_impl")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git holds, by its path from the root."""
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()  # noqa: S607 - git of the machine
    return tuple(path for path in map(Path, filter(None, told.split("\0"))) if (ROOT / path).is_file())


def text(path: Path) -> str:
    """A tracked file's text; empty where it is none."""
    try:
        return (ROOT / path).read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def python(*folders: str) -> list[Path]:
    """Tracked Python files below the folders."""
    return [path for path in tracked() if path.suffix == ".py" and path.parts[0] in folders]


def module(path: Path) -> str:
    """The name that a file is imported by."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(text(path), str(path))


@cache
def modules() -> dict[str, Path]:
    """Every module of the project and of its tests, with its file."""
    return {module(path): path for path in python(*PACKAGES, "tests")}


@cache
def imports(name: str) -> frozenset[str]:
    """What a module imports when it runs, at its head or inside a function; imports for types only are left out."""
    found: set[str] = set()
    stack: list[ast.AST] = [tree(modules()[name])]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            stack += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {member if member in modules() else node.module for member in members}
        stack += ast.iter_child_nodes(node)
    return frozenset(found)


def within(name: str, package: str) -> bool:
    """Whether a module is the package or lies in it."""
    return name == package or name.startswith(f"{package}.")


@cache
def reached(name: str) -> frozenset[str]:
    """Everything that importing a module may import, near or far, the project's own and others'; parents included."""
    seen: set[str] = set()
    queue = [name]
    while queue:
        current = queue.pop()
        if current in seen:
            continue
        seen.add(current)
        parts = current.split(".")
        queue += [parent for parent in (".".join(parts[:end]) for end in range(1, len(parts))) if parent in modules()]
        if current in modules():
            queue += imports(current)
    return frozenset(seen - {name})


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a Markdown file: what it is marked as, its lines, and where it begins."""

    kind: str
    body: str
    place: str


def blocks(path: Path, kind: str) -> list[Block]:
    """The blocks of a kind in a Markdown file, in their order."""
    content = text(path)
    return [
        Block(match[1], match[2], f"{path}:{content[: match.start()].count(chr(10)) + 1}")
        for match in re.finditer(r"^```([\w-]*)\n(.*?)^```$", content, re.MULTILINE | re.DOTALL)
        if match[1] == kind
    ]
