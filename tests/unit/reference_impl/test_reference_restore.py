"""Back-ups that are not whole, restores that fail midway, and who may read what is written; on both engines."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reference_impl.data.sqlite_restore import locked
from tests.unit.reference_impl.conftest import changed
from tests.unit.reference_impl.operator_calls import asked, emptied, names

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_impl.settings import Settings
    from tests.unit.reference_impl.conftest import Shop
    from tests.unit.reference_impl.operator_calls import Operator

ROOT = Path(__file__).parents[3]
USERS = "SELECT id, email, password_hash FROM users ORDER BY id"


@pytest.fixture
def source(open_shop: Callable[..., Shop]) -> Settings:
    """An installation of two tenants with an admin in each."""
    return open_shop().application.settings


@pytest.fixture
def folder(source: Settings, command: Operator, tmp_path: Path) -> Path:
    """Its back-up."""
    made = tmp_path / "backups" / "monday"
    assert "written: alpha, beta" in command(source, "backup", "--to", str(made))
    return made


@pytest.fixture
def target(open_settings: Callable[..., Settings]) -> Settings:
    """An installation without a tenant."""
    return emptied(open_settings())


def users_file(folder: Path, tenant: str) -> Path:
    """The file of a back-up that holds a tenant's users."""
    found = [folder / f"{tenant}.sqlite", folder / tenant / "users.copy"]
    return next(path for path in found if path.exists())


def rewritten(folder: Path, path: Path, data: bytes) -> None:
    """Puts other bytes into a file, and into the list that they were written so."""
    path.write_bytes(data)
    told = json.loads((folder / "backup.json").read_bytes())
    told["files"][path.relative_to(folder).as_posix()] = hashlib.sha256(data).hexdigest()
    (folder / "backup.json").write_text(json.dumps(told))


def refused(command: Operator, target: Settings, folder: Path) -> str:
    """What is told of a back-up that is refused: one line, and no tenant made."""
    told = command(target, "restore", "--from", str(folder))
    assert (command.code, told.count("\n"), names(target)) == (2, 1, [])
    return told


def test_a_missing_file_is_named(folder: Path, target: Settings, command: Operator) -> None:
    """Whichever file is gone, the message names it and what to do, and nothing is restored."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "backup.json"]
    assert files
    for path in (files[0], users_file(folder, "alpha"), users_file(folder, "beta")):
        kept = path.read_bytes()
        path.unlink()
        told = refused(command, target, folder)
        assert told == f"{path} cannot be read (No such file or directory): bring it back, or use another back-up.\n"
        path.write_bytes(kept)
    assert "restored: alpha, beta" in command(target, "restore", "--from", str(folder))


@pytest.mark.parametrize("part", ["first", "middle", "last", "end"])
def test_a_broken_file_is_named(folder: Path, target: Settings, command: Operator, part: str) -> None:
    """One byte that is another, or missing at the end, is enough, wherever it stands."""
    path = users_file(folder, "beta")
    data = bytearray(path.read_bytes())
    if part == "end":
        del data[-1]
    else:
        data[{"first": 0, "middle": len(data) // 2, "last": -1}[part]] ^= 1
    path.write_bytes(data)
    told = f"{path} is not as it was written, its SHA-256 differs: use another back-up.\n"
    assert refused(command, target, folder) == told


def test_a_restore_that_fails_at_the_second_tenant_leaves_none_and_can_be_repeated(
    source: Settings, folder: Path, target: Settings, command: Operator
) -> None:
    """A second tenant that was written damaged keeps the first out too; mended, the same command restores both."""
    path = users_file(folder, "beta")
    data = path.read_bytes()
    for damage in (b"no rows of a table", data[: len(data) // 2]):
        rewritten(folder, path, damage)
        assert "use another back-up" in refused(command, target, folder)
    rewritten(folder, path, data)
    assert "restored: alpha, beta" in command(target, "restore", "--from", str(folder))
    assert [asked(target, name, USERS) for name in ("alpha", "beta")] == [
        asked(source, name, USERS) for name in ("alpha", "beta")
    ]


def test_a_list_that_names_what_is_no_tenant_is_refused(folder: Path, target: Settings, command: Operator) -> None:
    """A name that leads out of the folder is none."""
    told = json.loads((folder / "backup.json").read_bytes())
    (folder / "backup.json").write_text(json.dumps({**told, "tenants": ["../alpha"]}))
    assert "backup.json names '../alpha', which is no tenant's name" in refused(command, target, folder)


def test_a_back_up_is_its_owners_alone(folder: Path) -> None:
    """Its folders are 0700 and its files 0600, whatever the process's mask says."""
    modes = {path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}
    folders = {path.relative_to(folder).as_posix() for path in (folder, *folder.rglob("*")) if path.is_dir()}
    assert {name for name, mode in modes.items() if mode == 0o700} == folders
    assert {mode for name, mode in modes.items() if name not in folders} == {0o600}


