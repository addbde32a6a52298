"""An issuer that is none of ours: a small server on loopback with a discovery document and keys, and what it signs."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import RSAKey

from linarite import certificates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from linarite.certificates import Certificates

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/keys"
TENANT = "77777777-6666-5555-4444-333333333333"
AUDIENCE = "api://linarite"


def new_key(kid: str = "first") -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid}, auto_kid=False)


@dataclass
class Issuer:
    """A running issuer. What it answers can be changed, and what it was asked is kept."""

    origin: str
    key: RSAKey
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    """Status, headers and body by path."""
    asked: list[str] = field(default_factory=list)
    bundle: Path | None = None
    """Whom to trust, where it speaks TLS."""

    def publish(self, *keys: RSAKey, **document: Any) -> None:
        """Show these keys, and a discovery document with these members besides."""
        shown = [{**key.as_dict(private=False), "kid": key.kid, "use": "sig", "alg": "RS256"} for key in keys]
        self.answer(DISCOVERY, {"issuer": self.origin, "jwks_uri": self.origin + KEYS, **document})
        self.answer(KEYS, {"keys": shown})

    def answer(self, path: str, body: Any, status: int = 200, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers[path] = (status, headers, content)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Claims of somebody whom a server that trusts this issuer lets in; None leaves one out."""
        now = int(time.time())
        claims = {
            "iss": self.origin,
            "sub": "somebody",
            "aud": AUDIENCE,
            "tid": TENANT,
            "oid": self.somebody,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    @cached_property
    def somebody(self) -> str:
        """Object id of the one subject that it knows."""
        return str(uuid4())

    def token(
        self, *, key: Any = None, algorithm: str = "RS256", header: dict[str, Any] | None = None, **changes: Any
    ) -> str:
        """A token with these claims changed."""
        named = {"alg": algorithm, "kid": self.key.kid, **(header or {})}
        return jwt.encode(named, self.claims(**changes), key or self.key, algorithms=[algorithm])


@contextlib.contextmanager
def issuing(folder: Path | None = None) -> Iterator[Issuer]:
    """Run an issuer; over TLS where a folder is given, in which its certificates are kept."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    certified = None if folder is None else certificates.ensure(folder, (), datetime.now(UTC))
    if certified is not None:
        server.socket = _speaking_tls(certified).wrap_socket(server.socket, server_side=True)
    scheme = "http" if certified is None else "https"
    issuer = Issuer(f"{scheme}://localhost:{server.server_port}", new_key(), bundle=certified and certified.bundle)
    issuer.publish(issuer.key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            status, headers, body = issuer.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server.RequestHandlerClass = Handler
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _speaking_tls(certified: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified.chain, certified.key)
    return context
