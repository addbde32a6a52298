"""azure-identity and MSAL without a secret, over real TLS: by a certificate, and by the token of another issuer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msal  # type: ignore[import-untyped]
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientAssertionCredential,
    DefaultAzureCredential,
    EnvironmentCredential,
    WorkloadIdentityCredential,
)
from azure.identity.aio import CertificateCredential as AsyncCertificateCredential

from tests.certified import SHA1, Certified, certified
from tests.cli.program import answered
from tests.clients.test_sign_in import claims_of, status_with
from tests.issuer import issuing
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.issuer import Issuer
    from tests.server import Server

SUBJECT = "system:serviceaccount:default:pipeline"
EXCHANGE = "api://AzureADTokenExchange"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    """A platform's issuer, over TLS."""
    with issuing(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def server(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that trusts whom the machine trusts, the issuer's authority among them."""
    folder = tmp_path_factory.mktemp("assertions") / "data"
    with running(folder, "--no-doors", SSL_CERT_FILE=str(issuer.bundle)) as server:
        yield server


@dataclass(frozen=True)
class Application:
    """An application that reads, and has no secret."""

    client_id: str
    certificate: Certified
    file: Path


@pytest.fixture(scope="module")
def application(server: Server, issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Application:
    ours = certified()
    file = tmp_path_factory.mktemp("certificate") / "ours.pem"
    file.write_bytes(ours.both)
    where = ("--json", "--data", server.folder)
    made = json.loads(answered("app", "add", "pipeline", "--certificate", file, "--role", "Reader", *where))
    trusted = ("--issuer", issuer.origin, "--subject", SUBJECT)
    answered("app", "credential", "add", "pipeline", *trusted, *where)
    return Application(made["clientId"], ours, file)


def here(server: Server) -> dict[str, Any]:
    return {"authority": server.known["authority"], "disable_instance_discovery": True}


def works(server: Server, token: str) -> bool:
    claims = claims_of(token)
    return (claims["idtyp"], claims["appidacr"], status_with(server, token)) == ("app", "2", 200)


# ── a certificate ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("chain", [False, True], ids=["named", "with its chain"])
def test_a_certificate_signs_in(server: Server, application: Application, chain: bool) -> None:  # noqa: FBT001
    more = {"send_certificate_chain": chain, **here(server)}
    with CertificateCredential(
        server.known["tenantId"], application.client_id, str(application.file), **more
    ) as credential:
        assert works(server, credential.get_token(f"{server.origin}/.default").token)
        # MSAL presents one assertion for nine minutes.
        assert credential.get_token("https://management.azure.com/.default").token


def test_a_certificate_signs_in_asynchronously(server: Server, application: Application) -> None:
    async def token() -> str:
        async with AsyncCertificateCredential(
            server.known["tenantId"], application.client_id, str(application.file), **here(server)
        ) as credential:
            return (await credential.get_token(f"{server.origin}/.default")).token

    assert works(server, asyncio.run(token()))


def test_variables_alone_are_enough_for_a_certificate(
    server: Server, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", server.known["authority"])
    monkeypatch.setenv("AZURE_TENANT_ID", "adfs")
    monkeypatch.setenv("AZURE_CLIENT_ID", application.client_id)
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(application.file))
    with EnvironmentCredential() as credential:
        assert works(server, credential.get_token(f"{server.origin}/.default").token)


def test_msal_signs_in_with_a_certificate_by_its_old_thumbprint(server: Server, application: Application) -> None:
    ours = application.certificate
    client = msal.ConfidentialClientApplication(
        application.client_id,
        authority=f"{server.origin}/{server.known['tenantId']}",
        instance_discovery=False,
        verify=server.known["caBundle"],
        client_credential={
            "private_key": ours.both.decode(),
            "thumbprint": ours.certificate.fingerprint(SHA1).hex(),
        },
    )
    assert works(server, client.acquire_token_for_client([f"{server.origin}/.default"])["access_token"])


def test_a_certificate_that_is_not_registered_is_refused_in_entras_words(
    server: Server, application: Application
) -> None:
    with (
        CertificateCredential(
            server.known["tenantId"], application.client_id, certificate_data=certified().both, **here(server)
        ) as credential,
        pytest.raises(ClientAuthenticationError, match=r"AADSTS700027: .* is not registered on application"),
    ):
        credential.get_token(f"{server.origin}/.default")


# ── another issuer's token ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def token_file(issuer: Issuer, tmp_path: Path) -> Path:
    """Where a platform puts the token of a workload."""
    path = tmp_path / "token"
    path.write_text(issuer.token(sub=SUBJECT, aud=[EXCHANGE]))
    return path


def test_a_workload_signs_in_with_the_token_of_its_platform(
    server: Server, application: Application, token_file: Path
) -> None:
    with WorkloadIdentityCredential(
        tenant_id=server.known["tenantId"],
        client_id=application.client_id,
        token_file_path=str(token_file),
        **here(server),
    ) as credential:
        for scope in (f"{server.origin}/.default", "https://management.azure.com/.default"):
            assert works(server, credential.get_token(scope).token)


def test_the_default_credential_finds_the_workloads_token(
    server: Server, application: Application, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", server.known["authority"])
    monkeypatch.setenv("AZURE_TENANT_ID", server.known["tenantId"])
    monkeypatch.setenv("AZURE_CLIENT_ID", application.client_id)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token_file))
    with DefaultAzureCredential() as credential:
        assert works(server, credential.get_token(f"{server.origin}/.default").token)


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"sub": "system:serviceaccount:default:other"}, 700213),
        ({"aud": "https://kubernetes.default.svc"}, 700212),
        ({"iss": "https://other.example"}, 700211),
        ({"exp": 1}, 700024),
        ({"header": {"kid": "none"}}, 7000272),
    ],
    ids=["subject", "audience", "issuer", "old", "key"],
)
def test_a_token_that_is_not_the_trusted_one_is_refused_in_entras_words(
    server: Server, application: Application, issuer: Issuer, changes: dict[str, Any], number: int
) -> None:
    token = issuer.token(**{"sub": SUBJECT, "aud": EXCHANGE, **changes})
    with (
        ClientAssertionCredential(
            server.known["tenantId"], application.client_id, lambda: token, **here(server)
        ) as credential,
        pytest.raises(ClientAuthenticationError, match=f"AADSTS{number}:"),
    ):
        credential.get_token(f"{server.origin}/.default")
