"""What all tests share: how Hypothesis draws, and which tests start whole processes and so run on one interpreter."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Each of these starts servers, Locust or Schemathesis in processes of their own, test by test.
STARTING = tuple(Path(__file__).parent / name for name in ("unit/harness/drivers", "integration"))

settings.register_profile(
    "tests",
    deadline=None,  # a machine that is busy is no fault of an example
    derandomize="CI" in os.environ,  # a submission is judged by the same examples each time
    suppress_health_check=[HealthCheck.too_slow],  # same
)
settings.load_profile("tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks as slow what starts whole processes."""
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in STARTING):
            item.add_marker(pytest.mark.slow)
