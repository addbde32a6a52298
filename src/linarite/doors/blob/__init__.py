"""The blob door: what storage account keys open. Azurite under Node, with live accounts and keys.

It knows nothing of the engine or the store: accounts are pushed to it, and who may do what with a token is asked of a
`BlobDesk`.
"""

from __future__ import annotations

from linarite.doors.blob.accounts import Account, BlobDesk, Question, Trust, TurnedAway
from linarite.doors.blob.door import BlobDoor
from linarite.doors.blob.installed import AZURITE_VERSION, NotInstalled
from linarite.doors.blob.layout import Layout, Ports
from linarite.doors.keeper import DoorDown
from linarite.doors.process import OrderRefused

__all__ = [
    "AZURITE_VERSION",
    "Account",
    "BlobDesk",
    "BlobDoor",
    "DoorDown",
    "Layout",
    "NotInstalled",
    "OrderRefused",
    "Ports",
    "Question",
    "Trust",
    "TurnedAway",
]
