"""Opening a run: configuration, target, contract and folder, and what is told where one of them is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from harness import session
from harness.config import Config, checked
from harness.contract import Contract
from harness.errors import TargetError, UsageError
from harness.session import Wanted
from harness.targets import ContainersTarget, ProcessTarget, UrlTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "One", "version": "1"},
    "paths": {"/one": {"get": {"operationId": "one", "responses": {"200": {"description": "fine"}}}}},
}
KNOWN = {"known": [{"name": "keeper", "roles": ["keeper"], "token": "{env:KEEPER}"}]}


class Standing:
    """A target that is there and sends nothing."""

    kind = "url"
    url = "http://127.0.0.1:9"

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        self.environment = environment or {}
        self.entered = self.left = 0

    def __enter__(self) -> Self:
        self.entered += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.left += 1

    def describe(self) -> dict[str, str]:
        """Its kind and address."""
        return {"kind": self.kind, "url": self.url}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path) -> Iterator[None]:
    """Works in the test's folder."""
    before = Path.cwd()
    os.chdir(tmp_path)
    yield
    os.chdir(before)


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> Standing:
    """What every configuration's target is in these tests."""
    target = Standing()
    monkeypatch.setattr(session, "chosen_target", lambda *_: target)
    Path("one.json").write_text(json.dumps(DOCUMENT))
    return target


def wanted(**told: object) -> Wanted:
    """A run of the small document."""
    return Wanted(**{"url": Standing.url, "contract": "one.json", "seed": 7, **told})  # type: ignore[arg-type]  # whatever a test changes


def test_an_open_run_has_all_that_a_driver_needs(standing: Standing) -> None:
    """The folder holds the contract, the attachment names folder, address and seed, the target is left at the end."""
    with session.opened(wanted()) as opened:
        (opened.folder / session.RUN_FILE).write_text("{}")
        assert (opened.attachment.url, opened.attachment.seed) == (Standing.url, 7)
        assert [operation.id for operation in opened.contract.operations] == ["one"]
        assert (opened.folder / "contract.json").is_file()
        assert opened.run_id == opened.folder.name
    assert opened.folder.is_dir()
    assert (standing.entered, standing.left) == (1, 1)


@pytest.mark.parametrize("error", [KeyboardInterrupt, TargetError, ZeroDivisionError])
def test_a_run_in_which_nothing_was_begun_leaves_no_folder(standing: Standing, error: type[BaseException]) -> None:
    """Whatever ended it before run.json was written, the folder goes, and the target is left."""
    with pytest.raises(error), session.opened(wanted()):
        raise error
    assert list(Path("reports").iterdir()) == []
    assert standing.left == 1


def test_variables_that_options_name_must_be_set(standing: Standing) -> None:
    """Each that is not is a line of one message; the target is left."""
    identities = {"known": [*KNOWN["known"], {"name": "b", "headers": {"X": "{env:SECOND}"}}]}
    with pytest.raises(UsageError) as caught, session.opened(wanted(identities=identities)):
        pass
    assert [problem.split(" ")[0] for problem in caught.value.problems] == ["KEEPER", "SECOND"]
    assert standing.left == 1


def test_variables_of_the_file_must_be_set_for_its_own_target(standing: Standing) -> None:
    """With --url the harness.toml here may be another API's, so that its identities are not held to."""
    Path("harness.toml").write_text(
        '[target]\nurl = "http://127.0.0.1:9"\n[[identities.known]]\nname = "a"\ntoken = "{env:KEEPER}"\n'
    )
    with pytest.raises(UsageError, match="KEEPER is not set"), session.opened(wanted(url="")):
        pass
    with session.opened(wanted()) as opened:
        assert opened.attachment.identities["known"][0]["token"] == "{env:KEEPER}"
    assert standing.left == 2


def test_only_named_variables_are_passed_on(standing: Standing) -> None:
    """Nothing else of an environment reaches the processes of the drivers."""
    standing.environment = {"KEEPER": "token", "OTHER": "secret"}
    with session.opened(wanted(identities=KNOWN)) as opened:
        assert opened.attachment.environment == {"KEEPER": "token"}
    assert "token" not in repr(opened.attachment)


