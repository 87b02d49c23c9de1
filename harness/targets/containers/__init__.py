"""The API and what it needs in containers: [target.containers] in, a plan of what to start out; one Docker run it."""

from harness.targets.containers.target import ContainersTarget

__all__ = ["ContainersTarget"]
