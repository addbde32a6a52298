"""Pages for people: plain HTML from templates, and the headers under which a browser shows them.

No page runs a script but the one that posts an answer, none is shown in a frame, and a form goes back to us or to the
application that it is for. This module decides nothing.
"""

from __future__ import annotations

import base64
import os
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from linarite.web.http import Response

if TYPE_CHECKING:
    from jinja2 import Environment

HTML = "text/html; charset=utf-8"


class Pages:
    """The templates, each read when it is first shown; what reads them is loaded with the first."""

    @cached_property
    def _templates(self) -> Environment:
        jinja = import_module("jinja2")
        made: Environment = jinja.Environment(
            loader=jinja.FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            undefined=jinja.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        return made

    def show(self, name: str, status: int = 200, *, leads_to: str = "", **values: Any) -> Response:
        """A page; `leads_to` is the address to which its form may lead in the end."""
        nonce = base64.b64encode(os.urandom(16)).decode()
        text = self._templates.get_template(f"{name}.html").render(nonce=nonce, **{"bad": "", **values})
        policy = (
            f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
            f"form-action 'self'{_source(leads_to)}; frame-ancestors 'none'; base-uri 'none'"
        )
        headers = (
            ("content-type", HTML),
            ("content-security-policy", policy),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        )
        return Response(status, headers, text.encode())

    def say(self, headline: str, said: str, where: str = "", *, status: int = 200) -> Response:
        """A page that says something, and asks nothing."""
        return self.show("said", status, headline=headline, said=said, where=where)


def _source(address: str) -> str:
    """An address as a policy names where a form may lead: scheme and host, or the scheme where that is all it has."""
    if not address:
        return ""
    parts = urlsplit(address)
    return f" {parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f" {parts.scheme}:"
