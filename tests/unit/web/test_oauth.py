"""The token service's addresses: paths, methods, headers, documents, and the bodies of refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from linarite.errors.server import server_busy
from linarite.grants import GRANTS
from linarite.grants.ask import DOMAIN
from linarite.model import Deed
from linarite.web.http import Request, Response
from linarite.web.oauth import OAuth
from tests.unit.desk import AUTHORITY, ORIGIN, TENANT

if TYPE_CHECKING:
    from tests.unit.desk import Desk

FORM = {"content-type": "application/x-www-form-urlencoded"}
GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
TOKEN = f"/{TENANT}/oauth2/v2.0/token"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


class Sent(dict[str, str]):
    """Headers, each sent once."""

    def get_all(self, key: str) -> list[str]:
        return [self[key]] if key in self else []


class Visitor:
    """Sends requests to the token service's addresses."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.oauth = OAuth(desk.tokens, AUTHORITY)

    def send(
        self,
        method: str,
        path: str,
        form: dict[str, str] | None = None,
        *,
        body: bytes = b"",
        query: dict[str, str] | None = None,
        **headers: str,
    ) -> Response:
        body, sent = (body, {}) if form is None else (urlencode(form).encode(), FORM)
        sent = {**sent, **{name.replace("_", "-"): value for name, value in headers.items()}}
        asked = query or {}
        request = Request(method, path, urlencode(asked), Sent(sent), body, "127.0.0.1", ORIGIN, asked)
        return self.desk.run(self.oauth.serve(request))

    def get(self, path: str, **more: Any) -> Any:
        """A document."""
        response = self.send("GET", path, **more)
        assert response.status == 200
        return orjson.loads(response.body)


@pytest.fixture
def visitor(desk: Desk) -> Visitor:
    return Visitor(desk)


def header(response: Response, name: str) -> str | None:
    found = [value for key, value in response.headers if key == name]
    assert len(found) <= 1
    return found[0] if found else None


def refusal(response: Response) -> Any:
    assert header(response, "content-type") == "application/json; charset=utf-8"
    return orjson.loads(response.body)


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "endpoints", "issuer"),
    [
        (f"/{TENANT}/v2.0", f"/{TENANT}/oauth2/v2.0", f"{ORIGIN}/{TENANT}/v2.0"),
        (f"/{DOMAIN}/v2.0", f"/{TENANT}/oauth2/v2.0", f"{ORIGIN}/{TENANT}/v2.0"),
        ("/common/v2.0", "/common/oauth2/v2.0", f"{ORIGIN}/{TENANT}/v2.0"),
        ("/organizations/v2.0", "/organizations/oauth2/v2.0", f"{ORIGIN}/{TENANT}/v2.0"),
        (f"/{TENANT}", f"/{TENANT}/oauth2", f"https://sts.windows.net/{TENANT}/"),
        ("/adfs", "/adfs/oauth2", f"https://sts.windows.net/{TENANT}/"),
        ("//ADFS/", "/adfs/oauth2", f"https://sts.windows.net/{TENANT}/"),
    ],
)
def test_the_discovery_document_says_where_everything_is(
    visitor: Visitor, path: str, endpoints: str, issuer: str
) -> None:
    document = visitor.get(f"{path}/.well-known/openid-configuration")
    assert document["token_endpoint"] == f"{ORIGIN}{endpoints}/token"
    assert document["authorization_endpoint"] == f"{ORIGIN}{endpoints}/authorize"
    assert document["device_authorization_endpoint"] == f"{ORIGIN}{endpoints}/devicecode"
    assert document["issuer"] == issuer
    assert document["grant_types_supported"] == [one for one in GRANTS if one != "password"], (
        "which is a setting of tests"
    )
    assert document["response_types_supported"] == ["code", "id_token", "code id_token", "token", "id_token token"]


def test_a_service_without_the_implicit_flow_says_so_and_gives_no_token_to_a_browser(visitor: Visitor) -> None:
    visitor.desk.tokens.implicit = False
    assert visitor.get(f"/{TENANT}/v2.0/.well-known/openid-configuration")["response_types_supported"] == ["code"]
    query = {"client_id": AZURE_CLI, "redirect_uri": "http://localhost", "response_type": "token"}
    response = visitor.send("GET", f"/{TENANT}/oauth2/authorize", query=query)
    assert str(header(response, "location")).startswith("http://localhost#error=unsupported_response_type")


