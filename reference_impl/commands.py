"""The commands: set-up, tenant and admin create, migrate, backup, restore, retain, seed, serve, openapi, asyncapi."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from reference_impl.contract.fields import EMAIL
from reference_impl.data.backup import BackupError
from reference_impl.data.database import DatabaseError
from reference_impl.data.migrations import MigrationError
from reference_impl.data.names import tenant_name
from reference_impl.data.tenants import open_tenants
from reference_impl.identity.passwords import Passwords
from reference_impl.settings import Settings, load
from reference_impl.settings.reader import SettingsError, within
from reference_impl.upkeep import NO_TENANT, RetainError, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reference_impl.application import Parts

WRONG_USE = 2
WORKERS = 64
LARGEST_PORT = 65_535
LARGEST_CATALOGUE = 10_000_000
LARGEST_SEED = 999_999_999_999
LARGEST_VERSION = 9999
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


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return the parser of an option that is a whole number from `low` to `high`."""

    def parse(text: str) -> int:
        try:
            return within(low, high)(text)
        except ValueError as error:
            rule = f"it must be a whole number from {low} to {high}. Correct it."
            raise argparse.ArgumentTypeError(f"{text!r} is refused: {rule}") from error

    return parse


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
    update.add_argument("--down", type=whole(1, LARGEST_VERSION), metavar="N", help="undo each tenant's newest N")
    saving = commands.add_parser("backup", help="write every tenant's rows into a new folder, while the API serves")
    saving.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    restoring = commands.add_parser("restore", help="make the tenants of a back-up again, where they do not exist")
    restoring.add_argument("--from", dest="source", type=Path, required=True, metavar="FOLDER")
    commands.add_parser("retain", help="delete what is older than API_RETENTION_DAYS and its like keep, and spent keys")
    sowing = commands.add_parser("seed", help="add a made-up catalogue to a tenant; safe to repeat")
    sowing.add_argument("--products", type=whole(0, LARGEST_CATALOGUE), default=1000)
    sowing.add_argument("--tenant", default="", help="the default tenant unless said")
    another = "another number makes another catalogue beside it"
    sowing.add_argument("--seed", type=whole(0, LARGEST_SEED), default=0, help=another)
    server = commands.add_parser("serve")
    server.add_argument("--host", default="127.0.0.1")
    server.add_argument("--port", type=port_number, default=8000)
    server.add_argument(
        "--workers", type=whole(1, WORKERS), default=1, help="processes that share the port; several need Redis"
    )
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
        if options.command in {"serve", "openapi", "asyncapi"}:
            run_application(options, settings, parts)
        else:
            with named_files():
                run(options, settings)
    except (BackupError, MigrationError, RetainError, ValueError) as error:
        stop(str(error))
    except DatabaseError as error:
        stop(f"The database refuses or does not answer ({error.category}): {error}")


@contextlib.contextmanager
def named_files() -> Iterator[None]:
    """Tell of a file or folder that cannot be used, as of a wrong use."""
    try:
        yield
    except OSError as error:
        stop(f"{error.filename or 'A file'}: {error.strerror or error}. Make it usable, or name another folder.")


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Do what the options say, and end."""
    match options.command:
        case "tenant":
            asyncio.run(create_tenants(settings, [options.name]))
        case "admin":
            asyncio.run(create_admins(settings, [options.tenant], options.email))
        case "set-up":
            # All that is said is looked at before anything is made.
            names = [tenant_name(name.strip()) for name in options.tenants.split(",")]
            admin_password(options.admin_email)
            asyncio.run(create_tenants(settings, names))
            asyncio.run(create_admins(settings, names, options.admin_email))
        case "backup" | "restore" | "retain":
            asyncio.run(kept(options, settings))
        case "migrate":
            changes = asyncio.run(migrate(settings, options.down))
            lines = [f"{name}: {', '.join(changed) or 'up to date'}" for name, changed in changes.items()]
            sys.stdout.writelines(f"{line}\n" for line in lines or [NO_TENANT])
        case _:
            name = options.tenant or settings.edge.default_tenant
            for table, gained in asyncio.run(seed_tenant(settings, name, options.products, options.seed)).items():
                sys.stdout.write(f"{name}: {gained} {table} added\n")


def run_application(options: argparse.Namespace, settings: Settings, parts: Parts | None) -> None:
    """Serve, or print a document."""
    from reference_impl.application import Application  # noqa: PLC0415 - the other commands start without it
    from reference_impl.serving import serve  # noqa: PLC0415 - same

    if options.command in {"openapi", "asyncapi"}:
        application = Application(settings, parts)
        document = application.document if options.command == "openapi" else application.messages
        sys.stdout.write(document.decode() + "\n")
        return
    if options.workers > 1 and not settings.storage.redis_url:
        stop(
            f"--workers {options.workers} needs API_REDIS_URL: workers agree on limits, lists and events "
            "through Redis. Set it, or serve with one worker."
        )
    with named_files():
        asyncio.run(migrate(settings))
    raise SystemExit(serve(lambda: Application(settings, parts), options.host, options.port, options.workers))


async def kept(options: argparse.Namespace, settings: Settings) -> None:
    """Do what an operator does beside serving, and tell of each part as soon as it is done."""
    async for line in keep(options, settings):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


async def migrate(settings: Settings, down: int | None = None) -> dict[str, list[str]]:
    """Bring every tenant up to date, or undo its newest migrations, and return what was done."""
    tenants = open_tenants(settings)
    try:
        return await tenants.undo(down) if down else await tenants.migrate()
    finally:
        await tenants.close()


async def seed_tenant(settings: Settings, name: str, products: int, seed: int) -> dict[str, int]:
    """Add a made-up catalogue and return how many rows each table gained."""
    from reference_impl.seed.writing import sow  # noqa: PLC0415 - the other commands start without it

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


def admin_password(email: str) -> str:
    """Return the password for an admin of this e-mail; ends the command when either is refused."""
    password = os.environ.get("ADMIN_PASSWORD", "")
    if len(password) < _PASSWORD_LENGTH:
        stop(f"ADMIN_PASSWORD is missing or short: set it to at least {_PASSWORD_LENGTH} characters.")
    if not re.fullmatch(EMAIL, email):
        stop(f"{email!r} is no e-mail address: write it as name@domain.")
    return password


async def create_admins(settings: Settings, names: list[str], email: str) -> None:
    """Make an admin in each tenant, or give the role to the account that has the e-mail."""
    from reference_impl.procedures.user_writes import Account, create_user  # noqa: PLC0415 - the other commands start without it

    password = admin_password(email)
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
