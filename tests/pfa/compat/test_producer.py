"""titus's tools that make PFA, on today's Python."""

import random

import numpy
import pytest

from pfa.compat import engine
from pfa.compat.loader import load

QUIET = {"lineNumbers": False}


def pfa(text, **more):
    return load("titus.producer.expression").pfa(text, options=QUIET, **more)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + 1", {"+": ["x", 1]}),
        ("-x", {"u-": "x"}),
        ("'text'", {"string": "text"}),
        ("x = 3.5", {"let": {"x": 3.5}}),
        ("True", True),
        ("None", None),
        ("x.field", {"attr": "x", "path": [{"string": "field"}]}),
        ("x[2]", {"attr": "x", "path": [2]}),
        ("x['key'][i]", {"attr": "x", "path": [{"string": "key"}, "i"]}),
        ("print(x, 1)", {"log": ["x", 1]}),
        ("raise 'no'", {"error": "no"}),
        ("1 if x < y else 2", {"if": {"<": ["x", "y"]}, "then": 1, "else": 2}),
        ("for y in x: f(y)", {"foreach": "y", "in": "x", "do": [{"f": "y"}], "seq": True}),
        ("{'a': [1, 'b', None]}", {"a": [1, "b", None]}),
        ("pass", {"doc": ""}),
    ],
)
def test_python_becomes_pfa(text, expected):
    assert pfa(text) == expected


def test_cells_and_a_function_that_runs():
    assert pfa("table['a']", cells=["table"]) == {"cell": "table", "path": [{"string": "a"}]}
    fcn = load("titus.producer.expression").fcn([{"x": "double"}], "double", "y = x + 1\ny * 2")
    document = {"input": "double", "output": "double", "fcns": {"f": fcn}}
    assert engine({**document, "action": [{"u.f": "input"}]}).action(3.0) == 8.0


def test_what_has_no_equivalent_says_so():
    with pytest.raises(load("titus.producer.expression").PythonToPfaException, match="line 1"):
        pfa("x[1:2]")
    with pytest.raises(load("titus.producer.expression").PythonToPfaException, match="line 1"):
        pfa("import os")


def test_a_tree_on_categories():
    cart = load("titus.producer.cart")
    rows = [(c, float("abc".index(c))) for c in "abcabcabc"]
    dataset = cart.Dataset.fromIterable(rows, 100, ("c", "y"))
    tree = cart.TreeNode.fromWholeDataset(dataset, "y")
    tree.splitMaxDepth(2)
    datum = {"type": "record", "name": "D", "fields": [{"name": "c", "type": "string"}]}
    made = engine(tree.pfaDocument(datum, "TreeNode"))
    assert [made.action({"c": c}) for c in "abc"] == [0.0, 1.5, 1.5]


def test_clusters():
    kmeans = load("titus.producer.kmeans")
    data = numpy.array([[0.0, 0.1], [0.1, 0.0], [9.0, 9.1], [9.1, 9.0]])
    random.seed(1)
    made = kmeans.KMeans(2, data)
    made.optimize(kmeans.whileall(kmeans.moving(), kmeans.maxIterations(20)))
    centers = sorted(made.centers(sort=True))
    assert [round(x, 2) for center in centers for x in center] == [0.05, 0.05, 9.05, 9.05]
