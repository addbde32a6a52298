"""Requests that say one thing to one reader and something else to another: headers, methods, paths, queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.api.attacks.scene import Attack, Scene
from tests.api.place import ARM
from tests.server import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.api.attacks.scene import Strike

MISSING = "AuthenticationFailed"
FORBIDDEN = "AuthorizationFailed"
URI = "InvalidRequestUri"


def bearer(scene: Scene) -> str:
    return str(scene.owner.http.headers["authorization"])


def nobody_with(**headers: Callable[[Scene], str] | str) -> Callable[[Scene], Strike]:
    """Ask for keys without a token, with other headers instead; their names are written with underscores."""

    def prepare(scene: Scene) -> Strike:
        written = {
            name.replace("_", "-"): value if isinstance(value, str) else value(scene) for name, value in headers.items()
        }
        return scene.keys(headers=written)

    return prepare


def reader_with(method: str = "POST", **headers: str) -> Callable[[Scene], Strike]:
    """The reader asks for keys, with headers that some proxies and frameworks believe."""

    def prepare(scene: Scene) -> Strike:
        written = {name.replace("_", "-"): value.format(w=scene.server.workspace) for name, value in headers.items()}
        return scene.asks(scene.reader, method, f"{scene.server.workspace}/listKeys", headers=written)

    return prepare


def twice(scene: Scene) -> Strike:
    """A bad token before a good one: whoever takes the last one would let it in."""
    target = f"{scene.server.workspace}/listKeys?api-version={VERSION}"
    headers = [("Authorization", "Bearer a.b.c"), ("Authorization", bearer(scene)), ("Content-Length", "0")]
    return scene.writes(scene.nobody, "POST", target, *headers)


def twice_in_one(scene: Scene) -> Strike:
    """Both in one header, as proxies join those that are sent twice."""
    return scene.keys(f"Bearer a.b.c, {bearer(scene)}")


def raw(path: str, method: str = "POST") -> Callable[[Scene], Strike]:
    """The contributor of another group writes a path of their own; `{own}` is their group, `{r}` the sample's."""

    def prepare(scene: Scene) -> Strike:
        group, _, name = scene.server.group.rpartition("/")
        keys = "providers/Microsoft.MachineLearningServices/workspaces/workspaces123/listKeys"
        named = path.format(own=scene.group, groups=group, sample=name, keys=keys, s=scene.server.subscription)
        return scene.writes(scene.contributor, method, f"{named}?api-version={VERSION}", ("Content-Length", "0"))

    return prepare


def owners_query(query: str) -> Callable[[Scene], Strike]:
    """The owner asks for keys, with a query."""
    return lambda scene: scene.writes(
        scene.owner, "POST", f"{scene.server.workspace}/listKeys?{query}", ("Content-Length", "0")
    )


def by(method: str, **more: Any) -> Callable[[Scene], Strike]:
    """The owner asks for keys by another method."""
    return lambda scene: scene.asks(scene.owner, method, f"{scene.server.workspace}/listKeys", **more)


