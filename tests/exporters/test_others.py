import pytest

pytest.importorskip("sklearn")

from sklearn import cluster, dummy, naive_bayes

from exporters import ExportError, to_pfa
from tests.exporters.conftest import check, edges, fitted


@pytest.mark.parametrize("data", ["iris", "cancer"])
def test_gaussian_bayes(data, request):
    x, y = request.getfixturevalue(data)
    model = fitted(naive_bayes.GaussianNB(), x[::2], y[::2])
    check(to_pfa(model, x[::2], name="m"), model, x[1::2], tolerance=1e-8)


@pytest.mark.parametrize("kind", [cluster.KMeans, cluster.MiniBatchKMeans])
def test_clusters(kind, iris):
    x, _ = iris
    model = fitted(kind(4, random_state=0, n_init=2), x[::2])
    check(to_pfa(model, x[::2], name="m"), model, edges(x[1::2]))


def test_a_constant(diabetes):
    x, y = diabetes
    model = fitted(dummy.DummyRegressor(), x, y)
    check(to_pfa(model, x, name="m"), model, edges(x))


def test_parameters_that_json_cannot_hold(iris):
    x, y = iris
    model = fitted(naive_bayes.GaussianNB(priors=[0.0, 0.5, 0.5]), x, y)
    with pytest.raises(ExportError, match="no valid document"):
        to_pfa(model, x, name="m")
