"""Issuers that are none of ours: their documents are fetched, their keys kept for a while, their tokens verified.

It knows neither the store nor what a token is good for.
"""

from __future__ import annotations

from linarite.foreign.documents import IssuerDown, is_fit
from linarite.foreign.keys import IssuerKeys, Untrue, unverified

__all__ = ["IssuerDown", "IssuerKeys", "Untrue", "is_fit", "unverified"]
