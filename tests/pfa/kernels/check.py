"""A specialised function and titus's on the same arguments."""

import copy
import math
from collections.abc import Callable
from typing import Any

from pfa.kernels.prepared import remade
from tests.pfa.fake_site import FakeSite

DOUBLES = {"type": "array", "items": "double"}
ROWS = {"type": "array", "items": DOUBLES}
MAP = {"type": "map", "values": "double"}
MAPS = {"type": "map", "values": MAP}
ODD = [0.0, -0.0, 1.0, -1.5, 3, -7, 2**60, 1e-320, 1e200, -1e308, math.inf, -math.inf, math.nan]


def record(**fields: Any) -> dict[str, Any]:
    named = [{"name": name, "type": kind} for name, kind in fields.items()]
    return {"type": "record", "name": "M", "fields": named}


def function(params: list[Any], ret: Any) -> dict[str, Any]:
    return {"type": "function", "params": params, "ret": ret}


def outcome(call: Callable[..., Any], *args: Any) -> Any:
    """What a call gives, or what it raises, so that == compares types and NaN too."""
    try:
        return exact(call(*copy.deepcopy(args)))
    except Exception as error:
        return (
            type(error).__name__,
            str(error),
            *(getattr(error, name, None) for name in ("message", "code", "fcnName", "pos")),
        )


def exact(value: Any) -> Any:
    if isinstance(value, dict):
        return [(key, exact(item)) for key, item in value.items()]
    if isinstance(value, list):
        return ["list", *map(exact, value)]
    return type(value).__name__, repr(value)


def same(site: FakeSite, *args: Any) -> None:
    """Check that both give the same, also when made again from the recipes."""
    expected = outcome(site.stock, *args)
    made = site.specialised()
    assert made is not None
    assert outcome(made, *args) == expected, args
    for name, value in site.names.items():
        if hasattr(value, "recipe"):
            site.names[name] = remade(value.recipe)
    assert outcome(made, *args) == expected, args


def nearly(site: FakeSite, *args: Any, scale: float) -> None:
    """Check that both give the same error, or the same but for rounding."""
    made = site.specialised()
    assert made is not None
    try:
        expected = site.stock(*copy.deepcopy(args))
    except Exception:
        assert outcome(made, *args) == outcome(site.stock, *args), args
    else:
        value = made(*copy.deepcopy(args))
        assert close(value, expected, scale), (args, value, expected)


def close(value: Any, expected: Any, scale: float) -> bool:
    """Tell whether all is the same but for 1e-12 of the largest product, in any order of keys."""
    if isinstance(expected, dict):
        return value.keys() == expected.keys() and all(
            close(value[key], expected[key], scale) for key in expected
        )
    if isinstance(expected, list):
        return len(value) == len(expected) and all(
            close(a, b, scale) for a, b in zip(value, expected, strict=True)
        )
    assert type(value) is type(expected), (value, expected)
    if not math.isfinite(expected) or not math.isfinite(value):
        return repr(value) == repr(expected)
    return abs(value - expected) <= 1e-12 * scale
