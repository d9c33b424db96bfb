"""The closest cluster, and distances: model.cluster.closest, metric.*."""

import math
from collections.abc import Callable
from operator import sub
from typing import Any

from pfa.kernels.prepared import Call, call_of, made, titus, written
from pfa.specialise import MISSING, Site, inline

_dist = math.dist
_sqrt = math.sqrt

# Distances that differ by more than this share are in the same order however they are rounded: by
# math.dist, or as titus's sums of x**2, which is 5 times slower. Both are good to 1e-15.
_CLEAR = 1.0 + 1e-9
# Outside of these, the square of the least is no longer a normal double.
_SMALLEST, _LARGEST = 1e-140, 1e140
_WRITTEN = 12  # clusters up to which their comparison is written out


@inline("model.cluster.closest")
def _closest(site: Site) -> str | None:
    call = call_of(site)
    datum, clusters = site.args[:2]
    if len(site.types) == 3:
        metric = site.function(2).name
        return f"{site.bind('closest', made(by_metric, call))}({datum}, {clusters}, {metric})"
    known = site.constant(1)
    centers = prepare(known) if known is not MISSING else None
    if centers is not None:
        return f"{site.bind('closest', made(of_centers, centers, call))}({datum}, {clusters})"
    return f"{site.bind('closest', made(of_clusters, call))}({datum}, {clusters})"


def prepare(clusters: Any) -> list[tuple[float, ...]] | None:
    """Return the centers, or None: they are not finite, of one length, and at least two."""
    centers = [tuple(map(float, cluster["center"])) for cluster in clusters]
    finite = all(math.isfinite(x) for center in centers for x in center)
    return centers if finite and len(centers) > 1 and len({*map(len, centers)}) == 1 else None


def of_centers(centers: list[tuple[float, ...]], call: Call) -> Callable[..., Any]:
    """Make the function of a vector and clusters that have these centers.

    It is written out for them, if they are few.
    """
    exactly = of_clusters(call)
    if len(centers) <= _WRITTEN:
        return _written(centers, exactly)

    def closest(datum: Any, clusters: Any) -> Any:
        try:
            distances = [_dist(datum, center) for center in centers]
        except (ValueError, OverflowError):  # titus leaves out what is too long
            return exactly(datum, clusters)
        ordered = sorted(distances)
        least = ordered[0]
        if _SMALLEST < least < _LARGEST and least * _CLEAR < ordered[1]:
            return clusters[distances.index(least)]
        return exactly(datum, clusters)

    return closest


def _written(centers: list[tuple[float, ...]], exactly: Callable[..., Any]) -> Callable[..., Any]:
    """Write a comparison of each distance with the least so far, and with the next.

    The centers are finite: with a NaN in the vector all distances are NaN.
    """
    first, second, *others = (f"d{i}" for i in range(len(centers)))
    lines = [
        "def closest(datum, clusters):",
        " try:",
        *(f"  d{i} = dist(datum, 'center {i}')" for i in range(len(centers))),
        " except (ValueError, OverflowError):",
        "  return exactly(datum, clusters)",
        f" if {first} < {second}: least, following, at = {first}, {second}, 0",
        f" else: least, following, at = {second}, {first}, 1",
    ]
    for i, distance in enumerate(others, 2):
        lines += [
            f" if {distance} < least: least, following, at = {distance}, least, {i}",
            f" elif {distance} < following: following = {distance}",
        ]
    lines += [
        f" if {_SMALLEST} < least < {_LARGEST} and least * {_CLEAR!r} < following:",
        "  return clusters[at]",
        " return exactly(datum, clusters)",
    ]
    constants = {f"center {i}": center for i, center in enumerate(centers)}
    closest: Callable[..., Any] = written(lines, constants, {"dist": _dist, "exactly": exactly})
    return closest


def of_clusters(call: Call) -> Callable[..., Any]:
    """Make the function of a vector and clusters."""
    stock = titus(call)

    def closest(datum: Any, clusters: Any) -> Any:
        try:
            distances = [
                sum([x**2 for x in map(sub, datum, cluster["center"])]) for cluster in clusters
            ]
        except OverflowError:
            return stock(datum, clusters)
        return clusters[_first_least(distances)] if distances else stock(datum, clusters)

    return closest


def by_metric(call: Call) -> Callable[..., Any]:
    """Make the function of anything, clusters, and a distance of the document."""
    stock = titus(call)

    def closest(datum: Any, clusters: Any, metric: Any) -> Any:
        if not clusters:
            return stock(datum, clusters, metric)
        distances = [metric(datum, cluster["center"]) for cluster in clusters]
        return clusters[_first_least(distances)]

    return closest


def _first_least(distances: list[Any]) -> int:
    """Return where the least is; a NaN in front is less than nothing and more than nothing."""
    best = 0
    least = distances[0]
    for i, distance in enumerate(distances):
        if distance < least:
            best, least = i, distance
    return best


@inline("metric.simpleEuclidean")
def _simple_euclidean(site: Site) -> str:
    name = site.bind("distance", made(simple_euclidean, call_of(site)))
    return f"{name}({site.args[0]}, {site.args[1]})"


def simple_euclidean(call: Call) -> Callable[..., Any]:
    """Make the distance of two vectors."""
    stock = titus(call)

    def distance(x: Any, y: Any) -> Any:
        if len(x) != len(y):
            return stock(x, y)
        try:
            return _sqrt(sum([d**2 for d in map(sub, x, y)]))
        except OverflowError:
            return stock(x, y)

    return distance


@inline("metric.absDiff")
def _absolute_difference(site: Site) -> str:
    return f"abs({site.args[0]} - {site.args[1]})"
