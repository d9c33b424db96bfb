"""What titus leaves to numpy."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from pfa.compat import engine
from pfa.compat.loader import load

PFARuntimeException = load("titus.errors").PFARuntimeException
ARRAYS = {"type": "array", "items": {"type": "array", "items": "double"}}
MAPS = {"type": "map", "values": {"type": "map", "values": "double"}}


def run(call, value, given=ARRAYS, output=ARRAYS, **more):
    return engine({"input": given, "output": output, "action": [call], **more}).action(value)


def inverse(value, kind=ARRAYS):
    return run({"la.inverse": ["input"]}, value, kind, kind)


def test_inverse():
    assert inverse([[2.0, 0.0], [0.0, 4.0]]) == [[0.5, 0.0], [0.0, 0.25]]
    assert inverse({"a": {"x": 2.0}, "b": {"y": 4.0}}, MAPS) == {
        "x": {"a": 0.5, "b": 0.0},
        "y": {"a": 0.0, "b": 0.25},
    }


def test_inverse_of_what_has_none_is_the_pseudoinverse():
    flat = [x for row in inverse([[1.0, 1.0], [1.0, 1.0]]) for x in row]
    assert flat == pytest.approx([0.25] * 4)
    assert inverse([[1.0], [1.0]])[0] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_inverse_of_infinities_comes_back(bad):
    result = inverse([[1.0, 2.0, bad], [3.0, bad, 4.0]])
    assert [len(row) for row in result] == [2, 2, 2]
    assert all(math.isnan(x) for row in result for x in row)
    assert set(inverse({"a": {"x": bad, "y": 1.0}}, MAPS)) == {"x", "y"}


@pytest.mark.parametrize(
    ("value", "kind", "code"),
    [([], ARRAYS, 24070), ([[]], ARRAYS, 24070), ([[1.0, 2.0], [3.0]], ARRAYS, 24071),
     ({}, MAPS, 24070), ({"a": {}}, MAPS, 24070)],
)  # fmt: skip
def test_inverse_errors(value, kind, code):
    with pytest.raises(PFARuntimeException) as caught:
        inverse(value, kind)
    assert caught.value.code == code


def test_dot_of_ragged_rows_is_error_24050():
    with pytest.raises(PFARuntimeException) as caught:
        run({"la.dot": ["input", "input"]}, [[1.0, 2.0], [3.0]])
    assert caught.value.code == 24050


def test_trace_of_a_sparse_map_counts_missing_cells_as_zero():
    sparse = {"a": {"a": 2.0, "b": 1.0}, "b": {"a": 5.0}}
    assert run({"la.trace": ["input"]}, sparse, MAPS, "double") == 2.0


def test_eigenvectors_of_maps_are_the_same_in_every_process():
    """The sign was that of the first key in the order of a set."""
    program = """
from pfa.compat import engine
kind = {"type": "map", "values": {"type": "map", "values": "double"}}
names = ["one", "two", "three", "four"]
value = {a: {b: 1.0 / (1 + i + j) for j, b in enumerate(names)} for i, a in enumerate(names)}
for name in ("la.eigenBasis", "la.inverse"):
    result = engine({"input": kind, "output": kind, "action": [{name: ["input"]}]}).action(value)
    print(sorted((k, sorted(v.items())) for k, v in result.items()))
"""
    root = Path(__file__).parents[3]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root / "functions")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "1234"
    }
    assert len(outputs) == 1


def variance(kind, covariance, datum, given):
    model = {"type": "record", "name": "M", "fields": [{"name": "covar", "type": kind}]}
    value = {"type": model, "value": {"covar": covariance}}
    several = kind["items" if given["type"] == "array" else "values"]
    several = isinstance(several[next(k for k in ("items", "values") if k in several)], dict)
    output = {**given} if several else "double"
    return run({"model.reg.linearVariance": ["input", value]}, datum, given, output)


def test_linear_variance():
    vector, mapping = {"type": "array", "items": "double"}, {"type": "map", "values": "double"}
    two = [[1.0, 0.0], [0.0, 0.5]]
    assert variance(ARRAYS, two, [2.0], vector) == 4.5
    assert variance({"type": "array", "items": ARRAYS}, [two, two], [2.0], vector) == [4.5, 4.5]
    named = {"x": {"x": 1.0}, "": {"": 0.5}}
    assert variance(MAPS, named, {"x": 2.0}, mapping) == 4.5
    several = {"type": "map", "values": MAPS}
    assert variance(several, {"out": named}, {"x": 2.0}, mapping) == {"out": 4.5}


def gaussian_process(kernel):
    row = {
        "type": "record",
        "name": "Row",
        "fields": [{"name": "x", "type": "double"}, {"name": "to", "type": "double"}],
    }
    table = [{"x": float(x), "to": math.sin(x)} for x in range(5)]
    action = {"model.reg.gaussianProcess": ["input", {"cell": "table"}, None, kernel]}
    cells = {"table": {"type": {"type": "array", "items": row}, "init": table}}
    return run(action, 2.0, "double", "double", cells=cells)


VECTOR = {"type": "array", "items": "double"}


def kernel(*do):
    return {"params": [{"x": VECTOR}, {"y": VECTOR}], "ret": "double", "do": list(do)}


def test_gaussian_process():
    assert gaussian_process(kernel({"m.kernel.rbf": ["x", "y", 2.0]})) == pytest.approx(
        math.sin(2.0)
    )


def test_gaussian_process_without_a_positive_definite_kernel_is_error_31088():
    with pytest.raises(PFARuntimeException) as caught:
        gaussian_process(kernel(2.0))
    assert caught.value.code == 31088


def test_chi_squared_is_updated_in_a_new_record(capsys):
    record = {
        "type": "record",
        "name": "S",
        "fields": [{"name": "chi2", "type": "double"}, {"name": "DOF", "type": "int"}],
    }
    cells = {"s": {"type": record, "init": {"chi2": 1.0, "DOF": 1}}}
    call = {"model.reg.updateChi2": ["input", {"cell": "s"}]}
    made = engine({"input": "double", "output": record, "action": [call], "cells": cells})
    assert str(made.action(2.0)) == "{'chi2': 5.0, 'DOF': 2}"
    assert made.cells["s"].value == {"chi2": 1.0, "DOF": 1}
    assert capsys.readouterr().err == ""
