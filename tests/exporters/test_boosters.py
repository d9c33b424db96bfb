import pytest

pytest.importorskip("sklearn")

import numpy as np
import pandas as pd

import pfa
from exporters import UnsupportedError, to_pfa
from exporters.certificate import verified
from tests.exporters.conftest import check, edges, fitted, holes, records

SINGLE = {"tolerance": 1e-5, "floor": 1e-6}


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ("diabetes", {"objective": "reg:squarederror"}),
        ("cancer", {"objective": "binary:logistic"}),
        ("iris", {"objective": "multi:softprob", "num_class": 3}),
    ],
)
def test_xgboost_train(data, options, request):
    xgboost = pytest.importorskip("xgboost")
    x, y = request.getfixturevalue(data)
    found = xgboost.train(options, xgboost.DMatrix(x, pd.factorize(y)[0]), 6)
    expected = found.predict(xgboost.DMatrix(x)).tolist()
    for answer, known in zip(scored(to_pfa(found, x, name="m"), x), expected, strict=True):
        assert np.allclose(numbers(answer, known), known, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ("diabetes", {"objective": "regression"}),
        ("cancer", {"objective": "binary"}),
        ("iris", {"objective": "multiclass", "num_class": 3}),
    ],
)
def test_lightgbm_train(data, options, request):
    lightgbm = pytest.importorskip("lightgbm")
    x, y = request.getfixturevalue(data)
    rows = lightgbm.Dataset(x, pd.factorize(y)[0])
    found = lightgbm.train({**options, "verbose": -1}, rows, 6)
    for answer, known in zip(
        scored(to_pfa(found, x, name="m"), x), found.predict(x).tolist(), strict=True
    ):
        assert np.allclose(numbers(answer, known), known, rtol=1e-9)


def scored(document, x):
    return pfa.load(document).score_batch(records(x))


def numbers(answer, known):
    """What the library's own predict gives: a number, one class's probability, or all of them."""
    if not isinstance(answer, dict):
        return answer
    shares = list(answer["probability"].values())
    return shares if isinstance(known, list) else shares[1]


