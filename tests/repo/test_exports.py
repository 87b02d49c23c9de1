"""What a package exports is there, is documented, and is listed in order."""

from __future__ import annotations

import importlib
import inspect

import pytest

from tests.repo.sources import PACKAGES, modules, text, within

EXPORTING = sorted(
    name
    for name, path in modules().items()
    if any(within(name, package) for package in PACKAGES) and "\n__all__ = " in text(path)
)


@pytest.mark.parametrize("name", EXPORTING)
def test_exports_exist_and_are_documented(name: str) -> None:
    """Each name of `__all__` leads to something; what it is, if it is a class or a function, is said there."""
    package = importlib.import_module(name)
    assert sorted(package.__all__) == list(package.__all__)
    silent = [
        member
        for member in package.__all__
        if (inspect.isclass(value := getattr(package, member)) or inspect.isfunction(value))
        and not inspect.getdoc(value)
    ]
    assert silent == []


def test_the_contract_and_the_targets_are_exported() -> None:
    """The packages that others build on say what is theirs to use."""
    assert {"harness.contract", "harness.targets"} <= set(EXPORTING)
