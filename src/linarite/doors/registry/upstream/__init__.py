"""The upstream back end: another registry, any that speaks the OCI distribution specification, behind our sign-in.

Each registry of ours has a name space of its own there: its place, before the names of its repositories. Nothing of
that name space reaches a client, and nothing outside of it can be asked for.
"""

from __future__ import annotations

from linarite.doors.registry.upstream.address import Address
from linarite.doors.registry.upstream.back import Upstream

__all__ = ["Address", "Upstream"]