SMUGGLING: dict[str, Attack] = {
    # a token elsewhere than in its header
    "a token in the query": Attack(
        401, MISSING, lambda scene: scene.keys(params={"access_token": bearer(scene).partition(" ")[2]})
    ),
    "a token in a form": Attack(
        401, MISSING, lambda scene: scene.keys(data={"access_token": bearer(scene).partition(" ")[2]})
    ),
    "a token in a cookie": Attack(401, MISSING, nobody_with(Cookie=lambda scene: f"Authorization={bearer(scene)}")),
    "a token for a proxy": Attack(401, MISSING, nobody_with(Proxy_Authorization=bearer)),
    "a token as the auxiliary one": Attack(401, MISSING, nobody_with(x_ms_authorization_auxiliary=bearer)),
    "a token as a gateway hands it on": Attack(401, MISSING, nobody_with(X_Forwarded_Authorization=bearer)),
    "a name as a gateway hands it on": Attack(
        401,
        MISSING,
        nobody_with(
            X_MS_CLIENT_PRINCIPAL_ID="66666666-7777-8888-9999-aaaaaaaaaaaa",
            X_Forwarded_User="owner",
            Remote_User="owner",
        ),
    ),
    "a request that calls itself local": Attack(
        401, MISSING, nobody_with(X_Forwarded_For="127.0.0.1", X_Real_IP="127.0.0.1", Forwarded="for=127.0.0.1")
    ),
    "a token after one that is none": Attack(401, "InvalidAuthenticationToken", twice),
    "two tokens in one header": Attack(401, "InvalidAuthenticationToken", twice_in_one),
    "a token under another scheme": Attack(
        401,
        "AuthenticationFailedInvalidHeader",
        lambda scene: scene.keys(f"MSAuth1.0 usertoken={bearer(scene).partition(' ')[2]}, type=MSACT"),
    ),
    "a client's id and secret instead of a token": Attack(
        401,
        "AuthenticationFailedInvalidHeader",
        lambda scene: scene.asks(
            scene.nobody,
            "POST",
            f"{scene.server.workspace}/listKeys",
            auth=(scene.server.known["clientId"], scene.server.known["clientSecret"]),
        ),
    ),
    # another method, another address
    "keys by GET": Attack(405, "HttpMethodNotAllowed", by("GET")),
    "keys by PUT": Attack(405, "HttpMethodNotAllowed", by("PUT")),
    "keys by PATCH": Attack(405, "HttpMethodNotAllowed", by("PATCH")),
    "keys by DELETE": Attack(405, "HttpMethodNotAllowed", by("DELETE")),
    "keys by GET that says it is a POST": Attack(
        405, "HttpMethodNotAllowed", by("GET", headers={"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST"})
    ),
    "keys by POST that says it is a GET": Attack(
        403, FORBIDDEN, reader_with(X_HTTP_Method_Override="GET", X_HTTP_Method="GET")
    ),
    "keys at an address that says it is another": Attack(
        403, FORBIDDEN, reader_with(X_Original_URL="{w}", X_Rewrite_URL="{w}", X_Forwarded_Prefix="/subscriptions")
    ),
    "keys in a body that says it is no POST": Attack(
        403,
        FORBIDDEN,
        lambda scene: scene.asks(
            scene.reader, "POST", f"{scene.server.workspace}/listKeys?_method=GET&$method=GET", {"_method": "GET"}
        ),
    ),
    # out of one's own group
    "dot segments": Attack(404, "InvalidResourceType", raw("{own}/providers/../../{sample}/{keys}")),
    "dot segments at the start": Attack(404, "AADSTS9002313", raw("/x/..{groups}/{sample}/{keys}")),
    "encoded dot segments": Attack(404, "InvalidResourceType", raw("{groups}/{sample}/%2e%2e/{sample}/{keys}")),
    "encoded slashes": Attack(404, "InvalidResourceNamespace", raw("{groups}%2F{sample}%2Fproviders%2fX/..%2f{keys}")),
    "encoded twice": Attack(403, FORBIDDEN, raw("{groups}/%252e%252e%252f{sample}/{keys}")),
    "doubled slashes": Attack(403, FORBIDDEN, raw("/{groups}///{sample}//{keys}")),
    "backslashes": Attack(403, FORBIDDEN, raw("{own}\\..\\{sample}/{keys}")),
    "other letters": Attack(403, FORBIDDEN, raw("{groups}/TESTRG123/{keys}")),
    "a letter that is another's small one": Attack(404, "InvalidResourceType", raw("{groups}/{sample}/{keys}%C4%B0")),
    "the sample's group as a resource": Attack(
        403, FORBIDDEN, raw("{s}/providers/Microsoft.Resources/resourceGroups/{sample}/{keys}")
    ),
    "the sample's group as a resource of one's own": Attack(
        404, "ResourceGroupNotFound", raw("{own}/providers/Microsoft.Resources/resourceGroups/{sample}/{keys}")
    ),
    "the subscription as a resource of one's own": Attack(
        404, "SubscriptionNotFound", raw("{own}/providers/Microsoft.Resources{s}/resourceGroups/{sample}/{keys}")
    ),
    "parameters in a segment": Attack(403, FORBIDDEN, raw("{groups}/{sample};x=y/{keys}")),
    "a NUL behind one's own group": Attack(400, URI, raw("{own}%00/{keys}")),
    "a line break in the path": Attack(400, URI, raw("{groups}/{sample}%0d%0aX:%20y/{keys}")),
    # the version, and the query
    "a version that walks": Attack(400, "NoRegisteredProviderFound", owners_query("api-version=2023-10-01-preview")),
    "two versions": Attack(
        400, "NoRegisteredProviderFound", owners_query("api-version=2023-10-01&api-version=2015-01-01")
    ),
    "a version in another parameter": Attack(400, "MissingApiVersionParameter", owners_query("API-version=2023-10-01")),
    "a version of next year": Attack(400, "NoRegisteredProviderFound", owners_query("api-version=2099-01-01")),
    "another id in the query": Attack(
        403,
        FORBIDDEN,
        lambda scene: scene.asks(
            scene.contributor,
            "POST",
            f"{scene.server.workspace}/listKeys",
            params={"id": scene.group, "resourceGroupName": scene.group.rpartition("/")[2]},
        ),
    ),
    "a filter that is always true": Attack(
        400,
        "InvalidFilterInQueryString",
        lambda scene: scene.asks(
            scene.contributor,
            "GET",
            f"{scene.group}/resources",
            version=ARM,
            params={"$filter": "name eq 'x' or 1 eq 1"},
        ),
    ),
    "a token for Resource Manager at the directory": Attack(
        401, "InvalidAuthenticationToken", lambda scene: scene.asks(scene.owner, "GET", "/graph/v1.0/users")
    ),
    "many calls in one": Attack(
        404,
        "AADSTS9002313",
        lambda scene: scene.asks(
            scene.reader,
            "POST",
            "/batch",
            {"requests": [{"httpMethod": "POST", "url": f"{scene.server.workspace}/listKeys?api-version={VERSION}"}]},
        ),
    ),
}
