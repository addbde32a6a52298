"""azure-keyvault-secrets, as it comes from its package, against a vault of a running server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AioCredential
from azure.keyvault.secrets.aio import SecretClient as AioSecretClient

from tests.clients.house import code_of
from tests.doors.vault.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azure.keyvault.secrets import SecretClient

SOON = {"_polling_interval": 0.01}


@pytest.fixture
def secrets(shop: Shop) -> SecretClient:
    return shop.client()


def names(found: Iterable[Any]) -> list[str]:
    return [one.name for one in found]


def test_a_secret_is_set_and_read_by_name_and_by_version(secrets: SecretClient) -> None:
    first = secrets.set_secret("Connection", "first")
    second = secrets.set_secret("connection", "second")
    assert first.name == second.name == "Connection"
    assert secrets.get_secret("CONNECTION").value == "second"
    assert secrets.get_secret("Connection", first.properties.version).value == "first"


def test_what_is_said_of_a_secret_is_kept_with_it(secrets: SecretClient) -> None:
    begins = datetime.now(UTC).replace(microsecond=0)
    ends = begins + timedelta(days=30)
    secrets.set_secret(
        "s", "v", content_type="text/plain", tags={"team": "a"}, not_before=begins, expires_on=ends, enabled=True
    )
    kept = secrets.get_secret("s").properties
    assert (kept.content_type, kept.tags) == ("text/plain", {"team": "a"})
    assert (kept.not_before, kept.expires_on, kept.enabled) == (begins, ends, True)
    assert kept.created_on is not None
    assert kept.created_on >= begins
    assert (kept.recovery_level, kept.recoverable_days) == ("Recoverable+Purgeable", 90)


def test_an_update_changes_what_it_names_and_nothing_else(secrets: SecretClient) -> None:
    old = secrets.set_secret("s", "old", tags={"kept": "yes"}).properties.version
    secrets.set_secret("s", "new")
    secrets.update_secret_properties("s", old, content_type="text/plain")
    changed = secrets.get_secret("s", old)
    assert (changed.value, changed.properties.content_type, changed.properties.tags) == (
        "old",
        "text/plain",
        {"kept": "yes"},
    )
    assert secrets.get_secret("s").properties.content_type is None
    secrets.update_secret_properties("s", tags={})
    assert secrets.get_secret("s").value == "new"


def test_a_disabled_secret_is_not_shown_until_it_is_enabled(secrets: SecretClient) -> None:
    secrets.set_secret("s", "v", enabled=False)
    with pytest.raises(HttpResponseError) as caught:
        secrets.get_secret("s")
    assert (caught.value.status_code, code_of(caught.value)) == (403, "Forbidden")
    secrets.update_secret_properties("s", enabled=True)
    assert secrets.get_secret("s").value == "v"


def test_lists_have_everything_on_as_many_pages_as_it_takes(secrets: SecretClient) -> None:
    wanted = [f"s{number}" for number in range(7)]
    for name in wanted:
        secrets.set_secret(name, "v")
    versions = {secrets.set_secret("s0", str(number)).properties.version for number in range(5)}
    pages = list(secrets.list_properties_of_secrets(max_page_size=3).by_page())
    assert [len(list(page)) for page in pages] == [3, 3, 1]
    assert sorted(names(secrets.list_properties_of_secrets())) == wanted
    found = {one.version for one in secrets.list_properties_of_secret_versions("s0", max_page_size=2)}
    assert len(found) == 6
    assert versions < found


def test_a_deleted_secret_keeps_its_name_and_can_be_recovered_with_its_versions(secrets: SecretClient) -> None:
    first = secrets.set_secret("s", "first").properties.version
    secrets.set_secret("s", "second")
    secrets.set_secret("other", "v")
    deleting = secrets.begin_delete_secret("s", **SOON)
    deleting.wait()
    deleted = deleting.result()
    assert deleted.scheduled_purge_date - deleted.deleted_date == timedelta(days=90)
    assert names(secrets.list_properties_of_secrets()) == ["other"]
    assert names(secrets.list_deleted_secrets()) == ["s"]
    assert secrets.get_deleted_secret("s").recovery_id == deleted.recovery_id
    with pytest.raises(ResourceNotFoundError):
        secrets.get_secret("s")
    with pytest.raises(ResourceExistsError):
        secrets.set_secret("s", "third")
    secrets.begin_recover_deleted_secret("s", **SOON).wait()
    assert secrets.get_secret("s").value == "second"
    assert secrets.get_secret("s", first).value == "first"
    assert names(secrets.list_deleted_secrets()) == []


def test_a_purged_secret_is_gone_and_its_name_is_free(secrets: SecretClient) -> None:
    secrets.set_secret("s", "old")
    secrets.begin_delete_secret("s", **SOON).wait()
    secrets.purge_deleted_secret("s")
    with pytest.raises(ResourceNotFoundError):
        secrets.get_deleted_secret("s")
    secrets.set_secret("s", "new")
    assert len(list(secrets.list_properties_of_secret_versions("s"))) == 1


def test_a_backup_brings_all_versions_back_also_into_another_vault(shop: Shop, secrets: SecretClient) -> None:
    first = secrets.set_secret("s", "first", tags={"a": "b"}).properties.version
    secrets.set_secret("s", "second")
    backup = secrets.backup_secret("s")
    assert b"first" not in backup
    with pytest.raises(ResourceExistsError):
        secrets.restore_secret_backup(backup)
    other = Shop.opened(shop.azure).client()
    other.restore_secret_backup(backup)
    assert other.get_secret("s").value == "second"
    kept = other.get_secret("s", first)
    assert (kept.value, kept.properties.tags) == ("first", {"a": "b"})
    with pytest.raises(HttpResponseError) as caught:
        secrets.restore_secret_backup(backup[:-9] + b"corrupted")
    assert (caught.value.status_code, code_of(caught.value)) == (400, "BadParameter")


@pytest.mark.parametrize("version", ["2016-10-01", "7.0", "7.3", "7.6", "2025-07-01", "2026-04-01"])
def test_every_api_version_of_the_client_is_understood(shop: Shop, version: str) -> None:
    client = shop.client(api_version=version)
    client.set_secret("s", version)
    assert client.get_secret("s").value == version
    assert names(client.list_properties_of_secrets()) == ["s"]


@pytest.mark.parametrize("tenant", ["dddddddd-cccc-bbbb-aaaa-000000000000", "adfs"])
def test_the_challenge_is_followed_and_verified_by_whatever_name_a_client_knows_the_tenant(
    shop: Shop, tenant: str
) -> None:
    known = shop.server.known
    with ClientSecretCredential(
        tenant, known["clientId"], known["clientSecret"], authority=known["authority"], disable_instance_discovery=True
    ) as signed_in:
        assert shop.client(credential=signed_in).set_secret("s", "v").value == "v"


def test_a_path_serves_where_names_are_not_found(shop: Shop, secrets: SecretClient) -> None:
    for number in range(3):
        secrets.set_secret(f"s{number}", str(number))
    by_path = f"https://localhost:{shop.port}/{shop.name}"
    client = shop.client(by_path, verify_challenge_resource=False)
    assert client.get_secret("s1").id == secrets.get_secret("s1").id
    assert names(client.list_properties_of_secrets(max_page_size=1)) == ["s0", "s1", "s2"]
    with pytest.raises(ValueError, match="does not match the requested domain"):
        shop.client(by_path).get_secret("s1")


def test_the_asynchronous_client_works_too(shop: Shop) -> None:
    known = shop.server.known
    trust = {"connection_verify": known["caBundle"]}

    async def set_and_get() -> str | None:
        arguments = (known["tenantId"], known["clientId"], known["clientSecret"])
        here = {"authority": known["authority"], "disable_instance_discovery": True}
        async with (
            AioCredential(*arguments, **here, **trust) as signed_in,
            AioSecretClient(shop.uri, signed_in, **trust) as client,
        ):
            await client.set_secret("s", "v")
            return (await client.get_secret("s")).value

    assert asyncio.run(set_and_get()) == "v"


def test_secrets_go_with_their_vault(shop: Shop, secrets: SecretClient) -> None:
    secrets.set_secret("s", "v")
    shop.vaults.delete(shop.group, shop.name)
    with pytest.raises(ResourceNotFoundError) as caught:
        secrets.get_secret("s")
    assert code_of(caught.value) == "VaultNotFound"
    shop.make()
    assert names(secrets.list_properties_of_secrets()) == []
    assert names(secrets.list_deleted_secrets()) == []
