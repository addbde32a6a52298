"""Issuers that are none of ours: their documents are fetched, their keys kept for a while, their tokens verified.

It knows neither the store nor who may do what.
"""

from __future__ import annotations

from linarite.foreign.documents import IssuerDown
from linarite.foreign.keys import IssuerKeys, Untrue, unverified
from linarite.foreign.trust import Trust, Vouched

__all__ = ["IssuerDown", "IssuerKeys", "Trust", "Untrue", "Vouched", "unverified"]
