"""Faults of titus in numbers: numpy's types, overflow, and the order of NaN."""

import math
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from pfa.compat.loader import VIEWS, mends


class _NumpyScalar(type):
    """A stand-in for numpy's scalar types in isinstance(), which never imports numpy itself."""

    numpy_names: tuple[str, ...] = ()

    def __instancecheck__(cls, value: object) -> bool:
        # No numpy loaded, no numpy value.
        numpy = sys.modules.get("numpy")
        return numpy is not None and isinstance(
            value, tuple(getattr(numpy, name) for name in cls.numpy_names)
        )


class _NumpyBool(metaclass=_NumpyScalar):
    numpy_names = ("bool_",)


class _NumpyInteger(metaclass=_NumpyScalar):
    numpy_names = ("integer",)


class _NumpyFloat(metaclass=_NumpyScalar):
    numpy_names = ("integer", "float16", "float32", "float64")


@mends("titus.datatype")
def _numpy_types(datatype: Any) -> None:
    """Name numpy's scalar types without importing numpy, which costs 57 ms."""
    datatype.booleanTypes = (_NumpyBool,)
    datatype.integerTypes = (_NumpyInteger,)
    datatype.floatTypes = (_NumpyFloat,)


@mends("titus.datatype")
def _float_order(datatype: Any) -> None:
    """Sort NaN last for float as for double.

    titus returns before it gets to the lines that do this, so that NaN is equal to everything and
    a.sort gives any order.
    """
    stock = datatype.compare
    double = datatype.AvroDouble()

    def compare(avro_type: Any, x: Any, y: Any) -> Any:
        return stock(double if isinstance(avro_type, datatype.AvroFloat) else avro_type, x, y)

    # The stock one calls itself by this name for what is inside arrays, records and unions.
    datatype.compare = compare


def _or_infinity(function: Callable[[float], float]) -> Callable[[float], float]:
    """Give a function of math that overflows to infinity, with the sign of x for an odd one."""
    is_odd = function is math.sinh

    def saturating(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return math.copysign(math.inf, x) if is_odd else math.inf

    return saturating


def _as_float(function: Callable[[float], int]) -> Callable[[float], float]:
    """Give floor or ceil of Python 2, which was a float, and took infinity and NaN."""
    return lambda x: float(function(x)) if math.isfinite(x) else x


def _math() -> ModuleType:
    """Give math as titus expects it.

    Exponentials overflow to infinity. Python raises OverflowError where C, Java and the PFA
    specification ("no input is invalid") have infinity: for m.exp(710), and for m.link.logit(-710),
    which is 0.

    floor and ceil give a float, so that m.floor has the type that it says, double: as an int it
    is "2" instead of "2.0" in cast.json.
    """
    module = ModuleType("math")
    vars(module).update(vars(math))
    for function in (math.exp, math.expm1, math.cosh, math.sinh, math.lgamma):
        setattr(module, function.__name__, _or_infinity(function))
    for function in (math.floor, math.ceil):
        setattr(module, function.__name__, _as_float(function))
    return module


VIEWS["math"] = _math()


class _Saturating(float):
    """A float that computes as C and Java do: infinity or NaN where Python raises an error."""

    def __pow__(self, power: Any, modulo: None = None) -> Any:
        """Raise to a power: too large a result is infinite, as is a negative power of zero."""
        try:
            return _Saturating(float.__pow__(self, power))
        except (OverflowError, ZeroDivisionError):
            is_odd = power % 2 == 1
            return _Saturating(math.copysign(math.inf, self) if is_odd else math.inf)

    def __truediv__(self, other: Any) -> Any:
        """Divide: by zero it gives infinity, or NaN for zero by zero."""
        if other == 0:
            if math.isnan(self) or not self:
                return _Saturating(math.nan)
            return _Saturating(math.copysign(math.inf, self) * math.copysign(1.0, other))
        return _Saturating(float.__truediv__(self, other))

    def __rtruediv__(self, other: Any) -> Any:
        """Divide another number by this one."""
        return _Saturating(other) / self


def _closed(name: str) -> Callable[..., Any]:
    operation = getattr(float, name)

    def closed(self: float, *others: float) -> Any:
        result = operation(self, *others)
        return _Saturating(result) if isinstance(result, float) else result

    return closed


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "neg", "abs"):
    setattr(_Saturating, f"__{_name}__", _closed(f"__{_name}__"))


