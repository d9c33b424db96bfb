import pytest

pytest.importorskip("sklearn")

from sklearn import linear_model, metrics, model_selection, pipeline, preprocessing, svm

from exporters import UnsupportedError, to_pfa
from tests.exporters.conftest import check, edges, fitted

LOGISTIC = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())


@pytest.mark.parametrize("positive", [None, 0, 1])
def test_a_fixed_threshold(positive, cancer):
    x, y = cancer
    model = model_selection.FixedThresholdClassifier(LOGISTIC, threshold=0.2, pos_label=positive)
    fitted(model, x, y)
    check(to_pfa(model, x, name="m"), model, edges(x)[:-3])


@pytest.mark.parametrize("positive", [0, 1])
def test_a_tuned_threshold(positive, cancer):
    x, y = cancer
    scorer = metrics.make_scorer(metrics.fbeta_score, beta=3, pos_label=positive)
    model = fitted(model_selection.TunedThresholdClassifierCV(LOGISTIC, scoring=scorer), x, y)
    check(to_pfa(model, x, name="m"), model, x)


def test_a_threshold_on_no_probability(cancer):
    x, y = cancer
    model = fitted(model_selection.FixedThresholdClassifier(svm.LinearSVC(), threshold=1), x, y)
    with pytest.raises(UnsupportedError, match="on a probability only"):
        to_pfa(model, x, name="m")
