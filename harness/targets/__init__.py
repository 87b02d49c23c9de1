"""The running API: a process started for the run, or any URL."""

from harness.targets.process import ProcessTarget
from harness.targets.target import Target, fetched, reachable
from harness.targets.url import UrlTarget

__all__ = ["ProcessTarget", "Target", "UrlTarget", "fetched", "reachable"]
