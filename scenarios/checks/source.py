"""The reference implementation's own files, read and not imported."""

from __future__ import annotations

import ast
import re
import sqlite3
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
API = ROOT / "reference_impl"
MIGRATIONS = API / "migrations"
# Planted defects are wrong on purpose, and DoSQL is an application of its own.
LEFT_OUT = {"defects", "dosql"}
VERB = re.compile(r"(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b")


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the API by its path below reference_impl/."""
    return {
        str(path.relative_to(API)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(API.rglob("*.py"))
        if not LEFT_OUT & set(path.relative_to(API).parts)
    }


@cache
def functions() -> tuple[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef], ...]:
    """Every function of every module, with the module's path."""
    return tuple(
        (name, node)
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def statements() -> list[tuple[str, str]]:
    """Every SQL text that stands whole in a module, with the module's path."""
    return [
        (name, node.value)
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and VERB.match(node.value)
    ]


def migrations() -> list[Path]:
    """The migrations that lead upwards, in order."""
    return [path for path in sorted(MIGRATIONS.glob("*.sql")) if ".down" not in path.suffixes]


def database() -> sqlite3.Connection:
    """An empty database with every migration of SQLite applied."""
    connection = sqlite3.connect(":memory:")
    for path in migrations():
        if ".postgresql" not in path.suffixes:
            connection.executescript(path.read_text(encoding="utf-8"))
    return connection


def text(name: str) -> str:
    """A file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")
