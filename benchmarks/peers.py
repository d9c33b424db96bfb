"""Compare the engine with those of other model formats, one record given as a dict.

    python -m benchmarks.peers

prints the tables; `python -m benchmarks.engines` measures the same in its own run, and writes them.
benchmarks/train.py fits five models with scikit-learn and writes them for every engine; each engine
runs in a process of its own, on one thread, by turns with the others.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.child import Child, RefusedError
from benchmarks.documents import WARM
from benchmarks.sides import HERE, install
from scripts.sample import ROOT

VENV = ROOT / ".cache/peers"
LOCK = HERE / "peers-requirements.txt"
PYTHON = VENV / "bin/python"

MODELS = {
    "naive_bayes": "naive Bayes, 60 fields",
    "logistic": "logistic regression, 41 fields",
    "forest": "forest, 500 deep trees",
    "boosting": "boosting, 1000 trees",
    "logarithm": "a + b·log(x)",
}
FILES = {
    "titus2": "model.pfa",
    "pfa": "model.pfa",
    "scikit-learn": "sklearn.pickle",
    "ONNX Runtime": "model.onnx",
    "treelite": "treelite.bin",
    "m2cgen": "model.py",
}
OURS = ("titus2", "pfa")  # in this environment, not in the peers'
PACKAGES = {
    "titus2": ["titus2", "numpy"],  # without numpy it does not import as it is
    "pfa": ["titus2", "numpy"],
    "scikit-learn": ["scikit-learn"],
    "ONNX Runtime": ["onnxruntime"],
    "treelite": ["treelite"],
}
BATCHES = (1_000, 100_000)
ROUNDS = 4
SECONDS = 0.3  # of each engine a round
EARLY_SECONDS = 0.03  # in which ours does not come to what makes it warm
LONGEST = 25.0  # seconds of one batch; of one that would take longer a part is measured

# Runs in the environment whose packages it measures.
SIZE = """
import importlib.metadata as m, json, re, sys
seen, todo = set(), sys.argv[1:]
while todo:
    name = re.sub("[-_.]+", "-", todo.pop()).lower()
    if name in seen:
        continue
    seen.add(name)
    for line in m.requires(name) or []:
        requirement, _, marker = line.partition(";")
        if "extra" in marker or "platform" in marker or "python_version" in marker:
            continue
        todo.append(re.match("[A-Za-z0-9._-]+", requirement).group())
files = [f.locate() for name in seen for f in m.files(name) if "__pycache__" not in str(f)]
print(json.dumps(sum(f.stat().st_size for f in files if f.exists())))
"""


def prepare() -> Path:
    """Install the peers and train the models, as far as that is not done; give their folder."""
    install(VENV, LOCK)
    sources = (LOCK, *(HERE / f"train{part}.py" for part in ("", "_pfa", "_peers")))
    stamp = b"".join(path.read_bytes() for path in sources)
    folder = ROOT / ".build/peers"
    done = folder / "sources"
    if not (done.exists() and done.read_bytes() == stamp):
        print("training the models of the peers", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        command = [str(PYTHON), "-W", "ignore", "-m", "benchmarks.train", str(folder)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        done.write_bytes(stamp)
    return folder


def measure(rounds: int = ROUNDS, batches: tuple[int, ...] = BATCHES) -> dict[str, Any]:
    """Run everything; give the samples by model and engine."""
    folder = prepare()
    found: dict[str, Any] = {"sizes": {side: installed(side) for side in FILES}}
    for name in MODELS:
        print(f"peers: {name}", flush=True)
        found[name] = measure_model(folder / name, rounds, batches)
    return found


def measure_model(folder: Path, rounds: int, batches: tuple[int, ...]) -> dict[str, Any]:
    """All engines that have this model: load, one record, batches, memory, answers."""
    records = folder / "records.json"
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        children: dict[str, Child] = {}
        for side, file in FILES.items():
            if (folder / file).exists():
                python = sys.executable if side in OURS else PYTHON
                children[side] = stack.enter_context(Child(side, python))
        for side, child in children.items():
            first = child.ask("load", folder / FILES[side])
            found[side] = {
                "import": first["import"] * 1000,
                "file": (folder / FILES[side]).stat().st_size,
                "first": first["load"] * 1000,
                "load": [],
                "time": [],
                "each": [],
                "batch": {},
                **child.ask("memory", records),
            }
            child.ask("use", records)
            # Titus takes long for the large models; enough rows to see that the model is the same.
            most = 50 if side == "titus2" else len(expected)
            child.ask("keep", most)
            wanted = expected[:: -(-len(expected) // most)]
            found[side]["off"] = difference(child.ask("answers"), wanted)
            child.ask("use", records)
        found["pfa"]["early"] = [children["pfa"].ask("time", EARLY_SECONDS)]
        children["pfa"].ask("loop", WARM)
        for _ in range(rounds):
            for side, child in children.items():
                if len(found[side]["load"]) * found[side]["first"] < 3000:
                    loaded = child.ask("load", folder / FILES[side])["load"]
                    found[side]["load"].append(loaded * 1000)
                found[side]["time"].append(child.ask("time", SECONDS))
                calls = 200 if side == "titus2" else 5000
                slow = min(found[side]["time"][-1])
                found[side]["each"] += child.ask("each", max(10, min(calls, int(3e5 / slow))))
        for rows in batches:
            for side, child in children.items():
                found[side]["batch"][str(rows)] = batch(child, rows, found[side])
    return found


def batch(child: Child, rows: int, found: dict[str, Any]) -> list[float] | None:
    """Rows that were scored at once, and in how many seconds; None if titus2 takes too long."""
    slow = min(map(min, found["time"])) / 1e6
    if child.side == "titus2" and slow * rows > LONGEST:
        return None  # it does the same for each row: the table of one record says it all
    done = [scored for scored in found["batch"].values() if scored]
    if done:
        slow = done[-1][1] / done[-1][0]
    part = min(rows, max(1000, int(LONGEST / slow)))
    try:
        if part <= 1000 and slow * part < 1:  # each engine makes something ready in the first ones
            rounds = [child.ask("batch", part) for _ in range(6)]
            return [part, median(rounds[1:])]
        return [part, child.ask("batch", part)]
    except RefusedError as error:
        print(f"  {error}", flush=True)
        return None


def difference(got: list[Any], wanted: list[float]) -> float | str:
    """Largest difference from scikit-learn's answers, relative to the largest of those."""
    for answer in got:
        if not isinstance(answer, int | float):
            return str(answer)
    largest = max(map(abs, wanted))
    return max(abs(a - b) for a, b in zip(got, wanted, strict=True)) / largest


def installed(side: str) -> int:
    """Bytes on disk of an engine's packages and what they require, without bytecode."""
    packages = PACKAGES.get(side)
    if not packages:
        return 0
    python = sys.executable if side in OURS else str(PYTHON)
    done = subprocess.run(
        [python, "-c", SIZE, *packages], capture_output=True, text=True, check=True
    )
    own = 0
    if side == "pfa":
        engine = ROOT / "functions/pfa"
        own = sum(path.stat().st_size for path in engine.rglob("*.py"))
    return int(done.stdout) + own


def main() -> None:
    """Measure and print."""
    from benchmarks.peers_report import markdown

    print("\n".join(markdown(measure())))


if __name__ == "__main__":
    main()
