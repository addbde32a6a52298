"""What Microsoft Graph does here: look people up, and make, rename and remove applications and their secrets.

Each operation takes a visit and answers; those that change something run in a unit of work.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from linarite import access
from linarite.graph import objects, query
from linarite.graph.objects import APPLICATIONS, SERVICE_PRINCIPALS, TYPES, USERS
from linarite.graph.refusals import body_wrong, nobody_is_me, not_allowed
from linarite.ids import is_guid
from linarite.model import Answer, Principal, PrincipalKind
from linarite.store import directory
from linarite.store.directory import Credential
from linarite.store.keys import principal_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.graph.visit import Visit
    from linarite.model import Body
    from linarite.store.transaction import Transaction

LASTS = timedelta(days=730)
"""How long a secret counts where nobody says, as in Entra: two years."""

_LONGEST_NAME = 120
_MOST_IDS = 1000
_HINT = 3


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def me(visit: Visit) -> Answer:
    """Who has signed in, where that is a user."""
    if visit.caller.kind is not PrincipalKind.USER:
        raise nobody_is_me()
    visit.require_look(visit.caller)
    return _one(visit, USERS, visit.caller)


def list_(visit: Visit) -> Answer:
    """A page of a collection. Whoever may not look people up finds themselves, where a filter asks for them alone."""
    everybody = directory.principals_all(visit.view.connection())
    found = [_shown(visit, visit.collection, one) for one in everybody if objects.is_in(visit.collection, one)]
    body = query.page(found, visit.query, TYPES[visit.collection], visit.address)
    own = objects.id_in(visit.collection, visit.caller)
    alone = bool(body["value"]) and all(one.get("id") == own for one in body["value"])
    visit.require_look(visit.caller if alone else None)
    return Answer(200, {"@odata.context": f"{visit.base}/$metadata#{visit.collection}", **body})


def none(visit: Visit) -> Answer:
    """A list of what there is none of here: groups, and owners of applications."""
    visit.require_look()
    return Answer(200, {"@odata.context": f"{visit.base}/$metadata#directoryObjects", "value": []})


def get(visit: Visit) -> Answer:
    """One object, by id, by `appId='…'`, or a user by name."""
    principal = _named(visit)
    visit.require_look(principal)
    return _one(visit, visit.collection, principal)


def get_object(visit: Visit) -> Answer:
    """One object of the directory, whatever it is."""
    principal = visit.view.principal(visit.id.lower())
    if principal is None:
        raise visit.missing()
    visit.require_look(principal)
    return Answer(200, _stub(visit, principal))


def get_by_ids(visit: Visit) -> Answer:
    """Those of the given ids that somebody has, of the given types."""
    body = visit.body()
    ids, types = body.get("ids"), body.get("types") or list(TYPES.values())
    if not isinstance(ids, list) or len(ids) > _MOST_IDS or not all(isinstance(one, str) for one in ids):
        raise body_wrong("ids", f"it must be an array of at most {_MOST_IDS} ids.")
    if not isinstance(types, list):
        raise body_wrong("types", "it must be an array of types.")
    visit.require_look()
    wanted = {str(one).lower() for one in types}
    found = (visit.view.principal(one.lower()) for one in dict.fromkeys(ids))
    stubs = [
        _stub(visit, one)
        for one in found
        if one is not None and wanted & {"directoryobject", TYPES[objects.collection_of(one)].lower()}
    ]
    return Answer(200, {"@odata.context": f"{visit.base}/$metadata#directoryObjects", "value": stubs})


# ── changing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def create_application(visit: Visit) -> Answer:
    """A new application and its service principal, without any role or secret."""
    visit.require_change()
    app_id, object_id = visit.fresh.ids
    name = _display_name(visit.body())
    made = Principal(object_id, PrincipalKind.SERVICE_PRINCIPAL, app_id, visit.caller.tenant, name, app_id)
    visit.tell(made)
    directory.add_principal(visit.view.connection(), made, visit.now)
    _note(visit, made)
    return _one(visit, APPLICATIONS, made, 201)


def create_service_principal(visit: Visit) -> Answer:
    """The service principal of an application, which has been there since the application was made."""
    visit.require_change()
    app_id = visit.body().get("appId")
    object_id = visit.view.object_id(app_id.lower()) if isinstance(app_id, str) else None
    principal = visit.view.principal(object_id) if object_id else None
    if principal is None or not objects.is_in(APPLICATIONS, principal):
        raise body_wrong("appId", "it does not reference a valid application object.")
    return _one(visit, SERVICE_PRINCIPALS, principal, 201)


def rename(visit: Visit) -> Answer:
    """Another `displayName`; the other members that Azure's tools send have no effect here."""
    principal = _changed(visit)
    body = visit.body()
    if body.get("keyCredentials"):
        raise body_wrong("keyCredentials", "certificates are not registered over this way.")
    if "displayName" in body:
        directory.rename_principal(visit.view.connection(), principal.object_id, _display_name(body))
        _note(visit, principal)
    return Answer(204)


