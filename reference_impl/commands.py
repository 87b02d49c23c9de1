"""The commands: set-up, tenant and admin create, migrate, backup, restore, retain, seed, serve, openapi, asyncapi."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from reference_impl.contract.fields import EMAIL
from reference_impl.data.backup import BackupError
from reference_impl.data.database import DatabaseError
from reference_impl.data.migrations import MigrationError
from reference_impl.data.tenants import open_tenants
from reference_impl.identity.passwords import Passwords
from reference_impl.settings import Settings, load
from reference_impl.settings.reader import SettingsError
from reference_impl.upkeep import keep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reference_impl.application import Parts

WRONG_USE = 2
WORKERS = 64
LARGEST_PORT = 65_535
_PASSWORD_LENGTH = 8
_ADMIN = (
    "UPDATE users SET roles = roles || ',admin' WHERE lower(email) = lower(?) AND deleted_at IS NULL "
    "AND ',' || roles || ',' NOT LIKE '%,admin,%'"
)
_EXISTS = "SELECT id FROM users WHERE lower(email) = lower(?) AND deleted_at IS NULL"


def stop(message: str) -> NoReturn:
    """End with the code for wrong use."""
    sys.stderr.write(message + "\n")
    raise SystemExit(WRONG_USE)


def port_number(text: str) -> int:
    """Return a port; 0 takes a free one."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is refused: it must be from 0, for a free one, to {LARGEST_PORT}.")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    root = argparse.ArgumentParser("reference_impl", description="The reference API.")
    commands = root.add_subparsers(dest="command", required=True)
    tenant = commands.add_parser("tenant").add_subparsers(dest="action", required=True).add_parser("create")
    tenant.add_argument("name")
    admin = commands.add_parser("admin").add_subparsers(dest="action", required=True).add_parser("create")
    admin.add_argument("--tenant", required=True)
    admin.add_argument("--email", required=True)
    prepare = commands.add_parser("set-up", help="make tenants with an admin in each; safe to repeat")
    prepare.add_argument("--tenants", required=True, help="names between commas")
    prepare.add_argument("--admin-email", required=True)
    update = commands.add_parser("migrate", help="bring every tenant's database up to date")
    update.add_argument("--down", type=int, default=0, metavar="N", help="undo each tenant's newest N migrations")
    saving = commands.add_parser("backup", help="write every tenant's rows into a new folder, while the API serves")
    saving.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    restoring = commands.add_parser("restore", help="make the tenants of a back-up again, where they do not exist")
    restoring.add_argument("--from", dest="source", type=Path, required=True, metavar="FOLDER")
    commands.add_parser(
        "retain", help="delete request logs and ended sessions older than API_RETENTION_DAYS, and spent keys"
    )
    sowing = commands.add_parser("seed", help="add a made-up catalogue to a tenant; safe to repeat")
    sowing.add_argument("--products", type=int, default=1000)
    sowing.add_argument("--tenant", default="", help="the default tenant unless said")
    sowing.add_argument("--seed", type=int, default=0, help="another number makes another catalogue beside it")
    server = commands.add_parser("serve")
    server.add_argument("--host", default="127.0.0.1")
    server.add_argument("--port", type=port_number, default=8000)
    server.add_argument("--workers", type=int, default=1, help="processes that share the port; several need Redis")
    commands.add_parser("openapi", help="print the document of the operations")
    commands.add_parser("asyncapi", help="print the document of the messages: WebSocket and streams")
    return root


def settings_or_stop() -> Settings:
    """Read the environment; every problem is printed."""
    try:
        return load(os.environ)
    except SettingsError as error:
        stop(str(error))


def main(arguments: Sequence[str] | None = None, parts: Parts | None = None) -> None:
    """Run one command."""
    options = parser().parse_args(arguments)
    settings = settings_or_stop()
    try:
        run(options, settings, parts)
    except (BackupError, MigrationError, ValueError) as error:
        stop(str(error))
    except DatabaseError as error:
        stop(f"The database refuses or does not answer ({error.category}): {error}")


