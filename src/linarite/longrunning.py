"""Long-running operations: begun in the unit that accepts the request, carried out by a worker, polled by the client.

The contract is Azure Resource Manager's: 202 with `Azure-AsyncOperation` and `Location`, a status body at the first,
202 and then the result at the second (azure-resource-manager "Track asynchronous operations"; recorded traffic of the
workspaces type). Where operations are immediate the same step runs in the unit that accepts the request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from linarite.errors import Conflict, NotFound, Refusal
from linarite.ids import new_guid
from linarite.model import Answer, Operation, OperationState, copied
from linarite.moments import written
from linarite.schema import Object
from linarite.shown import as_shown
from linarite.store import operations
from linarite.store.driver import savepoint

if TYPE_CHECKING:
    from linarite.context import Context, Work
    from linarite.ids import ResourceId
    from linarite.kind import Kind
    from linarite.model import Body, Resource

MOST_ATTEMPTS = 5
"""How often a step that breaks, or whose worker dies, is tried."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long-running work runs here."""

    immediate: bool = False
    delay: float = 0.0
    """Seconds between the request and the work."""
    retry_after: int = 1
    """Seconds that a client is told to wait between two polls."""


def begin(
    work: Work, kind: Kind, resource: Resource, step: str, *, body: Body, pace: Pace, at_once: bool = False
) -> Answer:
    """Accept a long step on a resource that is idle: 202 and where to ask for it; or, at once, its final answer."""
    operation = Operation(
        id=new_guid(work.random),
        target=resource.id,
        step=step,
        state=OperationState.RUNNING,
        started=work.now,
        due=work.now + timedelta(seconds=pace.delay),
        caller=work.caller.object_id if work.caller else "",
        correlation=work.correlation,
        api_version=work.version,
        input=body,
    )
    if pace.immediate or at_once:
        return _final(work, kind, carry_out(work, kind, operation))
    if step in {"create", "update", "delete"}:
        settle(work, kind, resource, {"create": "Creating", "update": "Updating", "delete": "Deleting"}[step])
    operations.add(work.view.connection(), operation)
    work.view.note(f"operation:{operation.id}")
    action = kind.action(step)
    headers = [("location", _url(work, kind, operation, "location"))]
    if action is None or not action.location_only:
        headers.append(("azure-asyncoperation", _url(work, kind, operation, "async")))
    headers.append(("retry-after", str(pace.retry_after)))
    return Answer(202, None, tuple(headers))


def carry_out(work: Work, kind: Kind, operation: Operation) -> Operation:
    """Do the step, whole or not at all. A refusal fails the operation, and leaves the resource as failed.

    The caller has checked that the operation is still running.
    """
    resource = work.stored(operation.target)
    try:
        with savepoint(work.view.connection()):
            result = _step(work, kind, operation, resource)
    except Refusal as refusal:
        work.view.note_everything()
        if resource is not None and operation.step in {"create", "update", "delete"}:
            settle(work, kind, resource, "Failed")
        error = {"code": refusal.code, "message": refusal.message}
        return replace(operation, state=OperationState.FAILED, error=error, ended=work.now)
    return replace(operation, state=OperationState.SUCCEEDED, result=result, ended=work.now)


def given_up(work: Work, operation: Operation) -> Operation:
    """The operation as failed for good, after it broke too many times."""
    error = {"code": "InternalServerError", "message": "The operation was tried several times and could not be done."}
    return replace(operation, state=OperationState.FAILED, error=error, ended=work.now)


def _step(work: Work, kind: Kind, operation: Operation, resource: Resource | None) -> Any:
    if resource is None:
        raise NotFound("ResourceNotFound", f"The resource '{operation.target}' is gone.", origin="provider")
    if operation.step == "delete":
        delete(work, kind, resource, purge=bool(operation.input.get("purge")))
        return None
    action = kind.action(operation.step)
    if action is not None:
        return action.run(work, resource, operation.input)
    if kind.provision:
        kind.provision(work, resource)
    settle(work, kind, work.stored(resource.id) or resource, "Succeeded")
    return None


def delete(work: Work, kind: Kind, resource: Resource, *, purge: bool) -> None:
    """Remove a resource with all below it, or keep it aside for a while where the kind is soft-deleted."""
    if kind.deleting:
        kind.deleting(work, resource)
    if kind.soft_delete and not purge:
        work.view.dismiss_all(resource.id)
        work.view.rewrite(replace(resource, deleted_at=work.now))
    else:
        work.view.remove(resource.id)


def settle(work: Work, kind: Kind, resource: Resource, provisioning: str) -> Resource:
    """Write `properties.provisioningState`, for the kinds that have one."""
    if not _has_state(kind) or resource.properties.get("provisioningState") == provisioning:
        return resource
    body = copied(resource.body)
    body.setdefault("properties", {})["provisioningState"] = provisioning
    return work.view.rewrite(resource, body)


def _has_state(kind: Kind) -> bool:
    properties = next((one.shape for one in kind.fields if one.name == "properties"), None)
    return isinstance(properties, Object) and any(one.name == "provisioningState" for one in properties.fields)


def idle(work: Work, id_: ResourceId) -> None:
    """Refuse where another operation is under way on the resource.

    Raises:
        Conflict: there is one.
    """
    if operations.running_on(work.view.connection(), id_.key) is not None:
        raise Conflict(
            "Conflict",
            f"Another operation is in progress on the resource '{id_.name}'. Please try again after it has ended.",
            origin="provider",
        )


def poll(context: Context, id_: ResourceId, how: str, pace: Pace) -> Answer:
    """How far an operation is: at `type=async` its status, at `type=location` 202 and then its result."""
    operation = context.operation(id_.name)
    if operation is None:
        raise NotFound("OperationNotFound", f"The operation '{id_.name}' could not be found.", origin="provider")
    running = operation.state is OperationState.RUNNING
    wait = (("retry-after", str(pace.retry_after)),) if running else ()
    if how != "location":
        return Answer(200, _status(id_, operation), wait)
    if running:
        again = f"{context.origin}{id_.text}?api-version={context.version}&type=location"
        return Answer(202, None, (("location", again), *wait))
    return _final(context, context.registry.kind(operation.target.type), operation)


def _status(id_: ResourceId, operation: Operation) -> Body:
    status: Body = {
        "id": id_.text,
        "name": operation.id,
        "status": str(operation.state),
        "percentComplete": 0.0 if operation.state is OperationState.RUNNING else 100.0,
        "startTime": written(operation.started),
    }
    if operation.state is OperationState.RUNNING:
        return status
    if operation.ended is not None:
        status["endTime"] = written(operation.ended)
    if operation.error is not None:
        status["error"] = operation.error
    return status


def _final(context: Context, kind: Kind | None, operation: Operation) -> Answer:
    """The answer of an operation that has ended: its result, or the resource it was about."""
    if operation.error is not None:
        raise Refusal(operation.error["code"], operation.error["message"], origin="provider")
    if operation.step == "delete" or kind is None:
        return Answer(200)
    if operation.result is not None:
        return Answer(200, operation.result)
    resource = context.find(operation.target)
    return Answer(200, as_shown(context, kind, resource) if resource else None)


def _url(work: Work, kind: Kind, operation: Operation, how: str) -> str:
    resource = work.find(operation.target)
    location = (resource.location if resource else "") or work.options.location
    subscription = operation.target.subscription
    place = f"/subscriptions/{subscription}/providers/{kind.namespace}/locations/{location}/{kind.progress}"
    return f"{work.origin}{place}/{operation.id}?api-version={work.version}&type={how}"
