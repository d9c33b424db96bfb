import pytest

pytest.importorskip("sklearn")

from sklearn import neural_network, pipeline, preprocessing

from exporters import UnsupportedError, to_pfa
from tests.exporters.conftest import check, edges, fitted

ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_regressor(activation, diabetes):
    x, y = diabetes
    model = neural_network.MLPRegressor(
        hidden_layer_sizes=(8, 5), activation=activation, random_state=0, max_iter=50
    )
    model = fitted(pipeline.make_pipeline(preprocessing.StandardScaler(), model), x[:300], y[:300])
    check(to_pfa(model, x[:300], name="m"), model, edges(x[300:]))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_classifier(activation, iris, cancer):
    for x, y in (iris, cancer):
        model = neural_network.MLPClassifier(
            (6,), activation=activation, random_state=0, max_iter=30
        )
        model = fitted(pipeline.make_pipeline(preprocessing.StandardScaler(), model), x, y)
        check(to_pfa(model, x, name="m"), model, edges(x)[:-4])


def test_several_outputs_are_refused(diabetes):
    x, y = diabetes[0], diabetes[0].iloc[:, :2]
    model = fitted(neural_network.MLPRegressor(hidden_layer_sizes=(3,), max_iter=5), x, y)
    with pytest.raises(UnsupportedError, match="targets"):
        to_pfa(model, x, name="m")