def run(options: argparse.Namespace, settings: Settings, parts: Parts | None) -> None:
    """Do what the options say."""
    match options.command:
        case "tenant":
            asyncio.run(create_tenants(settings, [options.name]))
        case "admin":
            asyncio.run(create_admins(settings, [options.tenant], options.email))
        case "set-up":
            names = [name.strip() for name in options.tenants.split(",")]
            asyncio.run(create_tenants(settings, names))
            asyncio.run(create_admins(settings, names, options.admin_email))
        case "backup" | "restore" | "retain":
            sys.stdout.writelines(f"{line}\n" for line in asyncio.run(keep(options, settings)))
        case "migrate":
            for name, changed in asyncio.run(migrate(settings, options.down)).items():
                sys.stdout.write(f"{name}: {', '.join(changed) or 'up to date'}\n")
        case "seed":
            name = options.tenant or settings.edge.default_tenant
            for table, gained in asyncio.run(seed_tenant(settings, name, options.products, options.seed)).items():
                sys.stdout.write(f"{name}: {gained} {table} added\n")
        case _:
            run_application(options, settings, parts)


def run_application(options: argparse.Namespace, settings: Settings, parts: Parts | None) -> None:
    """Serve, or print a document."""
    from reference_impl.application import Application  # noqa: PLC0415 - the other commands start without it
    from reference_impl.serving import serve  # noqa: PLC0415 - same

    if options.command in {"openapi", "asyncapi"}:
        application = Application(settings, parts)
        document = application.document if options.command == "openapi" else application.messages
        sys.stdout.write(document.decode() + "\n")
        return
    if not 1 <= options.workers <= WORKERS:
        stop(f"--workers {options.workers} is refused: it must be from 1 to {WORKERS}. Correct it.")
    if options.workers > 1 and not settings.storage.redis_url:
        stop(
            f"--workers {options.workers} needs API_REDIS_URL: workers agree on limits, lists and events "
            "through Redis. Set it, or serve with one worker."
        )
    asyncio.run(migrate(settings))
    raise SystemExit(serve(lambda: Application(settings, parts), options.host, options.port, options.workers))


async def migrate(settings: Settings, down: int = 0) -> dict[str, list[str]]:
    """Bring every tenant up to date, or undo its newest migrations, and return what was done."""
    tenants = open_tenants(settings)
    try:
        return await tenants.undo(down) if down else await tenants.migrate()
    finally:
        await tenants.close()


async def seed_tenant(settings: Settings, name: str, products: int, seed: int) -> dict[str, int]:
    """Add a made-up catalogue and return how many rows each table gained."""
    from reference_impl.seed.writing import sow  # noqa: PLC0415 - the other commands start without it

    if products < 0:
        raise ValueError(f"{products} is no number of products: use 0 or more.")
    tenants = open_tenants(settings)
    try:
        database = await tenants.get(name)
        if database is None:
            raise ValueError(f"No tenant {name!r}: make it with `tenant create`, or name one with --tenant.")
        return await sow(database, products, seed)
    finally:
        await tenants.close()


async def create_tenants(settings: Settings, names: list[str]) -> None:
    """Make tenants; those that exist are left and brought up to date."""
    tenants = open_tenants(settings)
    try:
        for name in names:
            made = await tenants.create(name)
            sys.stdout.write(f"tenant {name}: {'created' if made else 'exists'}\n")
    finally:
        await tenants.close()


async def create_admins(settings: Settings, names: list[str], email: str) -> None:
    """Make an admin in each tenant, or give the role to the account that has the e-mail."""
    from reference_impl.procedures.user_writes import Account, create_user  # noqa: PLC0415 - the other commands start without it

    password = os.environ.get("ADMIN_PASSWORD", "")
    if len(password) < _PASSWORD_LENGTH:
        stop(f"ADMIN_PASSWORD is missing or short: set it to at least {_PASSWORD_LENGTH} characters.")
    if not re.fullmatch(EMAIL, email):
        stop(f"{email!r} is no e-mail address: write it as name@domain.")
    password_hash = Passwords(settings.identity.argon2_time_cost, settings.identity.argon2_memory_kib).hash_now(
        password
    )
    tenants = open_tenants(settings)
    try:
        for name in names:
            database = await tenants.get(name)
            if database is None:
                stop(f"No tenant {name!r}: make it with `tenant create {name}`.")
            if await database.query_one(_EXISTS, email) is not None:
                await database.run(_ADMIN, email)
                sys.stdout.write(f"admin {email} of {name}: exists\n")
                continue
            await create_user(database, Account("Admin", email, password_hash, ("user", "admin")))
            sys.stdout.write(f"admin {email} of {name}: created\n")
    finally:
        await tenants.close()
