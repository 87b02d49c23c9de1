"""The options of the command `harness`; their words mean the same in every command."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import __version__, baseline
from harness.errors import UsageError
from harness.finding import Severity
from harness.session import STARTED, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

WHOLE_PERCENT = 100
EXITS = (
    "exit codes: 0 holds, 1 findings, 2 wrong use, 3 target unreachable, 4 inconclusive, 5 internal, 130 interrupted"
)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in the words of every other message, and exits with 2."""

    def error(self, message: str) -> Any:
        self.exit(2, f"harness: {message}\n  - see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    top = _Parser(prog="harness", description="Verify a running API against its contract and promises.", epilog=EXITS)
    top.add_argument("--version", action="version", version=f"harness {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    _verifying(commands.add_parser("verify", help="everything within a time budget", epilog=EXITS))
    for name, told in (
        ("promises", "only the promise cases (pytest)"),
        ("fuzz", "only fuzzing from the contract (Schemathesis)"),
        ("load", "only the load against the objectives (Locust)"),
    ):
        _verifying(commands.add_parser(name, help=told, epilog=EXITS))
    _replay(commands.add_parser("replay", help="show one finding again on fresh data", epilog=EXITS))
    _prove(
        commands.add_parser(
            "prove", help="planted defects: caught or not, and the clean build's false alarms", epilog=EXITS
        )
    )
    for name, told in (
        ("report", "render a run again, also one that was killed"),
        ("judge", "judge a stored history again by the standing promises"),
    ):
        stored = commands.add_parser(name, help=told, epilog=EXITS)
        stored.add_argument(
            "run", nargs="?", default="latest", help="a run's id or folder; the newest where none is named"
        )
        _reports(stored)
    codes = commands.add_parser(
        "codes", help="what findings there are, what each means and how to mend it", epilog=EXITS
    )
    codes.add_argument(
        "code", nargs="?", default="", help="one code, such as roles.role-allowed; all where none is named"
    )
    codes.add_argument("--markdown", action="store_true", help="the whole catalogue as docs/findings.md")
    _target(commands.add_parser("up", help="start the target and keep it until Ctrl-C", epilog=EXITS))
    _baseline(commands.add_parser("baseline", help="keep a file of known findings", epilog=EXITS))
    _init(commands.add_parser("init", help="write a starting overlay and harness.toml for an API", epilog=EXITS))
    _contract(commands.add_parser("contract", help="look at a contract", epilog=EXITS))
    return top


def wanted(options: argparse.Namespace) -> Wanted:
    """What the options ask for; raises UsageError with every problem of identity options at once."""
    return Wanted(
        url=options.url,
        target=options.target,
        contract=options.contract,
        overlays=tuple(options.overlay),
        seed=options.seed,
        reports=options.reports,
        config=options.config,
        allow_remote=options.allow_remote,
        safe=options.safe,
        identities=identities(options),
    )


def identities(options: argparse.Namespace) -> dict[str, Any]:
    """The table [identities] that the options write: tokens, API keys and accounts by role."""
    problems: list[str] = []
    known: list[dict[str, Any]] = []
    for text in options.bearer:
        match = re.fullmatch(r"([\w-]+)=(\w+)", text)
        if match is None:
            problems.append(f"--bearer is {text!r}; it must be ROLE=VARIABLE, the variable holding the token")
            continue
        known.append({"name": f"{match[1]}-{len(known)}", "roles": [match[1]], "token": f"{{env:{match[2]}}}"})
    for text in options.header:
        match = re.fullmatch(r"([\w-]+)=([\w-]+):\s*(\w+)", text)
        if match is None:
            problems.append(f"--header is {text!r}; it must be 'ROLE=Header-Name: VARIABLE'")
            continue
        known.append(
            {"name": f"{match[1]}-{len(known)}", "roles": [match[1]], "headers": {match[2]: f"{{env:{match[3]}}}"}}
        )
    login = _login(options.login, problems)
    known += _accounts(options.account, login, problems)
    if problems:
        raise UsageError("the options name identities wrongly", problems)
    return {**({"known": known} if known else {}), **({"login": login} if login else {})}


def percent(text: str) -> float:
    """A percentage of `80` or `80.5`, from 0 to 100."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%?", text)
    if match is None or float(match[1]) > WHOLE_PERCENT:
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage; write a number from 0 to 100")
    return float(match[1])


def whole(text: str) -> int:
    """A whole number above 0."""
    if re.fullmatch(r"[1-9]\d{0,8}", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0; write 20")
    return int(text)


def duration_s(text: str) -> float:
    """Seconds of `90`, `120s` or `2m`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m)?", text)
    if match is None or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 120s or 2m")
    return float(match[1]) * (60 if match[2] == "m" else 1)


def _login(text: str, problems: list[str]) -> dict[str, Any]:
    if not text:
        return {}
    parts = text.split(",")
    if len(parts) != 4 or not parts[3].startswith("/"):  # noqa: PLR2004 - the four parts that the message names
        problems.append(f"--login is {text!r}; it must be OPERATION,NAME_MEMBER,PASSWORD_MEMBER,/token/pointer")
        return {}
    operation, name, password, token = parts
    return {"operation": operation, "body": {name: "{name}", password: "{password}"}, "token": token}


def _accounts(texts: Sequence[str], login: dict[str, Any], problems: list[str]) -> list[dict[str, Any]]:
    known = []
    for text in texts:
        match = re.fullmatch(r"([\w-]+)=([^:]+):(\w+)", text)
        if match is None:
            problems.append(f"--account is {text!r}; it must be ROLE=NAME:VARIABLE, the variable holding the password")
        elif not login:
            problems.append(f"--account {text!r} needs --login, which says how an account logs in")
        else:
            account = {"name": match[2], "password": f"{{env:{match[3]}}}"}
            known.append({"name": match[2], "roles": [match[1]], "login": account})
    return known


def _target(command: argparse.ArgumentParser) -> None:
    command.add_argument("--url", default="", help="address of a running API; without it harness.toml is read")
    _kind(command)
    command.add_argument(
        "--contract", default="", metavar="F", help="OpenAPI document: a file, or a path on the target"
    )
    command.add_argument(
        "--overlay", action="append", default=[], metavar="F", help="Overlay with promises; may be repeated"
    )
    command.add_argument("--config", type=Path, default=None, metavar="F", help="harness.toml to read")
    command.add_argument("--seed", type=int, default=None, metavar="N", help="seed of everything that is drawn")
    command.add_argument("--allow-remote", action="store_true", help="allow a target that is not this machine")
    command.add_argument("--safe", action="store_true", help="send nothing but reads and the login of a told account")
    who = command.add_argument_group("identities, beside those of harness.toml")
    who.add_argument("--bearer", action="append", default=[], metavar="ROLE=VAR", help="a token in a variable")
    who.add_argument("--header", action="append", default=[], metavar="ROLE=NAME:VAR", help="an API key in a variable")
    who.add_argument(
        "--login", default="", metavar="OP,NAME,PASSWORD,POINTER", help="the login operation, its members, its token"
    )
    who.add_argument("--account", action="append", default=[], metavar="ROLE=NAME:VAR", help="an account that logs in")
    _reports(command)


def _kind(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--target", choices=STARTED, default="", help="which target of harness.toml to start (process, else containers)"
    )


def _reports(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reports", type=Path, default=Path("reports"), metavar="DIR", help="folder of the runs")


def _verifying(command: argparse.ArgumentParser) -> None:
    _target(command)
    command.add_argument("--budget", type=duration_s, default=150.0, metavar="T", help="time for everything (150s)")
    command.add_argument(
        "--only", action="append", default=[], metavar="WHAT", help="phases, promises or operations, with commas"
    )
    command.add_argument(
        "--fail-on",
        choices=[severity.value for severity in Severity],
        default="low",
        help="severity that fails the run",
    )
    command.add_argument(
        "--min-coverage",
        type=percent,
        default=None,
        metavar="PERCENT",
        help="documented answers (operation and status) to reach; fewer are inconclusive",
    )
    command.add_argument(
        "--baseline", default="", metavar="F", help="known findings (harness.baseline.toml where there is one)"
    )
    command.add_argument("--first", action="store_true", help="end at the first finding that is confirmed")
    command.add_argument(
        "--jobs", type=int, default=2, metavar="N", help="processes for fuzzing, one more for promise cases (2)"
    )
    command.add_argument(
        "--examples",
        type=whole,
        default=0,
        metavar="N",
        help="fuzz with so many for each phase and operation, not as time allows: the same seed draws the same",
    )


def _replay(command: argparse.ArgumentParser) -> None:
    command.add_argument("finding", help="the finding's fingerprint, or its beginning")
    command.add_argument("--run", default="latest", help="the run's id or folder; the newest where none is named")
    _target(command)


def _prove(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--only", nargs="+", default=[], metavar="ID", help="planted defects by id; all where none is named"
    )
    command.add_argument("--seeds", type=int, default=5, metavar="N", help="runs of the clean build (5)")
    command.add_argument("--json", type=Path, default=None, metavar="FILE", help="write the proof as JSON")
    command.add_argument(
        "--budget",
        type=duration_s,
        default=150.0,
        metavar="T",
        help="time for each verification (150s); where --jobs gives one process to a defect, half as much again",
    )
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="verifications beside each other (1)")
    command.add_argument("--seed", type=int, default=None, metavar="N", help="seed of the runs with a defect")
    other = command.add_argument_group("another tool on the same defects, for a table beside the proof")
    other.add_argument("--against", choices=["schemathesis"], default="", help="run this tool in place of the harness")
    other.add_argument(
        "--against-budget", type=duration_s, default=120.0, metavar="T", help="time for each of its runs (120s)"
    )
    other.add_argument(
        "--compare", nargs="+", type=Path, default=[], metavar="FILE", help="what prove --json wrote, for the table"
    )
    other.add_argument(
        "--kept", type=Path, default=None, metavar="FILE", help="what --against --json wrote: it is not run again"
    )
    other.add_argument("--markdown", type=Path, default=None, metavar="FILE", help="write the table")
    command.add_argument("--config", type=Path, default=None, metavar="F", help="harness.toml to read")
    _reports(command)


def _baseline(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=_Parser)
    write = actions.add_parser("write", help="start the file with every finding of a run", epilog=EXITS)
    write.add_argument("run", nargs="?", default="latest", help="a run's id or folder; the newest where none is named")
    write.add_argument("--output", type=Path, default=Path(baseline.FILE), metavar="F", help="the file to write")
    _reports(write)


def _init(command: argparse.ArgumentParser) -> None:
    command.add_argument("--url", default="", help="address of a running API; without it the document alone is read")
    command.add_argument("--contract", default="", metavar="F", help="OpenAPI document: a file, or a path on --url")
    command.add_argument(
        "--output",
        type=Path,
        default=Path("overlay.yaml"),
        metavar="F",
        help="the overlay; harness.toml goes beside it",
    )
    command.add_argument("--allow-remote", action="store_true", help="allow an address that is not this machine")


def _contract(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=_Parser)
    for name, told in (
        ("lint", "tell everything that is wrong with a contract and its promises"),
        ("plan", "tell what each operation needs to be made before it, what makes it, and what is not known"),
    ):
        action = actions.add_parser(name, help=told, epilog=EXITS)
        action.add_argument("file", type=Path, help="the OpenAPI document")
        action.add_argument(
            "--overlay", action="append", default=[], metavar="F", help="Overlay with promises; may be repeated"
        )
