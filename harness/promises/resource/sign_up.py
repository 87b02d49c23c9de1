"""A sign-up that answers a token and no user: what its account may is told by the operation that says who one is.

Only rights and money are tried: of an account that no create of the contract makes, nothing else is surely the
server's to set.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.actors import SETUP
from harness.case import one, unlimited
from harness.config import filled
from harness.contract import pointer
from harness.contract.resource import Resource
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.mask import is_secret_name
from harness.promises import subject as subjects
from harness.promises.resource import mass
from harness.promises.resource import steps as words
from harness.promises.resource.entrance import entered
from harness.promises.resource.steps import step
from harness.promises.wrong_values import joined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.stage import Stage

CREATED = "201"
WHO_AM_I = re.compile(r"/(?:me|self|whoami|profile|account|user|current-?_?user)/?$", re.IGNORECASE)
WORTH = re.compile(rf"roles?$|admin|permission|scopes?$|{mass.MONEY.pattern}", re.IGNORECASE)


def concerned(contract: Contract, operation: Operation) -> Resource | None:
    """The resource whose life the operation is a part of, or of which it makes one beside its create."""
    return contract.resource_of(operation.id) or entered(contract, operation) or account(contract, operation)


def account(contract: Contract, operation: Operation) -> Resource | None:
    """What a sign-up makes, read by who it is; None where the operation is none, or nothing tells who one is.

    It is a POST without path parameters that takes a password and answers 201 with a token.
    """
    answer, body = operation.success(), operation.json_body()
    if operation.method != "POST" or operation.path_parameters or body is None or answer is None:
        return None
    told = [name for shown in answer.bodies for name in _members(contract, shown.schema)]
    if answer.status != CREATED or not any(map(is_secret_name, told)):
        return None
    if not any(is_secret_name(name) and "pass" in name.lower() for name in _members(contract, body.schema)):
        return None
    found = [item for item in contract.operations if _tells_who(item)]
    return Resource("account", create=operation.id, read=found[0].id, declared=True) if len(found) == 1 else None


def _members(contract: Contract, schema: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = joined(contract, schema).get("properties", {})
    return found


def _tells_who(operation: Operation) -> bool:
    needs = operation.path_parameters or any(parameter.required for parameter in operation.parameters)
    asked = operation.method == "GET" and operation.secured and not operation.optional_security and not needs
    return asked and WHO_AM_I.search(operation.path) is not None


def tried(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    """An ordinary account as the control; then one with each member that it shows and the sign-up's schema lacks."""
    if operation.id != stage.actors.told.get("register", {}).get("operation"):
        raise CannotTell(f"{operation.id}: tell how one signs up and logs in, under identities.register and login")
    shown, sent = yield from _account(stage, operation, resource, {}, step(words.CONTROL))
    body = subjects.shown(shown)
    places = mass.settable(stage.contract, operation, resource, body, sent)
    worth = [place for place in places if WORTH.search(pointer.tokens(place)[-1])]
    if not worth:
        raise CannotTell(f"{resource.read} shows no right that {operation.id} might take from whoever signs up")
    for place in worth:
        for number in range(2):
            read = stage.contract.by_id[resource.read]
            values = yield from mass.values_for(stage, read, resource, body, [place], number)
            if not values:
                break
            after, _ = yield from _account(stage, operation, resource, values, step(words.TRIAL, number, place))
            if after is None or not mass.assigned(resource, body, after, place, values[place]):
                break


def _account(
    stage: Stage, operation: Operation, resource: Resource, values: Mapping[str, Any], text: str
) -> Steps[tuple[Exchange | None, Any]]:
    """An account signed up with these members, as it is told who it is, and what was sent; no answer where refused."""
    told = stage.actors.told["register"]
    facts = {"name": stage.unique("id"), "password": f"Pw1-{stage.unique('secret')}!", "tenant": stage.tenant}
    body = filled(dict(told["body"]), facts, stage.actors.environment)
    for place, value in values.items():
        body = pointer.put(body, place, value)
    stage.secret(facts["password"], "password")
    request = stage.request(operation.id, body=body, identity=stage.anonymous(), step=text if values else SETUP)
    made = unlimited((yield from one(request)))
    if made.outcome is not Outcome.OK:
        if not values:
            raise CannotTell(f"{operation.id} answered {made.status or made.error} to what identities.register tells")
        return None, body
    who = stage.actors.entered(*(yield from stage.actors.first_login(stage, facts, made, stage.actors.told["login"])))
    after = text.replace(words.TRIAL, words.TRIAL_SHOWN, 1) if values else text
    return (yield from one(stage.request(resource.read, identity=who, step=after))), body
