"""Microsoft Graph, as much of it as Azure's own tools ask for: who is in the directory, and applications of one's own.

`az role assignment`, `az ad sp`, `az ad app` and `az ad user show` look names up here. It is a mechanism over the gate,
beside the engine: a change is committed with its entry, a refusal is on the trail before it is said. It knows no HTTP:
`web.graph` gives it a `Call`, and makes a response of the answer or of the refusal.
"""

from __future__ import annotations

from linarite.graph.desk import Graph
from linarite.graph.refusals import broken

__all__ = ["Graph", "broken"]
