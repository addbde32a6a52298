"""Faults on purpose: which of them a request meets, and what becomes of it then.

They are resources like any other (`kinds/faults.py`), so they count at once in every process, and each strike is
counted exactly, in one commit with the entries that tell of it. While there are none, a request pays for one look at
what is remembered.
"""

from __future__ import annotations

import asyncio
import math
import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import msgspec

from linarite.errors.server import (
    cut,
    gateway_bad,
    gateway_timed_out,
    internal_error,
    service_unavailable,
    throttled,
)
from linarite.errors.tokens import claims_wanted
from linarite.model import Deed, copied
from linarite.store import resources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.calls import Call, Plan
    from linarite.errors import Refusal
    from linarite.model import Entry, Fault, Principal
    from linarite.seal import Random
    from linarite.store.gate import Gate
    from linarite.store.transaction import Transaction

ACTION = "Linarite.Testing/faults/strike/action"
"""What the trail calls it when a fault strikes."""

HEADER = "x-linarite-fault"
"""Header of an answer that names the faults which struck the request."""

_HUNDRED = 100


class Met(Exception):
    """A call meets a fault; nothing has been done for it yet."""

    def __init__(self, fault: Fault, caller: Principal) -> None:
        super().__init__(fault.name)
        self.fault = fault
        self.caller = caller


def meet(faults: Iterable[Fault], call: Call, caller: Principal) -> None:
    """Stop a call at the first fault that it meets.

    Raises:
        Met: it meets one.
    """
    fault = first_met(faults, call.method, call.path, (caller.client.lower(), caller.object_id), call.met)
    if fault is not None:
        raise Met(fault, caller)


def first_met(
    faults: Iterable[Fault], method: str, path: str, callers: Iterable[str], passed: Iterable[str]
) -> Fault | None:
    """The first fault that a request meets, by name.

    `callers` are the names of who sends it, in lower case; `passed` the keys of faults that had their chance already.
    """
    return next(
        (
            one
            for one in faults
            if one.id.key not in passed
            and one.method in {"*", method}
            and (not one.client or one.client in callers)
            and _fits(one.path, path)
        ),
        None,
    )


def _fits(pattern: str, path: str) -> bool:
    """Whether a pattern, in which `*` alone is special, covers a path; letters match in any case."""
    return fnmatchcase(path.lower(), pattern.lower().replace("[", "[[]").replace("?", "[?]"))


async def strike(gate: Gate, fault: Fault, entry: Entry, *, random: Random = os.urandom) -> bool:
    """Let a fault have its chance; whether it struck. Where it did, that is on the trail, and a delay is over.

    `entry` tells of the request: as refused, where the fault refuses it; it is on the trail then too.
    """
    if int.from_bytes(random(8)) % _HUNDRED >= fault.chance:
        return False

    def work(transaction: Transaction) -> bool:
        found = transaction.resource(fault.id.key)
        if found is None or resources.is_spent(found):
            return False
        body = copied(found.body)
        body["properties"]["struck"] += 1
        transaction.rewrite(found, body)
        transaction.entries.append(
            msgspec.structs.replace(
                entry, deed=Deed.WRITE, action=ACTION, target=fault.id.text, status=200, code="", version=None
            )
        )
        return True

    refused = entry.deed is Deed.REFUSAL
    struck = await gate.commit(work, lambda outcome: entry if outcome is True and refused else None)
    if struck and fault.what == "delay":
        await asyncio.sleep(fault.seconds or 0)
    return struck


def refusal(fault: Fault, call: Call, plan: Plan, caller: Principal, authority: str) -> Refusal | None:
    """What Resource Manager answers where the fault strikes; None where the call goes on."""
    namespace = plan.route.kind.namespace if plan.route else ""
    match fault.what:
        case "429":
            scope, wait = plan.subscription.name if plan.subscription else caller.tenant, math.ceil(fault.seconds or 0)
            return throttled(call.bucket, scope, caller.object_id, wait)
        case "500":
            found: Refusal = internal_error(call.correlation)
        case "502":
            found = gateway_bad(namespace)
        case "503":
            found = service_unavailable()
        case "504":
            found = gateway_timed_out(namespace)
        case "challenge":
            found = claims_wanted(authority, fault.claims)
        case "cut":
            found = cut()
        case _:
            return None
    found.headers += retry_after(fault)
    return found


def retry_after(fault: Fault) -> tuple[tuple[str, str], ...]:
    """The header that says when to try again, where the fault does."""
    return () if fault.seconds is None else (("retry-after", str(math.ceil(fault.seconds))),)
