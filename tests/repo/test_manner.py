"""The manner of the code: sizes, names, sentences and words that every file keeps to."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.repo.sources import PACKAGES, module, python, text, tracked, tree

MAX_LINES = 300
MAX_FUNCTION_LINES = 50
DRAWERS = {"util", "utils", "helper", "helpers", "common", "misc", "tools", "shared", "stuff"}
PRINTING = {"harness.cli", "harness.commands", "harness.load.user"}
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file."""
    return [node for node in ast.walk(tree(path)) if isinstance(node, FUNCTION)]


def test_files_are_short() -> None:
    """A source file has fewer than 300 lines."""
    long = {str(path): text(path).count("\n") for path in python(*PACKAGES, "tests")}
    assert {path: lines for path, lines in long.items() if lines >= MAX_LINES and not path.startswith("tests")} == {}


def test_functions_are_short() -> None:
    """A function has fewer than 50 lines."""
    long = [
        f"{path}:{node.lineno} {node.name} has {lines} lines"
        for path in python(*PACKAGES)
        for node in functions(path)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) >= MAX_FUNCTION_LINES
    ]
    assert long == []


def test_nothing_is_a_drawer() -> None:
    """No file and no folder has a name that says nothing of what is in it."""
    named = [str(path) for path in python(*PACKAGES, "tests") if DRAWERS & {Path(part).stem for part in path.parts}]
    assert named == []


def test_every_module_opens_with_a_sentence() -> None:
    """A file says in its first line what it is for."""
    silent = [str(path) for path in python(*PACKAGES) if not (ast.get_docstring(tree(path)) or "").strip()]
    assert silent == []


def test_every_test_says_the_behaviour() -> None:
    """A test's docstring is a sentence, and no two tests of a file share one."""
    wrong = []
    for path in python("tests"):
        told = [
            (node, (ast.get_docstring(node) or "").strip()) for node in functions(path) if node.name.startswith("test_")
        ]
        wrong += [f"{path}:{node.lineno} {node.name}" for node, sentence in told if not sentence.endswith((".", "?"))]
        sentences = [sentence for _, sentence in told]
        wrong += [f"{path}: {sentence}" for sentence in set(sentences) if sentences.count(sentence) > 1]
    assert wrong == []


def test_only_the_edge_prints() -> None:
    """What a person reads is written by the command, by renderers and by Locust's own tables; nothing else prints."""
    printing = [
        f"{path}:{node.lineno}"
        for path in python(*PACKAGES)
        if not module(path).startswith("harness.render") and module(path) not in PRINTING
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert [place for place in printing if not place.startswith("reference_impl/commands.py")] == []


def test_nothing_is_left_for_later() -> None:
    """No source holds a note of work to be done."""
    note = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    left = [f"{path}: {match[0]}" for path in python(*PACKAGES, "tests") for match in note.finditer(text(path))]
    assert left == []


def test_every_exception_to_a_rule_has_its_reason() -> None:
    """A line that silences a linter names the rule and says why."""
    good = re.compile(r"# noqa: [A-Z0-9]+(, [A-Z0-9]+)* - \S|# type: ignore\[[a-z-]+(, [a-z-]+)*\]\s+# \S")
    silenced = re.compile(r"#\s*(noqa\b|type:\s*ignore)")
    bare = [
        f"{path}:{number}"
        for path in python(*PACKAGES, "tests")
        if path.name != Path(__file__).name
        for number, line in enumerate(text(path).splitlines(), 1)
        if silenced.search(line) and not good.search(line)
    ]
    assert bare == []


def test_no_error_is_swallowed() -> None:
    """Only the command's outermost line, and what must clean up before it raises again, catch everything."""
    swallowing = [
        f"{path}:{handler.lineno}"
        for path in python(*PACKAGES)
        for handler in ast.walk(tree(path))
        if isinstance(handler, ast.ExceptHandler)
        and (handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id == "BaseException"))
        and not any(isinstance(node, ast.Raise) for node in ast.walk(handler))
    ]
    assert swallowing == []


def test_there_is_something_to_look_at() -> None:
    """The checks above saw the project: its packages, its tests and its documents."""
    assert {"harness/cli.py", "README.md", "tox.ini"} <= {str(path) for path in tracked()}
    assert len(python("tests")) > 10
