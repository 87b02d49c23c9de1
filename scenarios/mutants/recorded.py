"""Records which lines of a folder a process runs, from its start: each once, in a file, as it is first run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType

# Python runs a module of this name at its start, before the program.
HOOK = "sitecustomize.py"
TOOL = 4
NAME = "mutants"


def install(folder: Path, file: Path) -> None:
    """Every Python that finds the folder first on its path records lines of what lies in it into the file."""
    told = f"from scenarios.mutants.recorded import begin\n\nbegin({str(folder)!r}, {str(file)!r})\n"
    (folder / HOOK).write_text(told, encoding="utf-8")


def begin(folder: str, file: str) -> None:
    """Records from now on; nothing before Python 3.12, which cannot tell of lines cheaply."""
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring is None:
        return
    out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
    top = f"{folder}{os.sep}"

    def line(code: CodeType, number: int) -> Any:
        if code.co_filename.startswith(top):
            path = Path(code.co_filename[len(top) :]).as_posix()
            os.write(out, f"{path}:{number}\n".encode())
        return monitoring.DISABLE

    monitoring.use_tool_id(TOOL, NAME)
    monitoring.register_callback(TOOL, monitoring.events.LINE, line)
    monitoring.set_events(TOOL, monitoring.events.LINE)
