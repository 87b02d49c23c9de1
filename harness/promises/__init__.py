"""The promises: what an API says beyond shapes, a file or a folder each."""

from harness.promises.promise import Promise

__all__ = ["Promise"]
