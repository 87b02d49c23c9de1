"""A login provider for the benchmark of all operations: it signs one person in at once, whatever the code.

`python tests/benchmarks/http/login_provider.py PORT`. The nonce of a login is its code, so nothing is kept between.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

CLIENT = "benchmark"


def application(issuer: str) -> Starlette:
    """The three endpoints that the API asks; ES256, whose signatures cost least."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    paths = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}

    async def discovery(_: Request) -> JSONResponse:
        return JSONResponse({"issuer": issuer, **{name: f"{issuer}/{path}" for name, path in paths.items()}})

    async def keys(_: Request) -> JSONResponse:
        return JSONResponse({"keys": [{**public, "kid": "one", "use": "sig", "alg": "ES256"}]})

    async def token(request: Request) -> JSONResponse:
        form = parse_qs((await request.body()).decode())
        now = int(time.time())
        claims: dict[str, Any] = {"iss": issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": form["code"][0]}
        claims |= {"sub": "ada", "email": "ada@example.test", "email_verified": True, "name": "Ada"}
        signed = jwt.encode(claims, key, algorithm="ES256", headers={"kid": "one"})
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": signed})

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", discovery),
            Route("/keys", keys),
            Route("/token", token, methods=["POST"]),
        ]
    )


if __name__ == "__main__":
    port = int(sys.argv[1])
    uvicorn.run(application(f"http://127.0.0.1:{port}"), host="127.0.0.1", port=port, log_level="error")
