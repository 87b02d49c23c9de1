"""`python -m reference_impl.dosql serve | create TENANT | openapi`."""

from __future__ import annotations

import argparse
import sys

import msgspec

from reference_impl.commands import settings_or_stop, stop
from reference_impl.dosql.application import Databases, DoSqlApplication
from reference_impl.dosql.document import render


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser("reference_impl.dosql", description="SQL for services that hold the key.")
    commands = parser.add_subparsers(dest="command", required=True)
    server = commands.add_parser("serve")
    server.add_argument("--host", default="127.0.0.1")
    server.add_argument("--port", type=int, default=8001)
    create = commands.add_parser("create", help="make tenants; safe to repeat")
    create.add_argument("tenant", nargs="+")
    commands.add_parser("openapi", help="print the document")
    options = parser.parse_args()
    settings = settings_or_stop()
    if options.command == "openapi":
        sys.stdout.write(msgspec.json.encode(render()).decode() + "\n")
    elif options.command == "create":
        for name in options.tenant:
            try:
                made = Databases(settings).create(name)
            except ValueError as error:
                stop(str(error))
            sys.stdout.write(f"tenant {name}: {'created' if made else 'exists'}\n")
    else:
        from reference_impl.serving import serve  # noqa: PLC0415 - the other commands start without it

        if not settings.dosql.key:
            stop("API_DOSQL_KEY is missing: the service does not run without a key. Set it.")
        raise SystemExit(serve(lambda: DoSqlApplication(settings), options.host, options.port))


main()
