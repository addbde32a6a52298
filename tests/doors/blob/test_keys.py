"""What keys and signatures open, and that they stop the moment the account changes; judged by Azure's own SDKs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import (
    AccountSasPermissions,
    BlobSasPermissions,
    ContainerClient,
    ResourceTypes,
    generate_account_sas,
    generate_blob_sas,
)
from azure.storage.queue import QueueServiceClient

from tests.doors.blob.conftest import Storage, new_account, new_key

if TYPE_CHECKING:
    from linarite.doors.blob import BlobDoor
    from tests.doors.blob.conftest import Desk, Run

SIGNATURE_WORDS = (
    "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly "
    "including the signature."
)


def soon(minutes: int = 10) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


def account_sas(storage: Storage, expiry: datetime | None = None) -> str:
    return generate_account_sas(
        storage.account.name,
        storage.account.keys[0],
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, write=True, list=True, create=True),
        expiry or soon(),
    )


def blob_sas(storage: Storage) -> str:
    return generate_blob_sas(
        storage.account.name,
        "data",
        "note",
        account_key=storage.account.keys[0],
        permission=BlobSasPermissions(read=True),
        expiry=soon(),
    )


def with_note(storage: Storage, text: bytes = b"hello") -> ContainerClient:
    container = storage.client().get_container_client("data")
    container.create_container()
    container.upload_blob("note", text)
    return container


def read_note(storage: Storage, credential: Any = "key1") -> bytes:
    return storage.client(credential).get_blob_client("data", "note").download_blob().readall()


def refusal(storage: Storage, credential: Any) -> tuple[int | None, str]:
    with pytest.raises(HttpResponseError) as caught:
        read_note(storage, credential)
    return caught.value.status_code, caught.value.error_code


@pytest.mark.parametrize("credential", ["key1", "key2"])
def test_either_key_opens_the_account(storage: Storage, credential: str) -> None:
    with_note(storage)
    assert read_note(storage, credential) == b"hello"


def test_an_account_sas_and_a_service_sas_open_what_they_were_signed_for(storage: Storage) -> None:
    with_note(storage)
    assert read_note(storage, account_sas(storage)) == b"hello"
    assert read_note(storage, blob_sas(storage)) == b"hello"
    with pytest.raises(HttpResponseError):
        storage.client(blob_sas(storage)).get_blob_client("data", "note").upload_blob(b"changed", overwrite=True)
    assert read_note(storage) == b"hello"


def test_a_wrong_key_is_refused_in_azures_words_and_nothing_is_written(storage: Storage) -> None:
    with_note(storage)
    with pytest.raises(ClientAuthenticationError) as caught:
        storage.client(new_key()).get_blob_client("data", "note").upload_blob(b"changed", overwrite=True)
    assert (caught.value.status_code, caught.value.error_code) == (403, "AuthenticationFailed")
    assert SIGNATURE_WORDS in caught.value.message
    assert read_note(storage) == b"hello"


def test_what_does_not_count_is_told_to_the_desk_before_it_is_refused(storage: Storage, desk: Desk) -> None:
    with_note(storage)
    with_sas = storage.client(blob_sas(storage)).get_blob_client("data", "note")
    attempts = [
        (lambda: read_note(storage, new_key()), "Blob_Download", "AuthenticationFailed"),
        (lambda: read_note(storage, account_sas(storage, soon(-1))), "Blob_Download", "AuthenticationFailed"),
        (lambda: queues(storage, new_key()).create_queue("jobs"), "Queue_Create", "AuthenticationFailed"),
        (lambda: tables(storage, new_key()).create_table("facts"), "Table_Create", "AuthenticationFailed"),
        (with_sas.delete_blob, "Blob_Delete", "AuthorizationPermissionMismatch"),
    ]
    for attempt, operation, code in attempts:
        desk.told.clear()
        with pytest.raises(HttpResponseError):
            attempt()
        [told] = desk.told
        assert (told.account, told.operation, told.status, told.code) == (storage.account.name, operation, 403, code)
        assert told.service == operation.partition("_")[0].lower()
        assert told.address.startswith("127.0.0.1:")


def test_the_first_request_of_a_client_without_credentials_is_not_told(storage: Storage, desk: Desk) -> None:
    desk.told.clear()
    assert httpx.get(f"{storage.url('blob')}/data/note", verify=storage.tls()).status_code == 401
    assert desk.told == []


def test_a_refusal_that_cannot_be_recorded_is_answered_as_busy(storage: Storage) -> None:
    with pytest.raises(HttpResponseError) as caught:
        storage.client(new_key()).create_container("unrecorded")
    assert (caught.value.status_code, caught.value.error_code) == (503, "ServerBusy")


def test_a_replaced_key_and_every_signature_made_with_it_end_when_the_push_is_acknowledged(storage: Storage) -> None:
    with_note(storage)
    old_key, old_sas, old_blob_sas = storage.account.keys[0], account_sas(storage), blob_sas(storage)
    storage.push(keys=(new_key(), storage.account.keys[1]))
    for old in (old_key, old_sas, old_blob_sas):
        assert refusal(storage, old) == (403, "AuthenticationFailed")
    assert read_note(storage, "key1") == read_note(storage, "key2") == read_note(storage, account_sas(storage))


def test_an_expired_sas_is_an_authentication_failure_as_in_azure(storage: Storage) -> None:
    with_note(storage)
    assert refusal(storage, account_sas(storage, expiry=soon(-1))) == (403, "AuthenticationFailed")


def test_an_account_without_shared_keys_refuses_keys_and_signatures_in_azures_words(storage: Storage) -> None:
    with_note(storage)
    sas = account_sas(storage)
    storage.push(shared_key=False)
    for credential in ("key1", "key2", sas, blob_sas(storage)):
        with pytest.raises(HttpResponseError) as caught:
            read_note(storage, credential)
        assert (caught.value.status_code, caught.value.error_code) == (403, "KeyBasedAuthenticationNotPermitted")
        assert "Key based authentication is not permitted on this storage account." in caught.value.message
    storage.push(shared_key=True)
    assert read_note(storage, sas) == b"hello"


def test_an_account_that_was_dropped_is_not_found(storage: Storage) -> None:
    with_note(storage)
    storage.run(storage.door.drop_account(storage.account.name, erase=False))
    with pytest.raises(ResourceNotFoundError) as caught:
        read_note(storage)
    assert caught.value.error_code == "ResourceNotFound"
    storage.push()
    assert read_note(storage) == b"hello"


def test_a_namesake_of_an_erased_account_starts_empty_and_its_neighbour_keeps_everything(
    storage: Storage, shared_door: BlobDoor, run: Run
) -> None:
    neighbour = Storage(shared_door, run, storage.bundle, new_account())
    neighbour.push()
    for one in (storage, neighbour):
        with_note(one)
        queues(one).create_queue("jobs")
        tables(one).create_table("facts")
    run(shared_door.drop_account(storage.account.name, erase=True))
    storage.push(keys=(new_key(), new_key()))
    assert list(storage.client().list_containers()) == []
    assert list(queues(storage).list_queues()) == list(tables(storage).list_tables()) == []
    assert read_note(neighbour) == b"hello"
    assert [queue.name for queue in queues(neighbour).list_queues()] == ["jobs"]
    assert [table.name for table in tables(neighbour).list_tables()] == ["facts"]


def test_set_accounts_leaves_exactly_the_accounts_given(shared_door: BlobDoor, storage: Storage, run: Run) -> None:
    with_note(storage)
    other = Storage(shared_door, run, storage.bundle, new_account())
    run(shared_door.set_accounts([other.account]))
    assert list(other.client().list_containers()) == []
    assert refusal(storage, "key1") == (404, "ResourceNotFound")


def queues(storage: Storage, key: str | None = None) -> QueueServiceClient:
    return QueueServiceClient(
        storage.url("queue"),
        credential=key or storage.account.keys[0],
        connection_verify=str(storage.bundle),
        retry_total=0,
    )


def tables(storage: Storage, key: str | None = None) -> TableServiceClient:
    return TableServiceClient(
        storage.url("table"),
        credential=AzureNamedKeyCredential(storage.account.name, key or storage.account.keys[0]),
        connection_verify=str(storage.bundle),
        retry_total=0,
    )


def test_queues_open_with_the_key_and_refuse_the_one_before(storage: Storage) -> None:
    before = queues(storage).create_queue("jobs")
    before.send_message("one")
    storage.push(keys=(new_key(), new_key()))
    with pytest.raises(ClientAuthenticationError) as caught:
        before.send_message("two")
    assert caught.value.error_code == "AuthenticationFailed"
    messages = queues(storage).get_queue_client("jobs").receive_messages()
    assert [message.content for message in messages] == ["one"]


def test_tables_open_with_the_key_and_refuse_the_one_before(storage: Storage) -> None:
    before = tables(storage).create_table("facts")
    before.create_entity({"PartitionKey": "a", "RowKey": "b", "value": 42})
    storage.push(keys=(new_key(), new_key()))
    with pytest.raises(ClientAuthenticationError) as caught:
        before.get_entity("a", "b")
    assert caught.value.error_code == "AuthenticationFailed"
    assert tables(storage).get_table_client("facts").get_entity("a", "b")["value"] == 42


def test_containers_that_are_asked_for_exist_and_keep_what_is_in_them(storage: Storage) -> None:
    names = ["azureml", "azureml-blobstore-1b9d0a3c-6a39-4f5b-9a2d-0c6c5a1a7f10"]
    storage.run(storage.door.ensure_containers(storage.account.name, names))
    storage.client().get_blob_client("azureml", "kept").upload_blob(b"kept")
    storage.run(storage.door.ensure_containers(storage.account.name, names))
    assert [container.name for container in storage.client().list_containers()] == names
    assert storage.client().get_blob_client("azureml", "kept").download_blob().readall() == b"kept"


def test_a_blob_is_copied_from_another_account_by_its_sas(storage: Storage, shared_door: BlobDoor, run: Run) -> None:
    with_note(storage)
    other = Storage(shared_door, run, storage.bundle, new_account())
    other.push()
    other.client().create_container("data")
    copy = other.client().get_blob_client("data", "note")
    copy.start_copy_from_url(f"{storage.url('blob')}/data/note?{account_sas(storage)}")
    assert copy.download_blob().readall() == b"hello"


def test_who_shows_nothing_is_told_to_sign_in_unless_the_container_is_public(storage: Storage) -> None:
    with_note(storage)
    url, context = f"{storage.url('blob')}/data/note", storage.tls()
    anonymous = httpx.get(url, verify=context)
    assert (anonymous.status_code, anonymous.headers["x-ms-error-code"]) == (401, "NoAuthenticationInformation")
    storage.client().get_container_client("data").set_container_access_policy({}, public_access="blob")
    assert httpx.get(url, verify=context).content == b"hello"


@pytest.mark.parametrize("path", ["/%", "/acct/%ff", "/acct/data/note?sig=%zz", "/acct/data?comp=list&se=%"])
@pytest.mark.parametrize("service", ["blob", "queue", "table"])
def test_a_url_that_does_not_decode_is_a_bad_request(storage: Storage, path: str, service: str) -> None:
    url = storage.url(service).removesuffix(storage.account.name).rstrip("/")
    answer = httpx.get(url + path, verify=storage.tls())
    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (400, "InvalidUri")


def test_a_signature_that_decodes_to_a_bad_escape_is_an_authentication_failure(storage: Storage) -> None:
    answer = httpx.get(
        f"{storage.url('blob')}/data/note?sv=2024-11-04&sr=b&sp=r&se=2099-01-01&sig=%25",
        verify=storage.tls(),
    )
    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (403, "AuthenticationFailed")
