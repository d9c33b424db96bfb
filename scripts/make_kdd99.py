"""kdd99: which connections to a web server are attacks. Needs scikit-learn: `make kdd99`.

The http connections of the KDD Cup 1999 data: of 64,293 only 2,407 are attacks, so that a model
which says "normal" to all is right 96 times of 100. The share that is right is no measure here; the
threshold is where the F1 score (the harmonic mean of precision and recall of the attacks) of
five-fold cross-validation on the training rows is best. The test rows have no part in it.
"""

from __future__ import annotations

import csv
import gzip
from typing import TYPE_CHECKING, Any

from scripts.sample import DATA, EVENTS, MODELS, Document, text

if TYPE_CHECKING:
    import pandas as pd

FIELDS = ["duration", "src_bytes", "dst_bytes"]  # seconds; bytes to the server, and from it
ATTACK, NORMAL = "attack", "normal"
TEST_SHARE = 0.3
EXAMPLES = 24


def rows() -> tuple[pd.DataFrame, list[str]]:
    """All connections, and what each is."""
    import pandas as pd

    with gzip.open(DATA / "kdd99/http.csv.gz", "rt", encoding="ascii") as file:
        read = list(csv.DictReader(file))
    every = [row for row in read for _ in range(int(row["count"]))]
    numbers = [[int(row[name]) for name in FIELDS] for row in every]
    return pd.DataFrame(numbers, columns=FIELDS), [row["label"] for row in every]


def fit() -> tuple[Any, tuple[Any, Any], dict[str, int]]:
    """The fitted model, the test rows with their labels, and what the model says of them."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import confusion_matrix, precision_recall_curve
    from sklearn.model_selection import (
        FixedThresholdClassifier,
        cross_val_predict,
        train_test_split,
    )
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = rows()
    train, test, known, unknown = train_test_split(
        x, y, test_size=TEST_SHARE, stratify=y, random_state=0
    )
    logistic = make_pipeline(StandardScaler(), LogisticRegression())
    found = cross_val_predict(logistic, train, known, cv=5, method="predict_proba")[:, 0]
    precision, recall, thresholds = precision_recall_curve(np.array(known) == ATTACK, found)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    threshold = float(f"{thresholds[f1[:-1].argmax()]:.3g}")
    model = FixedThresholdClassifier(logistic, threshold=threshold, pos_label=ATTACK)
    model.fit(train, known)
    table = confusion_matrix(unknown, model.predict(test), labels=[ATTACK, NORMAL])
    (hits, misses), (alarms, quiet) = table.tolist()
    counts = {"hits": hits, "misses": misses, "alarms": alarms, "quiet": quiet}
    return model, (test, unknown), counts


def document() -> Document:
    """The model as PFA, with test rows of both classes as examples."""
    from exporters import to_pfa

    model, (test, labels), counts = fit()
    attacks = [i for i, label in enumerate(labels) if label == ATTACK]
    others = [i for i, label in enumerate(labels) if label == NORMAL]
    chosen = [*attacks[: EXAMPLES // 2], *others[: EXAMPLES // 2]]
    made = to_pfa(
        model,
        test.iloc[chosen].reset_index(drop=True),
        name="kdd99",
        version=1,
        examples=EXAMPLES,
        doc="Whether a connection to a web server is an attack, by its duration in seconds and the"
        " bytes to the server (src_bytes) and from it (dst_bytes): standardised, logistic"
        f" regression. An attack is said from a probability of {model.threshold:g} on, where the"
        " F1 score of the training rows is best in five-fold cross-validation.",
    )
    made["metadata"]["source"] += " on the http connections of the KDD Cup 1999 data"
    made["metadata"]["test"] = (
        f"{len(labels)} rows that were not trained on: {counts['hits']} attacks found,"
        f" {counts['misses']} missed, {counts['alarms']} false alarms, {counts['quiet']} others"
    )
    return made


def main() -> None:
    """Write models/kdd99.pfa and events/kdd99.json."""
    import json

    from scripts.make_events import score
    from scripts.sample import examples

    made = document()
    (MODELS / "kdd99.pfa").write_text(text(made), encoding="utf-8")
    record = examples(made)[0][0]
    (EVENTS / "kdd99.json").write_text(text(score("kdd99", record)), encoding="utf-8")
    print(made["metadata"]["test"])
    print(json.dumps(made["cells"], indent=1)[:400])


if __name__ == "__main__":
    main()