class TestXgboost:
    xgboost = pytest.importorskip("xgboost", reason="XGBoost is not installed")

    @pytest.mark.parametrize(
        "objective", ["reg:squarederror", "count:poisson", "reg:gamma", "reg:absoluteerror"]
    )
    def test_regression(self, objective, diabetes):
        x, y = diabetes
        model = fitted(self.xgboost.XGBRegressor(n_estimators=20, objective=objective), x, y)
        check(to_pfa(model, x, name="m"), model, edges(x), tolerance=1e-5, floor=1e-4)

    @pytest.mark.parametrize("rows", ["whole", "holes"])
    def test_two_classes(self, rows, cancer):
        x, y = cancer
        x = holes(x) if rows == "holes" else x
        model = fitted(self.xgboost.XGBClassifier(n_estimators=20), x[::2], y[::2])
        check(to_pfa(model, x[::2], name="m"), model, edges(x[1::2]), **SINGLE)

    def test_several_classes(self, iris):
        x, y = iris
        codes = (y == "virginica") * 2 + (y == "versicolor")
        model = fitted(self.xgboost.XGBClassifier(n_estimators=10), x, codes)
        check(to_pfa(model, x, name="m"), model, edges(x), **SINGLE)

    def test_best_iteration(self, diabetes):
        x, y = diabetes
        model = self.xgboost.XGBRegressor(n_estimators=200, early_stopping_rounds=3)
        model.fit(x[:300], y[:300], eval_set=[(x[300:], y[300:])], verbose=False)
        assert model.best_iteration < 150
        check(to_pfa(model, x[:300], name="m"), model, x[300:], tolerance=1e-5, floor=1e-4)

    def test_ranking(self, diabetes):
        x, y = diabetes
        model = self.xgboost.XGBRanker(n_estimators=10)
        model.fit(x, (y > 150).astype(int), qid=[i // 10 for i in range(len(x))])
        check(to_pfa(model, x, name="m"), model, x, tolerance=1e-5, floor=1e-5)

    @pytest.mark.parametrize("stop", [None, 2])
    @pytest.mark.parametrize("skip", [0.0, 0.5])
    def test_dart(self, stop, skip, iris, diabetes):
        options = {"n_estimators": 25, "booster": "dart", "rate_drop": 0.4, "skip_drop": skip}
        for data, kind in ((iris, "XGBClassifier"), (diabetes, "XGBRegressor")):
            x, y = data[0], pd.factorize(data[1])[0] if kind.endswith("fier") else data[1]
            model = getattr(self.xgboost, kind)(**options, early_stopping_rounds=stop)
            held_out = {"eval_set": [(x[1::2], y[1::2])]} if stop else {}
            model.fit(x[::2], y[::2], verbose=False, **held_out)
            check(to_pfa(model, x, name="m"), model, edges(x), tolerance=1e-5, floor=1e-4)

    def test_forests(self, cancer, diabetes):
        model = fitted(self.xgboost.XGBRFClassifier(n_estimators=20), *cancer)
        check(to_pfa(model, cancer[0], name="m"), model, edges(cancer[0]), **SINGLE)
        model = fitted(self.xgboost.XGBRFRegressor(n_estimators=20), *diabetes)
        document = to_pfa(model, diabetes[0], name="m")
        check(document, model, edges(diabetes[0]), tolerance=1e-5, floor=1e-4)

    @pytest.mark.parametrize("ones", [0, 3, 566, 569])
    def test_nearly_one_class(self, ones, cancer):
        x = cancer[0]
        y = (np.arange(len(x)) < ones).astype(int)
        data = self.xgboost.DMatrix(x, y)
        found = self.xgboost.train({"objective": "binary:logistic"}, data, 3)
        document = to_pfa(found, x, name="m")
        expected = found.predict(data)
        answers = [answer["probability"]["1"] for answer in scored(document, x)]
        assert np.allclose(answers, expected, rtol=1e-5, atol=1e-7)
        verified(document)

    def test_margin_of_two_classes(self, cancer):
        x, y = cancer
        data = self.xgboost.DMatrix(x, pd.factorize(y)[0])
        found = self.xgboost.train({"objective": "binary:logitraw"}, data, 3)
        answers = scored(to_pfa(found, x, name="m"), x)
        assert np.allclose(answers, found.predict(data), rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize(
        ("kind", "options", "words"),
        [
            ("XGBClassifier", {"objective": "binary:logitraw"}, "binary:logitraw"),
            ("XGBRegressor", {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.9]},
             "several targets or quantiles"),
        ],
    )  # fmt: skip
    def test_options_that_are_not(self, kind, options, words, cancer):
        model = getattr(self.xgboost, kind)(n_estimators=3, **options)
        model.fit(cancer[0], pd.factorize(cancer[1])[0])
        with pytest.raises(UnsupportedError, match=words):
            to_pfa(model, cancer[0], name="m")

    def test_several_targets(self, diabetes):
        x, y = diabetes
        model = self.xgboost.XGBRegressor(n_estimators=3).fit(x, np.column_stack([y, -y]))
        with pytest.raises(UnsupportedError, match="several targets"):
            to_pfa(model, x, name="m")

    def test_not_supported(self, diabetes):
        x, y = diabetes
        model = fitted(self.xgboost.XGBRegressor(booster="gblinear", n_estimators=2), x, y)
        with pytest.raises(UnsupportedError, match="gbtree"):
            to_pfa(model, x, name="m")


class TestLightgbm:
    lightgbm = pytest.importorskip("lightgbm", reason="LightGBM is not installed")

    def test_ranking(self, diabetes):
        x, y = diabetes
        model = self.lightgbm.LGBMRanker(n_estimators=10, verbose=-1)
        model.fit(x, (y > 150).astype(int), group=[13] * 34)
        check(to_pfa(model, x, name="m"), model, edges(x))

    @pytest.mark.parametrize("objective", ["regression", "poisson", "regression_l1"])
    def test_regression(self, objective, diabetes):
        x, y = diabetes
        made = self.lightgbm.LGBMRegressor(n_estimators=20, objective=objective, verbose=-1)
        model = fitted(made, x, y)
        check(to_pfa(model, x, name="m"), model, edges(x))

    @pytest.mark.parametrize("rows", ["whole", "holes"])
    def test_two_classes(self, rows, cancer):
        x, y = cancer
        x = holes(x) if rows == "holes" else x
        model = fitted(self.lightgbm.LGBMClassifier(n_estimators=20, verbose=-1), x[::2], y[::2])
        check(to_pfa(model, x[::2], name="m"), model, edges(x[1::2]))

    def test_several_classes(self, iris):
        x, y = iris
        model = fitted(self.lightgbm.LGBMClassifier(n_estimators=10, verbose=-1), x, y)
        check(to_pfa(model, x, name="m"), model, edges(x))

    def test_best_iteration(self, diabetes):
        x, y = diabetes
        model = self.lightgbm.LGBMRegressor(n_estimators=300, verbose=-1)
        stop = self.lightgbm.early_stopping(3, verbose=False)
        model.fit(x[:300], y[:300], eval_set=[(x[300:], y[300:])], callbacks=[stop])
        assert model.best_iteration_ < 250
        check(to_pfa(model, x[:300], name="m"), model, x[300:])

    def test_dart(self, iris):
        x, y = iris
        options = {"n_estimators": 20, "boosting_type": "dart", "drop_rate": 0.4, "verbose": -1}
        model = fitted(self.lightgbm.LGBMClassifier(**options), x, y)
        check(to_pfa(model, x, name="m"), model, edges(x))

    @pytest.mark.parametrize("share", [0.0, 0.1])
    def test_categories_with_an_order(self, share):
        """They are split as numbers are."""
        rng = np.random.default_rng(3)
        sizes, kinds = rng.choice(["s", "m", "l"], 400), rng.choice(["x", "y", "z"], 400)
        ordered = pd.CategoricalDtype(["s", "m", "l"], ordered=True)
        x = pd.DataFrame({"size": pd.Series(sizes).astype(ordered), "kind": pd.Categorical(kinds)})
        x["number"] = rng.normal(size=400)
        x.loc[rng.random(400) < share, ["size", "kind"]] = None
        y = x["size"].cat.codes * 2.0 + (kinds == "y") + x["number"]
        model = fitted(self.lightgbm.LGBMRegressor(n_estimators=10, verbose=-1), x[:300], y[:300])
        check(to_pfa(model, x[:300], name="m"), model, x[300:])

    def test_cross_entropy(self, diabetes):
        x, y = diabetes
        options = {"n_estimators": 5, "objective": "cross_entropy", "verbose": -1}
        model = fitted(self.lightgbm.LGBMRegressor(**options), x, y / y.max())
        check(to_pfa(model, x, name="m"), model, edges(x))

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"zero_as_missing": True}, "zero_as_missing"),
            ({"linear_tree": True}, "linear_tree"),
            ({"objective": lambda y, p: (p - y, np.ones_like(y))}, "objective custom"),
        ],
    )
    def test_not_supported(self, options, words, diabetes):
        x, y = diabetes
        model = fitted(self.lightgbm.LGBMRegressor(n_estimators=2, verbose=-1, **options), x, y)
        with pytest.raises(UnsupportedError, match=words):
            to_pfa(model, x, name="m")
