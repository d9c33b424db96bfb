"""Draw the comparison; reads the figures of `report.summary` from standard input."""

import json
import sys
from statistics import median

import matplotlib.pyplot as plt

COLOURS = {"plain": "#9aa5b1", "ours": "#1f6feb", "empty": "#e1e4e8"}


def draw(figures: dict, path: str) -> None:
    """Cold starts on the left, warm calls on the right, a panel per model."""
    colds = [title for title, model in figures.items() if "cold" in model]
    rows = len(colds) * len(figures)
    layout = [
        [
            f"cold {colds[row * len(colds) // rows]}",
            f"warm {list(figures)[row * len(figures) // rows]}",
        ]
        for row in range(rows)
    ]
    chart, panels = plt.subplot_mosaic(
        layout, figsize=(12, 7), width_ratios=[3, 2], layout="constrained"
    )
    for title, model in figures.items():
        if title in colds:
            draw_cold(panels[f"cold {title}"], model["cold"])
            panels[f"cold {title}"].set_title(f"cold start, {title}", loc="left", fontsize=11)
        draw_warm(panels[f"warm {title}"], model)
        panels[f"warm {title}"].set_title(f"warm call, {title}", loc="left", fontsize=11)
    chart.suptitle(
        "This function (blue), the plain way (grey), an empty handler (light): shorter is better",
        fontsize=13,
    )
    chart.savefig(path, dpi=120)


def draw_cold(axes: plt.Axes, sides: dict) -> None:
    """Median bars, with every start as a dot."""
    parts = list(sides["plain"])
    for index, part in enumerate(parts):
        plain = median(sides["plain"][part])
        for shift, (side, found) in zip((-0.2, 0.2), sides.items(), strict=True):
            value = median(found[part])
            axes.barh(index + shift, value, height=0.36, color=COLOURS[side])
            axes.plot(found[part], [index + shift] * len(found[part]), ".", color="#24292f", ms=3)
            ratio = "" if side == "plain" else f"  (× {value / plain:.2f})"
            at = max(found[part])
            axes.text(at, index + shift, f"  {value:,.0f} ms{ratio}", va="center", fontsize=9)
    axes.set_yticks(range(len(parts)), parts)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.3 * max(max(found[part]) for found in sides.values() for part in parts))
    finish(axes)


def draw_warm(axes: plt.Axes, model: dict) -> None:
    """Bars of p50, lines to p99."""
    ends = []
    for index, (side, found) in enumerate(model["warm"].items()):
        ordered = sorted(found)
        half, most = median(ordered), ordered[int(len(ordered) * 0.99)]
        axes.barh(index, half, height=0.6, color=COLOURS[side])
        axes.plot([half, most], [index, index], "-|", color="#24292f", lw=1)
        axes.text(most, index, f"  {half:.2f}, p99 {most:.2f} ms", va="center", fontsize=9)
        ends.append(most)
    axes.set_yticks(range(len(ends)), list(model["warm"]))
    axes.invert_yaxis()
    axes.set_xlim(0, 1.55 * max(ends))
    finish(axes)


def finish(axes: plt.Axes) -> None:
    """Less ink."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("ms", fontsize=9)
    axes.tick_params(labelsize=9)


if __name__ == "__main__":
    draw(json.load(sys.stdin), sys.argv[1])