def remove(visit: Visit) -> Answer:
    """Take an application and its service principal away; its tokens and secrets count no more.

    As in Azure, assignments of roles stay, and are nobody's.
    """
    principal = _changed(visit)
    if access.owns_alone(visit.view, principal):
        raise not_allowed(f"'{principal.name}' is the last one that owns the subscription.")
    directory.remove_principal(visit.view.connection(), principal.object_id)
    _note(visit, principal)
    return Answer(204)


def add_password(visit: Visit) -> Answer:
    """One more secret, which is answered now and never again."""
    principal = _changed(visit)
    secret, wanted = visit.fresh.secret, _wanted(visit)
    added = Credential(visit.fresh.ids[0], principal.object_id, visit.fresh.hash, visit.now, _end(wanted, visit.now))
    directory.add_credential(visit.view.connection(), added)
    _note(visit, principal)
    told = {
        "displayName": str(wanted.get("displayName") or "") or None,
        "hint": secret.reveal()[:_HINT],
        "secretText": secret,
    }
    context = {"@odata.context": f"{visit.base}/$metadata#microsoft.graph.passwordCredential"}
    return Answer(200, context | objects.password(added) | told)


def remove_password(visit: Visit) -> Answer:
    """Take a secret away; it signs nobody in from here on."""
    principal = _changed(visit)
    id_ = visit.body().get("keyId")
    if not any(one.id == id_ and one.kind == "secret" for one in visit.view.credentials_of(principal.object_id)):
        raise body_wrong("keyId", "no password credential has it.")
    directory.remove_credential(visit.view.connection(), principal.object_id, str(id_))
    _note(visit, principal)
    return Answer(204)


# ── what they share ─────────────────────────────────────────────────────────────────────────────────────────────────


def _named(visit: Visit) -> Principal:
    """The object that is asked for.

    Raises:
        NotFound: there is none, and the caller may know.
    """
    found = next((one for one in _candidates(visit) if objects.is_in(visit.collection, one)), None)
    if found is None:
        raise visit.missing()
    return found


def _candidates(visit: Visit) -> Iterable[Principal]:
    id_ = visit.id.lower()
    if id_.startswith("appid='") and id_.endswith("'"):
        named = visit.view.object_id(id_.removeprefix("appid='").removesuffix("'"))
    elif visit.collection == USERS and not is_guid(id_):
        named = visit.view.object_id(id_)
    elif visit.collection == APPLICATIONS:
        everybody = directory.principals_all(visit.view.connection())
        return [one for one in everybody if one.app_id and objects.id_in(APPLICATIONS, one) == id_]
    else:
        named = id_
    principal = visit.view.principal(named) if named else None
    return [] if principal is None else [principal]


def _changed(visit: Visit) -> Principal:
    """The object that is to be changed, once the caller is known to be allowed."""
    visit.require_change()
    principal = _named(visit)
    visit.tell(principal)
    visit.require_change(principal)
    if principal.kind is not PrincipalKind.SERVICE_PRINCIPAL:
        raise not_allowed(f"'{principal.name}' is a managed identity: it is what its resource makes of it.")
    return principal


def _note(visit: Visit, principal: Principal) -> None:
    """Every process forgets what it knew of a principal."""
    cast("Transaction", visit.view).note(principal_key(principal.object_id))


def _shown(visit: Visit, collection: str, principal: Principal) -> Body:
    secrets = visit.view.credentials_of(principal.object_id) if collection != USERS else ()
    return objects.shown(collection, principal, secrets)


def _one(visit: Visit, collection: str, principal: Principal, status: int = 200) -> Answer:
    body = query.selected(_shown(visit, collection, principal), visit.query, TYPES[collection])
    return Answer(status, {"@odata.context": f"{visit.base}/$metadata#{collection}/$entity", **body})


def _stub(visit: Visit, principal: Principal) -> Body:
    collection = objects.collection_of(principal)
    return {"@odata.type": f"#microsoft.graph.{TYPES[collection]}", **_shown(visit, collection, principal)}


def _display_name(body: Body) -> str:
    name = body.get("displayName")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise body_wrong("displayName", f"it must be 1 to {_LONGEST_NAME} characters that can be printed.")
    return name.strip()


def _wanted(visit: Visit) -> Body:
    """What a new secret is to be like; nobody has to say."""
    wanted = visit.body().get("passwordCredential") if visit.json() is not None else None
    if not isinstance(wanted, dict | None):
        raise body_wrong("passwordCredential", "it must be an object.")
    return wanted or {}


def _end(wanted: Body, now: datetime) -> datetime:
    """When a secret is to end."""
    text: Any = wanted.get("endDateTime")
    if text is None:
        return now + LASTS
    try:
        end = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise body_wrong("endDateTime", "it must be a date and time.") from None
    end = end if end.tzinfo else end.replace(tzinfo=UTC)
    if end <= now:
        raise body_wrong("endDateTime", "it must lie ahead.")
    return end