def _saturating(value: Any) -> Any:
    if type(value) is float:
        return _Saturating(value)
    if isinstance(value, (list, tuple)):
        return [_saturating(x) for x in value]
    if isinstance(value, dict):
        return {k: _saturating(v) for k, v in value.items()}
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(value)
    if isinstance(value, (list, tuple)):
        return [_plain(x) for x in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _powers(*classes: Any) -> None:
    """Compute again with saturating numbers what Python would not compute.

    x**2 raises OverflowError where x*x is infinite, x/0 raises ZeroDivisionError. titus lets both
    out. A function of the document is not called twice, as it may change cells.
    """

    def computed(stock: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, state: Any, scope: Any, pos: Any, types: Any, *args: Any) -> Any:
            try:
                return stock(self, state, scope, pos, types, *args)
            except (OverflowError, ZeroDivisionError):
                if any(map(callable, args)):
                    raise
                again = (_saturating(x) for x in args)
                return _plain(stock(self, state, scope, pos, types, *again))

        return call

    for cls in classes:
        cls.__call__ = computed(cls.__call__)


@mends("titus.lib.pfamath")
def _hypot(lib: Any) -> None:
    _powers(lib.Hypot)


@mends("titus.lib.kernel")
def _rbf(lib: Any) -> None:
    _powers(lib.RBF)


@mends("titus.lib.metric")
def _distances(lib: Any) -> None:
    _powers(lib.SimpleEuclidean, lib.GaussianSimilarity)

    def increment(_self: Any, tally: float, x: float) -> Any:
        return tally + _Saturating(x) ** 2

    def root(_self: Any, x: float) -> float:
        return math.sqrt(x) if x >= 0.0 else math.nan  # negative weights make it negative

    # these call a function of the document
    lib.Euclidean.increment = lib.SquaredEuclidean.increment = increment
    lib.Euclidean.finalize = root
    lib.SquaredEuclidean.finalize = lambda _self, x: float(x)


@mends(
    "titus.lib.interp",
    "titus.lib.model.cluster",
    "titus.lib.model.naive",
    "titus.lib.model.neighbor",
    "titus.lib.prob.dist",
    "titus.lib.stat.pfatest",
)
def _squares(lib: Any) -> None:
    """Squared distances, and powers of rates."""
    _powers(*_functions(lib))


@mends("titus.lib.prob.dist")
def _quantiles(lib: Any) -> None:
    """All of these functions give a double; titus counts up to some quantiles in an int."""
    for cls in _functions(lib):
        cls.__call__ = _double(cls.__call__)


def _functions(lib: Any) -> list[Any]:
    """Give the library functions that a titus module defines itself."""
    return [
        cls
        for cls in vars(lib).values()
        if isinstance(cls, type)
        and issubclass(cls, lib.LibFcn)
        and cls.__module__ == lib.__name__
        and "__call__" in vars(cls)
    ]


def _double(stock: Callable[..., Any]) -> Callable[..., float]:
    return lambda *args: float(stock(*args))


@mends("titus.lib.array")
def _geometric_mean(lib: Any) -> None:
    """The root of a negative product is NaN, as in Java; Python gives a complex number."""
    stock = lib.GeoMean.__call__

    def geomean(self: Any, state: Any, scope: Any, pos: Any, types: Any, a: Any) -> float:
        mean = stock(self, state, scope, pos, types, a)
        return math.nan if isinstance(mean, complex) else mean

    lib.GeoMean.__call__ = geomean


@mends("titus.lib.array")
def _names_of_types(lib: Any) -> None:
    """Median and mode compare the name of a type by identity.

    The source is respelled (see loader), but not in bytecode that pip or compileall made of it.
    """
    for cls in (lib.Median, lib.Mode):
        cls.__call__ = _interned(cls.__call__)


def _interned(stock: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, state: Any, scope: Any, pos: Any, types: Any, a: Any) -> Any:
        *before, last = types
        last = sys.intern(last) if type(last) is str else last
        return stock(self, state, scope, pos, [*before, last], a)

    return call
