"""What goes from the parent to the subprocess, and what must not stand in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.identities import Identity
from harness.load import plan as module
from harness.load.plan import Plan, PlanError
from harness.load.timetable import Shape

WHO = Identity("ada", ("admin",), "alpha", (("Authorization", "Bearer s3cret-token"),), {"id": "s3cret-id"})
PLAN = Plan(
    "http://127.0.0.1:1", Path("run"), 100, 5, seed=3, shape=Shape.UNIFORM, identities=(WHO,), options={"a": [1]}
)


def test_a_plan_reads_back_with_its_secrets() -> None:
    """File and secrets together make the same plan."""
    assert Plan.from_json(PLAN.to_json(), PLAN.secrets_to_json()) == PLAN


def test_the_file_holds_no_secret() -> None:
    """Neither a header nor a fact of an identity stands in the file."""
    assert "s3cret" not in PLAN.to_json()
    assert "s3cret-token" in PLAN.secrets_to_json()


def test_secrets_leave_the_environment_once_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the subprocess starts later does not inherit them; without the variable there is no plan."""
    monkeypatch.delenv(module.VARIABLE, raising=False)
    assert module.plan_of_environment() is None
    place = tmp_path / "plan.json"
    place.write_text(PLAN.to_json())
    monkeypatch.setenv(module.VARIABLE, str(place))
    monkeypatch.setenv(module.SECRETS_VARIABLE, PLAN.secrets_to_json())
    assert module.plan_of_environment() == PLAN
    assert module.SECRETS_VARIABLE not in module.os.environ


@pytest.mark.parametrize("change", [('"v": 1', '"v": 9'), ('"url"', '"uri"')])
def test_a_plan_of_another_version_is_refused(change: tuple[str, str]) -> None:
    """A member that is unknown or missing is an error, not a default."""
    with pytest.raises(PlanError):
        Plan.from_json(PLAN.to_json().replace(*change), "")
