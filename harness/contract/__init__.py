"""The contract: document and overlays in, operations, resources and promises out."""

from harness.contract.contract import Contract
from harness.contract.operation import Answer, Body, Operation, Parameter
from harness.contract.resource import Resource

__all__ = ["Answer", "Body", "Contract", "Operation", "Parameter", "Resource"]
