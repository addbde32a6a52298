"""app credential: what an application proves itself with is given, listed and taken beside a running server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from linarite.grants.certificates import thumbprint
from tests.certified import BEARER, certified, claims_of, weak_key
from tests.cli.program import answered, refused
from tests.cli.test_app import added, written
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.certified import Certified
    from tests.server import Server

OURS = certified()


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose applications are given credentials."""
    with running(tmp_path_factory.mktemp("credentials") / "data", "--no-doors") as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a private key and its certificate."""
    path = tmp_path / "ours.pem"
    path.write_bytes(OURS.both)
    return path


def credentials(folder: Path, name: str) -> list[dict[str, Any]]:
    return list(json.loads(answered("app", "credential", "list", name, "--json", "--data", folder)))


def asked(server: Server, client_id: str, one: Certified = OURS) -> httpx.Response:
    """What the token service says to an assertion of this application."""
    endpoint = f"/{server.known['tenantId']}/oauth2/v2.0/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_assertion_type": BEARER,
        "client_assertion": one.assertion(claims_of(client_id, server.origin + endpoint)),
        "scope": f"{server.origin}/.default",
    }
    return server.nobody().http.post(endpoint, data=form)


def test_an_application_with_a_certificate_has_no_secret_and_signs_in_at_once(changed: Server, file: Path) -> None:
    made = added(changed.folder, "certified", "--certificate", str(file), "--role", "Reader")
    assert made["clientSecret"] is None
    caller = changed.nobody()
    caller.http.headers["authorization"] = f"Bearer {asked(changed, made['clientId']).json()['access_token']}"
    assert caller.get(changed.workspace).status_code == 200
    [held] = credentials(changed.folder, "certified")
    assert held["kind"] == "certificate"
    assert held["what"] == f"{thumbprint(OURS.certificate)} CN=pipeline"
    assert held["expires"] == OURS.certificate.not_valid_after_utc.isoformat()


def test_a_certificate_is_given_and_taken_beside_a_running_server(changed: Server, file: Path) -> None:
    made = added(changed.folder, "later")
    assert asked(changed, made["clientId"]).json()["error_codes"] == [700027]
    given = json.loads(
        answered("app", "credential", "add", "later", "--certificate", file, "--json", "--data", changed.folder)
    )
    assert asked(changed, made["clientId"]).status_code == 200
    said = answered("app", "credential", "remove", "later", given["id"], "--data", changed.folder)
    assert said == f"Removed {given['id']}.\n"
    assert asked(changed, made["clientId"]).json()["error_codes"] == [700027]
    assert [one["kind"] for one in credentials(changed.folder, "later")] == ["secret"]


def test_a_second_secret_is_shown_once(changed: Server) -> None:
    made = added(changed.folder, "twice")
    given = json.loads(answered("app", "credential", "add", "twice", "--json", "--data", changed.folder))
    for secret in (made["clientSecret"], given["clientSecret"]):
        changed.signed_in(made["clientId"], secret)
    assert given["clientSecret"] not in answered("app", "credential", "list", "twice", "--data", changed.folder)


def test_a_trusted_issuer_is_listed_as_it_was_given(changed: Server) -> None:
    added(changed.folder, "trusting")
    where = ("--data", changed.folder)
    options = ("--issuer", "https://token.example", "--subject", "repo:a/b:ref:refs/heads/main")
    answered("app", "credential", "add", "trusting", *options, *where)
    what = [one["what"] for one in credentials(changed.folder, "trusting") if one["kind"] == "issuer"]
    assert what == ["repo:a/b:ref:refs/heads/main of https://token.example for api://AzureADTokenExchange"]
    assert "trusts that already" in refused("app", "credential", "add", "trusting", *options, *where)


def test_what_was_given_and_taken_is_on_the_trail(changed: Server, file: Path) -> None:
    added(changed.folder, "traced")
    before = len(written(changed.folder))
    given = json.loads(
        answered("app", "credential", "add", "traced", "--certificate", file, "--json", "--data", changed.folder)
    )
    answered("app", "credential", "remove", "traced", given["id"], "--data", changed.folder)
    actions = [json.loads(body)["action"] for body in written(changed.folder)[before:]]
    assert actions == ["Linarite/applications/credentials/write", "Linarite/applications/credentials/delete"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--certificate", "missing.pem"), "missing.pem cannot be read"),
        (("--certificate", "empty.pem"), "has no certificate in PEM"),
        (("--certificate", "weak.pem"), "must be RSA, and have at least 2048 bits"),
        (("--issuer", "https://token.example"), "Give --certificate; or --issuer with --subject"),
        (("--subject", "somebody"), "Give --certificate; or --issuer with --subject"),
        (("--issuer", "http://token.example", "--subject", "s"), "must be an https address"),
        (("--issuer", "https://token.example", "--subject", ""), "--subject is 1 to 600 characters"),
        (("--issuer", "https://token.example", "--subject", "s" * 601), "--subject is 1 to 600 characters"),
        (("--issuer", "https://t.example", "--subject", "s", "--audience", ""), "--audience is not empty"),
    ],
)
def test_what_cannot_be_a_credential_is_refused_and_nothing_is_written(
    changed: Server, tmp_path: Path, arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.pem").touch()
    (tmp_path / "weak.pem").write_bytes(certified(key=weak_key()).pem)
    monkeypatch.chdir(tmp_path)
    before = written(changed.folder)
    assert said in refused("app", "credential", "add", "owner", *arguments, "--data", changed.folder)
    assert written(changed.folder) == before


@pytest.mark.parametrize("deed", ["list", "add"])
def test_nobody_is_given_anything(changed: Server, deed: str) -> None:
    said = refused("app", "credential", deed, "nobody", "--data", changed.folder)
    assert "There is no application 'nobody'." in said


def test_what_is_not_there_is_not_taken(changed: Server) -> None:
    said = refused("app", "credential", "remove", "owner", "none", "--data", changed.folder)
    assert "has no credential 'none'" in said
