"""From the samples of engines.py to its tables and to what is plotted."""

from __future__ import annotations

import platform
from statistics import median
from typing import Any

from benchmarks import peers_report
from benchmarks.documents import CASES, WARM, Case
from benchmarks.peers_report import figure, p50

IMPORT_TARGET = 0.45  # of stock's CPU time
BATCH_TARGET = 1.3  # rows a second, to a loop
ARTIFACT_TARGET = 100  # times stock's load, for the case that has a target for memory


def faster(found: dict[str, Any]) -> float:
    """How many times as fast as stock: the median of the rounds, in each of which both ran."""
    pairs = zip(found["titus2"]["time"], found["pfa"]["time"], strict=True)
    return float(median(median(stock) / median(ours) for stock, ours in pairs))


def loads(found: dict[str, Any]) -> float:
    """How many times as fast a document is made ready, on its second time or later."""
    return float(median(found["titus2"]["load"]) / median(found["pfa"]["load"]))


def speed_target(case: Case, found: dict[str, Any]) -> str:
    """A case's target of speed, and whether it is met."""
    if case.faster is not None:
        return f"≥ {case.faster:g}×: {verdict(faster(found) >= case.faster)}"
    if case.microseconds is not None:
        reached = p50(found["pfa"]) <= case.microseconds
        return f"≤ {case.microseconds:g} µs: {verdict(reached)}"
    return "–"


def same(case: Case, found: dict[str, Any]) -> str:
    """How the answers compare, in words."""
    agreement = found["agreement"]
    count, differ, off = agreement["answers"], agreement["differ"], agreement["off"]
    if not differ:
        return f"same, {count} of {count}"
    close = f"{off:.0e} relative" if off < 1 else "others"
    return f"**{count - differ} of {count}**, {close}" + (
        f" (≤ {case.close:g}: met)" if off <= case.close else " (missed)"
    )


def verdict(met: bool) -> str:
    """Whether a target is met."""
    return "met" if met else "missed"


