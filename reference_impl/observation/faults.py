"""Tells a Sentry-compatible service of unexpected errors: where in the code, which request and tenant, and no value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.utils import event_from_exception

if TYPE_CHECKING:
    from reference_impl.edge.exchange import Exchange

_CLOSE_S = 2.0


class Faults:
    """A client of its own: nothing is patched, and what is sent is what stands here."""

    def __init__(self, dsn: str) -> None:
        self._client = sentry_sdk.Client(
            dsn=dsn,
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            include_source_context=False,
            max_request_body_size="never",
            server_name="",
            before_send=bare,
        )

    def tell(self, exchange: Exchange, error: Exception) -> None:
        """Queue an error; a thread sends it."""
        event, hint = event_from_exception(error, client_options=self._client.options)
        told = {"method": exchange.method, "route": exchange.route, "tenant": exchange.tenant}
        event["tags"] = {**told, "request_id": exchange.request_id}
        self._client.capture_event(event, hint)

    def close(self) -> None:
        """Send what is queued, within seconds."""
        self._client.close(timeout=_CLOSE_S)


def bare(event: Any, _hint: dict[str, Any]) -> Any:
    """Return an event without the errors' texts, which may hold values; the log has them under the request's id."""
    for error in event.get("exception", {}).get("values", []):
        error.pop("value", None)
    return event
