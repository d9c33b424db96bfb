"""Faults of titus in numbers: what numpy 2 dropped, NaN, overflow, and library mathematics."""

import sys
from typing import Any

from pfa.compat.loader import mends


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
