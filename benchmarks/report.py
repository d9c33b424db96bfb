"""From samples to the table and to what is plotted. All times are milliseconds."""

from __future__ import annotations

import math
import platform
from statistics import median
from typing import Any

MODELS = {
    "hello": "hello (one addition)",
    "sonar": "sonar (naive Bayes, 10 kB)",
    "forest": "forest (500 trees, 8 MB)",
}
COLD = {
    "init": "INIT duration",
    "cpu": "processor time to first answer",
    "first": "time to first answer",
}
COLD_TARGET = 0.5  # ours / plain
OVERHEAD_TARGET = 1.5  # ms, p50

# AWS's list prices in us-east-1, US dollars: Lambda on arm64 per GB and second and per request,
# API Gateway (REST) per request.
GB_SECOND, REQUEST, API_REQUEST = 0.0000133334, 0.20e-6, 3.50e-6
MEMORY_GB = 1769 / 1024  # the template's MemorySize


def p99(samples: list[float]) -> float:
    """The 99th percentile, as one of the samples."""
    return sorted(samples)[min(len(samples) - 1, int(len(samples) * 0.99))]


def overhead(model: dict[str, Any]) -> float:
    """What our function adds to the engine's `action` on a warm call, within the runtime; p50."""
    times = model["inside"]
    return float(median(h - a for h, a in zip(times["handler"], times["action"], strict=True)))


def summary(results: dict[str, Any]) -> dict[str, Any]:
    """The figures of the plot."""
    found: dict[str, Any] = {}
    for name, title in MODELS.items():
        model = results[name]
        found[title] = {
            "warm": {side: model["warm"][side]["latency"] for side in ("plain", "ours", "empty")}
        }
        if "cold" in model:
            found[title]["cold"] = {
                side: {COLD[what]: model["cold"][side][what] for what in COLD}
                for side in ("plain", "ours")
            }
    return found


def markdown(results: dict[str, Any]) -> str:
    """The report."""
    lines = [
        "# This function and the plain way",
        "",
        "Written by `make bench`. *plain* is `benchmarks/plain/`: the model is loaded at import,"
        " each call is `engine.action(event)`, built by a plain `sam build`. Both run on AWS's"
        " runtime emulator, on the same Python, with the same boto3 and the same S3 (moto), by"
        " turns. Ours answers an API Gateway event with its routes, checks, headers, log and"
        " metrics; plain takes the bare record. Trust the ratios more than the times.",
        "",
        f"{platform.machine()}, Python {platform.python_version()}. Unzipped: ours"
        f" {results['sizes']['ours'] / 1e6:.0f} MB, bytecode included, plain"
        f" {results['sizes']['plain'] / 1e6:.0f} MB without.",
        "",
        "## Cold start",
        "",
        "| model | median of | ours / plain | ours, ms | plain, ms | target |",
        "|---|---|---|---|---|---|",
    ]
    for name, title in MODELS.items():
        cold = results[name].get("cold")
        for what, words in COLD.items() if cold else ():
            a, b = median(cold["ours"][what]), median(cold["plain"][what])
            lines.append(
                f"| {title} | {words} | **{a / b:.2f}** | {a:,.0f} | {b:,.0f} |"
                f" ≤ {COLD_TARGET}: {verdict(a / b, COLD_TARGET)} |"
            )
    lines += [
        "",
        f"{len(results['sonar']['cold']['ours']['cpu'])} cold starts of each side and model.",
        "",
        "## Warm calls",
        "",
        "| model | ms | ours / plain | ours | plain | empty handler |",
        "|---|---|---|---|---|---|",
    ]
    for name, title in MODELS.items():
        warm = results[name]["warm"]
        for words, at in (("p50", median), ("p99", p99)):
            a, b, c = (at(warm[side]["latency"]) for side in ("ours", "plain", "empty"))
            lines.append(
                f"| {title} | latency {words} | {a / b:.2f} | {a:.2f} | {b:.2f} | {c:.2f} |"
            )
    lines += [
        "",
        "Where the time of a warm call of ours goes, timed within the runtime (ms, p50):",
        "",
        "| model | whole handler, HTTP event | direct invocation | `model.score` |"
        " `engine.action` | handler besides `action` | target |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, title in MODELS.items():
        times = {what: median(found) for what, found in results[name]["inside"].items()}
        lines.append(
            f"| {title} | {times['handler']:.2f} | {times['direct']:.2f} | {times['model']:.2f} |"
            f" {times['action']:.2f} | **{overhead(results[name]):.2f}** |"
            f" ≤ {OVERHEAD_TARGET}: {verdict(overhead(results[name]), OVERHEAD_TARGET)} |"
        )
    lines += ["", *cost(results)]
    return "\n".join([*lines, "", "![The same as a picture](results.png)", ""])


def cost(results: dict[str, Any]) -> list[str]:
    """What the measured times cost on Lambda, in dollars per million; its lines of the report.

    A warm call is billed by the whole millisecond; what the emulator itself takes is in it here. A
    cold start is billed as well, INIT included.
    """
    lines = [
        "## Cost",
        "",
        f"US dollars per million, from the medians above: arm64, {MEMORY_GB * 1024:.0f} MB, list"
        " prices of us-east-1. One request is one record or one batch.",
        "",
        "| model | ms billed, warm | Lambda | with API Gateway | cold starts alone |",
        "|---|---|---|---|---|",
    ]
    for name, title in MODELS.items():
        billed = math.ceil(median(results[name]["warm"]["ours"]["latency"]))
        lambda_cost = (billed / 1000 * MEMORY_GB * GB_SECOND + REQUEST) * 1e6
        cold = results[name].get("cold")
        first = median(cold["ours"]["first"]) / 1000 * MEMORY_GB * GB_SECOND * 1e6 if cold else None
        lines.append(
            f"| {title} | {billed} | {lambda_cost:.2f} | {lambda_cost + API_REQUEST * 1e6:.2f} |"
            f" {'–' if first is None else f'{first:.2f}'} |"
        )
    return lines


def verdict(value: float, target: float) -> str:
    """Whether a target is met."""
    return "met" if value <= target else "missed"