def test_an_empty_folder_becomes_its_owners_alone(source: Settings, command: Operator, tmp_path: Path) -> None:
    """One that was there for others to read is closed to them before a row is in it."""
    (tmp_path / "open").mkdir(mode=0o755)
    assert "written" in command(source, "backup", "--to", str(tmp_path / "open"))
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o700


def test_a_back_up_is_on_the_disk_before_its_list_counts(
    source: Settings, command: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file and folder of it is forced first, then the list, then the names that lead there."""
    forced: list[Path] = []
    whole: list[bool] = []
    really = os.fsync
    folder = tmp_path / "backup"

    def fsync(descriptor: int) -> None:
        forced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        whole.append((folder / "backup.json").exists())
        really(descriptor)

    monkeypatch.setattr("os.fsync", fsync)
    assert "written" in command(source, "backup", "--to", str(folder))
    before = {path for path, counts in zip(forced, whole, strict=True) if not counts}
    assert {path for path in folder.rglob("*") if path.name != "backup.json"} <= before
    assert folder / "backup.json.part" in before
    assert forced[-2:] == [folder, tmp_path]
    assert whole[-2:] == [True, True]


@pytest.mark.engines("sqlite")
def test_what_a_killed_restore_left_is_no_hindrance(
    folder: Path, target: Settings, command: Operator, tmp_path: Path
) -> None:
    """Half-made files beside the tenants' are made anew; a log of another file's is not played into a tenant's."""
    tenants = target.storage.data / "tenants"
    tenants.mkdir(parents=True)
    for name in ("alpha.part", "alpha.part-wal", "beta.part-shm"):
        (tenants / name).write_bytes(b"half")
    (tenants / "beta.sqlite-wal").write_bytes(b"another's")
    assert "beta.sqlite-wal was left by another beta.sqlite: move it away" in refused(command, target, folder)
    (tenants / "beta.sqlite-wal").rename(tmp_path / "kept")
    assert "restored: alpha, beta" in command(target, "restore", "--from", str(folder))
    assert sorted(path.name for path in tenants.iterdir()) == ["alpha.sqlite", "beta.sqlite"]


@pytest.mark.engines("sqlite")
def test_restored_files_are_on_the_disk(
    folder: Path, target: Settings, command: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each tenant's file is forced before it has its name, and its folder after."""
    forced: list[str] = []
    really = os.fsync

    def fsync(descriptor: int) -> None:
        forced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        really(descriptor)

    monkeypatch.setattr("os.fsync", fsync)
    assert "restored" in command(target, "restore", "--from", str(folder))
    assert forced == ["alpha.part", "beta.part", "restore.json.part", *["tenants"] * 3]


@pytest.mark.engines("sqlite")
def test_a_restore_that_is_killed_anywhere_is_finished_by_the_next(
    source: Settings, folder: Path, target: Settings, tmp_path: Path
) -> None:
    """Killed before each call that changes the disk, it leaves whole tenants or none; the next places the rest."""
    command = [sys.executable, "-m", "tests.unit.reference_impl.killed_restore", str(folder), str(tmp_path / "deaths")]
    ended = subprocess.run(command, capture_output=True, check=False, text=True, timeout=100, cwd=ROOT)
    assert (ended.returncode, ended.stderr) == (0, "")
    deaths = [json.loads(line) for line in ended.stdout.splitlines()]
    both = ["alpha.sqlite", "beta.sqlite"]
    assert ["alpha.sqlite"] in [death["found"] for death in deaths], "one came between two tenants"
    for death in deaths:
        assert death["after"] == both, death
        whole = "alpha, beta exist: a restore replaces nothing; move them away, or use other data."
        assert death["told"] in {"alpha, beta", whole if death["found"] == both else ""}, death
    before = [asked(source, name, USERS) for name in ("alpha", "beta")]
    for death in deaths:
        data = changed(target, data=Path(death["data"]))
        assert [asked(data, name, USERS) for name in ("alpha", "beta")] == before


@pytest.fixture
def cut_short(folder: Path, target: Settings, command: Operator) -> Path:
    """The folder of tenants as a restore leaves it that is killed when alpha is placed."""
    tenants = target.storage.data / "tenants"
    assert "restored" in command(target, "restore", "--from", str(folder))
    (tenants / "beta.sqlite").rename(tenants / "beta.part")
    (tenants / "alpha.part").hardlink_to(tenants / "alpha.sqlite")
    identity = hashlib.sha256((folder / "backup.json").read_bytes()).hexdigest()
    told = {"identity": identity, "files": ["alpha.sqlite", "beta.sqlite"]}
    (tenants / "restore.json").write_text(json.dumps(told))
    return tenants


@pytest.mark.engines("sqlite")
def test_what_was_written_since_a_killed_restore_is_kept(
    folder: Path, cut_short: Path, target: Settings, command: Operator
) -> None:
    """A tenant that was placed may be in use by then: the next restore places the other and does not touch it."""
    asked(target, "alpha", "UPDATE users SET name = 'Changed since'")
    assert "restored: alpha, beta" in command(target, "restore", "--from", str(folder))
    assert asked(target, "alpha", "SELECT DISTINCT name FROM users") == [[("Changed since",)]]
    assert sorted(path.name for path in cut_short.iterdir()) == ["alpha.sqlite", "beta.sqlite"]


@pytest.mark.engines("sqlite")
def test_a_killed_restore_is_not_finished_by_another_back_up(
    source: Settings, cut_short: Path, target: Settings, command: Operator, tmp_path: Path
) -> None:
    """Tenants of two back-ups are not mixed: the way out is named; a tenant made since by somebody is nobody's part."""
    assert "written" in command(source, "backup", "--to", str(tmp_path / "tuesday"))
    told = command(target, "restore", "--from", str(tmp_path / "tuesday"))
    assert told == (
        "A restore of another back-up was cut short when alpha.sqlite was placed: "
        f"repeat that one first, or move {cut_short} away.\n"
    )
    (cut_short / "alpha.sqlite").unlink()
    assert "restored: alpha, beta" in command(target, "restore", "--from", str(tmp_path / "tuesday"))


@pytest.mark.engines("sqlite")
def test_a_tenant_that_was_made_since_is_not_taken_for_a_restored_one(
    folder: Path, cut_short: Path, target: Settings, command: Operator
) -> None:
    """Where it stands in the way of a restore that was killed, it is told and kept."""
    (cut_short / "alpha.sqlite").unlink()
    command(target, "tenant", "create", "alpha")
    assert "alpha exist: a restore replaces nothing" in command(target, "restore", "--from", str(folder))
    assert asked(target, "alpha", "SELECT COUNT(*) FROM users") == [[(0,)]]


@pytest.mark.engines("sqlite")
def test_two_restores_are_not_made_at_once(folder: Path, target: Settings, command: Operator) -> None:
    """The second is told to wait, and does nothing."""
    tenants = target.storage.data / "tenants"
    with locked(tenants):
        told = command(target, "restore", "--from", str(folder))
        assert (command.code, told) == (2, f"Another restore works in {tenants}: wait for its end.\n")
    assert "restored: alpha, beta" in command(target, "restore", "--from", str(folder))


def test_a_back_up_that_cannot_be_made_is_told(source: Settings, command: Operator, tmp_path: Path) -> None:
    """A file where the folder should be, and data without a tenant, end with 2 and one line."""
    (tmp_path / "file").write_text("")
    for settings, words, told in (
        (source, ("backup", "--to", str(tmp_path / "file")), "cannot be written (File exists): name another folder."),
        (source, ("restore", "--from", str(tmp_path / "none")), "holds no whole back-up"),
    ):
        assert told in command(settings, *words)
        assert command.code == 2


def test_nothing_is_no_back_up(target: Settings, command: Operator, tmp_path: Path) -> None:
    """Without a tenant there is nothing to write, so other data were meant."""
    assert "There is no tenant to back up" in command(target, "backup", "--to", str(tmp_path / "backup"))
    assert command.code == 2