@pytest.mark.parametrize("path", [f"/{TENANT}/v2.0", f"/{TENANT}", "/adfs", "/common/v2.0"])
def test_every_address_of_the_discovery_document_answers(visitor: Visitor, path: str) -> None:
    document = visitor.get(f"{path}/.well-known/openid-configuration")
    own = [value for value in document.values() if isinstance(value, str) and value.startswith(f"{ORIGIN}/")]
    for address in own:
        if address != document["issuer"]:
            assert visitor.send("OPTIONS", address.removeprefix(ORIGIN)).status == 204


@pytest.mark.parametrize("path", [f"/{TENANT}/discovery/v2.0/keys", "/common/discovery/keys", "/adfs/discovery/keys"])
def test_the_published_keys_verify_a_token(visitor: Visitor, path: str) -> None:
    token = visitor.desk.ask()["access_token"]
    keys = KeySet.import_key_set(visitor.get(path))
    assert jwt.decode(token, keys, algorithms=["RS256"]).claims["tid"] == TENANT


@pytest.mark.parametrize(
    ("asked", "document"),
    [
        (f"{ORIGIN}/{TENANT}/oauth2/v2.0/authorize", f"{ORIGIN}/{TENANT}/v2.0/.well-known/openid-configuration"),
        (f"{ORIGIN}/{TENANT}/oauth2/authorize", f"{ORIGIN}/{TENANT}/.well-known/openid-configuration"),
        (f"{ORIGIN}/common/oauth2/authorize", f"{ORIGIN}/common/.well-known/openid-configuration"),
        # as MSAL for Python asks
        (
            f"https://localhost/{TENANT}/oauth2/v2.0/authorize",
            f"{ORIGIN}/{TENANT}/v2.0/.well-known/openid-configuration",
        ),
    ],
)
def test_instance_discovery_knows_this_host(visitor: Visitor, asked: str, document: str) -> None:
    query = {"api-version": "1.1", "authorization_endpoint": asked}
    answer = visitor.get("/common/discovery/instance", query=query)
    host = "localhost:8443"
    assert answer["tenant_discovery_endpoint"] == document
    assert answer["metadata"] == [{"preferred_network": host, "preferred_cache": host, "aliases": [host, "localhost"]}]


def test_instance_discovery_knows_no_tenant_but_ours(visitor: Visitor) -> None:
    query = {"authorization_endpoint": f"{ORIGIN}/{GUID}/oauth2/authorize"}
    assert refusal(visitor.send("GET", "/common/discovery/instance", query=query))["error_codes"] == [90002]


@pytest.mark.parametrize(
    "asked",
    [
        "https://login.example.org/common/oauth2/authorize",
        "",
        "https://[",
        "://",
        f"{ORIGIN}9/common/oauth2/authorize",
        f"http{ORIGIN[5:]}/common/oauth2/authorize",
    ],
)
def test_instance_discovery_knows_no_other_host(visitor: Visitor, asked: str) -> None:
    response = visitor.send("GET", "/common/discovery/instance", query={"authorization_endpoint": asked})
    assert response.status == 400
    assert refusal(response)["error"] == "invalid_instance"
    assert refusal(response)["error_codes"] == [50049]


@pytest.mark.parametrize("path", ["v2.0/.well-known/openid-configuration", "discovery/keys", "oauth2/authorize"])
def test_a_tenant_that_is_not_ours_has_no_documents(visitor: Visitor, path: str) -> None:
    assert refusal(visitor.send("GET", f"/{GUID}/{path}"))["error_codes"] == [90002]
    assert refusal(visitor.send("GET", f"/nonsense/{path}"))["error_codes"] == [900023]


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "kind"),
    [(TOKEN, int), (f"/common{TOKEN[37:]}", int), (f"/{TENANT}/oauth2/token", str), ("/adfs/oauth2/token", int)],
)
def test_each_token_endpoint_answers_in_its_own_way(visitor: Visitor, path: str, kind: type) -> None:
    form = visitor.desk.form(scope=None, resource=ORIGIN) if kind is str else visitor.desk.form()
    response = visitor.send("POST", path, form)
    assert response.status == 200
    answer = orjson.loads(response.body)
    assert isinstance(answer["expires_in"], kind)
    assert visitor.desk.read(answer["access_token"]).audience == ORIGIN


def test_a_token_is_not_kept_by_anybody_on_its_way(visitor: Visitor) -> None:
    response = visitor.send("POST", TOKEN, visitor.desk.form())
    assert header(response, "cache-control") == "no-store, no-cache"
    assert header(response, "pragma") == "no-cache"


