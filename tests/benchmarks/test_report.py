"""The benchmark's arithmetic, on samples whose answers are known; and that its parts fit."""

import ast
from pathlib import Path

import pytest

from benchmarks import report
from scripts.sample import ROOT


def model(cold: bool, ours: float, handler: float) -> dict:
    found = {
        "warm": {
            "ours": {"latency": [ours] * 98 + [ours * 10] * 2},
            "plain": {"latency": [4.0] * 100},
            "empty": {"latency": [1.0] * 100},
        },
        "inside": {
            "handler": [handler, handler + 1, handler + 90],
            "direct": [0.5] * 3,
            "model": [0.4] * 3,
            "action": [0.3, 1.3, 0.3],
        },
    }
    if cold:
        found["cold"] = {
            "ours": {"init": [400.0, 90.0, 600.0], "cpu": [200.0] * 3, "first": [700.0] * 3},
            "plain": {"init": [1000.0] * 3, "cpu": [800.0] * 3, "first": [1000.0] * 3},
        }
    return found


@pytest.fixture
def results() -> dict:
    return {
        "sizes": {"ours": 60_000_000, "plain": 50_000_000},
        "hello": model(False, 2.0, 1.0),
        "sonar": model(True, 2.0, 1.0),
        "forest": model(True, 2.0, 2.5),
    }


def test_p99_is_a_sample():
    assert report.p99([float(n) for n in range(100)]) == 99.0
    assert report.p99([float(n) for n in range(1000)]) == 990.0
    assert report.p99([3.0]) == 3.0


def test_overhead_is_the_median_of_paired_differences(results):
    assert report.overhead(results["hello"]) == pytest.approx(0.7)


def test_table_compares_medians_and_says_which_target_is_missed(results):
    table = report.markdown(results)
    cold = [
        line for line in table.splitlines() if line.startswith("| sonar") and "target" not in line
    ]
    assert "| INIT duration | **0.40** | 400 | 1,000 | ≤ 0.5: met |" in cold[0]
    assert "| **0.25** | 200 | 800 | ≤ 0.5: met |" in cold[1]
    assert "| **0.70** | 700 | 1,000 | ≤ 0.5: missed |" in cold[2]
    assert "| latency p50 | 0.50 | 2.00 | 4.00 | 1.00 |" in cold[3]
    assert "| latency p99 | 5.00 | 20.00 | 4.00 | 1.00 |" in cold[4]
    assert "**0.70** | ≤ 1.5: met |" in cold[5]
    forest = [line for line in table.splitlines() if line.startswith("| forest")]
    assert "**2.20** | ≤ 1.5: missed |" in forest[-2]
    assert "hello" not in table.partition("## Warm")[0]


def test_cost_is_that_of_whole_milliseconds(results):
    results["hello"]["warm"]["ours"]["latency"] = [2.1] * 3
    hello, sonar, _ = report.cost(results)[-3:]
    # 3 ms of 1769/1024 GB at 13.3334 dollars per million GB seconds, and 0.20 per million requests
    assert hello.endswith("| 3 | 0.27 | 3.77 | – |")
    # 0.7 s to the first answer
    assert sonar.endswith("| 2 | 0.25 | 3.75 | 16.12 |")


def test_plot_gets_what_it_draws(results):
    figures = report.summary(results)
    assert list(figures) == list(report.MODELS.values())
    assert ["cold" in figure for figure in figures.values()] == [False, True, True]


def test_plain_way_is_plain():
    """What ours is compared with does what most people write: no cache, no check, no extras."""
    source = (ROOT / "benchmarks/plain/app.py").read_text("utf-8")
    modules = {
        alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert modules == {"inspect", "os", "boto3", "numpy"}
    assert "return engine.action(event)" in source
    lines = (ROOT / "benchmarks/plain/requirements.txt").read_text("utf-8").split()
    assert lines == ["titus2==1.2.0", "numpy"]


def test_committed_results_are_of_these_tables(results):
    """Titles and columns of results.md are those that `make bench` writes today."""
    committed = (Path(report.__file__).parent / "results.md").read_text("utf-8")
    heads = [
        line for line in report.markdown(results).splitlines() if line.startswith(("#", "| model"))
    ]
    assert [line for line in committed.splitlines() if line.startswith(("#", "| model"))] == heads
