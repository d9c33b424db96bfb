"""Numbers: overflow, NaN, numpy's types, and the types of answers."""

import json
import math

import numpy
import pytest

from pfa.compat import engine

NAN, INF = math.nan, math.inf
DOUBLES = {"type": "array", "items": "double"}


def run(call, value, given="double", output="double", **more):
    return engine({"input": given, "output": output, "action": [call], **more}).action(value)


def same(a, b):
    return repr(a) == repr(b)


@pytest.mark.parametrize(
    ("function", "given", "expected"),
    [
        ("m.exp", 710.0, INF),
        ("m.exp", -800.0, 0.0),
        ("m.expm1", 710.0, INF),
        ("m.cosh", 711.0, INF),
        ("m.cosh", -711.0, INF),
        ("m.sinh", 711.0, INF),
        ("m.sinh", -711.0, -INF),
        ("m.link.logit", -710.0, 0.0),
        ("m.link.logit", 710.0, 1.0),
        ("m.link.cloglog", 710.0, 1.0),
        ("m.link.loglog", 710.0, 0.0),
        ("m.link.softplus", 710.0, INF),
        ("m.special.lnGamma", 1e306, INF),
        ("m.exp", 1.0, math.e),
    ],
)
def test_exponentials_overflow_to_infinity(function, given, expected):
    assert run({function: ["input"]}, given) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"m.hypot": ["input", 1.0]}, INF),
        ({"metric.simpleEuclidean": [[0.0], ["input"]]}, INF),
        ({"metric.gaussianSimilarity": ["input", 0.0, 1.0]}, 0.0),
        ({"m.kernel.rbf": [["input"], [0.0], 1.0]}, 0.0),
        ({"prob.dist.gaussianLL": ["input", 0.0, 1.0]}, -INF),
        ({"prob.dist.cauchyPDF": ["input", 0.0, 1.0]}, 0.0),
        ({"prob.dist.weibullCDF": ["input", 3.0, 1.0]}, 1.0),
    ],
)
def test_powers_overflow_to_infinity(call, expected):
    def arrays(part):
        if isinstance(part, list) and part and part[0] in ("input", 0.0) and len(part) == 1:
            return {"type": DOUBLES, "new": part}
        return [arrays(p) for p in part] if isinstance(part, list) else part

    ((name, args),) = call.items()
    assert run({name: arrays(args)}, 1e200) == expected
    assert type(run({name: arrays(args)}, 1e200)) is float


def test_distances_by_a_function_of_the_document_overflow_too():
    similarity = {"params": [{"x": "double"}, {"y": "double"}], "ret": "double", "do": [1e200]}
    values = {"type": {"type": "array", "items": ["null", "double"]}, "value": [{"double": 1.0}]}
    for name in ("metric.euclidean", "metric.squaredEuclidean"):
        assert run({name: [similarity, values, values]}, 1.0) == INF


def test_naive_bayes_far_from_the_mean():
    record = {
        "type": "record",
        "name": "P",
        "fields": [{"name": "mean", "type": "double"}, {"name": "variance", "type": "double"}],
    }
    model = {
        "type": {"type": "array", "items": record},
        "value": [{"mean": 0.0, "variance": 1.0}],
    }
    assert run({"model.naive.gaussian": ["input", model]}, [1e200], DOUBLES) == -INF


@pytest.mark.parametrize("kind", ["float", "double"])
def test_nan_is_sorted_last(kind):
    array = {"type": "array", "items": kind}
    assert str(run({"a.sort": ["input"]}, [3.0, NAN, 1.0, 2.0], array, array)) == (
        "[1.0, 2.0, 3.0, nan]"
    )
    assert run({"cmp": ["input", 1.0]}, NAN, kind, "int") == 1
    assert run({"==": ["input", "input"]}, NAN, kind, "boolean") is True
    nested = {"type": "array", "items": array}
    assert str(run({"a.sort": ["input"]}, [[NAN], [1.0]], nested, nested)) == "[[1.0], [nan]]"


def test_geometric_mean_of_a_negative_product_is_nan():
    assert math.isnan(run({"a.geomean": ["input"]}, [-1.0, 2.0], DOUBLES))
    assert run({"a.geomean": ["input"]}, [-8.0], DOUBLES) == -8.0
    assert run({"a.geomean": ["input"]}, [2.0, 8.0], DOUBLES) == 4.0


@pytest.mark.parametrize(
    ("function", "given", "expected"),
    [
        ("m.floor", 2.5, 2.0),
        ("m.ceil", 2.5, 3.0),
        ("m.rint", 2.5, 2.0),
        ("m.floor", -INF, -INF),
        ("m.ceil", NAN, NAN),
    ],
)
def test_rounding_gives_a_double(function, given, expected):
    assert same(run({function: ["input"]}, given), expected)


def test_a_rounded_double_is_written_as_one():
    assert run({"cast.json": [{"m.floor": ["input"]}]}, 2.5, output="string") == "2.0"


@pytest.mark.parametrize(
    "call",
    [
        {"prob.dist.poissonQF": ["input", 3.0]},
        {"prob.dist.geometricQF": ["input", 0.3]},
        {"prob.dist.binomialQF": ["input", 10, 0.3]},
    ],
)
def test_quantiles_are_doubles(call):
    assert type(run(call, 0.5)) is float


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("boolean", numpy.True_, True),
        ("int", numpy.int32(3), 3),
        ("long", numpy.int64(3), 3),
        ("double", numpy.float32(0.5), 0.5),
        ("double", numpy.int8(2), 2.0),
        ("double", numpy.float64(0.25), 0.25),
    ],
)
def test_numpy_scalars_are_taken(kind, value, expected):
    made = engine({"input": kind, "output": kind, "action": ["input"]})
    assert same(json.loads(json.dumps(made.action(value))), expected)


def test_the_nearest_cluster_of_far_points():
    cluster = {
        "type": "record",
        "name": "Cluster",
        "fields": [{"name": "center", "type": DOUBLES}, {"name": "id", "type": "string"}],
    }
    centers = [{"center": [1e200], "id": "far"}, {"center": [-1e200], "id": "farther"}]
    cells = {"clusters": {"type": {"type": "array", "items": cluster}, "init": centers}}
    call = {"attr": {"model.cluster.closest": ["input", {"cell": "clusters"}]}, "path": [["id"]]}
    assert run(call, [0.0], DOUBLES, "string", cells=cells) == "far"
    assert run(call, [1e200], DOUBLES, "string", cells=cells) == "far"


def test_division_by_what_underflows():
    assert run({"prob.dist.gaussianLL": ["input", 0.0, 1e-300]}, 1.0) == -INF


def test_a_negative_sum_of_squares_has_no_root():
    similarity = {"params": [{"x": "double"}, {"y": "double"}], "ret": "double", "do": [1.0]}
    values = {"type": {"type": "array", "items": ["null", "double"]}, "value": [{"double": 1.0}]}
    weights = {"type": DOUBLES, "value": [-1.0]}
    plain = {"type": DOUBLES, "value": [1.0]}
    assert run({"metric.euclidean": [similarity, values, values, plain]}, 1.0) == 1.0
    two = {"type": values["type"], "value": [None, {"double": 1.0}]}
    weights["value"] = [-3.0, 1.0]
    assert math.isnan(run({"metric.euclidean": [similarity, two, two, weights]}, 1.0))
