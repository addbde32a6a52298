"""Which vault, operation and secret a request is about, by its host and its path alone."""

from __future__ import annotations

from typing import Any

import pytest

from linarite.calls import Call
from linarite.doors.vault import asked as names
from linarite.doors.vault.asked import Asked, asked_of
from linarite.errors import Refusal

HOST = "https://kv-1.vault.core.linarite.localhost"
ID = 32 * "a"


def call(path: str, method: str = "GET", origin: str = HOST, version: str | None = "7.4") -> Call:
    return Call(
        method=method,
        path=path,
        query_string="",
        query={} if version is None else {"api-version": version},
        authorization=None,
        json=lambda: None,
        origin=origin,
        request="",
        correlation="",
        address="",
    )


def refusal(*arguments: Any, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        asked_of(call(*arguments, **more))
    return caught.value


@pytest.mark.parametrize(
    ("method", "path", "operation", "secret", "version"),
    [
        ("GET", "/secrets", names.LIST, "", ""),
        ("GET", "/secrets/", names.LIST, "", ""),
        ("GET", "/secrets/s", names.GET, "s", ""),
        ("GET", "/secrets/s/", names.GET, "s", ""),
        ("GET", f"/secrets/s/{ID.upper()}", names.GET, "s", ID),
        ("GET", "/secrets/s/versions", names.VERSIONS, "s", ""),
        ("PUT", "/secrets/s", names.SET, "s", ""),
        ("PATCH", "/secrets/s/", names.UPDATE, "s", ""),
        ("PATCH", f"/secrets/s/{ID}", names.UPDATE, "s", ID),
        ("DELETE", "/secrets/s", names.DELETE, "s", ""),
        ("POST", "/secrets/s/backup", names.BACKUP, "s", ""),
        ("POST", "/secrets/restore", names.RESTORE, "", ""),
        ("GET", "/deletedsecrets", names.LIST_DELETED, "", ""),
        ("GET", "/deletedsecrets/s", names.GET_DELETED, "s", ""),
        ("POST", "/deletedsecrets/s/recover", names.RECOVER, "s", ""),
        ("DELETE", "/deletedsecrets/s", names.PURGE, "s", ""),
    ],
)
def test_every_operation_is_known_by_host_and_by_path(
    method: str, path: str, operation: names.Operation, secret: str, version: str
) -> None:
    by_host = asked_of(call(path, method, HOST + ":8449"))
    assert by_host == Asked(operation, "kv-1", HOST + ":8449", HOST + ":8449", secret, version)
    by_path = asked_of(call(f"/KV-1{path}", method, "https://localhost:8449"))
    assert by_path == Asked(operation, "kv-1", HOST + ":8449", "https://localhost:8449/KV-1", secret, version)


def test_a_vault_on_the_usual_port_has_ids_without_one() -> None:
    assert asked_of(call("/kv-1/secrets", origin="https://127.0.0.1")).ids == HOST


@pytest.mark.parametrize("origin", ["https://[::1]:8449", "https://linarite.test:8449"])
def test_a_path_serves_under_every_other_host(origin: str) -> None:
    asked = asked_of(call("/kv-1/secrets/s", origin=origin))
    assert (asked.vault, asked.secret, asked.ids) == ("kv-1", "s", HOST + ":8449")


@pytest.mark.parametrize(
    ("origin", "path"),
    [
        (HOST, "/"),
        (HOST, "/keys/k"),
        (HOST, "/certificates"),
        ("https://localhost", "/"),
        ("https://localhost", "/kv-1"),
        ("https://localhost", "/kv-1/keys/k"),
        ("https://st1.blob.core.linarite.localhost", "/kv-1/secrets/s"),
    ],
)
def test_what_is_not_served_is_not_found(origin: str, path: str) -> None:
    found = refusal(path, origin=origin)
    assert (found.status, found.code) == (404, "NotFound")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/secrets/s"),
        ("PUT", "/secrets"),
        ("HEAD", "/secrets/s"),
        ("GET", "/secrets/s/v/w"),
        ("PUT", "/deletedsecrets/s"),
        ("POST", "/deletedsecrets/s/purge"),
    ],
)
def test_a_method_that_does_not_fit_is_a_bad_parameter(method: str, path: str) -> None:
    found = refusal(path, method)
    assert (found.status, found.code) == (400, "BadParameter")
    assert found.message.startswith(f"Method {method} does not allow operation '")


@pytest.mark.parametrize("name", ["a_b", "a.b", "ä", "a b", "x" * 128, "a\x00b", "s%2Ft"])
def test_a_name_that_cannot_be_one_is_a_bad_parameter(name: str) -> None:
    found = refusal(f"/secrets/{name}")
    assert (found.code, found.message) == ("BadParameter", f"The request URI contains an invalid name: {name}")


@pytest.mark.parametrize("version", ["7.0", "7.6", "7.7", "2016-10-01", "2025-07-01", "2026-04-01-preview.1"])
def test_versions_from_the_first_to_those_to_come_are_understood(version: str) -> None:
    assert asked_of(call("/secrets", version=version)).operation is names.LIST


@pytest.mark.parametrize("version", [None, "", "6.9", "8.0", "7", "7.x", "latest", "7.4 "])
def test_a_version_that_is_none_is_a_bad_parameter(version: str | None) -> None:
    assert refusal("/secrets", version=version).code == "BadParameter"
