"""Conversions of numbers: ``cast.int``, ``cast.long``, ``cast.float`` and ``cast.double``."""

import math
from collections.abc import Callable
from typing import Any

from pfa.library.math import rounded
from pfa.library.texts import INT, LONG, call, number, raiser
from pfa.specialise import Site, inline


def to_long(overflow: Callable[[], Any], x: float) -> int:
    """Return a number rounded, halves up; an int as it is."""
    if isinstance(x, float):
        if not -9223372036854775808.0 <= x + 0.5 < 9223372036854775808.0:
            return overflow()  # type: ignore[no-any-return]
        return math.floor(x + 0.5)
    return x if LONG[0] <= x <= LONG[1] else overflow()


@inline("cast.int", "cast.long")
def _whole(site: Site) -> str:
    of = site.types[0].name
    to = site.name.removeprefix("cast.")
    overflow = raiser(site, f"{to} overflow", {"int": 17020, "long": 17030}[to])
    if of in ("int", "long"):
        low, high = INT if to == "int" else LONG
        return f"(_v if {low} <= (_v := {site.args[0]}) <= {high} else {overflow}())"
    if to == "int":
        return rounded(site, to, overflow)
    # a double may be a large int, to which 0.5 cannot be added
    return call(site, to_long, overflow)


@inline("cast.float", "cast.double")
def _real(site: Site) -> str:
    known = number(site, 0)
    if known is not None and math.isfinite(known):
        return repr(float(known))
    return f"float({site.args[0]})"
