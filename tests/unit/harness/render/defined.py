"""What a finding's test file defines."""

from __future__ import annotations

from types import ModuleType


def defined(text: str) -> ModuleType:
    """The file as a module; it is never run as a test of this suite."""
    module = ModuleType("test_alone")
    exec(compile(text, "test_alone.py", "exec"), module.__dict__)  # noqa: S102 - that Python can be read from it is tested
    return module
