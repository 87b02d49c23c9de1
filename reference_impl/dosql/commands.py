"""The commands of the SQL service: serve, create, openapi."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import msgspec

from reference_impl.commands import port_number, settings_or_stop, stop
from reference_impl.dosql.application import Databases, DoSqlApplication
from reference_impl.dosql.document import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reference_impl.settings import Settings


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    root = argparse.ArgumentParser("reference_impl.dosql", description="SQL for services that hold the key.")
    commands = root.add_subparsers(dest="command", required=True)
    server = commands.add_parser("serve")
    server.add_argument("--host", default="127.0.0.1")
    server.add_argument("--port", type=port_number, default=8001)
    create = commands.add_parser("create", help="make tenants; safe to repeat")
    create.add_argument("tenant", nargs="+")
    commands.add_parser("openapi", help="print the document")
    return root


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command."""
    options = parser().parse_args(arguments)
    settings = settings_or_stop()
    match options.command:
        case "openapi":
            sys.stdout.write(msgspec.json.encode(render()).decode() + "\n")
        case "create":
            create_tenants(settings, options.tenant)
        case _:
            run_service(settings, options.host, options.port)


def create_tenants(settings: Settings, names: list[str]) -> None:
    """Make tenants; those that exist are left."""
    for name in names:
        try:
            made = Databases(settings).create(name)
        except ValueError as error:
            stop(str(error))
        sys.stdout.write(f"tenant {name}: {'created' if made else 'exists'}\n")


def run_service(settings: Settings, host: str, port: int) -> None:
    """Serve until told to end."""
    from reference_impl.serving import serve  # noqa: PLC0415 - the other commands start without it

    if not settings.dosql.key:
        stop("API_DOSQL_KEY is missing: the service does not run without a key. Set it.")
    raise SystemExit(serve(lambda: DoSqlApplication(settings), host, port))
