"""A small client of a running server, for the command line: signs in as the owner and calls the API over TLS.

Knows the ready file and HTTP, and nothing of the server's inside.
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

READY_FILE = "ready.json"
"""Name of the ready file in the data folder, there while a server runs on it."""

TIMEOUT = 30.0
"""Seconds that the command line waits for an answer."""

SEALED = "The server is sealed: its root key is not at hand. Point LINARITE_ROOT_KEY to it and start the server again."


class NotRunning(Exception):
    """No server can be reached; the message says what to do."""


class Refused(Exception):
    """The server refused; the message is its own."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code} ({status}): {message}")
        self.status = status
        self.code = code


def ready(data: Path) -> dict[str, Any]:
    """What the ready file of a data folder says.

    Raises:
        NotRunning: there is none, or it cannot be read.
    """
    try:
        content: dict[str, Any] = json.loads((data / READY_FILE).read_text())
    except (OSError, ValueError) as error:
        message = f"No server runs on {data}. Start one with `linarite up`, or name its folder with --data."
        raise NotRunning(message) from error
    return content


def environment(known: dict[str, Any]) -> dict[str, str]:
    """Variables that point every client at a running server, its CA included.

    `AZURE_TENANT_ID=adfs` is what lets azure-identity sign in with no code change: it asks Microsoft's own discovery
    for any other tenant of an authority that it does not know.
    """
    return {
        "AZURE_AUTHORITY_HOST": known["authority"],
        "AZURE_TENANT_ID": "adfs",
        "AZURE_CLIENT_ID": known["clientId"],
        "AZURE_CLIENT_SECRET": known["clientSecret"],
        "AZURE_SUBSCRIPTION_ID": known["subscriptionId"],
        "ARM_CLOUD_METADATA_URL": known["metadataUrl"],
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_RESOURCE_GROUP": known["resourceGroup"],
        "AZURE_ML_WORKSPACE": known["workspace"],
        "ARM_ENDPOINT": known["armEndpoint"],
        "REQUESTS_CA_BUNDLE": known["caBundle"],
        "SSL_CERT_FILE": known["caBundle"],
        "CURL_CA_BUNDLE": known["caBundle"],
        "NODE_EXTRA_CA_CERTS": known["caBundle"],
    }


IDENTITY_SHAPES = ("app-service", "azure-ml", "imds", "cloud-shell")
"""Hosts of Azure whose managed identities clients find by variables; the latter two are for the whole machine."""

_WHO = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
_WHERE = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "MSI_SECRET", "AZURE_POD_IDENTITY_AUTHORITY_HOST")


def identity_environment(known: dict[str, Any], resource: str, header: str, shape: str) -> dict[str, str | None]:
    """Variables with which clients are a resource's managed identity; None for one that must not be set.

    Raises:
        NotRunning: nobody answers for identities, or not for a whole machine that stands for this resource.
    """
    base, machine = known["identity"]["endpoint"], known["identity"]["machine"] or ""
    if base is None:
        raise NotRunning(
            "The port of managed identities was taken when the server started. Start it with another --port."
        )
    if shape in {"imds", "cloud-shell"} and machine.lower() != resource.lower():
        raise NotRunning(
            f"This machine does not stand for the resource. Start the server with LINARITE_IMDS={resource}."
        )
    own = f"{base}/identity{urllib.parse.quote(resource)}"
    found = {
        "app-service": {"IDENTITY_ENDPOINT": own, "IDENTITY_HEADER": header},
        "azure-ml": {"MSI_ENDPOINT": own, "MSI_SECRET": header},
        "imds": {"AZURE_POD_IDENTITY_AUTHORITY_HOST": base},
        "cloud-shell": {"MSI_ENDPOINT": f"{base}/oauth2/token"},
    }[shape]
    return {**environment(known), **dict.fromkeys((*_WHO, *_WHERE)), **found}


def workspace_path(known: dict[str, Any], name: str | None) -> str:
    """The path of a workspace given as a name, as GROUP/NAME, or as a full id; the ready file's own without one."""
    if name and name.startswith("/"):
        return name.rstrip("/")
    group, _, workspace = (name or "").rpartition("/")
    return (
        f"/subscriptions/{known['subscriptionId']}/resourceGroups/{group or known['resourceGroup']}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace or known['workspace']}"
    )


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered. It may hold keys, so it does not print."""

    text: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> Any:
        """The decoded JSON; None for an empty answer."""
        return json.loads(self.text or "null")

    def header(self, name: str) -> str:
        return next((value for known, value in self.headers if known.lower() == name), "")


@dataclass(slots=True)
class Client:
    """Calls one server, signed in as the owner where that is needed."""

    known: dict[str, Any] = field(repr=False)
    token: str = field(default="", repr=False)

    def call(
        self, method: str, path: str, version: str, body: Any = None, *, query: Mapping[str, str] | None = None
    ) -> Reply:
        """One call of the API; `query` is what it has beside the api-version.

        Raises:
            Refused: the server answered an error.
            NotRunning: it does not answer at all.
        """
        if not self.token:
            self.sign_in()
        asked = urllib.parse.urlencode({"api-version": version, **(query or {})}, safe="$")
        url = f"{self.known['armEndpoint']}{urllib.parse.quote(path)}?{asked}"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return self._send(method, url, b"" if body is None else json.dumps(body).encode(), headers)

    def post(self, path: str, version: str) -> Any:
        """POST without a body; answers the decoded JSON, and raises as `call` does."""
        return self.call("POST", path, version).body

    def health(self) -> tuple[str, str]:
        """The server's state, `ok` or `sealed`, and its clock as an HTTP date."""
        reply = self._send("GET", self.known["armEndpoint"] + "/health", None, {})
        return reply.body["status"], reply.header("date")

    def sign_in(self) -> None:
        """Get a token; raises as `call` does."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.known["clientId"],
            "client_secret": self.known["clientSecret"],
            "scope": self.known["armEndpoint"] + "/.default",
        }
        url = f"{self.known['authority']}/{self.known['tenantId']}/oauth2/v2.0/token"
        self.token = str(self._send("POST", url, urllib.parse.urlencode(form).encode(), {}).body["access_token"])

    def _send(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        context = ssl.create_default_context(cafile=self.known["caBundle"])
        # Past every proxy: the environment may name one for the cloud, and the server is on this machine.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        # Only the address in the ready file is called, which is always https.
        request = urllib.request.Request(url, data=body, headers=headers, method=method)  # noqa: S310
        try:
            with opener.open(request, timeout=TIMEOUT) as response:
                return Reply(response.read().decode(), tuple(response.headers.items()))
        except urllib.error.HTTPError as error:
            raise _refused(error) from None
        except OSError as error:
            message = f"The server at {self.known['armEndpoint']} does not answer: {getattr(error, 'reason', error)}"
            raise NotRunning(message) from error


def _refused(error: urllib.error.HTTPError) -> Refused:
    try:
        found = json.loads(error.read())
    except ValueError:
        found = {}
    inner = found.get("error", {})
    if isinstance(inner, dict):
        return Refused(error.code, inner.get("code", error.reason), inner.get("message", ""))
    return Refused(error.code, str(inner), found.get("error_description", ""))