def markdown(results: dict[str, Any]) -> str:
    """The report."""
    cases = [(case, results["cases"][case.name]) for case in CASES if case.name in results["cases"]]
    lines = [
        "# The compiling engine and stock titus2",
        "",
        "Written by `python -m benchmarks.engines`. *titus2* is stock titus2 1.2.0 (two names are"
        " given to it, without which it does not import on today's Python). Each engine is in a"
        " process of its own, by turns with the other, and three times over; times are processor"
        " time, medians. Trust the ratios more than the times.",
        "",
        f"{platform.machine()}, Python {platform.python_version()}.",
        "",
        "## One record",
        "",
        "`model.score(record)` and `engine.action(record)`: a record from a dict, checked, to its"
        f" answer, after {WARM:,} records; *at first* before: numpy takes over in forests after a"
        " million walks down a tree. *batch* is how many times the rows a second of a loop over"
        f" `score` that `score_batch` has (target ≥ {BATCH_TARGET}), after as many; of 300 trees"
        " or more each record walks as it does alone, and the batch shares the rest only.",
        "",
        "| document | titus2, µs | ours, µs | at first | times as fast | target | answers |"
        " batch |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case, found in cases:
        batch = median(found["batch"])
        times = (p50(found["titus2"]), p50(found["pfa"]), p50(found["pfa"], "early"))
        lines.append(
            f"| {case.name} | {' | '.join(map(figure, times))} | **{figure(faster(found))}** |"
            f" {speed_target(case, found)} | {same(case, found)} |"
            f" {batch:.2f}: {verdict(batch >= BATCH_TARGET)} |"
        )
    lines += ["", *loading(cases), "", *memory(cases), "", *importing(results["import"], cases)]
    artifacts = [(case, found) for case, found in cases if "artifact" in found]
    if artifacts:
        lines += ["", *ahead_of_time(artifacts)]
    if "peers" in results:
        lines += ["", *peers_report.markdown(results["peers"])]
    return "\n".join([*lines, "", "![The same as a picture](engines.png)", ""])


Cases = list[tuple[Case, dict[str, Any]]]


def loading(cases: Cases) -> list[str]:
    """The lines on how long a document takes to be ready."""
    lines = [
        "## Document to ready model",
        "",
        "From the document's text in memory, not the first time in the process; *fresh* is the"
        " first document of a fresh process, imports included.",
        "",
        "| document | kB | titus2, ms | ours, ms | times as fast | target |"
        " fresh: titus2, ms | fresh: ours, ms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case, found in cases:
        stock, ours = (1000 * median(found[side]["load"]) for side in ("titus2", "pfa"))
        first = (1000 * sum(found[side]["first"].values()) for side in ("titus2", "pfa"))
        lines.append(
            f"| {case.name} | {found['bytes'] / 1000:,.1f} | {figure(stock)} | {figure(ours)} |"
            f" **{figure(loads(found))}** |"
            f" ≥ {case.loads:g}×: {verdict(loads(found) >= case.loads)} |"
            f" {' | '.join(map(figure, first))} |"
        )
    return lines


def memory(cases: Cases) -> list[str]:
    """The lines on the memory of a process."""
    lines = [
        "## Memory of a process with one model",
        "",
        "After the first answer, MB. Stock titus2 does not come up without numpy.",
        "",
        "| document | peak: titus2 | peak: ours | ours / titus2 | target | resident: titus2 |"
        " resident: ours | numpy imported by ours | engine |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for case, found in cases:
        stock, ours = found["titus2"], found["pfa"]
        ratio = ours["peak"] / stock["peak"]
        target = "–"
        if case.memory is not None:
            target = f"≤ {case.memory:g}: {verdict(ratio <= case.memory)}"
        loaded = "numpy" in ours["modules"]
        lines.append(
            f"| {case.name} | {stock['peak'] / 1e6:.0f} | {ours['peak'] / 1e6:.0f} |"
            f" {ratio:.2f} | {target} | {stock['resident'] / 1e6:.0f} |"
            f" {ours['resident'] / 1e6:.0f} |"
            f" {'yes' if loaded else 'no'}: {verdict(not loaded or case.numpy)} |"
            f" {ours['about']} |"
        )
    return lines


def importing(found: dict[str, list[float]], cases: Cases) -> list[str]:
    """The lines on the import; what it puts off until a document comes is in the second figure."""
    stock, ours = (1000 * median(found[side]) for side in ("titus2", "pfa"))
    ratios = [
        sum(case["pfa"]["first"].values()) / sum(case["titus2"]["first"].values())
        for _, case in cases
    ]
    return [
        "## Import",
        "",
        f"`import pfa` takes {ours:.0f} ms of processor time, stock `import titus.genpy` (with"
        f" numpy) {stock:.0f} ms: **{ours / stock:.2f}** (≤ {IMPORT_TARGET}:"
        f" {verdict(ours <= IMPORT_TARGET * stock)}). It leaves titus for the first document:"
        f" import and first document together (*fresh* above) take {min(ratios):.2f} to"
        f" {max(ratios):.2f} of stock's.",
    ]


def ahead_of_time(cases: Cases) -> list[str]:
    """The lines on artifacts."""
    lines = [
        "## Compiled ahead of time",
        "",
        "`pfa.load_artifact`, to be compared with titus2's load of the document above; *fresh* is"
        " the first of a fresh process, its imports apart.",
        "",
        "| document | kB | load, ms | times as fast as titus2 | target | fresh load, ms |"
        " imports, ms | peak, MB | imported besides | same answers |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for case, found in cases:
        artifact = found["artifact"]
        ours = median(artifact["load"])
        ratio = median(found["titus2"]["load"]) / ours
        target = "–"
        if case.memory is not None:
            target = f"≥ {ARTIFACT_TARGET}×: {verdict(ratio >= ARTIFACT_TARGET)}"
        lines.append(
            f"| {case.name} | {artifact['bytes'] / 1000:,.1f} | {figure(1000 * ours)} |"
            f" **{figure(ratio)}** | {target} | {figure(1000 * artifact['first']['load'])} |"
            f" {figure(1000 * artifact['first']['import'])} | {artifact['peak'] / 1e6:.0f} |"
            f" {', '.join(artifact['modules']) or 'nothing'} |"
            f" {'yes' if artifact['same'] else '**no**'} |"
        )
    return lines


def summary(results: dict[str, Any]) -> dict[str, Any]:
    """The figures of the plot."""
    shown: dict[str, Any] = {
        "documents": {
            case.name: {side: p50(results["cases"][case.name][side]) for side in ("titus2", "pfa")}
            for case in CASES
            if case.name in results["cases"]
        }
    }
    if "peers" in results:
        shown["peers"] = peers_report.summary(results["peers"])
    return shown
