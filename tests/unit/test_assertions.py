"""Client assertions: what an application proves itself with instead of a secret, and each way in which it does not."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from linarite.foreign import IssuerDown, IssuerKeys
from linarite.grants import Federation, add_certificate, add_federation, remove_credential
from linarite.grants.certificates import BadCertificate, read, thumbprint
from linarite.store import directory
from linarite.store.keys import principal_key
from tests.certified import BEARER, Certified, certified, claims_of, elliptic_key, weak_key
from tests.issuer import new_key
from tests.unit.desk import ORIGIN, START, TENANT

if TYPE_CHECKING:
    from linarite.store.directory import Credential
    from linarite.store.transaction import Transaction
    from tests.unit.desk import Desk

TOKEN_ENDPOINT = f"{ORIGIN}/{TENANT}/oauth2/v2.0/token"
WEEK = timedelta(days=7)
OURS = certified(START - WEEK, START + WEEK)
OTHER = certified(START - WEEK, START + WEEK)
PAST = certified(START - 2 * WEEK, START - WEEK)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """A desk whose application has a certificate."""
    _register(desk, OURS)
    return desk


def _register(desk: Desk, one: Certified) -> str:
    def work(transaction: Transaction) -> str:
        return add_certificate(transaction, desk.application, one.certificate, now=desk.now)

    return desk.commit(work)


def signed(desk: Desk, one: Certified = OURS, **changes: Any) -> str:
    """A good assertion with changes: of a claim by its name, of `header` and `algorithm`."""
    how = {name: changes.pop(name) for name in ("header", "algorithm") if name in changes}
    claims = {"aud": TOKEN_ENDPOINT, **changes}
    return one.assertion(claims_of(desk.application.client, now=desk.now.timestamp(), audience="", **claims), **how)


def with_assertion(assertion: str, **changes: Any) -> dict[str, Any]:
    return {"client_secret": None, "client_assertion_type": BEARER, "client_assertion": assertion, **changes}


def denied(desk: Desk, assertion: str, **changes: Any) -> tuple[str, int, int]:
    found = desk.denied(**with_assertion(assertion, **changes))
    return found.error, found.number, found.status


# ── certificates ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
@pytest.mark.parametrize("name", ["x5t", "x5t#S256", "x5c", "all"])
def test_an_assertion_signed_with_the_certificates_key_gets_a_token(desk: Desk, name: str, algorithm: str) -> None:
    answer = desk.ask(**with_assertion(signed(desk, header=OURS.headers()[name], algorithm=algorithm)))
    claims = desk.read(answer["access_token"])
    assert claims.object_id == desk.application.object_id
    assert claims.all["appidacr"] == "2"


def test_a_token_that_was_had_by_a_secret_says_so(desk: Desk) -> None:
    assert desk.read(desk.ask()["access_token"]).all["appidacr"] == "1"


def test_our_token_endpoint_may_be_spelled_in_every_way_and_we_may_be_named_as_an_issuer(desk: Desk) -> None:
    words = (TENANT, "common", "organizations", "adfs", "linarite.onmicrosoft.com")
    endpoints = [f"{ORIGIN}/{word}/{path}" for word in words for path in ("oauth2/token", "oauth2/v2.0/token")]
    issuers = [f"https://sts.windows.net/{TENANT}/", f"{ORIGIN}/{TENANT}/v2.0", f"{ORIGIN}/{TENANT}"]
    for audience in (*endpoints, *issuers, f"{TOKEN_ENDPOINT}/", TOKEN_ENDPOINT.upper(), [TOKEN_ENDPOINT, "other"]):
        assert desk.ask(**with_assertion(signed(desk, aud=audience)))["token_type"] == "Bearer"


def test_an_assertion_may_be_written_with_padding_as_azure_identity_does(desk: Desk) -> None:
    parts = signed(desk).split(".")[:2]
    padded = ".".join(part + "=" * (-len(part) % 4) for part in (parts[0], parts[1]))
    signature = OURS.private.sign(padded.encode(), PKCS1v15(), SHA256())
    assertion = f"{padded}.{base64.urlsafe_b64encode(signature).decode()}"
    assert desk.ask(**with_assertion(assertion))["token_type"] == "Bearer"


BROKEN: dict[str, tuple[dict[str, Any], int]] = {
    "for another audience": ({"aud": "https://login.microsoftonline.com/common/oauth2/token"}, 700023),
    "for us, at another host": ({"aud": TOKEN_ENDPOINT.replace("localhost", "localhost.example")}, 700023),
    "for nobody": ({"aud": None}, 700023),
    "for a number": ({"aud": 7}, 700023),
    "about somebody else": ({"sub": "99999999-9999-9999-9999-999999999999"}, 700021),
    "about nobody": ({"sub": None}, 700021),
    "of another issuer": ({"iss": "99999999-9999-9999-9999-999999999999"}, 700211),
    "of no issuer": ({"iss": None}, 700211),
    "that has ended": ({"exp": START.timestamp()}, 700024),
    "that never ends": ({"exp": None}, 700024),
    "that ends true": ({"exp": True}, 700024),
    "that ends tomorrow": ({"exp": "tomorrow"}, 700024),
    "that ends beyond all calendars": ({"exp": 1e300}, 700024),
    "that begins in an hour": ({"nbf": START.timestamp() + 3600, "exp": START.timestamp() + 7200}, 700024),
    "that begins one day": ({"nbf": "one day"}, 700024),
    "that names no certificate": ({"header": {}}, 50027),
    "that names it emptily": ({"header": {"x5t": ""}}, 50027),
    "that names another certificate": ({"header": OTHER.headers()["x5t#S256"]}, 700027),
    "that names two certificates": ({"header": {**OURS.headers()["x5t"], **OTHER.headers()["x5t#S256"]}}, 700027),
    "that names it oddly": ({"header": {"x5t": "é"}}, 700027),
    "with an empty chain": ({"header": {"x5c": [""]}}, 700027),
    "with a member that must be known": ({"header": {**OURS.headers()["x5t"], "b64": True, "crit": ["b64"]}}, 700027),
    "signed for longer": ({"algorithm": "RS512"}, 700027),
}


@pytest.mark.parametrize(("changes", "number"), BROKEN.values(), ids=BROKEN.keys())
def test_an_assertion_that_proves_nothing_is_refused(desk: Desk, changes: dict[str, Any], number: int) -> None:
    assert denied(desk, signed(desk, **changes)) == ("invalid_client", number, 401)
    [entry] = desk.refusals()
    assert (entry.code, entry.client) == (f"AADSTS{number}", desk.application.client)


def test_one_that_another_key_has_signed_is_refused(desk: Desk) -> None:
    forged = signed(desk, OTHER, header=OURS.headers()["x5t#S256"])
    assert denied(desk, forged) == ("invalid_client", 700027, 401)


def test_a_key_that_comes_with_the_assertion_counts_for_nothing(desk: Desk) -> None:
    header = {**OURS.headers()["x5t"], "x5c": [OTHER.der]}
    assert denied(desk, signed(desk, OTHER, header=header)) == ("invalid_client", 700027, 401)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "e30.e30.", "é.é.é"])
def test_what_is_no_assertion_is_refused(desk: Desk, text: str) -> None:
    numbers = {"": 7000216, "e30.e30.": 700211}
    assert denied(desk, text)[1] == numbers.get(text, 50027)


def test_an_assertion_without_a_signature_is_refused(desk: Desk) -> None:
    head = base64.urlsafe_b64encode(b'{"alg":"none","x5t":"' + OURS.headers()["x5t"]["x5t"].encode() + b'"}').decode()
    body = signed(desk).split(".")[1]
    assert denied(desk, f"{head.rstrip('=')}.{body}.") == ("invalid_client", 700027, 401)


def test_a_certificate_that_has_ended_signs_nobody_in(desk: Desk) -> None:
    _register(desk, PAST)
    assert denied(desk, signed(desk, PAST, header=PAST.headers()["x5t"])) == ("invalid_client", 700027, 401)


def test_a_certificate_that_was_removed_signs_nobody_in(desk: Desk) -> None:
    id_ = _register(desk, OTHER)
    assert desk.ask(**with_assertion(signed(desk, OTHER)))["token_type"] == "Bearer"
    desk.commit(lambda transaction: remove_credential(transaction, desk.application, id_))
    assert denied(desk, signed(desk, OTHER)) == ("invalid_client", 700027, 401)


def test_what_is_kept_of_a_certificate_is_no_secret(desk: Desk) -> None:
    [kept] = [one for one in _credentials(desk) if one.kind == "certificate"]
    for text in (kept.public, kept.hash, kept.id):
        assert desk.denied(client_secret=text).number == 7000215


def _credentials(desk: Desk) -> tuple[Credential, ...]:
    return desk.commit(lambda transaction: transaction.credentials_of(desk.application.object_id))


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"client_assertion_type": None}, 9002313),
        ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, 9002313),
        ({"client_secret": "and a secret"}, 9002313),
        ({"client_id": "99999999-9999-9999-9999-999999999999"}, 700016),
        ({"client_id": None}, 900144),
    ],
)
def test_a_request_around_it_that_is_wrong_is_refused(desk: Desk, changes: dict[str, Any], number: int) -> None:
    assert denied(desk, signed(desk), **changes)[1] == number


def test_the_thumbprint_is_told_as_the_portal_shows_it(desk: Desk) -> None:
    said = desk.denied(**with_assertion(signed(desk, OTHER, header=OTHER.headers()["x5t"]))).message
    assert f"Thumbprint of key used by client: '{thumbprint(OTHER.certificate)}'" in said


def test_somebody_who_is_disabled_is_refused_though_the_assertion_is_good(desk: Desk) -> None:
    def disable(transaction: Transaction) -> None:
        directory.remove_principal(transaction.connection(), desk.application.object_id)
        directory.add_principal(transaction.connection(), replace(desk.application, disabled=True), desk.now)
        add_certificate(transaction, desk.application, OURS.certificate, now=desk.now)
        transaction.note(principal_key(desk.application.object_id))

    desk.commit(disable)
    assert denied(desk, signed(desk))[1] == 7000112


# ── presented twice ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_assertion_counts_again_as_at_entra(desk: Desk) -> None:
    once = signed(desk)
    for _ in range(2):
        assert desk.ask(**with_assertion(once))["token_type"] == "Bearer"


def test_an_assertion_counts_once_where_the_service_is_told_so_on_every_process(desk: Desk) -> None:
    other = desk.another()
    desk.tokens.assertions_count_often = other.tokens.assertions_count_often = False
    once = signed(desk)
    assert desk.ask(**with_assertion(once))["token_type"] == "Bearer"
    for one in (desk, other):
        assert denied(one, once) == ("invalid_client", 50027, 401)
    assert desk.ask(**with_assertion(signed(desk)))["token_type"] == "Bearer"
    other.close()


def test_another_assertion_with_the_same_id_does_not_count_then_either(desk: Desk) -> None:
    desk.tokens.assertions_count_often = False
    assert desk.ask(**with_assertion(signed(desk, jti="one")))["token_type"] == "Bearer"
    assert denied(desk, signed(desk, jti="one", aud=f"{ORIGIN}/adfs/oauth2/token"))[1] == 50027


def test_without_an_id_the_assertion_itself_counts_once(desk: Desk) -> None:
    desk.tokens.assertions_count_often = False
    once = signed(desk, jti=None)
    assert desk.ask(**with_assertion(once))["token_type"] == "Bearer"
    assert denied(desk, once)[1] == 50027


def test_what_has_ended_is_not_kept(desk: Desk) -> None:
    desk.tokens.assertions_count_often = False
    for _ in range(3):
        assert desk.ask(**with_assertion(signed(desk)))["token_type"] == "Bearer"
        desk.now += timedelta(hours=1)
    kept = desk.run(
        desk.tokens.gate.database.read(
            lambda connection: connection.exec_driver_sql("SELECT count(*) FROM presented").scalar()
        )
    )
    assert kept == 1


# ── trust in another issuer ─────────────────────────────────────────────────────────────────────────────────────────

ISSUER = "https://issuer.example"
SUBJECT = "system:serviceaccount:default:pipeline"
KEY = new_key()


@dataclass
class Platform:
    """Where a workload runs: it gives it a token of its own, and shows its keys to whoever asks."""

    desk: Desk
    down: bool = False

    async def fetch(self, url: str) -> dict[str, Any]:
        if self.down:
            raise IssuerDown(f"{url} is down.")
        if url.endswith("openid-configuration"):
            return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
        return {"keys": [{**KEY.as_dict(private=False), "kid": KEY.kid}]}

    def token(self, key: Any = KEY, **changes: Any) -> str:
        start = self.desk.now.timestamp()
        claims = {"iss": ISSUER, "sub": SUBJECT, "aud": ["api://AzureADTokenExchange"], "exp": start + 3600, **changes}
        return _encoded(key, {name: value for name, value in claims.items() if value is not None})


def _encoded(key: Any, claims: dict[str, Any]) -> str:
    return Certified(OURS.certificate, key.private_key).assertion(claims, header={"kid": KEY.kid})


@pytest.fixture
def platform(desk: Desk) -> Platform:
    """A platform that the application trusts."""
    platform = Platform(desk)
    desk.tokens.issuers = IssuerKeys(lambda: desk.now, platform.fetch)

    def work(transaction: Transaction) -> str:
        return add_federation(transaction, desk.application, Federation(ISSUER, SUBJECT), now=desk.now)

    desk.commit(work)
    return platform


def test_a_token_of_a_trusted_issuer_gets_a_token_as_often_as_it_is_presented(desk: Desk, platform: Platform) -> None:
    desk.tokens.assertions_count_often = False
    token = platform.token(jti="one")
    for _ in range(2):
        claims = desk.read(desk.ask(**with_assertion(token))["access_token"])
        assert (claims.object_id, claims.all["appidacr"]) == (desk.application.object_id, "2")


FOREIGN: dict[str, tuple[dict[str, Any], int]] = {
    "of another issuer": ({"iss": "https://other.example"}, 700211),
    "of almost that issuer": ({"iss": f"{ISSUER}/"}, 700211),
    "about somebody else": ({"sub": "system:serviceaccount:default:other"}, 700213),
    "about the subject in another case": ({"sub": SUBJECT.upper()}, 700213),
    "about nobody": ({"sub": None}, 700213),
    "for somebody else": ({"aud": "https://kubernetes.default.svc"}, 700212),
    "for nobody": ({"aud": None}, 700212),
    "that has ended": ({"exp": START.timestamp()}, 700024),
    "that never ends": ({"exp": None}, 700024),
    "that begins in an hour": ({"nbf": START.timestamp() + 3600}, 700024),
    "that another key has signed": ({"key": new_key()}, 7000272),
}


@pytest.mark.parametrize(("changes", "number"), FOREIGN.values(), ids=FOREIGN.keys())
def test_a_token_that_is_not_the_trusted_one_is_refused(
    desk: Desk, platform: Platform, changes: dict[str, Any], number: int
) -> None:
    assert denied(desk, platform.token(**changes)) == ("invalid_client", number, 401)
    [entry] = desk.refusals()
    assert entry.code == f"AADSTS{number}"


def test_parts_of_two_trusts_do_not_make_one(desk: Desk, platform: Platform) -> None:
    def work(transaction: Transaction) -> str:
        other = Federation(ISSUER, "system:serviceaccount:default:other", "api://other")
        return add_federation(transaction, desk.application, other, now=desk.now)

    desk.commit(work)
    assert denied(desk, platform.token(aud="api://other"))[1] == 700212


def test_an_issuer_that_is_down_is_told_apart_from_a_bad_token(desk: Desk, platform: Platform) -> None:
    platform.down = True
    assert denied(desk, platform.token()) == ("temporarily_unavailable", 90061, 503)


def test_the_trust_of_one_application_is_none_of_another(desk: Desk, platform: Platform) -> None:
    [trusted] = [one for one in _credentials(desk) if one.kind == "issuer"]
    desk.commit(lambda transaction: remove_credential(transaction, desk.application, trusted.id))
    assert denied(desk, platform.token())[1] == 700211


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_certificate_is_found_beside_its_private_key() -> None:
    assert read(OURS.both) == OURS.certificate


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
    ids=["empty", "nonsense", "torn"],
)
def test_a_file_without_a_certificate_is_refused(content: bytes) -> None:
    with pytest.raises(BadCertificate, match="no certificate in PEM"):
        read(content)


@pytest.mark.parametrize("key", [weak_key, elliptic_key], ids=["1024 bits", "elliptic"])
def test_a_certificate_whose_key_does_not_do_is_refused(key: Any) -> None:
    with pytest.raises(BadCertificate, match="must be RSA"):
        read(certified(key=key()).pem)
