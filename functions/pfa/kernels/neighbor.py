"""The nearest points of a codebook: model.neighbor.nearestK."""

import math
from collections.abc import Callable
from typing import Any

from pfa.kernels.prepared import Call, NumpyLater, call_of, made, titus
from pfa.specialise import MISSING, Function, Site, inline

_dist = math.dist

# Points of which the distance is larger by more than this share are farther however it is rounded:
# by math.dist, by numpy, or as titus's sums of x**2, which is 5 times slower. All are good to 1e-12
# for any number of fields. The few other points are measured as the document has it.
_CLEAR = 1.0 + 1e-9
# Outside of these, the square of a distance is no normal double.
_SMALLEST, _LARGEST = 1e-140, 1e140
# Of integers above it, the differences are exact in titus, and not as doubles.
_EXACT = 2**52


@inline("model.neighbor.nearestK")
def _nearest(site: Site) -> str | None:
    if len(site.types) != 4:
        return None
    call, metric = call_of(site), site.function(3)
    points = _points(site, metric)
    function = made(of_codebook, call) if points is None else made(of_points, points, call)
    return f"{site.bind('nearest', function)}({', '.join(site.args[:3])}, {metric.name})"


def _points(site: Site, metric: Function) -> list[tuple[float, ...]] | None:
    """Return the points of a constant codebook, if the metric is their Euclidean distance."""
    known, call = site.constant(2), metric.call
    if known is MISSING or call is None or call.name != "metric.simpleEuclidean":
        return None
    datum, point = metric.given
    first, second = call.args
    field = second.removeprefix(f"{point}['").removesuffix("']")
    if first != datum or second != f"{point}['{field}']" or not field.isidentifier():
        return None
    points = [tuple(each[field]) for each in known]
    numbers = (x for each in points for x in each)
    if not all(abs(x) <= _EXACT or (type(x) is float and math.isfinite(x)) for x in numbers):
        return None
    return [tuple(map(float, each)) for each in points] if len({*map(len, points)}) == 1 else None


def of_points(points: list[tuple[float, ...]], call: Call) -> Callable[..., Any]:
    """Make the function of a number, a vector, a codebook of these points, and their distance."""
    generally, numpy = of_codebook(call), NumpyLater()
    find, products, is_with_numpy = _in_turn(points), len(points) * len(points[0]), False

    def nearest(k: Any, datum: Any, codebook: Any, metric: Any) -> Any:
        nonlocal find, is_with_numpy
        if not is_with_numpy and (np := numpy.after(products)):
            find, is_with_numpy = _at_once(np, points), True
        if 0 < k <= len(points):
            try:
                near = find(k, datum)
            except (ValueError, OverflowError):  # of another length, or too large an int
                near = None
            if near is not None:
                codebook = [codebook[i] for i in near]
        return generally(k, datum, codebook, metric)

    return nearest


Find = Callable[[int, Any], list[int] | None]


def _in_turn(points: list[tuple[float, ...]]) -> Find:
    """Make what gives which points may be the k nearest; None: any."""

    def find(k: int, datum: Any) -> list[int] | None:
        distances = [_dist(datum, point) for point in points]
        ordered = sorted(distances)
        most = ordered[k - 1] * _CLEAR
        if not (most > _SMALLEST and ordered[-1] < _LARGEST):
            return None
        return [i for i, distance in enumerate(distances) if distance <= most]

    return find


def _at_once(np: Any, points: list[tuple[float, ...]]) -> Find:
    """Make the same with numpy, of squares of distances."""
    table = np.array(points)

    def find(k: int, datum: Any) -> list[int] | None:
        x = np.array(datum, float)
        if x.shape != table.shape[1:]:
            return None
        with np.errstate(all="ignore"):
            apart = table - x
            squares = np.einsum("ij,ij->i", apart, apart)
            most = np.partition(squares, k - 1)[k - 1] * _CLEAR**2
            if not (most > _SMALLEST**2 and squares.max() < _LARGEST**2):
                return None
        found: list[int] = np.flatnonzero(squares <= most).tolist()
        return found

    return find


def of_codebook(call: Call) -> Callable[..., Any]:
    """Make the function of a number, anything, a codebook, and a distance of the document."""
    stock = titus(call)

    def nearest(k: Any, datum: Any, codebook: Any, metric: Any) -> Any:
        if k < 0:
            return stock(k, datum, codebook, metric)
        distances = [metric(datum, each) for each in codebook]
        if any(distance != distance for distance in distances):  # NaN has a place of its own
            return stock(k, datum, codebook, metric)
        order = sorted(range(len(distances)), key=distances.__getitem__)
        return [codebook[i] for i in order[:k]]

    return nearest
