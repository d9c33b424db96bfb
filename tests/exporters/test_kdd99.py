import json

import pytest

pytest.importorskip("sklearn")

import numpy as np
from sklearn.metrics import average_precision_score

import pfa
from scripts import make_kdd99
from scripts.sample import MODELS


@pytest.fixture(scope="module")
def committed():
    return json.loads((MODELS / "kdd99.pfa").read_text("utf-8"))


@pytest.fixture(scope="module")
def fit():
    return make_kdd99.fit()


def test_fitted_again_it_is_the_committed_model(committed):
    made = make_kdd99.document()
    for name, cell in committed["cells"].items():
        again = made["cells"][name]["init"]
        if name == "regression":
            assert again["const"] == pytest.approx(cell["init"]["const"], rel=1e-4)
            assert again["coeff"] == pytest.approx(cell["init"]["coeff"], rel=1e-4)
        elif name == "standard":
            for field, numbers in cell["init"].items():
                assert again[field] == pytest.approx(numbers, rel=1e-9)
        else:
            assert again == cell["init"]
    assert {**made, "cells": {}, "metadata": {}} == {**committed, "cells": {}, "metadata": {}}
    assert made["metadata"]["test"] == committed["metadata"]["test"]


def test_the_table_of_the_docs_is_the_models(fit, committed):
    _, (test, labels), counts = fit
    rows = test.to_dict(orient="records")
    answers = pfa.load(committed).score_batch(rows)
    said = np.array([answer["label"] for answer in answers])
    attack = np.array(labels) == make_kdd99.ATTACK
    assert counts == {
        "hits": int((attack & (said == "attack")).sum()),
        "misses": int((attack & (said == "normal")).sum()),
        "alarms": int((~attack & (said == "attack")).sum()),
        "quiet": int((~attack & (said == "normal")).sum()),
    }
    scores = [answer["probability"]["attack"] for answer in answers]
    assert average_precision_score(attack, scores) > 0.9
    page = (MODELS.parent / "docs/exporting.md").read_text("utf-8")
    for number in counts.values():
        assert f" {number:,} |" in page


def test_each_test_row_is_as_scikit_learn_says(fit):
    from exporters import to_pfa

    model, (test, _), _ = fit
    made = to_pfa(model, test, name="kdd99")
    assert made["metadata"]["rows"] == "19288"
    assert float(made["metadata"]["largest-error"]) < 1e-9
