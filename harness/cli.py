"""The command `harness`: reads options, calls one module a command, and turns every ending into its exit code."""

from __future__ import annotations

import errno
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Never

from harness import commands, interruption
from harness.errors import HarnessError
from harness.exits import Exit
from harness.options import parser
from harness.render.outlet import Outlet

if TYPE_CHECKING:
    from collections.abc import Sequence

UNWRITABLE = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS),
    *(errno.EACCES, errno.EPERM, errno.EEXIST, errno.ENOTDIR, errno.EISDIR),
}


def main(arguments: Sequence[str] | None = None) -> Never:
    """Runs one command and exits with the documented code; no traceback is shown for anything."""
    sys.exit(int(run(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: Sequence[str]) -> Exit:
    """The exit code of one command."""
    options = parser().parse_args(arguments)
    interruption.listen()
    try:
        return commands.COMMANDS[options.command](options)
    except HarnessError as error:
        _say(f"harness: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        _say("harness: interrupted")
        return Exit.INTERRUPTED
    except OSError as error:
        return _unwritable(error) if error.errno in UNWRITABLE else _internal(error)
    except Exception as error:  # noqa: BLE001 - the last place where an error can be told without a traceback
        return _internal(error)


def _unwritable(error: OSError) -> Exit:
    """What a full or closed file system is told as: the reports are where the user put them."""
    place = error.filename or "a file of the run"
    _say(f"harness: {place} cannot be written: {error.strerror}; make room, or choose --reports")
    return Exit.USAGE


def _internal(error: Exception) -> Exit:
    """Keeps the traceback in a file and says where it is."""
    with tempfile.NamedTemporaryFile("w", prefix="harness-error-", suffix=".txt", delete=False) as file:
        traceback.print_exception(error, file=file)
    _say(f"harness: internal error: {type(error).__name__}: {error}\n  - details are in {Path(file.name)}; report them")
    return Exit.INTERNAL


def _say(text: str) -> None:
    outlet = Outlet(sys.stderr)
    outlet.write(f"{text}\n")
    outlet.flush()


if __name__ == "__main__":
    main()
