"""The bench: what it makes up, and what it writes. How fast anything is stands in no test."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from linarite.bench import aims, crowd, report, scale
from linarite.bench.load import Measured, cpu_seconds, pss_mb, tree
from linarite.settings import load
from linarite.store import trail
from linarite.store.database import Database
from tests.cli.program import linarite
from tests.server import running

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


@pytest.mark.parametrize("error", [FileNotFoundError, ProcessLookupError])
def test_who_ends_while_it_is_counted_is_left_out(monkeypatch: pytest.MonkeyPatch, error: type[OSError]) -> None:
    told = Path.read_text
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in tree(os.getpid())

        def told_of_us(path: Path) -> str:
            if str(child.pid) in path.parts:
                raise error
            return told(path)

        monkeypatch.setattr(Path, "read_text", told_of_us)
        assert cpu_seconds(os.getpid()) > 0
        assert pss_mb(os.getpid()) > 0
        child.communicate(b"\n")


def test_a_scale_is_compared_with_the_fewest_workspaces_of_the_same_round() -> None:
    double = Measured(10, 50.0, 1.0, 2.0, 100.0, 70.0, 0)
    found = {("listKeys even", 1000): [MEASURED, double], ("listKeys even", 5000): [double, double]}
    few, many = scale.rows(found, {1000: 0.5, 5000: 0.6})
    assert (few.cpu_vs_smallest, many.cpu_vs_smallest, many.start_s) == (1.0, 1.5, 0.6)


def test_a_scale_is_written_as_json_and_drawn_as_a_curve(tmp_path: Path) -> None:
    found = scale.rows({(name, size): [MEASURED] for name in ("a", "b") for size in (1000, 5000)}, {1000: 1, 5000: 1})
    report.write_json(tmp_path / "figures.json", found, [])
    report.write_curve(tmp_path / "curve.svg", found)
    written = json.loads((tmp_path / "figures.json").read_text())
    assert [(row["name"], row["workspaces"]) for row in written["rows"]] == [
        ("a", 1000), ("a", 5000), ("b", 1000), ("b", 5000),
    ]  # fmt: skip
    drawn = ET.parse(tmp_path / "curve.svg").getroot()  # noqa: S314 - written a line above
    assert len(drawn.findall("{http://www.w3.org/2000/svg}polyline")) == 2


def rows_of(**figures: Measured) -> list[report.Row]:
    """Rows of subjects, each with what was measured of it in one round, at 64 connections and alone."""
    return report.rows({(name, level): [one] for name, one in figures.items() for level in (1, 64)})


SLOW = Measured(requests=10, rps=5.0, p50_ms=4.0, p99_ms=10.0, cpu_us=150.0, pss_mb=70.0, failed=0)


def test_aims_are_held_against_the_same_run() -> None:
    found = aims.of_rows(rows_of(listKeys=SLOW, constant=MEASURED), flush_ms=3.0)
    assert [(one.found, one.held) for one in found] == [(3.0, False), (5.0, False), (1.0, True)]
    found = aims.of_rows(rows_of(listKeys=MEASURED, moto=SLOW, azurite=MEASURED), flush_ms=3.0)
    assert [(one.found, one.aim, one.held) for one in found] == [
        (20.0, "at least 25", False),
        (1.0, "at least 10", False),
    ]


def test_a_scale_aims_at_its_largest_size() -> None:
    found = {("listKeys even", 1000): [MEASURED], ("listKeys even", 5000): [SLOW], ("next page", 5000): [SLOW]}
    found["next page", 1000] = [MEASURED]
    [aim] = aims.of_scale(scale.rows(found, {1000: 1, 5000: 1}))
    assert (aim.found, aim.held) == (3.0, False)
    assert "5,000" in aim.ratio


def test_figures_are_written_with_their_aims_and_every_ratio_is_drawn(tmp_path: Path) -> None:
    found = rows_of(listKeys=MEASURED, constant=MEASURED, moto=SLOW)
    report.write_json(tmp_path / "figures.json", found, aims.of_rows(found, 1.0))
    written = json.loads((tmp_path / "figures.json").read_text())
    assert {"name", "concurrency", "rps", "p50_ms", "p99_ms", "cpu_us", "pss_mb"} < written["rows"][0].keys()
    assert {"cpu_vs_constant", "rps_vs_moto", "rps_vs_azurite"} < written["rows"][0].keys()
    assert [aim["held"] for aim in written["aims"]] == [True, True, False, True]
    report.write_plot(tmp_path / "plot.svg", found)
    drawn = ET.parse(tmp_path / "plot.svg").getroot()  # noqa: S314 - written a line above
    bars = drawn.findall("{http://www.w3.org/2000/svg}rect")
    assert len(bars) == sum(
        value is not None for row in found for value in (row.cpu_vs_constant, row.p99_vs_constant, row.rps_vs_moto)
    )


def test_a_flush_takes_some_time(tmp_path: Path) -> None:
    assert aims.flush_ms(tmp_path) > 0


@pytest.mark.parametrize("sizes", ["", "1000,", "many", "999", "1000;2000", "-1000", "10000001"])
def test_sizes_that_are_none_are_refused_in_a_sentence(sizes: str) -> None:
    ended = linarite("bench", "--scale", sizes)
    assert (ended.status, ended.output) == (1, "")
    assert ended.complaint.startswith("--scale takes numbers of workspaces from 1000 to 10000000")
