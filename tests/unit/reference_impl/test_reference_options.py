"""What a command is told that it cannot do: one message with the value, the rule and the fix, and the code for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_impl.commands import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WHOLE = "is refused: it must be a whole number from"
NUMBERS = {
    ("migrate", "--down"): ("-1", "0", "1.5", "one", ""),
    ("seed", "--products"): ("-1", "1.5", "many", "", "10000001"),
    ("seed", "--seed"): ("-1", "1.5", "x", ""),
    ("serve", "--workers"): ("-1", "0", "65", "two", ""),
}


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must end with 2, on data of its own, and gives what a person sees."""
    monkeypatch.setenv("API_PROFILE", "verify")
    monkeypatch.setenv("API_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("API_DATABASE_URL", "")
    monkeypatch.setenv("ADMIN_PASSWORD", "correct horse battery")

    def run(*words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
        told = capsys.readouterr()
        return told.out + told.err

    return run


@pytest.mark.parametrize(("words", "value"), [(words, value) for words, values in NUMBERS.items() for value in values])
def test_a_number_that_is_none_is_refused(refused: Callable[..., str], words: tuple[str, str], value: str) -> None:
    """Negative, zero where that is nothing, a fraction, a word, nothing, too many: the value is shown with its rule."""
    assert f"argument {words[1]}: {value!r} {WHOLE}" in refused(words[0], f"{words[1]}={value}")


def test_set_up_looks_at_everything_before_it_makes_anything(
    refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong second name, e-mail or password leaves no first tenant behind."""
    words = ("set-up", "--admin-email", "admin@example.test", "--tenants")
    assert "'' is no tenant's name" in refused(*words, "alpha,,beta")
    assert "'-b' is no tenant's name" in refused(*words, "alpha,-b")
    assert "'admin' is no e-mail address" in refused("set-up", "--tenants", "alpha", "--admin-email", "admin")
    monkeypatch.setenv("ADMIN_PASSWORD", "short")
    assert "ADMIN_PASSWORD is missing or short" in refused(*words, "alpha")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("words", [("migrate",), ("tenant", "create", "alpha"), ("serve", "--port", "0")])
def test_data_that_are_no_folder_are_told(refused: Callable[..., str], tmp_path: Path, words: tuple[str, ...]) -> None:
    """A file where the folder of the data should be is named, and no traceback is shown."""
    (tmp_path / "data").write_text("")
    assert "Make it usable, or name another folder." in refused(*words)


@pytest.mark.parametrize("words", [("migrate",), ("retain",)])
def test_data_without_a_tenant_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """Where there is nothing to work on a command says so, as another folder may have been meant."""
    monkeypatch.setenv("API_PROFILE", "verify")
    monkeypatch.setenv("API_DATA", str(tmp_path / "data"))
    main(words)
    assert capsys.readouterr().out.startswith("There is no tenant: make one with `tenant create`")


@pytest.mark.parametrize("words", [("migrate",), ("tenant", "create", "alpha"), ("backup", "--to", "{folder}/backup")])
def test_a_tenants_file_that_is_none_is_named(
    refused: Callable[..., str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    """A command that meets a broken database names its file, and shows no traceback."""
    broken = tmp_path / "data" / "tenants" / "alpha.sqlite"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"no database" * 100)
    assert f"{broken}" in refused(*(word.format(folder=tmp_path) for word in words))
