"""Back-ups, their restoring and retention, on both engines and as an operator runs them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from reference_impl.clock import rfc3339
from tests.unit.reference_impl.operator_calls import asked, emptied

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from reference_impl.settings import Settings

EVERYTHING = (
    "SELECT * FROM users ORDER BY id",
    "SELECT * FROM products ORDER BY id",
    "SELECT * FROM order_items ORDER BY order_id, position",
    "SELECT * FROM audit_log ORDER BY id",
    "SELECT * FROM events ORDER BY id",
    "SELECT version, checksum FROM schema_migrations ORDER BY version",
)
KEY = "INSERT INTO idempotency_keys (user_id, operation, key, body_hash, status, body, headers, created_at) VALUES "
AGES = {"old": 24 * 3600 + 60, "young": 23 * 3600}
EVENT = "INSERT INTO events (at, channel, type, data) VALUES "
MESSAGE = "INSERT INTO room_messages (id, room, user_id, text, created_at) VALUES "
LOG = "INSERT INTO request_logs (id, at, request_id, user_id, method, route, status, duration_ms) VALUES "


def test_what_is_restored_is_what_was_backed_up(
    open_shop: Callable[..., Any], open_settings: Callable[..., Settings], tmp_path: Path, command: Callable[..., str]
) -> None:
    """Every row comes back, whatever was written since; ids go on where they were; a second restore is refused."""
    shop = open_shop()
    product = shop.product(shop.account("seller"), name="Tab\t, line\n, quote ' \" and \\N", description="ä € 🥣")
    assert shop.order(shop.account(), (product["id"], 2)).status_code == 201
    source, target, folder = shop.application.settings, emptied(open_settings()), tmp_path / "backup"
    assert "alpha, beta" in command(source, "backup", "--to", str(folder))
    before = asked(source, "alpha", *EVERYTHING)
    assert all(before)
    assert shop.order(shop.account(), (product["id"], 1)).status_code == 201
    assert "alpha, beta" in command(target, "restore", "--from", str(folder))
    assert asked(target, "alpha", *EVERYTHING) == before
    emitted = "INSERT INTO events (at, channel, type, data) VALUES ('', '', '', '') RETURNING id"
    assert asked(target, "alpha", emitted)[0][0][0] > before[4][-1][0]
    assert "restore replaces nothing" in command(target, "restore", "--from", str(folder))
    assert "not empty" in command(source, "backup", "--to", str(folder))


def test_a_back_up_that_was_cut_short_is_none(
    open_shop: Callable[..., Any], tmp_path: Path, command: Callable[..., str]
) -> None:
    """Without its list a folder is refused, and so is one of the other engine."""
    settings = open_shop().application.settings
    command(settings, "backup", "--to", str(tmp_path / "backup"))
    listed = tmp_path / "backup" / "backup.json"
    text = listed.read_text()
    listed.unlink()
    assert "no whole back-up" in command(settings, "restore", "--from", str(tmp_path / "backup"))
    listed.write_text(text.replace("sqlite", "other").replace("postgresql", "other"))
    assert "is of other" in command(settings, "restore", "--from", str(tmp_path / "backup"))


def test_old_request_logs_are_let_go(open_shop: Callable[..., Any], command: Callable[..., str]) -> None:
    """What is older than the settings keep is deleted, in parts, and nothing younger."""
    settings = open_shop().application.settings
    old = ", ".join(
        f"('{number:05}', '2020-01-01T00:00:00.000Z', '', '', 'GET', '/', 200, 1.5)" for number in range(1500)
    )
    young = f"('young', '{rfc3339(4_000_000_000)}', '', '', 'GET', '/', 200, 1.5)"
    asked(settings, "alpha", "DELETE FROM request_logs", f"{LOG}{old}, {young}")
    told = command(settings, "retain")
    assert "alpha: 1500 request logs deleted" in told
    assert asked(settings, "alpha", "SELECT id FROM request_logs") == [[("young",)]]


def test_old_events_and_messages_are_let_go(
    open_shop: Callable[..., Any], command: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each at its own age, in parts; the newest event stays, so that ids go on, and the last that went is known."""
    shop = open_shop()
    settings = shop.application.settings
    monkeypatch.setenv("API_EVENT_RETENTION_DAYS", "2")
    monkeypatch.setenv("API_MESSAGE_RETENTION_DAYS", "3")
    events = ", ".join(["('2020-01-01T00:00:00.000Z', 'products', 'created', '{}')"] * 1500)
    days_s = 86_400
    now_s = time.time()
    ages = {name: rfc3339(now_s - age * days_s) for name, age in (("old", 3.1), ("young", 2.9))}
    messages = ", ".join(f"('{name}', 'den', '{shop.admin.id}', 'Hello', '{at}')" for name, at in ages.items())
    asked(
        settings,
        "alpha",
        "DELETE FROM events",
        f"{EVENT}{events}",
        f"{MESSAGE}{messages}",
    )
    (ids,) = asked(settings, "alpha", "SELECT max(id) FROM events")
    told = command(settings, "retain")
    assert "alpha: 1 room messages deleted\nalpha: 1499 events deleted" in told
    assert asked(settings, "alpha", "SELECT id FROM room_messages", "SELECT id FROM events") == [[("young",)], ids]
    assert asked(settings, "alpha", "SELECT through FROM forgotten_events") == [[(ids[0][0] - 1,)]]
    assert "alpha: 0 events deleted" in command(settings, "retain")
    monkeypatch.setattr("reference_impl.upkeep.time.time", lambda: now_s + 0.2 * days_s)
    assert "alpha: 1 room messages deleted" in command(settings, "retain")


def test_keys_and_sessions_that_are_over_are_let_go(
    open_shop: Callable[..., Any], command: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key of yesterday and a session that ended before the settings' days go; a key of today and a session stay."""
    shop = open_shop(refresh_life_s=60)
    settings = shop.application.settings
    now_s = time.time()
    old, young = (
        f"{KEY}('{shop.admin.id}', 'orders.create', '{name}', '', 201, '', '', '{rfc3339(now_s - age_s)}')"
        for name, age_s in AGES.items()
    )
    asked(settings, "alpha", "DELETE FROM idempotency_keys", old, young)
    told = command(settings, "retain")
    assert "alpha: 1 idempotency keys deleted" in told
    assert "alpha: 0 sessions deleted" in told
    assert asked(settings, "alpha", "SELECT key FROM idempotency_keys") == [[("young",)]]
    later = now_s + 60 + 86_400 * settings.storage.retention_days + 1
    monkeypatch.setattr("reference_impl.upkeep.time.time", lambda: later)
    assert "alpha: 1 refresh tokens deleted\nalpha: 1 sessions deleted" in command(settings, "retain")
    assert shop.send("GET", "/auth/me", shop.admin).status_code == 401
