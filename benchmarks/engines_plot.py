"""Draw the engines; reads the figures of `engines_report.summary` from standard input."""

import json
import sys

import matplotlib.pyplot as plt

COLOURS = {
    "titus2": "#9aa5b1",
    "pfa": "#1f6feb",
    "ours": "#1f6feb",
    "scikit-learn": "#f0883e",
    "ONNX Runtime": "#57606a",
    "treelite": "#2da44e",
    "m2cgen": "#bf8700",
}
NAMES = {"pfa": "ours"}


def draw(figures: dict, path: str) -> None:
    """Documents on the left, models with the peers on the right."""
    panels = [panel for panel in ("documents", "peers") if panel in figures]
    chart, axes = plt.subplots(
        1, len(panels), figsize=(7.5 * len(panels), 8), layout="constrained", squeeze=False
    )
    for panel, ax in zip(panels, axes[0], strict=True):
        bars(ax, figures[panel])
    chart.suptitle("One record given as a dict: microseconds, logarithmic; shorter is better")
    chart.savefig(path, dpi=110)


def bars(axes: plt.Axes, groups: dict) -> None:
    """A group of bars for each model, a bar for each engine that has it."""
    at, ticks, labelled = 0.0, [], set()
    for found in groups.values():
        first = at
        for side, microseconds in found.items():
            name = NAMES.get(side, side)
            axes.barh(
                at,
                microseconds,
                height=0.9,
                color=COLOURS[side],
                label=None if name in labelled else name,
            )
            labelled.add(name)
            words = f"  {microseconds:,.0f}" if microseconds >= 100 else f"  {microseconds:.3g}"
            if name == "ours" and "titus2" in found:
                words += f"  ({found['titus2'] / microseconds:,.0f}×)"
            axes.text(microseconds, at, words, va="center", fontsize=8)
            at += 1
        ticks.append((first + at - 1) / 2)
        at += 0.8
    axes.set_yticks(ticks, list(groups), fontsize=9)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(0.1, 12 * max(max(found.values()) for found in groups.values()))
    axes.set_xlabel("µs", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", fontsize=8, frameon=False)


if __name__ == "__main__":
    draw(json.load(sys.stdin), sys.argv[1])
