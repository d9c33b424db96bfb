"""The closest cluster, and distances: model.cluster.closest, metric.*."""

import math
from collections.abc import Callable
from operator import sub
from typing import Any

from pfa.kernels.prepared import Call, call_of, made, titus
from pfa.specialise import MISSING, Site, inline

_dist = math.dist
_sqrt = math.sqrt

# Distances that differ by more than this share are in the same order however they are rounded: by
# math.dist, or as titus's sums of x**2, which is 5 times slower. Both are good to 1e-15.
_CLEAR = 1.0 + 1e-9
# Outside of these, the square of the least is no longer a normal double.
_SMALLEST, _LARGEST = 1e-140, 1e140


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
    """Make the function of a vector and clusters that have these centers."""
    exactly = of_clusters(call)

    def closest(datum: Any, clusters: Any) -> Any:
        try:
            distances = [_dist(datum, center) for center in centers]
        except (ValueError, OverflowError):  # titus leaves out what is too long
            return exactly(datum, clusters)
        least, following = sorted(distances)[:2]
        if _SMALLEST < least < _LARGEST and least * _CLEAR < following:
            return clusters[distances.index(least)]
        return exactly(datum, clusters)

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
