"""Entra tokens and user delegation SAS: only what was truly signed counts, and only as far as the desk allows now."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from azure.storage.blob import (
    AccountSasPermissions,
    BlobSasPermissions,
    BlobServiceClient,
    ResourceTypes,
    UserDelegationKey,
    generate_account_sas,
    generate_blob_sas,
)
from azure.storage.queue import QueueServiceClient
from joserfc import jwt
from joserfc.jwk import RSAKey

from linarite.doors.blob import Account, Question, Trust
from tests.doors.blob.conftest import Storage, new_account

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.certificates import Certificates
    from linarite.doors.blob import BlobDoor
    from tests.doors.blob.conftest import Desk, OpenDoor, Run

TENANT = "11111111-2222-3333-4444-555555555555"
ISSUER = f"https://localhost/{TENANT}/v2.0"
AUDIENCE = "https://storage.azure.com"
AUTHORIZE = f"https://localhost/{TENANT}/oauth2/authorize"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
DELEGATE = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"

KEY = RSAKey.generate_key(2048, {"kid": "first"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "first"})
TRUST = Trust({"keys": [KEY.as_dict(private=False)]}, (ISSUER,), authorization_uri=AUTHORIZE)


def token(who: str, /, key: RSAKey = KEY, algorithm: str = "RS256", **changes: Any) -> str:
    return jwt.encode({"alg": algorithm, "kid": "first"}, claims(who, **changes), key, algorithms=[algorithm])


def token_by_confusion(oid: str) -> str:
    """A symmetric signature whose secret is our public key: what a careless verifier takes for ours."""
    parts = ({"alg": "HS256", "kid": "first"}, claims(oid))
    text = ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    signature = hmac.digest(KEY.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def claims(who: str, /, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    who_and_where = {"iss": ISSUER, "aud": AUDIENCE, "oid": who, "tid": TENANT}
    full = who_and_where | {"nbf": now - 5, "iat": now, "exp": now + 600} | changes
    return {name: value for name, value in full.items() if value is not None}


@dataclass(frozen=True)
class Credential:
    """Hands out the one token it was given."""

    value: str

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self.value, int(time.time()) + 600)


@dataclass
class Person:
    """Somebody with an object id, some actions on one account, and a valid token."""

    storage: Storage
    desk: Desk
    oid: str

    def may(self, *actions: str) -> None:
        self.desk.grants[self.oid, self.storage.account.name] = set(actions)

    def client(self, **changes: Any) -> BlobServiceClient:
        return self.storage.client(Credential(token(self.oid, **changes)))

    def read(self) -> bytes:
        return self.client().get_blob_client("data", "note").download_blob().readall()


@pytest.fixture
def person(storage: Storage, desk: Desk, trusted: Callable[[Trust | None], None]) -> Person:
    trusted(TRUST)
    container = storage.client().get_container_client("data")
    container.create_container()
    container.upload_blob("note", b"hello")
    return Person(storage, desk, str(uuid4()))


def refusal(call: Callable[[], object]) -> tuple[int | None, Any]:
    with pytest.raises(HttpResponseError) as caught:
        call()
    assert caught.value.response is not None
    return caught.value.status_code, caught.value.response.headers["x-ms-error-code"]


def test_a_reader_may_read_and_not_write(person: Person) -> None:
    person.may(f"{BLOBS}/read")
    assert person.read() == b"hello"
    write = person.client().get_blob_client("data", "note")
    with pytest.raises(HttpResponseError) as caught:
        write.upload_blob(b"changed", overwrite=True)
    assert (caught.value.status_code, caught.value.error_code) == (403, "AuthorizationPermissionMismatch")
    assert "This request is not authorized to perform this operation using this permission." in caught.value.message
    assert person.read() == b"hello"


def test_the_desk_is_asked_in_azures_action_names(person: Person) -> None:
    person.may(f"{BLOBS}/read", f"{BLOBS}/delete", f"{CONTAINERS}/read")
    person.desk.questions.clear()
    person.read()
    list(person.client().list_containers())
    person.client().get_blob_client("data", "note").delete_blob()
    account = person.storage.account.name
    assert person.desk.questions == [
        Question(account, "blob", person.oid, (f"{BLOBS}/read",)),
        Question(account, "blob", person.oid, (f"{CONTAINERS}/read",)),
        Question(account, "blob", person.oid, (f"{BLOBS}/delete",)),
    ]
    assert [question.data for question in person.desk.questions] == [True, False, True]


def test_a_role_that_is_taken_away_ends_at_the_next_request(person: Person) -> None:
    person.may(f"{BLOBS}/read")
    assert person.read() == b"hello"
    person.may()
    assert refusal(person.read) == (403, "AuthorizationPermissionMismatch")


def test_a_role_on_one_account_opens_no_other(person: Person, shared_door: BlobDoor, run: Run) -> None:
    person.may(f"{CONTAINERS}/read")
    other = replace(person.storage, account=new_account())
    run(shared_door.put_account(other.account))
    client = other.client(Credential(token(person.oid)))
    assert refusal(lambda: list(client.list_containers())) == (403, "AuthorizationPermissionMismatch")


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"key": OTHER_KEY}, "Signature validation failed."),
        ({"algorithm": "RS512"}, "Signature validation failed."),
        ({"iss": "https://localhost/another-tenant/v2.0"}, "Issuer validation failed. Issuer did not match."),
        ({"aud": "https://management.azure.com"}, "Audience validation failed. Audience did not match."),
        ({"exp": 1_700_000_000}, "Lifetime validation failed. The token is expired."),
        ({"exp": None}, "Lifetime validation failed. The token has no expiration."),
        ({"nbf": 4_000_000_000}, "Lifetime validation failed. The token is not yet valid."),
        ({"oid": None}, "The token names no object or tenant."),
        ({"tid": None}, "The token names no object or tenant."),
    ],
    ids=[
        "another's key",
        "another algorithm",
        "issuer",
        "audience",
        "expired",
        "endless",
        "early",
        "nobody",
        "nowhere",
    ],
)
def test_a_token_that_is_not_in_order_is_refused_with_a_challenge(
    person: Person, changes: dict[str, Any], detail: str
) -> None:
    person.may(f"{BLOBS}/read")
    person.desk.questions.clear()
    answer = _get(person, token(person.oid, **changes))
    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (401, "InvalidAuthenticationInfo")
    assert f"<AuthenticationErrorDetail>{detail}" in answer.text
    assert answer.headers["www-authenticate"] == (
        f"Bearer authorization_uri={AUTHORIZE} resource_id=https://storage.azure.com"
    )
    assert person.desk.questions == []


def test_our_public_key_is_no_secret_to_sign_with(person: Person) -> None:
    person.may(f"{BLOBS}/read")
    answer = _get(person, token_by_confusion(person.oid))
    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (401, "InvalidAuthenticationInfo")


@pytest.mark.parametrize("bearer", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJvaWQiOiJ4In0.", "é" * 10])
def test_what_is_no_token_at_all_is_refused_likewise(person: Person, bearer: str) -> None:
    assert _get(person, bearer).status_code == 401


def _get(person: Person, bearer: str) -> httpx.Response:
    return httpx.get(
        f"{person.storage.url('blob')}/data/note",
        headers=[(b"Authorization", f"Bearer {bearer}".strip().encode())],
        verify=person.storage.tls(),
    )


def test_an_audience_may_name_the_account(
    person: Person, trusted: Callable[[Trust | None], None], shared_door: BlobDoor
) -> None:
    person.may(f"{BLOBS}/read")
    trusted(replace(TRUST, audiences=("https://{account}.blob.core.windows.net",)))
    mine = f"https://{person.storage.account.name}.blob.core.windows.net"
    assert _get(person, token(person.oid, aud=mine)).content == b"hello"
    assert _get(person, token(person.oid, aud="https://another.blob.core.windows.net")).status_code == 401


def test_no_token_counts_where_nobody_is_trusted(person: Person, trusted: Callable[[Trust | None], None]) -> None:
    person.may(f"{BLOBS}/read")
    trusted(None)
    assert refusal(person.read) == (401, "InvalidAuthenticationInfo")


def test_a_token_is_refused_over_plain_http(run: Run, open_door: OpenDoor) -> None:
    account = new_account()
    door = open_door(account)
    run(door.set_trust(TRUST))
    headers = {"Authorization": f"Bearer {token('somebody')}"}
    answer = httpx.get(f"{door.origin('blob')}/{account.name}?comp=list", headers=headers)
    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (403, "AuthenticationFailed")
    assert "Authentication scheme Bearer is not allowed with HTTP." in answer.text


def test_a_desk_that_fails_lets_nobody_in_and_makes_the_server_busy(person: Person) -> None:
    client = person.storage.client(Credential(token("broken")))
    assert refusal(lambda: list(client.list_containers())) == (503, "ServerBusy")


def test_a_desk_that_does_not_answer_makes_the_server_busy(run: Run, open_door: OpenDoor, issued: Certificates) -> None:
    account = new_account()
    layout = {"certificate": issued.chain, "key": issued.key, "answered_within": 0.1}
    door = open_door(account, layout=layout)
    run(door.set_trust(TRUST))
    storage = Storage(door, run, issued.bundle, account)
    client = storage.client(Credential(token("slow")))
    assert refusal(lambda: list(client.list_containers())) == (503, "ServerBusy")


def test_tokens_work_where_shared_keys_are_off(person: Person) -> None:
    person.may(f"{BLOBS}/read")
    person.storage.push(shared_key=False)
    assert person.read() == b"hello"


def test_each_part_of_a_batch_is_authorized_by_itself(person: Person) -> None:
    person.may(f"{BLOBS}/read")
    container = person.client().get_container_client("data")
    with pytest.raises(HttpResponseError) as caught:
        container.delete_blobs("note")
    assert [part.status_code for part in caught.value.parts] == [403]  # type: ignore[attr-defined]
    person.may(f"{BLOBS}/delete")
    assert [part.status_code for part in container.delete_blobs("note")] == [202]


def test_queues_and_tables_take_tokens_with_the_roles_of_their_own(person: Person) -> None:
    storage, credential, trust = person.storage, Credential(token(person.oid)), str(person.storage.bundle)
    queues = QueueServiceClient(storage.url("queue"), credential=credential, connection_verify=trust)
    tables = TableServiceClient(storage.url("table"), credential=credential, connection_verify=trust)
    person.may(
        "Microsoft.Storage/storageAccounts/queueServices/queues/write",
        "Microsoft.Storage/storageAccounts/queueServices/queues/messages/add/action",
        "Microsoft.Storage/storageAccounts/tableServices/tables/write",
    )
    queue = queues.create_queue("jobs")
    queue.send_message("one")
    assert refusal(queue.peek_messages) == (403, "AuthorizationPermissionMismatch")
    table = tables.create_table("facts")
    entity = {"PartitionKey": "a", "RowKey": "b"}
    assert refusal(lambda: table.create_entity(entity)) == (403, "AuthorizationPermissionMismatch")
    person.may("Microsoft.Storage/storageAccounts/tableServices/tables/entities/write")
    table.create_entity(entity)


# ── user delegation SAS ─────────────────────────────────────────────────────────────────────────────────────────────


def delegated(person: Person, key: UserDelegationKey, account: Account | None = None) -> str:
    return generate_blob_sas(
        (account or person.storage.account).name,
        "data",
        "note",
        user_delegation_key=key,
        permission=BlobSasPermissions(read=True, write=True),
        expiry=datetime.now(UTC) + timedelta(minutes=5),
    )


def delegation_key(person: Person) -> UserDelegationKey:
    now = datetime.now(UTC)
    return person.client().get_user_delegation_key(now - timedelta(minutes=1), now + timedelta(hours=1))


def open_with(person: Person, sas: str) -> bytes:
    return person.storage.client(sas).get_blob_client("data", "note").download_blob().readall()


def test_a_user_delegation_sas_opens_what_its_maker_may_still_do(person: Person) -> None:
    person.may(f"{BLOBS}/read", DELEGATE)
    sas = delegated(person, delegation_key(person))
    person.storage.push(shared_key=False)  # it does not come from a key of the account
    assert open_with(person, sas) == b"hello"
    write = person.storage.client(sas).get_blob_client("data", "note")
    assert refusal(lambda: write.upload_blob(b"changed", overwrite=True)) == (403, "AuthorizationPermissionMismatch")
    person.may()
    assert refusal(lambda: open_with(person, sas)) == (403, "AuthorizationPermissionMismatch")


def test_who_may_not_make_delegation_keys_gets_none(person: Person) -> None:
    person.may(f"{BLOBS}/read")
    assert refusal(lambda: delegation_key(person)) == (403, "AuthorizationPermissionMismatch")


def test_a_delegation_key_made_from_azurites_published_seed_opens_nothing(person: Person) -> None:
    person.may(f"{BLOBS}/read", DELEGATE)
    key = delegation_key(person)
    forged = UserDelegationKey()
    vars(forged).update(vars(key))
    forged.value = _signed_as_azurite_does(key, seed="azurite-user-delegation-signing-seed-v1")
    assert forged.value != key.value
    assert open_with(person, delegated(person, key)) == b"hello"
    assert refusal(lambda: open_with(person, delegated(person, forged))) == (403, "AuthenticationFailed")


def _signed_as_azurite_does(key: UserDelegationKey, seed: str) -> str:
    parts = (key.signed_oid, key.signed_tid, key.signed_start, key.signed_expiry, "b", key.signed_version)
    text = "\n".join(str(part) for part in parts)
    return b64encode(hmac.digest(seed.encode(), text.encode(), hashlib.sha256)).decode()


def test_a_name_written_beside_an_account_sas_makes_it_no_delegation(person: Person) -> None:
    person.may(f"{BLOBS}/read")
    sas = generate_account_sas(
        person.storage.account.name,
        person.storage.account.keys[0],
        ResourceTypes(object=True),
        AccountSasPermissions(read=True),
        datetime.now(UTC) + timedelta(minutes=5),
    )
    assert open_with(person, sas) == b"hello"
    person.storage.push(shared_key=False)
    assert refusal(lambda: open_with(person, sas)) == (403, "KeyBasedAuthenticationNotPermitted")
    assert refusal(lambda: open_with(person, f"{sas}&skoid={person.oid}")) == (403, "AuthenticationFailed")
