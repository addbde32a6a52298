"""Who opens the doors with a key: azure-storage-blob, oras, Azure's exporter of telemetry, azure-core; each as it is.

They know addresses and the one value of listKeys that they were given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from azure.core import PipelineClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy, BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest
from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter
from azure.storage.blob import BlobServiceClient
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from oras.provider import Registry  # type: ignore[import-untyped]

from linarite.demo.image import CONFIG_TYPE, FILE, LAYER_TYPE

if TYPE_CHECKING:
    from pathlib import Path

    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.policies import HTTPPolicy, SansIOHTTPPolicy

    from linarite.demo.image import Image

ANSWERS_WITHIN = 10
"""Seconds that a door may take for one answer."""


class Refused(Exception):
    """The door does not take the key; the message is its own."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Blobs of an account, opened with one of its keys."""

    endpoint: str
    key: str = field(repr=False)

    def write(self, container: str, name: str, content: bytes) -> None:
        with self._service() as service:
            service.get_blob_client(container, name).upload_blob(content, overwrite=True)

    def read(self, container: str, name: str) -> bytes:
        """The content of a blob.

        Raises:
            Refused: the key opens nothing.
        """
        with self._service() as service:
            try:
                return service.get_blob_client(container, name).download_blob().readall()
            except HttpResponseError as error:
                if error.status_code != HTTPStatus.FORBIDDEN:
                    raise
                code = getattr(error, "error_code", None)
                raise Refused(f"{error.status_code} {getattr(code, 'value', code)}") from error

    def _service(self) -> BlobServiceClient:
        return BlobServiceClient(
            self.endpoint,
            credential=self.key,
            retry_total=1,
            connection_timeout=ANSWERS_WITHIN,
            read_timeout=ANSWERS_WITHIN,
        )


@dataclass(frozen=True, slots=True)
class Images:
    """Images of a registry, opened with one of its admin user's passwords."""

    login_server: str
    user: str
    password: str = field(repr=False)

    def push(self, name: str, image: Image) -> None:
        self._client().push(
            f"{self.login_server}/{name}",
            files=[f"{image.layer}:{LAYER_TYPE}"],
            manifest_config=f"{image.config}:{CONFIG_TYPE}",
            disable_path_validation=True,  # the image is not in the working folder
            quiet=True,
        )

    def pull(self, name: str, folder: Path) -> str:
        """Pull into a new folder, where oras unpacks the layer; answers what the image's file holds.

        Raises:
            Refused: the password opens nothing.
        """
        folder.mkdir()
        try:
            self._client().pull(f"{self.login_server}/{name}", outdir=str(folder))
        except ValueError as error:
            if HTTPStatus.UNAUTHORIZED.phrase not in str(error):
                raise
            raise Refused(f"{HTTPStatus.UNAUTHORIZED} {HTTPStatus.UNAUTHORIZED.phrase}") from error
        return (folder / FILE).read_text()

    def _client(self) -> Any:
        """With Basic: at a refusal of the token service oras would ask again for minutes."""
        client = Registry(hostname=self.login_server, auth_backend="basic")
        client.auth.set_basic_auth(self.user, self.password)
        return client


def send_trace(instrumentation_key: str, endpoint: str, message: str) -> None:
    """Send one trace with Azure's exporter, which tells nobody whether it arrived."""
    provider = LoggerProvider(shutdown_on_exit=False)
    exporter = AzureMonitorLogExporter(
        connection_string=f"InstrumentationKey={instrumentation_key};IngestionEndpoint={endpoint}/",
        disable_offline_storage=True,
    )
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("linarite.demo").emit(body=message, severity_number=SeverityNumber.INFO)
    provider.shutdown()


def fetch(credential: TokenCredential, origin: str, path: str, resource: str) -> Any:
    """GET over azure-core, with a token for a resource; answers the decoded JSON."""
    return _got(origin + path, BearerTokenCredentialPolicy(credential, f"{resource}/.default"))


def notebooks_of(origin: str, key: str) -> str:
    """Name of the workspace as which Jupyter lets somebody in who shows a notebook key.

    Raises:
        Refused: the key opens nothing.
    """
    sign_in = AzureKeyCredentialPolicy(AzureKeyCredential(key), "Authorization", prefix="token")
    try:
        return str(_got(f"{origin}/api/me", sign_in)["identity"]["name"])
    except HttpResponseError as error:
        if error.status_code != HTTPStatus.FORBIDDEN:
            raise
        raise Refused(f"{error.status_code} {error.reason}") from error


def _got(url: str, sign_in: SansIOHTTPPolicy[Any, Any] | HTTPPolicy[Any, Any]) -> Any:
    """The decoded JSON that is there for somebody who signs in so."""
    with PipelineClient[Any, Any](url, policies=[sign_in]) as client:
        answer = client.send_request(HttpRequest("GET", url), connection_timeout=ANSWERS_WITHIN)
        answer.raise_for_status()
        return answer.json()
