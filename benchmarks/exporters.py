"""Exported models beside the libraries that they are from: `make bench-exporters`.

Writes benchmarks/exporters.md: how long an export takes (every row is scored by both sides in it),
how large the document is, and one record from a dict to an answer against the library's own
prediction of one row. Medians of processor time, the two sides by turns. Exit code 1 if a library
is faster.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.child import ONE_THREAD

os.environ |= ONE_THREAD  # before numpy is imported

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
Processor time, medians, the two sides by turns; one thread. For Spark, which has a process of its
own, the time on the clock.

| model | data | export, s | document, kB | load, ms | library, µs | ours, µs | times as fast |
|---|---|---|---|---|---|---|---|
"""


Case = tuple[str, Any, Any, Any]  # name of the data, model, rows and labels


def models() -> Iterator[Case]:
    """Give a model of every family."""
    from lightgbm import LGBMClassifier
    from sklearn import (
        calibration,
        cluster,
        datasets,
        decomposition,
        discriminant_analysis,
        ensemble,
        linear_model,
        mixture,
        naive_bayes,
        neighbors,
        neural_network,
        preprocessing,
        svm,
        tree,
    )
    from sklearn.pipeline import make_pipeline
    from xgboost import XGBClassifier

    def scaled(*steps: Any) -> Any:
        return make_pipeline(preprocessing.StandardScaler(), *steps)

    found = datasets.load_breast_cancer(as_frame=True)
    x, y = found.data.rename(columns=lambda name: name.replace(" ", "_")), found.target
    two = [("a", scaled(linear_model.LogisticRegression())), ("b", tree.DecisionTreeClassifier())]
    for model in (
        linear_model.Ridge(),
        scaled(linear_model.LogisticRegression()),
        scaled(linear_model.SGDClassifier(loss="log_loss", random_state=0)),
        scaled(svm.LinearSVC()),
        scaled(svm.SVC(kernel="linear")),
        scaled(svm.SVC()),
        scaled(svm.SVC(kernel="poly")),
        scaled(svm.SVR()),
        tree.DecisionTreeClassifier(random_state=0),
        ensemble.RandomForestClassifier(500, random_state=0),
        ensemble.ExtraTreesClassifier(random_state=0),
        ensemble.GradientBoostingClassifier(random_state=0),
        ensemble.HistGradientBoostingClassifier(),
        ensemble.AdaBoostClassifier(random_state=0),
        ensemble.BaggingClassifier(random_state=0),
        ensemble.IsolationForest(random_state=0),
        naive_bayes.GaussianNB(),
        naive_bayes.MultinomialNB(),
        naive_bayes.BernoulliNB(),
        neighbors.KNeighborsClassifier(),
        neighbors.KNeighborsRegressor(),
        scaled(cluster.KMeans(8, random_state=0)),
        scaled(mixture.GaussianMixture(3, random_state=0)),
        scaled(decomposition.PCA(5), linear_model.LogisticRegression()),
        scaled(neural_network.MLPClassifier((50,), max_iter=200)),
        scaled(discriminant_analysis.LinearDiscriminantAnalysis()),
        scaled(discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=0.1)),
        ensemble.VotingClassifier(two, voting="soft"),
        ensemble.StackingClassifier(two),
        calibration.CalibratedClassifierCV(tree.DecisionTreeClassifier(max_depth=4)),
        XGBClassifier(n_jobs=1),
        LGBMClassifier(n_jobs=1, verbose=-1),
    ):
        yield "breast cancer, 569 × 30", model, x, y
    found = datasets.load_digits(as_frame=True)
    for model in (
        ensemble.RandomForestClassifier(500, random_state=0),
        scaled(svm.SVC()),
        scaled(decomposition.PCA(30), neighbors.KNeighborsClassifier()),  # else there are ties
        scaled(neural_network.MLPClassifier((100,), max_iter=50)),
    ):
        yield "digits, 1797 × 64, 10 classes", model, found.data, found.target
    yield from texts()
    yield from spark(x.iloc[:, :10], y)


