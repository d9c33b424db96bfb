"""Exported models beside the libraries that they are from: `make bench-exporters`.

Writes benchmarks/exporters.md: how long an export takes (every row is scored by both sides in it),
how large the document is, and one record from a dict to an answer against the library's own
prediction of one row. Medians of processor time, the two sides by turns.
"""

from __future__ import annotations

import json
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from exporters import to_pfa  # which puts pfa on the path
from exporters.columns import columns_of, records_of

HERE = Path(__file__).parent
R_FOREST = HERE.parent / "data/r_models/sonar_rf.pfa"
ROUNDS = 7
SECONDS = 0.15  # of calls a side in a round

HEAD = """\
# Exported models and the libraries that they are from

Written by `python -m benchmarks.exporters`. *export* is `to_pfa` with all of its checks; *load* is
document to ready model; one record is a dict for ours, and a DataFrame of one row for the library.
Processor time, medians, the two sides by turns; one thread.

| model | data | export, s | document, kB | load, ms | library, µs | ours, µs | times as fast |
|---|---|---|---|---|---|---|---|
"""


def models() -> Iterator[tuple[str, Any, Any, Any]]:
    """Give name of the data, model, rows and labels of each measurement."""
    from lightgbm import LGBMClassifier
    from sklearn import (
        datasets,
        ensemble,
        linear_model,
        naive_bayes,
        neighbors,
        neural_network,
        pipeline,
        preprocessing,
        svm,
        tree,
    )
    from xgboost import XGBClassifier

    found = datasets.load_breast_cancer(as_frame=True)
    x, y = found.data.rename(columns=lambda name: name.replace(" ", "_")), found.target
    scaled = preprocessing.StandardScaler
    for model in (
        linear_model.Ridge(),
        pipeline.make_pipeline(scaled(), linear_model.LogisticRegression()),
        pipeline.make_pipeline(scaled(), svm.LinearSVC()),
        pipeline.make_pipeline(scaled(), svm.SVC()),
        pipeline.make_pipeline(scaled(), neural_network.MLPClassifier((50,), max_iter=200)),
        naive_bayes.GaussianNB(),
        neighbors.KNeighborsClassifier(),
        tree.DecisionTreeClassifier(random_state=0),
        ensemble.RandomForestClassifier(500, random_state=0),
        ensemble.GradientBoostingClassifier(random_state=0),
        ensemble.HistGradientBoostingClassifier(),
        ensemble.AdaBoostClassifier(random_state=0),
        ensemble.BaggingClassifier(random_state=0),
        XGBClassifier(n_jobs=1),
        LGBMClassifier(n_jobs=1, verbose=-1),
    ):
        yield "breast cancer, 569 × 30", model, x, y
    found = datasets.load_digits(as_frame=True)
    model = ensemble.RandomForestClassifier(500, random_state=0)
    yield "digits, 1797 × 64, 10 classes", model, found.data, found.target


def by_turns(ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[float, float]:
    """Return the processor time of a call of each, in microseconds."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for call, times in zip((ours, theirs), found, strict=True):
            count, began = 0, time.process_time()
            while (took := time.process_time() - began) < SECONDS:
                call()
                count += 1
            times.append(took / count * 1e6)
    return statistics.median(found[0]), statistics.median(found[1])


def name_of(model: Any) -> str:
    """Return the class of a model, or of the steps of a pipeline."""
    steps = [step for _, step in getattr(model, "steps", [])] or [model]
    text = " + ".join(type(step).__name__ for step in steps)
    trees = getattr(steps[-1], "n_estimators", None)
    return f"{text} ({trees} trees)" if trees else text


def row(data: str, model: Any, x: Any, y: Any) -> str:
    """Measure one model; return its line of the table."""
    import pfa

    model.fit(x, y)
    began = time.process_time()
    document = to_pfa(model, x, name="m")
    exported = time.process_time() - began
    text = json.dumps(document)
    pfa.load(text)  # what is imported for it is not its own
    began = time.process_time()
    loaded = pfa.load(text)
    load = (time.process_time() - began) * 1000
    records = records_of(x[:50], columns_of(x))
    rows = [x[i : i + 1] for i in range(50)]
    ask = model.predict_proba if isinstance(document["output"], dict) else model.predict
    turn = iter(range(10**12))

    def ours() -> Any:
        return loaded.score(records[next(turn) % 50])

    def theirs() -> Any:
        return ask(rows[next(turn) % 50])

    mine, library = by_turns(ours, theirs)
    return (
        f"| {name_of(model)} | {data} | {exported:.1f} | {len(text) / 1000:,.0f} | {load:,.1f}"
        f" | {library:,.0f} | {mine:,.1f} | **{library / mine:,.3g}** |\n"
    )


def size() -> str:
    """Compare what a node of a tree takes with R's exporter, on the same data."""
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier

    theirs = R_FOREST.read_text("utf-8")
    cases = json.loads(R_FOREST.with_suffix(".cases.json").read_text("utf-8"))
    x = pd.DataFrame(cases["inputs"])
    model = RandomForestClassifier(500, random_state=0).fit(x, cases["outputs"])
    began = time.process_time()
    mine = json.dumps(to_pfa(model, x, name="m"), separators=(",", ":"))
    took = time.process_time() - began

    def bytes_a_node(text: str) -> float:
        return len(text) / text.count('"operator"')

    ours, r = bytes_a_node(mine), bytes_a_node(theirs)
    return (
        f"\n500 trees on sonar: {took:.1f} s to export. A split takes {ours:.0f} bytes, one of R's"
        f" exporter (aurelius) {r:.0f}: {ours / r:.2f} of it (target ≤ 1.3).\n"
    )


def main() -> None:
    """Measure all models, and write the report."""
    warnings.simplefilter("ignore")
    lines = [HEAD]
    for data, model, x, y in models():
        lines.append(row(data, model, x, y))
        print(lines[-1], end="", flush=True)
    lines.append(size())
    (HERE / "exporters.md").write_text("".join(lines), encoding="utf-8")
    print(lines[-1])


if __name__ == "__main__":
    main()
