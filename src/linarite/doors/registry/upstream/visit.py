"""A request that has been let in, on its way to an upstream: what it is there, and what comes back.

What goes up is put together anew from parts that were checked; of what comes down, only what the specification has a
registry say is passed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from linarite.doors.registry import names
from linarite.doors.registry.manifest import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from linarite.doors.registry.messages import Answer
from linarite.doors.registry.upstream.rewriting import PASSED_UP, headers_down, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.doors.registry.front import Proof
    from linarite.doors.registry.messages import Request
    from linarite.doors.registry.upstream.line import Answered, Line, Query

LARGEST_REFUSAL = 64 * 1024
LARGEST_AT_ONCE = 64 * 1024
"""Bytes of an answer that is read whole before it is sent; a longer one is sent as it comes."""
REFUSED_FROM = 400
NO_BODY = {204, 304}
MANIFESTS = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST)
"""What a client that names no kind of manifest is taken to accept: some registries would have none for it."""
WITH_A_BODY = {"POST", "PUT", "PATCH"}


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that has been let in."""

    request: Request
    proof: Proof
    line: Line
    parts: Mapping[str, str]

    @property
    def place(self) -> str:
        return self.proof.grant.place

    @property
    def repository(self) -> names.Repository:
        return names.Repository(self.parts["name"])  # checked when the route was found

    def path(self, *below: str) -> str:
        """The address of something in the repository, at the upstream."""
        return "/".join(["/v2", self.place, self.repository, *(quote(part, safe=":") for part in below)])

    async def pass_on(self, path: str, query: Query | None = None) -> Answer:
        """Send the request up and the answer down, each as it comes in.

        Raises:
            Refused: the upstream refuses it. Down: it cannot be used.
        """
        answered = await self.ask(path, query)
        try:
            headers = headers_down(answered, self.place)
            length = answered.headers.get("content-length")
            small = length is not None and int(length) <= LARGEST_AT_ONCE
            if small or self.request.method == "HEAD" or answered.status in NO_BODY:
                body = await answered.whole(LARGEST_AT_ONCE)
                unmeasured = [pair for pair in headers if pair[0] != "Content-Length"]
                return Answer(answered.status, unmeasured, body, length=int(length or 0))
        except BaseException:
            await answered.close()
            raise
        return Answer(answered.status, headers, stream=answered.pieces())

    async def read(self, path: str, query: Query, limit: int) -> tuple[bytes, Mapping[str, str]]:
        """Something of the upstream's that is needed whole, and the headers it comes with.

        Raises:
            Refused: the upstream refuses it. Down: it cannot be used, or it is longer than so many bytes.
        """
        answered = await self._checked(await self.line.ask("GET", path, query))
        return await answered.whole(limit), answered.headers

    async def ask(self, path: str, query: Query | None = None) -> Answered:
        """Send the request up.

        Raises:
            Refused: the upstream refuses it. Down: it cannot be used. CutShort: the body ended early.
        """
        request = self.request
        passed = [(name, value) for name in PASSED_UP for value in request.headers(name.lower())]
        if not any("/vnd." in value for value in request.headers("accept")):
            passed += [("Accept", media_type) for media_type in MANIFESTS]
        body = request.pieces() if request.method in WITH_A_BODY else None
        if body is not None and request.length() is None:
            passed.append(("Transfer-Encoding", "chunked"))
        return await self._checked(await self.line.ask(request.method, path, query, passed, body))

    async def _checked(self, answered: Answered) -> Answered:
        if answered.status < REFUSED_FROM:
            return answered
        said = await answered.whole(LARGEST_REFUSAL)
        raise refusal(answered.status, headers_down(answered, self.place), said, self.place)