def test_a_path_counts_in_any_case_and_with_doubled_slashes(visitor: Visitor) -> None:
    path = f"//{TENANT.upper()}//OAuth2/V2.0//Token"
    assert visitor.send("POST", path, visitor.desk.form()).status == 200


def test_a_request_that_is_json_misses_its_first_parameter_as_entra_says(visitor: Visitor) -> None:
    body = orjson.dumps(visitor.desk.form())
    response = visitor.send("POST", TOKEN, body=body, content_type="application/json")
    assert response.status == 400
    assert refusal(response)["error_description"].startswith(
        "AADSTS900144: The request body must contain the following parameter: 'grant_type'. Trace ID: "
    )


def test_a_failed_basic_header_is_challenged(visitor: Visitor) -> None:
    form = visitor.desk.form(client_id=None, client_secret=None)
    response = visitor.send("POST", TOKEN, form, authorization="Basic bm9ib2R5Og==")
    assert response.status == 401
    assert header(response, "www-authenticate") == f'Basic realm="{ORIGIN}/{TENANT}"'
    response = visitor.send("POST", TOKEN, visitor.desk.form(client_secret="wrong"))
    assert (response.status, header(response, "www-authenticate")) == (401, None)


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_has_entras_body(visitor: Visitor) -> None:
    visitor.desk.now += timedelta(seconds=5)
    response = visitor.send("POST", TOKEN, visitor.desk.form(client_secret="wrong"), client_request_id=GUID.upper())
    trace = header(response, "x-ms-request-id")
    body = refusal(response)
    assert list(body) == [
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
        "error_uri",
    ]
    client = visitor.desk.application.app_id
    assert body == {
        "error": "invalid_client",
        "error_description": (
            "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client "
            f"secret value, not the client secret ID, for a secret added to app '{client}'. "
            f"Trace ID: {trace} Correlation ID: {GUID} Timestamp: 2026-11-24 08:15:35Z"
        ),
        "error_codes": [7000215],
        "timestamp": "2026-11-24 08:15:35Z",
        "trace_id": trace,
        "correlation_id": GUID,
        "error_uri": "https://login.microsoftonline.com/error?code=7000215",
    }
    assert (visitor.desk.last_entry().request, visitor.desk.last_entry().correlation) == (trace, GUID)


def test_the_correlation_may_stand_in_the_query_and_is_no_nonsense(visitor: Visitor) -> None:
    asked = visitor.send("POST", TOKEN, {}, query={"client-request-id": GUID})
    assert refusal(asked)["correlation_id"] == GUID
    nonsense = visitor.send("POST", TOKEN, {}, client_request_id="x\r\ny")
    assert refusal(nonsense)["correlation_id"] == header(nonsense, "x-ms-request-id")


def test_the_clients_own_id_comes_back_if_it_is_wanted(visitor: Visitor) -> None:
    wanted = visitor.send("POST", TOKEN, {}, client_request_id=GUID, return_client_request_id="true")
    assert header(wanted, "client-request-id") == GUID
    assert header(visitor.send("POST", TOKEN, {}, client_request_id=GUID), "client-request-id") is None


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", TOKEN, "POST"),
        ("HEAD", TOKEN, "POST"),
        ("PUT", f"/{TENANT}/oauth2/authorize", "GET, POST"),
        ("POST", f"/{TENANT}/discovery/keys", "GET"),
        ("GET", f"/{TENANT}/oauth2/devicecode", "POST"),
    ],
)
def test_a_wrong_method_is_refused_and_the_right_ones_are_named(
    visitor: Visitor, method: str, path: str, allow: str
) -> None:
    response = visitor.send(method, path)
    assert (response.status, header(response, "allow")) == (405, allow)
    if method != "HEAD":
        accepted = allow.replace(", ", " and ")
        said = f"AADSTS900561: The endpoint only accepts {accepted} requests. Received a {method} request."
        assert refusal(response)["error_description"].startswith(said)


@pytest.mark.parametrize("path", ["/", "/favicon.ico", f"/{TENANT}", f"/{TENANT}/oauth2/v3.0/token", "/common/nothing"])
def test_where_there_is_nothing_the_answer_is_404(visitor: Visitor, path: str) -> None:
    response = visitor.send("GET", path)
    assert response.status == 404
    assert refusal(response)["error"] == "invalid_request"