def texts() -> Iterator[Case]:
    """Give a model of the lines that describe scikit-learn's data: of which is each?"""
    import pandas as pd
    from sklearn import datasets, feature_extraction, linear_model, pipeline

    sets = datasets.load_iris(), datasets.load_wine(), datasets.load_diabetes()
    lines = [
        (line, place)
        for place, found in enumerate(sets)
        for line in found.DESCR.splitlines()
        if line.strip()
    ]
    frame = pd.DataFrame(lines, columns=["line", "set"])
    counted = feature_extraction.text.TfidfVectorizer()
    model = pipeline.make_pipeline(counted, linear_model.LogisticRegression())
    yield f"descriptions of data, {len(frame)} lines", model, frame["line"], frame["set"]


def spark(x: Any, y: Any) -> Iterator[Case]:
    """Give pipelines of Spark's."""
    from pyspark.ml import Pipeline, classification, feature

    from exporters.spark.session import session

    session()
    vector = feature.VectorAssembler(inputCols=list(x.columns), outputCol="vector")
    scaled = feature.StandardScaler(inputCol="vector", outputCol="features", withMean=True)
    for last in (
        classification.LogisticRegression(labelCol="target"),
        classification.RandomForestClassifier(labelCol="target", seed=0),
        classification.GBTClassifier(labelCol="target", seed=0),
    ):
        yield "breast cancer, 569 × 10", Pipeline(stages=[vector, scaled, last]), x, y


def by_turns(
    ours: Callable[[], Any], theirs: Callable[[], Any], clock: Callable[[], float]
) -> tuple[float, float]:
    """Return the time of a call of each, in microseconds."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for call, times in zip((ours, theirs), found, strict=True):
            count, began = 0, clock()
            while (took := clock() - began) < SECONDS:
                call()
                count += 1
            times.append(took / count * 1e6)
    return statistics.median(found[0]), statistics.median(found[1])


def name_of(model: Any) -> str:
    """Return the class of a model, or of the steps of a pipeline."""
    if hasattr(model, "stages"):
        return "Spark: " + " + ".join(type(stage).__name__ for stage in model.stages)
    steps = [step for _, step in getattr(model, "steps", [])] or [model]
    text = " + ".join(type(step).__name__ for step in steps)
    trees = getattr(steps[-1], "n_estimators", None)
    kernel = getattr(steps[-1], "kernel", None)
    text = f"{text} ({kernel})" if isinstance(kernel, str) else text
    return f"{text} ({trees} trees)" if trees else text


def fitted(model: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Return the fitted model, and for one of Spark's what asks it about a row."""
    if not hasattr(model, "setStages"):
        return model.fit(x, y), None
    from exporters.spark.frames import frame

    found = model.fit(frame(x.assign(target=y.astype(float))))
    return found, lambda row: found.transform(frame(row)).select("probability").collect()


def row(data: str, model: Any, x: Any, y: Any) -> tuple[str, float]:
    """Measure one model; return its line of the table, and how many times as fast it is."""
    import pfa

    model, spoken = fitted(model, x, y)
    began = time.perf_counter()
    document = to_pfa(model, x, name="m")
    exported = time.perf_counter() - began
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))  # as write_pfa
    pfa.load(text)  # what is imported for it is not its own
    began = time.process_time()
    loaded = pfa.load(text)
    load = (time.process_time() - began) * 1000
    records = records_of(x[:50], columns_of(x))
    rows = [x[i : i + 1] for i in range(50)]
    ask = spoken or (model.predict_proba if isinstance(document["output"], dict) else model.predict)
    turn = iter(range(10**12))

    def ours() -> Any:
        return loaded.score(records[next(turn) % 50])

    def theirs() -> Any:
        return ask(rows[next(turn) % 50])

    # Spark computes in another process
    mine, library = by_turns(ours, theirs, time.perf_counter if spoken else time.process_time)
    line = (
        f"| {name_of(model)} | {data} | {exported:.1f} | {len(text) / 1000:,.0f} | {load:,.1f}"
        f" | {library:,.0f} | {mine:,.1f} | **{library / mine:,.3g}** |\n"
    )
    return line, library / mine


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


def main() -> int:
    """Measure all models, and write the report; return the exit code."""
    warnings.simplefilter("ignore")
    lines, slower = [HEAD], []
    for data, model, x, y in models():
        line, times = row(data, model, x, y)
        lines.append(line)
        print(line, end="", flush=True)
        if times < 1.0:
            slower.append(name_of(model))
    lines.append(size())
    (HERE / "exporters.md").write_text("".join(lines), encoding="utf-8")
    print(lines[-1])
    if slower:
        print(f"The library is faster: {', '.join(slower)}.")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