def test_the_configuration_that_is_used() -> None:
    """A named file must be there; without one harness.toml here is read; with an address none is needed."""
    with pytest.raises(UsageError, match=r"other\.toml cannot be read"):
        session.configuration(Wanted(config=Path("other.toml")))
    with pytest.raises(UsageError, match=r"no harness.toml here and no --url"):
        session.configuration(Wanted())
    assert session.configuration(Wanted(url="http://127.0.0.1:9")).target == {}
    Path("harness.toml").write_text("[load]\nusers = 3\n")
    assert session.configuration(Wanted()).load == {"users": 3}


def test_the_target_that_is_chosen() -> None:
    """The address of an option goes before the file's process, and that before the file's address."""
    both = checked({"target": {"url": "http://127.0.0.1:1", "process": {"command": ["serve"]}}}, Path(), "here")
    chosen = session.chosen_target(Wanted(url="http://127.0.0.1:2/"), both)
    assert (type(chosen), chosen.url) == (UrlTarget, "http://127.0.0.1:2")
    assert isinstance(session.chosen_target(Wanted(), both), ProcessTarget)
    only = checked({"target": {"url": "http://127.0.0.1:1"}}, Path(), "here")
    assert session.chosen_target(Wanted(), only).url == "http://127.0.0.1:1"
    with pytest.raises(UsageError, match=r"names no target\n"):
        session.chosen_target(Wanted(), Config(Path()))


def test_the_target_that_is_named() -> None:
    """A kind goes before the file's order; one that the file lacks, or one beside an address, is told with the fix."""
    containers = {"image": "one:1", "port": 80}
    both = checked({"target": {"process": {"command": ["serve"]}, "containers": containers}}, Path(), "here")
    assert isinstance(session.chosen_target(Wanted(target="containers"), both), ContainersTarget)
    assert isinstance(session.chosen_target(Wanted(target="process"), both), ProcessTarget)
    assert isinstance(session.chosen_target(Wanted(), both), ProcessTarget)
    only = checked({"target": {"containers": containers}}, Path(), "here")
    assert isinstance(session.chosen_target(Wanted(), only), ContainersTarget)
    with pytest.raises(UsageError, match=r"write \[target.process\], or choose another; it has containers"):
        session.chosen_target(Wanted(target="process"), only)
    with pytest.raises(UsageError, match=r"both --url http://127.0.0.1:1 and --target containers are given"):
        session.chosen_target(Wanted(url="http://127.0.0.1:1", target="containers"), both)


def test_overlays_of_options_go_before_those_of_the_file() -> None:
    """The file's overlays belong to the file's contract: an option that names another has none of them."""
    config = checked({"contract": {"file": "a.json", "overlays": ["b.yaml"]}}, Path("there"), "here")
    assert session.overlay_paths(Wanted(), config) == [Path("there/b.yaml")]
    assert session.overlay_paths(Wanted(overlays=("c.yaml",)), config) == [Path("c.yaml")]
    assert session.overlay_paths(Wanted(contract="d.json"), config) == []


def test_latest_points_at_the_newest() -> None:
    """The link is moved at once and is never missing."""
    first, second = session.new_folder(Path("reports")), session.new_folder(Path("reports"))
    for folder in (first, second):
        session.point_latest(folder)
        assert (Path("reports") / session.LATEST).resolve() == folder
    assert {path.name for path in Path("reports").iterdir()} == {first.name, second.name, session.LATEST}


def test_identities_of_options_are_laid_over_those_of_the_file() -> None:
    """Known identities add up, those of options first; other tables are replaced."""
    told = {"roles": ["a"], "login": {"operation": "x"}, "known": [{"name": "file"}]}
    merged = session.merged_identities(told, {"login": {"operation": "y"}, "known": [{"name": "option"}]})
    assert merged == {"roles": ["a"], "login": {"operation": "y"}, "known": [{"name": "option"}, {"name": "file"}]}


@pytest.mark.parametrize(("named", "kept"), [(None, False), (Path("harness.toml"), True)])
def test_what_is_told_of_another_api_is_not_used_for_a_url(named: Path | None, *, kept: bool) -> None:
    """A harness.toml whose identities call what the contract lacks is left alone with a note, unless it is named."""
    login = {"operation": "auth.login", "body": {}, "token": "/token"}
    config = checked({"identities": {"login": login}, "scenarios": {"load": "shop.py"}}, Path.cwd(), "harness.toml")
    wanted = Wanted(url="http://127.0.0.1:9", config=named)
    fitting, notes = session.fitting(wanted, config, Contract(DOCUMENT))
    assert (fitting == config) is kept
    assert [("auth.login" in note and "--config" in note) for note in notes] == ([] if kept else [True])
