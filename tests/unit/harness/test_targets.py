"""Targets: addresses that are taken or refused, and processes that come to serve or do not."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import TargetError, UsageError
from harness.targets import ProcessTarget, fetched, process
from harness.targets.url import UrlTarget, checked, is_loopback

if TYPE_CHECKING:
    from pathlib import Path

SERVER = """
import http.server, os, sys
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        here = {"/hop": (302, "/hop2"), "/hop2": (302, "/end"), "/out": (302, "http://192.0.2.1/")}
        here["/round"] = (302, "/round")
        status, place = here.get(self.path, (404 if self.path == "/none" else 200, ""))
        self.send_response(status); self.send_header("Location", place); self.end_headers()
        self.wfile.write(self.path.encode())
    def log_message(self, *_): pass
print(os.environ.get("KEY"), file=sys.stderr, flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
"""


def python(code: str, *words: str) -> list[str]:
    """A command of a few lines."""
    return ["{python}", "-c", code, *words]


def told(command: list[str], **more: Any) -> dict[str, Any]:
    """The table [target.process]."""
    return {"command": command, "start_timeout_s": 20, **more}


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://127.0.0.1:80/", "http://127.0.0.1:80"),
        ("https://localhost/api/", "https://localhost/api"),
        ("http://[::1]:8", "http://[::1]:8"),
    ],
)
def test_an_address_is_kept_without_its_last_slash(url: str, kept: str) -> None:
    """Addresses of this machine are taken as they are."""
    assert checked(url, allow_remote=False) == kept


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://127.0.0.1:port", "http://[::1"]
)
def test_what_is_no_address(url: str) -> None:
    """The message shows the value."""
    with pytest.raises(UsageError) as caught:
        checked(url, allow_remote=True)
    assert repr(url) in str(caught.value)


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    """Secrets go through the environment."""
    with pytest.raises(UsageError) as caught:
        checked("http://me:hidden@127.0.0.1", allow_remote=False)
    assert "hidden" not in str(caught.value)


def test_another_machine_must_be_meant() -> None:
    """An address that is not this machine's is taken only where that was allowed."""
    with pytest.raises(UsageError, match="--allow-remote"):
        UrlTarget("http://192.0.2.1")
    assert UrlTarget("http://192.0.2.1", allow_remote=True).url == "http://192.0.2.1"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("api.localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost.example", False),
        ("10.0.0.1", False),
    ],
)
def test_which_hosts_are_this_machine(host: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    """Loopback addresses and names below localhost (RFC 6761), nothing else."""
    assert is_loopback(host) is expected


def test_a_process_serves_and_is_gone_afterwards(tmp_path: Path) -> None:
    """It answers while it is entered; its data are removed and its port is closed after that."""
    target = ProcessTarget(told(python(SERVER, "{port}"), environment={"HERE": "{data}"}), tmp_path)
    with target:
        assert target.alive()
        assert fetched(target.url, "/thing?a=1&b=2") == b"/thing?a=1&b=2"
        assert fetched(target.url, "/hop") == b"/end"
        url = target.url
    assert not target.alive()
    with pytest.raises(TargetError, match="does not answer as an HTTP server"):
        fetched(url, "/")


@pytest.mark.parametrize(
    ("path", "reason", "error"),
    [
        ("/none", "answered 404, not 200", UsageError),
        ("/out", "redirects to another host", UsageError),
        ("/round", "redirects more than 5 times", TargetError),
    ],
)
def test_a_document_that_cannot_be_fetched(tmp_path: Path, path: str, reason: str, error: type[Exception]) -> None:
    """What stands in the way is told with the place; a target that answers is not to blame for a wrong path."""
    with ProcessTarget(told(python(SERVER, "{port}")), tmp_path) as target, pytest.raises(error, match=reason):
        fetched(target.url, path)


def test_secrets_are_drawn_and_masked(tmp_path: Path) -> None:
    """A named secret can be told to identities; neither it nor an unnamed one stands in a message."""
    code = "import os, sys; print(os.environ['KEY'], os.environ['PASSWORD']); sys.exit(3)"
    environment = {"KEY": "{secret}", "PASSWORD": "{secret:PASSWORD}", "AGAIN": "{secret:PASSWORD}"}
    target = ProcessTarget(told(python(code), environment=environment), tmp_path)
    with pytest.raises(TargetError, match="ended with 3 before it was healthy") as caught, target:
        pass
    assert "[masked] [masked]" in str(caught.value)
    assert set(target.drawn) == {"PASSWORD"}
    assert len(target.drawn["PASSWORD"]) > 20
    assert target.environment["PASSWORD"] == target.drawn["PASSWORD"]


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (python("import sys; print('no disk'); sys.exit(4)"), "ended with 4:\nno disk"),
        (["no-such-command"], "ended with 127:\nno-such-command cannot be started: No such file or directory"),
        (python("import time; time.sleep(60)"), "did not end within 0.5 s"),
    ],
    ids=["fails", "is-not-there", "does-not-end"],
)
def test_a_preparation_that_does_not_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepare: list[str], reason: str
) -> None:
    """Its command, how it ended and its last words are told, and the target is not started."""
    if "sleep" in prepare[-1]:
        monkeypatch.setattr(process, "PREPARE_TIMEOUT_S", 0.5)
    target = ProcessTarget(told(["{python}", "-c", ""], prepare=[prepare]), tmp_path)
    with pytest.raises(TargetError) as caught, target:
        pass
    assert reason in str(caught.value)


def test_a_process_that_is_never_healthy(tmp_path: Path) -> None:
    """The health path's status is told; the process is ended."""
    target = ProcessTarget(told(python(SERVER, "{port}"), health="/none", start_timeout_s=1), tmp_path)
    with pytest.raises(TargetError, match=r"not healthy after 1 s: /none answers 404"), target:
        pass
    assert not target.alive()


def test_what_a_report_says_of_a_process(tmp_path: Path) -> None:
    """The command as it stands in the file, no secret and no port filled in."""
    command = [sys.executable, "serve", "--key", "{secret}"]
    assert json.loads(json.dumps(ProcessTarget(told(command), tmp_path).describe()))["command"] == " ".join(command)
