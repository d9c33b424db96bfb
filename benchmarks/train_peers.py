"""Fitted scikit-learn models in the forms of the other engines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import m2cgen.ast
import m2cgen.interpreters
import treelite.sklearn
from m2cgen.assemblers import (
    RandomForestModelAssembler,
    SklearnLinearModelAssembler,
    TreeModelAssembler,
)
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import is_classifier
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.pipeline import Pipeline

OPSET = 18


def write_onnx(model: Any, columns: int, folder: Path) -> None:
    """The converter's graph; of the logarithm, which it does not know, our own."""
    if isinstance(model, Pipeline):
        graph = logarithm(float(model[-1].coef_[0]), float(model[-1].intercept_))
    else:
        options = {id(model): {"zipmap": False}} if is_classifier(model) else None
        inputs = [("x", FloatTensorType([None, columns]))]
        graph = to_onnx(model, initial_types=inputs, options=options, target_opset=OPSET)
    (folder / "model.onnx").write_bytes(graph.SerializeToString())


def logarithm(slope: float, intercept: float) -> Any:
    """ONNX's graph of intercept + slope · log(x)."""
    numbers = [
        helper.make_tensor(name, TensorProto.FLOAT, [1], [value])
        for name, value in (("slope", slope), ("intercept", intercept))
    ]
    nodes = [
        helper.make_node("Log", ["x"], ["log"]),
        helper.make_node("Mul", ["log", "slope"], ["step"]),
        helper.make_node("Add", ["step", "intercept"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in "xy"]
    graph = helper.make_graph(nodes, "logarithm", ends[:1], ends[1:], numbers)
    # The newest intermediate representation that the converter writes for this opset
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def write_treelite(model: Any, _: int, folder: Path) -> None:
    """Treelite's own file."""
    treelite.sklearn.import_model(model).serialize(str(folder / "treelite.bin"))


def write_m2cgen(model: Any, _: int, folder: Path) -> None:
    """A Python module with `score(list)`."""
    sys.setrecursionlimit(100_000)  # the sum of a thousand trees nests so deeply
    if isinstance(model, GradientBoostingRegressor):
        tree = boosting(model)
    elif isinstance(model, RandomForestRegressor):
        tree = RandomForestModelAssembler(model).assemble()
    else:
        line = model[-1] if isinstance(model, Pipeline) else model
        tree = SklearnLinearModelAssembler(line).assemble()
        if is_classifier(model):
            tree = m2cgen.ast.SigmoidExpr(tree)
    code = m2cgen.interpreters.PythonInterpreter().interpret(tree)
    if isinstance(model, Pipeline):  # m2cgen has no transformations: a line of ours
        code += "\n\nfrom math import log\nline = score\ndef score(x):\n"
        code += "    return line([log(x[0])])\n"
    (folder / "model.py").write_text(code, "utf-8")


def boosting(model: GradientBoostingRegressor) -> Any:
    """The sum that scikit-learn's boosting is: m2cgen has none of it, but its trees."""
    trees = [TreeModelAssembler(stage[0]).assemble() for stage in model.estimators_]
    while len(trees) > 1:  # in pairs: a chain of a thousand would not compile
        pairs = zip(trees[::2], trees[1::2], strict=False)
        odd = trees[len(trees) & ~1 :]
        trees = [add(*pair) for pair in pairs] + odd
    steps = m2cgen.ast.BinNumExpr(
        m2cgen.ast.NumVal(model.learning_rate), trees[0], m2cgen.ast.BinNumOpType.MUL
    )
    return add(m2cgen.ast.NumVal(float(model.init_.constant_.ravel()[0])), steps)


def add(left: Any, right: Any) -> Any:
    """The expression left + right."""
    return m2cgen.ast.BinNumExpr(left, right, m2cgen.ast.BinNumOpType.ADD)
