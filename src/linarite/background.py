"""A long-running operation carried out: done, with its entry; told to the followers; ended.

In this order, so that whoever is told that an operation has ended finds the doors as it left them: no key that went
with it opens anything any more, and no container is missing.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from linarite.context import Work
from linarite.longrunning import MOST_ATTEMPTS, carry_out, given_up
from linarite.model import Deed, Entry, OperationState
from linarite.store import operations
from linarite.store.keys import EVERYTHING

if TYPE_CHECKING:
    from linarite.engine import Engine
    from linarite.errors import Refusal
    from linarite.model import Operation
    from linarite.store.transaction import Transaction


class Done(NamedTuple):
    """What was done, and which keys it changed."""

    operation: Operation
    changed: frozenset[str]
    by_another: bool = False
    """Whether a worker did it that died before it had told of it."""


async def run(engine: Engine, operation: Operation) -> None:
    """Carry out a claimed operation on behalf of whoever began it; nothing happens where it has ended meanwhile.

    A worker that dies on the way leaves the rest to the next one.
    """
    done = await engine.gate.commit(partial(_do, engine, operation.id), partial(_entry, engine, operation))
    if done is None or not engine.followers:
        return
    for follower in engine.followers:
        await follower(done.changed)
    await engine.gate.commit(partial(_end, operation.id), lambda _: None)


def _do(engine: Engine, id_: str, transaction: Transaction) -> Done | None:
    connection = transaction.connection()
    found = operations.find(connection, id_)
    kind = engine.registry.kind(found.target.type) if found else None
    if found is None or kind is None or found.state is not OperationState.RUNNING:
        return None
    if found.ended is not None:
        return Done(found, frozenset({EVERYTHING, found.target.key}), by_another=True)
    work = Work(
        transaction,
        now=engine.clock(),
        options=engine.options,
        registry=engine.registry,
        caller=transaction.principal(found.caller),
        version=found.api_version,
        origin=engine.options.origin,
        correlation=found.correlation,
    )
    done = carry_out(work, kind, found) if found.attempts <= MOST_ATTEMPTS else given_up(work, found)
    (operations.keep if engine.followers else operations.end)(connection, done)
    transaction.note(f"operation:{id_}")
    return Done(done, frozenset(transaction.changed))


def _end(id_: str, transaction: Transaction) -> None:
    found = operations.find(transaction.connection(), id_)
    if found is not None and found.state is OperationState.RUNNING:
        state = OperationState.FAILED if found.error else OperationState.SUCCEEDED
        operations.end(transaction.connection(), replace(found, state=state))
        transaction.note(f"operation:{id_}")


def _entry(engine: Engine, operation: Operation, outcome: Done | Refusal | None) -> Entry | None:
    """The entry of what was done; none where another worker has made it."""
    if outcome is None or (isinstance(outcome, Done) and outcome.by_another):
        return None
    error = outcome.operation.error if isinstance(outcome, Done) else {"code": outcome.code}
    return Entry(
        at=engine.clock(),
        deed=Deed.WRITE,
        action=f"{operation.target.type}/{operation.step}",
        target=operation.target.text,
        caller=operation.caller,
        client="",
        status=200 if error is None else 400,
        code=str(error["code"]) if error else "",
        request=operation.id,
        correlation=operation.correlation,
        address="",
    )
