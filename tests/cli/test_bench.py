"""The bench: what it makes up, and what it writes. How fast anything is stands in no test."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from linarite.bench import crowd, report, scale
from linarite.bench.load import Measured
from linarite.settings import load
from linarite.store import trail
from linarite.store.database import Database
from tests.cli.program import linarite
from tests.server import running

if TYPE_CHECKING:
    from pathlib import Path

MEASURED = Measured(requests=10, rps=100.0, p50_ms=1.0, p99_ms=2.0, cpu_us=50.0, pss_mb=70.0, failed=0)


def test_a_crowd_is_served_like_what_was_made_through_the_api(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder, "--no-doors") as server:
        sample = server.workspace
    made = crowd.fill(load({}, data=folder), {}, sample, crowd.IN_A_GROUP + 1, lambda _: None)
    with running(folder, "--no-doors") as server:
        keys = server.owner().call("POST", f"{server.workspace}/listKeys").json()
        last = f"{server.subscription}/resourceGroups/crowd1/providers/{crowd.WORKSPACES}/w{crowd.IN_A_GROUP}"
        caller = server.nobody()
        caller.http.headers["authorization"] = f"Bearer {made.callers[0][0]}"
        assert caller.call("POST", f"{last}/listKeys").json() == keys
        assert caller.call("POST", f"{server.workspace}/listKeys").status_code == 403
        assert len(caller.call("GET", last.rpartition("/")[0]).json()["value"]) == 1
    path = folder / "linarite.db"
    with contextlib.closing(Database(f"sqlite:///{path}")) as database, database.reading() as connection:
        assert trail.first_broken(connection) is None


def test_a_scale_is_compared_with_the_fewest_workspaces_of_the_same_round() -> None:
    double = Measured(10, 50.0, 1.0, 2.0, 100.0, 70.0, 0)
    found = {("listKeys even", 1000): [MEASURED, double], ("listKeys even", 5000): [double, double]}
    few, many = scale.rows(found, {1000: 0.5, 5000: 0.6})
    assert (few.cpu_vs_smallest, many.cpu_vs_smallest, many.start_s) == (1.0, 1.5, 0.6)


def test_a_scale_is_written_as_json_and_drawn_as_a_curve(tmp_path: Path) -> None:
    found = scale.rows({(name, size): [MEASURED] for name in ("a", "b") for size in (1000, 5000)}, {1000: 1, 5000: 1})
    report.write_json(tmp_path / "figures.json", found)
    report.write_curve(tmp_path / "curve.svg", found)
    written = json.loads((tmp_path / "figures.json").read_text())
    assert [(row["name"], row["workspaces"]) for row in written["rows"]] == [
        ("a", 1000), ("a", 5000), ("b", 1000), ("b", 5000),
    ]  # fmt: skip
    drawn = ET.parse(tmp_path / "curve.svg").getroot()  # noqa: S314 - written a line above
    assert len(drawn.findall("{http://www.w3.org/2000/svg}polyline")) == 2


@pytest.mark.parametrize("sizes", ["", "1000,", "many", "999", "1000;2000", "-1000", "10000001"])
def test_sizes_that_are_none_are_refused_in_a_sentence(sizes: str) -> None:
    ended = linarite("bench", "--scale", sizes)
    assert (ended.status, ended.output) == (1, "")
    assert ended.complaint.startswith("--scale takes numbers of workspaces from 1000 to 10000000")
