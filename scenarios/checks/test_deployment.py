"""The checklist's items that source and deployment files tell: secrets, types, what is bounded, closed and watched."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import replace

import pytest
import yaml

from reference_impl.edge.exchange import Exchange
from reference_impl.edge.outer import dress
from scenarios.checks.source import API, ROOT, functions, migrations, text, trees

SECRET = re.compile(r"(?i)(?:key|secret|password|token|dsn)$")
OPENED = {"ThreadPoolExecutor", "AsyncClient", "create_pool", "connect", "Redis"}
KEPT_PLAIN = {"token_hash", "key_hash", "password_hash"}


@pytest.mark.checks("P7")
def test_types_are_strict() -> None:
    """Every package is checked strictly, and no function of the API is without its types."""
    told = tomllib.loads(text("pyproject.toml"))["tool"]["mypy"]
    assert told["strict"] is True
    assert "reference_impl" in told["packages"]
    untyped = [f"{module}: {node.name}" for module, node in functions() if node.returns is None]
    assert not untyped, untyped


@pytest.mark.checks("S7")
def test_credentials_are_stored_hashed() -> None:
    """No column of a table holds a password, a key or a token as it was given, only its hash."""
    tables = "\n".join(path.read_text(encoding="utf-8") for path in migrations())
    columns = re.findall(r"^  (\w*(?:password|secret|token|key)\w*) (?:TEXT|BYTEA|BLOB)", tables, re.MULTILINE)
    assert set(columns) >= KEPT_PLAIN, columns
    plain = [name for name in columns if not name.endswith("_hash") and name not in {"idempotency_key", "key"}]
    assert not plain, plain


@pytest.mark.checks("S8")
def test_no_file_holds_a_secret() -> None:
    """Image, compose file and settings files name secrets and give none; without one the API does not start."""
    given = []
    for name in ("deploy/production.env", "deploy/staging.env"):
        for line in text(name).splitlines():
            key, _, value = line.partition("=")
            if not line.startswith("#") and SECRET.search(key) and value:
                given.append(f"{name}: {key}")
    services = yaml.safe_load(text("compose.yaml"))["services"]
    for service, told in services.items():
        for key, value in (told.get("environment") or {}).items():
            if SECRET.search(key) and value and "${" not in str(value):
                given.append(f"compose.yaml: {service} {key}")
    given += [
        line for line in text("Dockerfile").splitlines() if re.match(r"(?:ENV|ARG) .*(?:KEY|SECRET|PASSWORD)", line)
    ]
    assert not given, given
    environment = {name: value for name, value in os.environ.items() if not name.startswith("API_")}
    done = subprocess.run(
        [sys.executable, "-m", "reference_impl", "serve", "--port", "1"],
        cwd=ROOT,
        env={**environment, "API_PROFILE": "production"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode != 0
    assert "API_TOKEN_KEY" in done.stderr


@pytest.mark.checks("S9")
def test_https_is_kept_to() -> None:
    """An answer over https tells the browser to stay with it; one over plain HTTP says nothing of it."""
    plain = Exchange(
        request_id="r", method="GET", headers={}, peer="", address="", secure=False, started_s=0.0, path="/"
    )
    told = {name for name, _ in dress(replace(plain, secure=True))}
    assert b"strict-transport-security" in told
    assert b"strict-transport-security" not in {name for name, _ in dress(plain)}


@pytest.mark.checks("F8")
def test_what_is_remembered_is_bounded() -> None:
    """No function remembers its results without a bound, unless its arguments are few by their types."""
    unbounded = [
        f"{module}: {function.name}"
        for module, function in functions()
        for decorator in function.decorator_list
        if "cache" in ast.unparse(decorator)
        and ("maxsize=None" in ast.unparse(decorator) or ast.unparse(decorator) in {"cache", "functools.cache"})
        and function.args.args
        and function.name != "page_text"  # filters, columns and directions: some dozens of texts
    ]
    assert not unbounded, unbounded
    lru = (API / "stores" / "memory" / "lru.py").read_text(encoding="utf-8")
    assert "popitem" in lru


@pytest.mark.checks("F9")
def test_what_is_opened_is_closed() -> None:
    """A class that opens a connection, a pool or a client for itself has a way to close it."""
    open_for_ever = []
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef):
                continue
            opens = any(
                isinstance(part, ast.Assign)
                and ast.unparse(part.targets[0]).startswith("self.")
                and isinstance(part.value, ast.Call)
                and ast.unparse(part.value.func).split(".")[-1] in OPENED
                for part in ast.walk(node)
            )
            names = {item.name for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}
            if opens and not names & {"close", "aclose", "__exit__", "__aexit__"}:
                open_for_ever.append(f"{module}: {node.name}")
    assert not open_for_ever, open_for_ever


@pytest.mark.checks("F10")
def test_alerts_watch_metrics_that_are_there() -> None:
    """Every metric that an alert rule names is one that the API gives, or Prometheus itself."""
    source = (API / "observation" / "metrics.py").read_text(encoding="utf-8")
    rules = [rule for group in yaml.safe_load(text("deploy/alerts.yml"))["groups"] for rule in group["rules"]]
    assert rules
    named = {
        name
        for rule in rules
        for name in re.findall(r"\b([a-z]+(?:_[a-z]+)+)\{|\b([a-z]+(?:_[a-z]+)+)\[", rule["expr"])
        for name in name
        if name
    }
    assert named
    missing = [name for name in named if re.sub(r"_(?:bucket|count|sum)$", "", name) not in source]
    assert not missing, missing