def test_a_browser_gets_a_page_that_repeats_nothing_raw(visitor: Visitor) -> None:
    query = {"client_id": "<script>alert(1)</script>"}
    response = visitor.send("GET", f"/{TENANT}/oauth2/v2.0/authorize", query=query, accept="text/html,*/*;q=0.8")
    assert (response.status, header(response, "content-type")) == (400, "text/html; charset=utf-8")
    page = response.body.decode()
    assert "AADSTS700016: Application with identifier" in page
    assert str(header(response, "x-ms-request-id")) in page
    assert "<script>" not in page


@pytest.mark.parametrize(
    ("method", "path", "action", "code"),
    [
        ("GET", TOKEN, "Microsoft.AAD/oauth2/v2.0/token", "AADSTS900561"),
        ("POST", TOKEN, "Microsoft.AAD/token", "AADSTS900144"),
        ("GET", "/common/nothing", "Microsoft.AAD/nothing", "AADSTS9002313"),
        ("GET", f"/{GUID}/discovery/keys", "Microsoft.AAD/discovery/keys", "AADSTS90002"),
        ("GET", "/common/oauth2/authorize", "Microsoft.AAD/oauth2/authorize", "AADSTS900144"),
        ("POST", "/common/oauth2/devicecode", "Microsoft.AAD/devicecode", "AADSTS900144"),
        ("POST", "/devicelogin", "Microsoft.AAD/oauth2/deviceauth", "AADSTS165000"),
        ("GET", "/common/openid/userinfo", "Microsoft.AAD/userinfo", "AADSTS50027"),
        ("GET", "/common/discovery/instance", "Microsoft.AAD/discovery/instance", "AADSTS50049"),
    ],
)
def test_every_refusal_is_on_the_trail_once(visitor: Visitor, method: str, path: str, action: str, code: str) -> None:
    before = len(visitor.desk.trail())
    response = visitor.send(method, path)
    [entry] = visitor.desk.trail()[before:]
    assert (entry.deed, entry.action, entry.code) == (Deed.REFUSAL, action, code)
    assert (entry.status, entry.request) == (response.status, header(response, "x-ms-request-id"))


def test_documents_leave_no_entries(visitor: Visitor) -> None:
    before = visitor.desk.trail()
    visitor.get(f"/{TENANT}/v2.0/.well-known/openid-configuration")
    visitor.get(f"/{TENANT}/discovery/v2.0/keys")
    assert visitor.desk.trail() == before


def test_a_refusal_that_cannot_be_recorded_is_not_sent(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any) -> None:
        raise server_busy()

    monkeypatch.setattr(visitor.desk.tokens.gate, "record", full)
    for response in (
        visitor.send("POST", TOKEN, visitor.desk.form()),
        visitor.send("POST", TOKEN, visitor.desk.form(client_secret="wrong")),
        visitor.send("GET", "/common/nothing"),
    ):
        assert (response.status, header(response, "retry-after")) == (503, "1")
        assert refusal(response)["error"] == "temporarily_unavailable"


def test_a_defect_tells_the_client_nothing(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(_: Any) -> Any:
        message = "the cause"
        raise RuntimeError(message)

    monkeypatch.setattr(visitor.desk.tokens, "token", broken)
    response = visitor.send("POST", TOKEN, visitor.desk.form())
    assert response.status == 500
    assert refusal(response)["error_codes"] == [50000]
    assert b"the cause" not in response.body
    logged = "".join(capsys.readouterr())
    assert "the cause" in logged
    assert str(header(response, "x-ms-request-id")) in logged
    assert visitor.desk.secret.reveal() not in logged


# ── other origins ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [TOKEN, f"/{TENANT}/v2.0/.well-known/openid-configuration", "/adfs/discovery/keys"])
def test_pages_of_other_origins_may_ask(visitor: Visitor, path: str) -> None:
    preflight = visitor.send("OPTIONS", path, origin="https://app.example.org")
    assert preflight.status == 204
    assert header(preflight, "access-control-allow-methods") == "GET, POST, OPTIONS"
    allowed = str(header(preflight, "access-control-allow-headers")).split(", ")
    assert {"content-type", "client-request-id", "x-client-sku"} <= set(allowed)
    for method in ("GET", "POST"):
        response = visitor.send(method, path, origin="https://app.example.org")
        assert header(response, "access-control-allow-origin") == "*"
        assert header(response, "access-control-allow-credentials") is None


def test_head_answers_the_headers_alone(visitor: Visitor) -> None:
    response = visitor.send("HEAD", f"/{TENANT}/v2.0/.well-known/openid-configuration")
    assert (response.status, response.body) == (200, b"")
