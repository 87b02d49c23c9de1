"""How often: the global window, each class of procedure, failed logins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference_impl.settings.reader import everywhere, usually

if TYPE_CHECKING:
    from reference_impl.settings.reader import Reader


@dataclass(frozen=True, slots=True)
class Quotas:
    """Admissions a window for each class of procedure."""

    list: int
    get: int
    create: int
    update: int
    delete: int
    upload: int
    stream: int
    register: int
    login: int
    refresh: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Windows in seconds and their quotas."""

    global_quota: int
    global_window_s: float
    procedure_window_s: float
    quotas: Quotas
    login_failures: int
    login_failure_window_s: float
    room_messages: int
    """Messages a user may send to rooms in one `room_window_s`."""
    room_window_s: float


def limits(reader: Reader) -> Limits:
    """Read the section."""

    def quota(name: str, usual: int, verify: int | None = None) -> int:
        defaults = usually(usual, verify=usual if verify is None else verify)
        return reader.whole(f"API_QUOTA_{name.upper()}", 1, 1_000_000, defaults)

    return Limits(
        global_quota=reader.whole("API_GLOBAL_QUOTA", 1, 1_000_000, usually(100, verify=400)),
        global_window_s=reader.seconds("API_GLOBAL_WINDOW_S", usually(900.0, verify=4.0)),
        procedure_window_s=reader.seconds("API_PROCEDURE_WINDOW_S", usually(60.0, verify=4.0)),
        quotas=Quotas(
            list=quota("list", 100, verify=40),
            get=quota("get", 200, verify=60),
            create=quota("create", 10),
            update=quota("update", 50),
            delete=quota("delete", 20),
            upload=quota("upload", 20),
            stream=quota("stream", 20),
            register=quota("register", 10, verify=300),
            login=quota("login", 30, verify=300),
            refresh=quota("refresh", 30),
        ),
        login_failures=reader.whole("API_LOGIN_FAILURES", 1, 100_000, usually(10, verify=300)),
        login_failure_window_s=reader.seconds("API_LOGIN_FAILURE_WINDOW_S", usually(900.0, verify=4.0)),
        room_messages=reader.whole("API_ROOM_MESSAGES", 1, 100_000, everywhere(60)),
        room_window_s=reader.seconds("API_ROOM_WINDOW_S", usually(60.0, verify=4.0)),
    )
