"""A finding's own test file, run as its reader would: it fails on the planted defect and passes on the mended build."""

from __future__ import annotations

import ast
import json
import os
import re
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest

from harness import config
from harness.targets import ProcessTarget
from tests.integration.started import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.integration.started import Done

pytestmark = pytest.mark.slow
TIMEOUT_S = 60
CONFIGURATION = ROOT / "harness.toml"
PASSWORD = f"Aa1!{secrets.token_hex(6)}"


def files(folder: Path) -> list[Path]:
    """The test files of the newest run."""
    return sorted((folder / "reports" / "latest" / "findings").glob("*/test_*.py"))


def ran(file: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The file alone under pytest, without this project on its path."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "HARNESS_", "PYTHON"))}
    return subprocess.run(
        [sys.executable, "-I", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, file.name],
        cwd=file.parent,
        env={**own, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_a_fault_of_an_open_api(harness: Callable[..., Done], notes: Callable[..., str], tmp_path: Path) -> None:
    """Nothing but the address is needed where nobody has to be known; an address that is gone cannot tell."""
    url = notes(NOTES_FAULT="forgets")
    harness("verify", "--url", url, "--contract", "/openapi.json", "--only", "promises", "--budget", "100s")
    (file,) = files(tmp_path)
    broken = ran(file, {"BASE_URL": url})
    assert broken.returncode == 1, broken.stdout
    assert "But step 2 was answered 404" in broken.stdout
    mended = ran(file, {"BASE_URL": notes()})
    assert mended.returncode == 0, mended.stdout
    gone = ran(file, {"BASE_URL": "http://127.0.0.1:9"})
    assert gone.returncode == 1
    assert "CANNOT TELL: step 1 got no answer" in gone.stdout


def call(target: ProcessTarget, method: str, path: str, body: Any, *, tenant: str, token: str = "") -> Any:
    """What the reference API answers."""
    headers = {"Content-Type": "application/json", "X-Tenant-ID": tenant}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    request = Request(f"{target.url}/api/v1{path}", json.dumps(body).encode(), headers, method=method)  # noqa: S310 - loopback
    with urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - loopback
        return json.loads(answer.read())


def environment(target: ProcessTarget, file: Path) -> dict[str, str]:
    """What the file asks for by its SETTINGS: the address, and a token for each caller of a role and tenant."""
    tree = ast.parse(file.read_text())
    (told,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SETTINGS"
    )
    made = {"BASE_URL": target.url}
    for name, what in told.items():
        match = re.search(r"with (\w+) of the tenant (\w+)", what)
        if match is None:
            continue
        role, tenant = match[1], match[2]
        admin = {"email": "admin@example.test", "password": target.environment["ADMIN_PASSWORD"]}
        token = call(target, "POST", "/auth/login", admin, tenant=tenant)["accessToken"]
        if role != "admin":
            user = {"email": f"u{secrets.token_hex(4)}@example.test", "password": PASSWORD}
            id_ = call(target, "POST", "/auth/register", {**user, "name": "Somebody"}, tenant=tenant)["id"]
            call(target, "PATCH", f"/users/{id_}/roles", {"roles": [role]}, tenant=tenant, token=token)
            token = call(target, "POST", "/auth/login", user, tenant=tenant)["accessToken"]
        made[name] = token
    return made


@pytest.mark.parametrize(
    ("defect", "operation", "code"),
    [
        ("S34c", "users.delete", "owner.stranger-allowed"),
        ("S10b", "products.create", "schema.missing-header"),
        ("S15a", "products.delete", "delete.again"),
        ("L01", "products.list", "page.missing"),
        ("D1a", "users.list", "filter.hidden"),
        ("G04", "products.delete", "delete.listed"),
    ],
)
def test_a_planted_defect_of_the_reference(
    harness: Callable[..., Done], tmp_path: Path, defect: str, operation: str, code: str
) -> None:
    """With the credentials that it asks for, the file fails on the defect and passes on the clean build."""
    told = config.read(CONFIGURATION).target["process"]
    planted = [word.replace("{defect}", defect) for word in config.read(CONFIGURATION).prove["command"]]
    with ProcessTarget(told, ROOT, command=planted) as target:
        words = ("--url", target.url, "--contract", "/openapi.json", "--config", str(CONFIGURATION))
        only = ("--only", f"promises,{operation}", "--budget", "100s")
        done = harness("verify", *words, *only, environment=dict(target.environment))
        (file,) = [path for path in files(tmp_path) if path.name == f"test_{re.sub('[.-]', '_', code)}.py"]
        broken = ran(file, environment(target, file))
        assert broken.returncode == 1, done.text
        assert "AssertionError" in broken.stdout, broken.stdout
    with ProcessTarget(told, ROOT) as target:
        mended = ran(file, environment(target, file))
        assert mended.returncode == 0, mended.stdout
