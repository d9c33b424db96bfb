"""Compare the engine with stock titus2, and with other engines, in one run.

    python -m benchmarks.engines [--share 0.2] [--no-peers]

Writes benchmarks/engines.md and benchmarks/engines.png. Each engine runs in a process of its own,
three times over, in short turns with the other; all times are processor time. What is compared is
`pfa.load(document).score(record)` with `PFAEngine.fromJson(document).action(record)`: a record
from a dict, checked, to an answer.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import engines_report, import_time, peers
from benchmarks.child import Child, RefusedError
from benchmarks.documents import CASES, WARM, Case, write
from benchmarks.sides import HERE, VENV, install
from scripts.sample import ROOT

SIDES = ("titus2", "pfa")
PROCESSES = 3  # of each engine, one after the other: some are slow by half as long as they live
ROUNDS = 6
SECONDS = 0.3  # of scoring of each engine a round
LOAD_SECONDS = 1.0  # of loading again and again, of each engine
MOST_ANSWERS = 100  # records whose answers are compared: titus2 takes 60 ms for some


def measure(case: Case, share: float) -> dict[str, Any]:
    """Both engines on one document; see engines_report for what is made of it."""
    found, *others = [measure_once(case, share) for _ in range(PROCESSES)]
    for other in others:
        found["batch"] += other["batch"]
        for side in SIDES:
            for what in ("load", "time"):
                found[side][what] += other[side][what]
        found["pfa"]["early"] += other["pfa"]["early"]
    return found


def measure_once(case: Case, share: float) -> dict[str, Any]:
    """The same, in one process of each engine."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="engines-")))
        document, records = write(case, folder)
        found: dict[str, Any] = {"bytes": document.stat().st_size}
        children = {side: stack.enter_context(Child(side)) for side in SIDES}
        answers = {}
        for side, child in children.items():
            found[side] = {"first": child.ask("load", document), "load": [], "time": []}
            found[side] |= child.ask("memory", records)
            found[side]["about"] = child.ask("about")
        slowest = max(found[side]["first"]["load"] for side in SIDES)
        for _ in range(min(25, max(3, round(LOAD_SECONDS * share / slowest)))):
            for side, child in children.items():
                found[side]["load"].append(child.ask("load", document)["load"])
        for side, child in children.items():
            child.ask("use", records)
            child.ask("keep", MOST_ANSWERS)
            answers[side] = child.ask("answers")
            child.ask("use", records)
        found["agreement"] = agreement(answers["pfa"], answers["titus2"])
        found["pfa"]["early"] = [children["pfa"].ask("time", SECONDS * share)]
        children["pfa"].ask("loop", WARM)
        for _ in range(max(2, round(ROUNDS * share))):
            for side, child in children.items():
                found[side]["time"].append(child.ask("time", SECONDS * share))
        found["batch"] = batches(children["pfa"], found["pfa"]["time"], share)
        artifact = folder / "document.artifact"
        if children["pfa"].ask("save", artifact):
            found["artifact"] = of_artifact(artifact, records, answers["pfa"])
        return found


def batches(child: Child, times: list[list[float]], share: float) -> list[float]:
    """How many times the rows a second of single calls a batch has, a figure a round."""
    child.ask("batch", 5_000)  # it is warm after that
    rows = max(20, min(20_000, round(SECONDS * share * 1e6 / min(map(min, times)))))
    return [child.ask("loop", rows) / child.ask("batch", rows) for _ in range(5)]


def of_artifact(artifact: Path, records: Path, answers: list[Any]) -> dict[str, Any]:
    """The model compiled ahead of time, in a process that has only that."""
    with Child("pfa_artifact") as child:
        found: dict[str, Any] = {"first": child.ask("load", artifact)}
        found |= {"bytes": artifact.stat().st_size, **child.ask("memory", records)}
        found["load"] = [child.ask("load", artifact)["load"] for _ in range(10)]
        child.ask("use", records)
        child.ask("keep", MOST_ANSWERS)
        found["same"] = child.ask("answers") == answers
    return found


def agreement(ours: list[Any], stock: list[Any]) -> dict[str, Any]:
    """How many answers are the same, types, order and every bit; how far off the others are."""
    pairs = list(zip(ours, stock, strict=True))
    differ = [pair for pair in pairs if json.dumps(pair[0]) != json.dumps(pair[1])]
    return {"answers": len(pairs), "differ": len(differ), "off": max(map(off, differ), default=0.0)}


def off(pair: tuple[Any, Any]) -> float:
    """Relative difference of two answers; infinite where they are not numbers of one shape."""
    a, b = pair
    if isinstance(a, dict) and isinstance(b, dict) and list(a) == list(b):
        return max((off((a[key], b[key])) for key in a), default=0.0)
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return max(map(off, zip(a, b, strict=True)), default=0.0)
    if type(a) is float and type(b) is float:
        return 0.0 if a == b else abs(a - b) / max(abs(a), abs(b))
    alike = type(a) is type(b) and not isinstance(a, dict) and a == b
    return 0.0 if alike else float("inf")


def imports(rounds: int) -> dict[str, list[float]]:
    """CPU seconds of importing stock titus2 and ours, by turns."""
    programs = import_time.PROGRAMS
    names = {"titus2": "stock: import titus.genpy", "pfa": "import pfa"}
    found: dict[str, list[float]] = {side: [] for side in names}
    for number in range(-1, rounds):  # the first writes the bytecode
        for side, name in names.items():
            seconds = import_time.cpu_seconds(programs[name])
            if number >= 0:
                found[side].append(seconds)
    return found


def main() -> None:
    """Measure, print the tables, write them and the plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="share of the calls (1.0)")
    parser.add_argument("--no-peers", action="store_true", help="only ours and titus2")
    parser.add_argument("--only", default="", help="documents with this in their name; not written")
    parser.add_argument("--draw", action="store_true", help="only write the last run's again")
    options = parser.parse_args()
    kept = ROOT / ".build/engines.json"
    if options.draw:
        results = json.loads(kept.read_text("utf-8"))
    else:
        results = {"import": imports(max(3, round(15 * options.share))), "cases": {}}
        for case in CASES:
            if options.only in case.name:
                print(case.name, flush=True)
                try:
                    results["cases"][case.name] = measure(case, options.share)
                except RefusedError as error:
                    print(f"  {error}", flush=True)
        if not (options.no_peers or options.only):
            results["peers"] = peers.measure(max(2, round(peers.ROUNDS * options.share)))
    table = engines_report.markdown(results)
    print(f"\n{table}")
    if not options.only:
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(results), "utf-8")
        (HERE / "engines.md").write_text(table, encoding="utf-8")
        plot(results)


def plot(results: dict[str, Any]) -> None:
    """Draw engines.png with the Python that has matplotlib."""
    install()
    subprocess.run(
        [str(VENV / "bin/python"), str(HERE / "engines_plot.py"), str(HERE / "engines.png")],
        input=json.dumps(engines_report.summary(results)),
        text=True,
        check=True,
        env=os.environ | {"MPLBACKEND": "Agg"},
    )


if __name__ == "__main__":
    main()
