"""How far numbers are apart, in bounded memory: counts by size, from which quantiles are told.

Sizes are counted in buckets of which each is 2 % wider than the one before, so a quantile is
within 1 % of the true one (C. Masson, J. Rim, H. Lee: DDSketch, VLDB 2019); the mean and the
largest are exact.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

GROWTH = 1.02
QUANTILES = (0.5, 0.9, 0.99)
LARGEST = 1.7e308  # of two doubles the difference may be infinite, which JSON does not have

_LOG = math.log(GROWTH)


@dataclass(slots=True)
class Spread:
    """Sizes greater than 0."""

    count: int = 0
    mean: float = 0.0
    largest: float = 0.0
    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, size: float) -> None:
        """Count a size; it may be infinite."""
        size = min(size, LARGEST)
        self.count += 1
        self.mean += (size - self.mean) / self.count  # a sum could overflow
        self.largest = max(self.largest, size)
        self.buckets[math.ceil(math.log(size) / _LOG)] += 1

    def quantile(self, share: float) -> float:
        """Return the size that ``share`` of all do not exceed; 0 if there is nothing."""
        left = max(1, math.ceil(share * self.count))
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                return min(middle(bucket), self.largest)
        return 0.0

    def to_json(self) -> dict[str, float]:
        """Return mean, quantiles and the largest."""
        quantiles = {f"p{share * 100:g}": self.quantile(share) for share in QUANTILES}
        return {"mean": self.mean, **quantiles, "max": self.largest}


def middle(bucket: int) -> float:
    """The size that stands for a bucket: within 1 % of all that are in it."""
    return min(math.exp(min((bucket - 0.5) * _LOG, 709.0)), LARGEST)
