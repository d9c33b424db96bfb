"""Many records at once down the trees of a flat forest (see `lower`), with numpy.

For each record and each column of splits there is one place: splits before it go one way, those
after it the other. So one step down for all records and trees is: the column of each one's split,
the record's place there, whether the split is before it, and what comes next.
"""

from collections.abc import Sequence
from typing import Any

from pfa.kernels.prepared import Recipe
from pfa.kernels.tree import walk
from pfa.kernels.tree.lower import GT, LE, LT, Data
from pfa.memory import numpy

Array = Any  # of numpy, which is not there before it is needed

_BLOCK = 8_000  # walks at once: 64 kB for each array of them; more than 128 kB come from the kernel
_ALONE, _PER_COLUMN = 300, 16  # trees, from which on a record alone is as fast
_LARGEST = 2.0**53  # an integer beyond is not compared as the double next to it is


def trees_of(function: Any) -> int:
    """Return how many trees there are in a forest's function, 0 if ``Many`` is not for it."""
    recipe: Recipe | None = getattr(function, "recipe", None)
    if recipe is None or recipe[:2] not in _MADE_BY:
        return 0
    data: Data = recipe[2][0]
    return len(data["roots"]) if "columns" in data else 0


def is_faster(function: Any) -> bool:
    """Tell whether ``Many`` is faster for a forest than numpy is for each record alone, see `flat`.

    There a step in all trees, or a column, takes half a microsecond, however many splits they have.
    """
    data: Data = function.recipe[2][0]
    return len(data["roots"]) < max(_ALONE, _PER_COLUMN * len(data["columns"]))


_MADE_BY = [(walk.__name__, made.__name__) for made in (walk.all_trees, walk.of_fields)]


class Many:
    """What walks for many records as ``function`` does for one."""

    def __init__(self, function: Any) -> None:
        """Take the function of a forest, which ``trees_of`` is not 0 for."""
        self._np = np = numpy()  # 0.1 s
        self._alone = function
        (_, maker, (data,)) = function.recipe
        self._values = walk.values_of(data) if maker == walk.all_trees.__name__ else _bare_of(data)
        self._columns = [
            (field, np.array(cuts, float), "left" if op in (LE, GT) else "right", op in (LE, LT))
            for field, op, cuts in data["columns"]
        ]
        sizes = [len(cuts) for _, cuts, _, _ in self._columns]
        self._ends = np.cumsum([0, *sizes])
        splits = int(self._ends[-1])
        # What is of split or leaf k is at 2k, so that 2k + 1 is where it leads before the place.
        passing, failing, missing = (
            2 * np.frombuffer(way, np.intc).astype(np.intp) for way in data["ways"]
        )
        is_low = np.repeat([low for _, _, _, low in self._columns], sizes)
        nodes = np.arange(0, 2 * (splits + len(data["leaves"])), 2)
        self._next = np.repeat(nodes, 2)
        self._next[: 2 * splits : 2] = np.where(is_low, passing, failing)
        self._next[1 : 2 * splits : 2] = np.where(is_low, failing, passing)
        self._missing = np.repeat(missing, 2)
        self._column = np.zeros(len(self._next), np.intp)
        self._column[: 2 * splits] = np.repeat(np.arange(len(sizes)), np.multiply(sizes, 2))
        self._first_leaf = 2 * splits
        self._roots = 2 * np.array(data["roots"], np.intp)
        self._leaves = np.fromiter(data["leaves"], object, len(data["leaves"]))
        self._is_exact = all(np.all(np.abs(cuts) <= _LARGEST) for _, cuts, _, _ in self._columns)

    def __call__(self, records: Sequence[Any]) -> list[list[Any]]:
        """Return the answers of all trees, in order, for each of what a call would be given."""
        places = self._places(records) if self._is_exact else None
        if places is None:
            return [*map(self._alone, records)]
        answers: list[list[Any]] = []
        rows = max(_BLOCK // len(self._roots), 1)
        for start in range(0, len(records), rows):
            leaves = self._walk(places[start : start + rows]) - self._first_leaf
            answers.extend(self._leaves.take(leaves >> 1).reshape(-1, len(self._roots)).tolist())
        return answers

    def _places(self, records: Sequence[Any]) -> Array:
        """Return each record's place in each column, twice, -1 where the value is missing.

        None if there are values which doubles do not compare as.
        """
        np = self._np
        rows = [*map(self._values, records)]
        values = np.array(rows, float)
        if np.any(np.abs(values) > _LARGEST):
            return None
        odd = np.isnan(values)  # None is NaN here, too
        if has_odd := odd.any():
            missing = np.equal(np.array(rows, object), None)
            if not len(self._missing) and missing.any():
                return None
        places = np.empty((len(records), len(self._columns)), np.intp)
        for number, (field, cuts, side, is_low) in enumerate(self._columns):
            place = cuts.searchsorted(values[:, field], side) + self._ends[number]
            if has_odd:
                place[odd[:, field]] = self._ends[number + is_low]
                place[missing[:, field]] = -1
            places[:, number] = 2 * place
        return places

    def _walk(self, places: Array) -> Array:
        """Return at which leaf each record comes to an end, in each tree."""
        np = self._np
        records, columns = places.shape
        places = places.ravel()
        record = np.repeat(np.arange(0, records * columns, columns), len(self._roots))
        at = np.tile(self._roots, records)
        has_missing = places.min() < 0
        ends, walking = at, np.arange(len(at))
        while len(walking):
            for _ in range(2):  # a look at who is at a leaf takes as long as a step
                place = places.take(self._column.take(at) + record)
                step = self._next.take(at + (at < place))
                if has_missing:
                    lost = np.flatnonzero((place < 0) & (at < self._first_leaf))
                    step[lost] = self._missing.take(at.take(lost))
                at = step
            ends[walking] = at
            left = np.flatnonzero(at < self._first_leaf)
            if len(left) < 0.7 * len(walking):
                walking, at, record = walking.take(left), at.take(left), record.take(left)
        return ends


def _bare_of(data: Data) -> Any:
    """Return what takes the tags off the values of a record."""
    if not data["untag"]:
        return lambda values: values
    return lambda values: [*map(walk.bare, values)]
