"""What commands decide by themselves: the words that do it again, and which words are phases."""

from __future__ import annotations

from harness.commands import COMMANDS, _again
from harness.options import parser


def test_the_words_that_do_it_again() -> None:
    """What was asked stands in them, so that they can be pasted; an identity by its variable, never its value."""
    words = ["--url", "http://127.0.0.1:9", "--contract", "a.json", "--overlay", "b.yaml", "--overlay", "c.yaml"]
    options = parser().parse_args(
        ["verify", *words, "--only", "roles,owner", "--only", "fuzz", "--bearer", "admin=TOKEN"]
    )
    again = _again(options, "verify").split()
    assert again[:2] == ["harness", "verify"]
    assert parser().parse_args(again[1:]).overlay == ["b.yaml", "c.yaml"]
    assert parser().parse_args(again[1:]).bearer == ["admin=TOKEN"]
    assert parser().parse_args(again[1:]).url == "http://127.0.0.1:9"
    assert "--only roles,owner,fuzz" in " ".join(again)


def test_every_command_of_the_parser_is_done() -> None:
    """What --help shows is what there is."""
    shown = parser().format_help().partition("COMMAND\n")[2].split("exit codes")[0]
    assert {line.split()[0] for line in shown.splitlines() if line.startswith("    ") and line[4] != " "} == set(
        COMMANDS
    )
