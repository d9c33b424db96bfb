"""Faults of titus in what it leaves to numpy: matrices, Gaussian processes, variances."""

from collections.abc import Callable, Iterator
from typing import Any

from pfa.compat.loader import mends
from pfa.memory import numpy


def _quiet(*classes: Any) -> None:
    """Let functions of the library work on NaN and infinity without a warning on stderr."""

    def silenced(stock: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            with numpy().errstate(all="ignore"):
                return stock(*args)

        return call

    for cls in classes:
        cls.__call__ = silenced(cls.__call__)


class _Keys(set[str]):
    """Row or column names that come out sorted.

    titus takes them in a set's order, which changes from process to process: with it change the
    last digits of a product, and the sign of an eigenvector.
    """

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(super().__iter__()))

    def union(self, *others: Any) -> "_Keys":  # type: ignore[override]
        return _Keys(super().union(*others))

    def intersection(self, *others: Any) -> "_Keys":
        return _Keys(super().intersection(*others))


def _sorted_keys(stock: Callable[[Any], Any]) -> Callable[[Any], _Keys]:
    return lambda x: _Keys(stock(x))


@mends("titus.lib.la")
def _linear_algebra(la: Any) -> None:
    la.rowKeys = _sorted_keys(la.rowKeys)
    la.colKeys = _sorted_keys(la.colKeys)
    la.Inverse.__call__ = _inverse(la)
    la.EigenBasis.calculate = _real_basis(la)
    _ragged_and_sparse(la)
    _quiet(la.Dot, la.Det, la.Inverse, la.EigenBasis)


def _inverse(la: Any) -> Callable[..., Any]:
    """Invert also what numpy refuses to, or on which it may not come back.

    A singular square matrix has a pseudoinverse, as Hadrian gives it, where titus lets a
    LinAlgError out. Looking for that of a matrix with infinities can keep LAPACK busy for ever,
    so the answer there is NaN.
    """

    def inverse(self: Any, _state: Any, _scope: Any, pos: Any, _types: Any, x: Any) -> Any:
        is_map = isinstance(x, dict)
        rows = list(la.rowKeys(x)) if is_map else x
        cols = list(la.colKeys(x)) if is_map else (x[0] if x else [])
        if len(rows) < 1 or len(cols) < 1:
            raise la.PFARuntimeException("too few rows/cols", self.errcodeBase, self.name, pos)
        if not is_map and la.raggedArray(x):
            raise la.PFARuntimeException("ragged columns", self.errcodeBase + 1, self.name, pos)
        matrix = la.mapsToMatrix(x, rows, cols) if is_map else la.arraysToMatrix(x)
        inverted = invert(matrix)
        if is_map:
            return la.matrixToMaps(inverted, cols, rows)
        return la.matrixToArrays(inverted)

    def invert(matrix: Any) -> Any:
        numpy = la.np()
        rows, cols = matrix.shape
        if rows == cols:
            try:
                return numpy.linalg.inv(matrix)
            except numpy.linalg.LinAlgError:
                pass
        if numpy.isfinite(matrix).all():
            return numpy.linalg.pinv(matrix)
        return numpy.full((cols, rows), numpy.nan)

    return inverse


def _real_basis(la: Any) -> Callable[..., Any]:
    """Take the real part of what numpy's solver may give as complex numbers of no imaginary part.

    titus does so by storing them into an array of floats, with a warning for each.
    """

    def calculate(_self: Any, x: Any, size: int) -> Any:
        numpy = la.np()
        values, vectors = numpy.linalg.eig((x + x.T) * 0.5)
        scales = [la.div(1.0, la.math.sqrt(abs(value))) for value in values]
        out = numpy.empty((size, size))
        for i, column in enumerate(numpy.argsort(scales)):
            vector = numpy.real(vectors[:, column])
            sign = -1.0 if vector[0] < 0.0 else 1.0
            out[i] = vector * sign * scales[column]
        return out

    return calculate


def _ragged_and_sparse(la: Any) -> None:
    """Say in PFA's terms what is wrong with rows of different lengths; take missing cells as 0."""
    stock_dot = la.Dot.__call__
    stock_trace = la.Trace.__call__

    def dot(self: Any, state: Any, scope: Any, pos: Any, types: Any, x: Any, y: Any) -> Any:
        try:
            return stock_dot(self, state, scope, pos, types, x, y)
        except ValueError:
            raise la.PFARuntimeException(
                "misaligned matrices", self.errcodeBase, self.name, pos
            ) from None

    def trace(self: Any, state: Any, scope: Any, pos: Any, types: Any, x: Any) -> Any:
        if isinstance(x, dict):
            return sum((row.get(key, 0.0) for key, row in x.items()), 0.0)
        return stock_trace(self, state, scope, pos, types, x)

    la.Dot.__call__ = dot
    la.Trace.__call__ = trace


@mends("titus.lib.model.reg")
def _regression(reg: Any) -> None:
    # Gaussian processes name numpy's LinAlgError through a module that they did not import, so
    # that a kernel without an answer gave a NameError instead of error 31088.
    reg.numpy = reg.np()
    # titus changed the record that it was given, which may be in a cell, and made its int a float
    reg.update = lambda x, state: {
        **state,
        "chi2": float(state["chi2"] + x),
        "DOF": state["DOF"] + 1,
    }
    _quiet(reg.Linear, reg.LinearVariance, reg.GaussianProcess, reg.Mahalanobis)


@mends("titus.lib.stat.pfatest")
def _mahalanobis(pfatest: Any) -> None:
    _quiet(pfatest.Mahalanobis)
