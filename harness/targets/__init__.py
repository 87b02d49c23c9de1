"""The running API: a process or containers started for the run, or any URL."""

from harness.targets.containers import ContainersTarget
from harness.targets.process import ProcessTarget
from harness.targets.started import StartedTarget
from harness.targets.target import Target, fetched, reachable
from harness.targets.url import UrlTarget

__all__ = ["ContainersTarget", "ProcessTarget", "StartedTarget", "Target", "UrlTarget", "fetched", "reachable"]
