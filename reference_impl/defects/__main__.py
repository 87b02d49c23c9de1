"""`python -m reference_impl.defects list`, and `serve ID` or `openapi ID` with that one planted."""

from __future__ import annotations

import sys

import msgspec

from reference_impl.application import Parts
from reference_impl.commands import main, stop
from reference_impl.defects.catalogue import DEFECTS, named


def planted(arguments: list[str]) -> None:
    """Run one command."""
    match arguments:
        case ["list"]:
            rows = [defect.described() for defect in DEFECTS]
            sys.stdout.write(msgspec.json.format(msgspec.json.encode(rows)).decode() + "\n")
        case ["serve" | "openapi" as command, defect_id, *rest]:
            try:
                defect = named(defect_id)
            except ValueError as error:
                stop(str(error))
            main([command, *rest], defect.plant(Parts()))
        case _:
            main(arguments)


planted(sys.argv[1:])
