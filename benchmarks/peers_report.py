"""From the samples of peers.py to its tables."""

from __future__ import annotations

from itertools import chain
from statistics import median
from typing import Any

from benchmarks.documents import WARM
from benchmarks.peers import BATCHES, FILES, MODELS

NAMES = {"pfa": "ours"}
SMALL = ("naive_bayes", "logistic", "logarithm")  # where ONNX Runtime is to be beaten, too
ABOVE = ("scikit-learn", "treelite")  # to be beaten everywhere


def p50(found: dict[str, Any], when: str = "time") -> float:
    """Median microseconds of a record."""
    return median(chain.from_iterable(found[when]))


def p99(found: dict[str, Any]) -> float:
    """The 99th percentile of single calls, as one of the samples; microseconds."""
    ordered = sorted(found["each"])
    return float(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))])


def beaten(model: str, found: dict[str, Any]) -> str:
    """Which engines ours has to be faster than on one record, and whether it is."""
    wanted = [*ABOVE, "ONNX Runtime"] if model in SMALL else ABOVE
    slower = [side for side in wanted if side in found and p50(found[side]) <= p50(found["pfa"])]
    words = ", ".join(side for side in wanted if side in found)
    return f"faster than {words}: " + (f"missed ({', '.join(slower)})" if slower else "met")


def figure(value: float) -> str:
    """Three digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def markdown(results: dict[str, Any]) -> list[str]:
    """The lines of the report."""
    sides = list(FILES)
    heads = " | ".join(NAMES.get(side, side) for side in sides)
    rule = "|---|" + "---|" * len(sides)
    lines = [
        "# The compiling engine and other model formats",
        "",
        "The same five models, fitted by scikit-learn (`benchmarks/train.py`) and written for each"
        " engine, in the same run. One thread each; a record and a row of a batch are dicts, and"
        " the answer is a Python number. treelite runs by its own runtime (GTIL), m2cgen is the"
        " Python that it generates; tl2cgen and m2cgen's C need a compiler and are left out. – is"
        " a model that an engine does not have, or a batch that takes titus2 minutes."
        " Of batches of 1,000 the first is left out, before which no engine is warm.",
        "",
        "## One record given as a dict, µs: p50 (p99)",
        "",
        f"| model | {heads} | target |",
        f"{rule}---|",
    ]

    def row(name: str, cell: Any, last: str = "") -> str:
        cells = [cell(results[name][side]) if side in results[name] else "–" for side in sides]
        return f"| {MODELS[name]} | {' | '.join(cells)} |{last}"

    def one(found: dict[str, Any]) -> str:
        return f"{figure(p50(found))} ({figure(p99(found))})"

    lines += [row(name, one, f" {beaten(name, results[name])} |") for name in MODELS]
    early = [f"{MODELS[name]}: {figure(p50(results[name]['pfa'], 'early'))}" for name in MODELS]
    lines += ["", f"Ours after {WARM:,} records; at first, p50: {'; '.join(early)}."]
    for rows in BATCHES:
        if not any(str(rows) in results[name]["pfa"]["batch"] for name in MODELS):
            continue
        lines += [
            "",
            f"## A batch of {rows:,} rows, rows a second",
            "",
            f"| model | {heads} |",
            rule,
        ]
        lines += [row(name, lambda found, rows=rows: rate(found, rows)) for name in MODELS]
    lines += ["", "## Load: file in memory to ready model, ms", "", f"| model | {heads} |", rule]
    lines += [
        row(name, lambda found: figure(median([*found["load"]] or [found["first"]])))
        for name in MODELS
    ]
    lines += [
        "",
        "## Resident memory of a process with one model, after the first answer, MB",
        "",
        f"| model | {heads} |",
        rule,
        *(row(name, lambda found: f"{found['resident'] / 1e6:.0f}") for name in MODELS),
        "",
        "## Size and import",
        "",
        f"| | {heads} |",
        rule,
        "| installed with what it requires, MB | "
        + " | ".join(f"{results['sizes'][side] / 1e6:.0f}" for side in sides)
        + " |",
        "| import, ms | "
        + " | ".join(figure(median(imports(results, side))) for side in sides)
        + " |",
        "",
        "Ours needs numpy installed for a part of PFA's library only. What m2cgen generates needs"
        " nothing but Python.",
        "",
        "## Largest difference from scikit-learn's answers, relative to the largest of them",
        "",
        f"| model | {heads} |",
        rule,
        *(row(name, lambda found: far(found["off"])) for name in MODELS),
    ]
    return lines


def rate(found: dict[str, Any], rows: int) -> str:
    """Rows a second of a batch."""
    batch = found["batch"].get(str(rows))
    if not batch:
        return "–"
    scored, seconds = batch
    return figure(scored / seconds) + ("" if scored == rows else f" (of {scored:,})")


def imports(results: dict[str, Any], side: str) -> list[float]:
    """Milliseconds that a fresh process took to import an engine."""
    return [results[name][side]["import"] for name in MODELS if side in results[name]]


def far(difference: float | str) -> str:
    """A relative difference."""
    if isinstance(difference, str):
        return f"**{difference}**"
    return "0" if difference == 0 else f"{difference:.0e}"


def summary(results: dict[str, Any]) -> dict[str, dict[str, float]]:
    """The figures of the plot: microseconds a record of each engine, by model."""
    return {
        title: {
            NAMES.get(side, side): p50(results[name][side])
            for side in FILES
            if side in results[name]
        }
        for name, title in MODELS.items()
    }
