"""Records of a batch side by side: where a forest walks for one of them, it walks for all.

numpy walks many records down the trees of a forest 4 to 10 times as fast as each alone is walked
(kernels/tree/many.py). For that the loop over the records (direct.Loop) becomes a generator for
each, which stops where it needs a forest's answers, and gets them when all the others are there.
"""

import ast
import math
from collections.abc import Callable, Generator, Sequence
from typing import Any

from pfa.columns import UnusualError
from pfa.kernels.tree import many
from pfa.memory import affords_numpy, numpy

Steps = Callable[[Any], Generator[Any, Any, None]]
ENOUGH = 400_000  # trees walked, after which numpy, that takes 0.1 s to import, has been worth it
MOST = 50_000  # answers of trees at once: 0.4 MB, which stay in the process

# What evaluates all of its parts, in their order, each time.
_ALWAYS = (
    ast.Assign, ast.Expr, ast.BinOp, ast.UnaryOp, ast.Call, ast.Dict, ast.List, ast.Tuple,
    ast.Subscript, ast.NamedExpr,
)  # fmt: skip


class Together:
    """What scores records side by side."""

    def __init__(self, steps: Steps, forests: list[Any]) -> None:
        """Take the generator function of a row, and the forests it stops for, in their order."""
        self._steps, self._forests = steps, forests
        self._trees = sum(map(many.trees_of, forests))
        self._is_faster = all(map(many.is_faster, forests))
        self._walked = 0.0
        self._many: list[many.Many] = []

    def is_ready(self, records: int) -> bool:
        """Tell whether so many records are to be scored here.

        What that needs is made then, numpy imported, if there is memory for it. It is imported also
        for forests that walk with it as fast for each record alone.
        """
        if not self._many:
            self._walked += records * self._trees
            if self._walked >= ENOUGH and affords_numpy():
                try:
                    numpy()
                    if self._is_faster:
                        self._many = [many.Many(forest) for forest in self._forests]
                except (ImportError, MemoryError):
                    self._walked = -math.inf
        return bool(self._many)

    def answers(self, rows: Sequence[Any]) -> list[Any]:
        """Return the answer to each row as the engine gives it, or UnusualError."""
        most = max(MOST // self._trees, 1)
        made: list[Any] = []
        for start in range(0, len(rows), most):
            made += self._side_by_side(rows[start : start + most])
        return made

    def _side_by_side(self, rows: Sequence[Any]) -> list[Any]:
        runs = [self._steps(row) for row in rows]
        results: list[Any] = [None] * len(runs)
        left: Sequence[int] = range(len(runs))
        for walk in self._many:
            left = _go_on(runs, left, results)
            answers = walk([results[place] for place in left])
            for place, answer in zip(left, answers, strict=True):
                results[place] = answer
        _go_on(runs, left, results)
        return results


def _go_on(runs: list[Any], places: Sequence[int], values: list[Any]) -> list[int]:
    """Send each of these runs its value; put what it asks for there. Return who did not fail."""
    left = []
    for place in places:
        try:
            values[place] = runs[place].send(values[place])
            left.append(place)
        except Exception:  # it is said when the record is scored alone
            values[place] = UnusualError
    return left


def of_loop(source: str, names: dict[str, Any]) -> tuple[ast.Module, list[Any]] | None:
    """Return a module with ``steps(row)``, and the forests it stops for; None if there are none.

    Args:
        source: the module with the loop, see direct.Loop.
        names: what the names in it mean.
    """
    forests = {name for name, value in names.items() if many.trees_of(value)}
    if not any(name in source for name in forests):
        return None
    module = ast.parse(source)
    *before, function = module.body
    assert isinstance(function, ast.FunctionDef)  # noqa: S101 - direct.Loop wrote it
    (loop,) = function.body
    assert isinstance(loop, ast.For)  # noqa: S101
    stops = _Stops(forests)
    body = [stops.visit(each) for each in loop.body]
    if not stops.found:
        return None
    function.name = "steps"
    function.args.args = [ast.arg("row")]
    function.body = [ast.Assign([loop.target], ast.Name("row", ast.Load())), *body]
    module.body = [*before, function]
    return ast.fix_missing_locations(module), [names[name] for name in stops.found]


class _Stops(ast.NodeTransformer):
    """Puts ``(yield x)`` for each ``forest(x)`` that all records come to, and ``append(x)``."""

    def __init__(self, forests: set[str]) -> None:
        self.forests = forests
        self.found: list[str] = []

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Go no further into what may leave out a part, or comes to it more than once."""
        return super().generic_visit(node) if isinstance(node, _ALWAYS) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """Look at a condition."""
        node.test = self.visit(node.test)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Look at a call."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        self.generic_visit(node)
        if name in self.forests:
            self.found.append(name)
        elif name != "append":
            return node
        return ast.Yield(node.args[0])
