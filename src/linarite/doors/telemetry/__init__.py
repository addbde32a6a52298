"""The telemetry door: what an instrumentation key opens. Application Insights' ingestion, and its events API to look.

It knows nothing of the engine or the store: whose key it is and who may read is asked of a `TelemetryDesk`. What it
was sent is kept in a file of its own.
"""

from __future__ import annotations

from linarite.doors.telemetry.desk import Component, Reading, TelemetryDesk
from linarite.doors.telemetry.door import TelemetryDoor
from linarite.doors.telemetry.journal import JournalUnusable, Retention

__all__ = ["Component", "JournalUnusable", "Reading", "Retention", "TelemetryDesk", "TelemetryDoor"]
