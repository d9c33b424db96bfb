"""Draw how far the numbers of the answers are apart; runs with any Python that has matplotlib."""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

PANELS = 6
BARS = 40  # or a few more
COLOURS = {"up": "#1f6feb", "down": "#f0883e"}
# Made by `make bench`, of benchmarks/requirements.txt.
BENCHMARKS = Path(__file__).resolve().parent.parent.parent / ".cache/benchmarks/bin/python"

MISSING = (
    "matplotlib is missing: install it with `.venv/bin/python -m uv pip install matplotlib`, or"
    " leave PNG out"
)


class PictureError(Exception):
    """There is no picture; the message says why."""


def python() -> str:
    """Return a Python that has matplotlib: this one, or that of the benchmarks.

    Raises PictureError.
    """
    if importlib.util.find_spec("matplotlib"):
        return sys.executable
    if BENCHMARKS.exists():
        return str(BENCHMARKS)
    raise PictureError(MISSING)


def save(figures: dict[str, Any], path: Path) -> None:
    """Draw ``figures``, in a process of its own: the Python may be another.

    Raises PictureError.
    """
    done = subprocess.run(
        [python(), __file__, str(path)],
        input=json.dumps(figures),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PictureError(done.stderr.strip().rpartition("\n")[2])


def bars(sizes: list[tuple[float, int]], low: int, each: int, count: int) -> list[int]:
    """Add up (size, rows) in ``count`` bars, ``each`` to a power of ten from 10 to the ``low``."""
    rows = [0] * count
    for size, more in sizes:
        at = int((math.log10(size) - low) * each)
        rows[min(max(at, 0), count - 1)] += more
    return rows


def draw(figures: dict[str, Any], path: str) -> None:
    """Draw a panel for each place of the answers, of what changes by how much."""
    from matplotlib.figure import Figure

    places = list(figures["places"].items())[:PANELS]
    columns = 2 if len(places) > 1 else 1
    rows = max(1, math.ceil(len(places) / columns))
    chart = Figure(figsize=(7 * columns, 3.2 * rows + 0.6), layout="constrained")
    chart.suptitle(figures["title"], parse_math=False)
    if not places:
        chart.text(0.5, 0.45, "No number of the answers changes.", ha="center")
    for index, (place, found) in enumerate(places):
        axes = chart.add_subplot(rows, columns, index + 1)
        every = [size for sizes in found["sizes"].values() for size, _ in sizes]
        low = math.floor(math.log10(min(every)))
        high = max(math.ceil(math.log10(max(every))), low + 1)
        each = math.ceil(BARS / (high - low))
        left = [low + step / each for step in range((high - low) * each)]
        base = [0] * len(left)
        for way, word in (("up", "new is larger"), ("down", "new is smaller")):
            counts = bars(found["sizes"][way], low, each, len(left))
            axes.bar(left, counts, 1 / each, base, align="edge", color=COLOURS[way], label=word)
            base = [one + other for one, other in zip(base, counts, strict=True)]
        axes.set_title(found["title"], loc="left", fontsize=10, parse_math=False)
        step = max(1, (high - low) // 8)
        powers = list(range(low, high + 1, step))
        axes.set_xticks(powers, [f"{10.0**power:g}" for power in powers])
        axes.set_xlabel(f"absolute difference at {place}", fontsize=9, parse_math=False)
        axes.set_ylabel("rows", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=8, frameon=False)
    chart.savefig(path, format="png", dpi=110)


if __name__ == "__main__":
    draw(json.load(sys.stdin), sys.argv[1])
