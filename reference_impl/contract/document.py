"""Renders the procedures as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reference_impl.contract import parts, promises, schemas
from reference_impl.contract.examples import example
from reference_impl.contract.procedure import PREFIX
from reference_impl.contract.reading import least_members
from reference_impl.contract.tags import TAGS
from reference_impl.edge.endpoint import procedure_rule
from reference_impl.edge.global_limit import NAME
from reference_impl.edge.rest import conditional
from reference_impl.errors import KINDS, Code, ErrorEnvelope
from reference_impl.stores.limits import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reference_impl.contract.procedure import Procedure, Services

JsonObject = dict[str, Any]
_PARAMETER = re.compile(r"\{([a-z]+)\}")
# Any request may meet these: an unknown query parameter, a bad token, an unknown tenant, a spent quota, a fault, an
# Accept or Accept-Encoding that leaves nothing, a head or a target that is too long, work that took too long.
_ALWAYS: tuple[Code, ...] = (
    "VALIDATION_ERROR",
    "UNAUTHORIZED",
    "NOT_FOUND",
    "NOT_ACCEPTABLE",
    "PAYLOAD_TOO_LARGE",
    "URI_TOO_LONG",
    "HEADERS_TOO_LARGE",
    "RATE_LIMITED",
    "INTERNAL_ERROR",
    "UNAVAILABLE",
    "TIMEOUT",
)


class Renderer:
    """Holds the schemas while operations are rendered."""

    def __init__(self, procedures: Sequence[Procedure], services: Services) -> None:
        self._procedures = {procedure.id: procedure for procedure in procedures}
        self._services = services
        kinds = [ErrorEnvelope]
        for procedure in procedures:
            kinds += [kind for kind in (procedure.input, procedure.output) if kind is not None]
        unique = list(dict.fromkeys(kinds))
        references, self._schemas = schemas.components(unique)
        self._reference = dict(zip(unique, references, strict=True))
        for procedure in procedures:
            if procedure.partial:
                self._schemas[procedure.input.__name__]["minProperties"] = least_members(procedure.input)

    def document(self) -> JsonObject:
        """Return the whole document."""
        limits = self._services.settings.limits
        paths: dict[str, JsonObject] = {}
        statuses: set[int] = set()
        for procedure in self._procedures.values():
            paths.setdefault(PREFIX + procedure.path, {})[procedure.method.lower()] = self._operation(procedure)
            statuses |= set(self._error_statuses(procedure))
        return {
            "openapi": "3.1.0",
            "info": {
                "title": parts.TITLE,
                "version": "1.0.0",
                "description": parts.DESCRIPTION,
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [{"url": "/"}],
            "tags": [
                {"name": tag, "description": TAGS.get(tag, "")}
                for tag in dict.fromkeys(key.split(".")[0] for key in self._procedures)
            ],
            "paths": paths,
            "components": {
                "schemas": self._schemas,
                "headers": parts.HEADERS,
                "parameters": parts.PARAMETERS,
                "responses": {parts.name_of(status): parts.error_response(status) for status in sorted(statuses)},
                "securitySchemes": parts.SECURITY_SCHEMES,
            },
            "x-promises": promises.of_document(
                Rule(NAME, limits.global_quota, limits.global_window_s), self._services.settings.edge
            ),
        }

    def _operation(self, procedure: Procedure) -> JsonObject:
        operation: JsonObject = {
            "operationId": procedure.id,
            "tags": [procedure.id.split(".")[0]],
            "summary": procedure.summary,
            **({"description": procedure.description} if procedure.description else {}),
            "security": parts.security(procedure.access, procedure.method),
            "parameters": self._parameters(procedure),
            "responses": self._responses(procedure),
            "x-promises": {
                **promises.of_procedure(
                    procedure, procedure_rule(procedure, self._services), self._services.settings.edge
                ),
                **promises.cache(
                    procedure,
                    self._procedures.values(),
                    self._services.settings.cache.list_age_s,
                    tagged=conditional(procedure),
                ),
            },
        }
        if procedure.input is not None:
            media_type = "multipart/form-data" if procedure.multipart else "application/json"
            content = self._content(procedure.input, media_type)
            if procedure.encoding:
                content[media_type]["encoding"] = {
                    name: {"contentType": kinds} for name, kinds in procedure.encoding.items()
                }
            operation["requestBody"] = {"required": True, "content": content}
        return operation

    def _parameters(self, procedure: Procedure) -> list[JsonObject]:
        found: list[JsonObject] = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": f"Which {parts.noun(procedure.path)}.",
                "schema": {"type": "string", "format": "uuid", "examples": ["01980000-0000-7000-8000-000000000000"]},
                "example": "01980000-0000-7000-8000-000000000000",
            }
            for name in _PARAMETER.findall(procedure.path)
        ]
        if procedure.query is not None:
            found += schemas.parameters(procedure.query)
        told_headers = {**parts.IF_NONE_MATCH, **procedure.request_headers} if conditional(procedure) else {}
        for name, told in (told_headers or procedure.request_headers).items():
            found.append({"name": name, "in": "header", "required": False, **told})
        if procedure.output is not None and not procedure.stream:
            found.append({"$ref": "#/components/parameters/Pretty"})
        return found

    def _content(self, kind: Any, media_type: str, shown: JsonObject | None = None) -> JsonObject:
        reference = self._reference[kind]
        return {media_type: {"schema": reference, "example": example(reference, self._schemas, shown)}}

    def _responses(self, procedure: Procedure) -> JsonObject:
        success: JsonObject = {
            "description": procedure.summary,
            "headers": parts.success_headers(procedure.response_headers),
        }
        if procedure.output is not None:
            media_type = "text/event-stream" if procedure.stream else "application/json"
            success["content"] = self._content(procedure.output, media_type, procedure.shows)
        if procedure.links:
            success["links"] = {self._link_name(target): self._link(target) for target in procedure.links}
        responses: JsonObject = {str(procedure.status): success}
        if conditional(procedure):
            responses["304"] = {"description": parts.UNCHANGED, "headers": parts.success_headers(("ETag",))}
        for status in self._error_statuses(procedure):
            responses[str(status)] = {"$ref": f"#/components/responses/{parts.name_of(status)}"}
        return responses

    def _link_name(self, target: str) -> str:
        return "".join(word[0].upper() + word[1:] for word in target.split("."))

    def _link(self, target: str) -> JsonObject:
        return {"operationId": target, "parameters": {"id": "$response.body#/id"}}

    def _error_statuses(self, procedure: Procedure) -> list[int]:
        codes = [*_ALWAYS, *procedure.errors]
        # A role that does not do, a key that may not write or not at all, a cookie's write without its token.
        access = procedure.access
        gated = "signed-in" not in access.roles and not access.hidden
        if not access.open and (gated or procedure.method != "GET" or not access.by_key):
            codes.append("FORBIDDEN")
        if procedure.input is not None:
            codes += ["UNSUPPORTED_MEDIA_TYPE", "REQUEST_TIMEOUT"]
        return sorted({KINDS[code].status for code in codes})


def render(procedures: Sequence[Procedure], services: Services) -> JsonObject:
    """Return the document of these procedures under these settings."""
    return Renderer(procedures, services).document()
