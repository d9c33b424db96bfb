"""What counts as a change of an answer, and what is told of many of them."""

import random
from typing import Any

import pytest

import pfa
from scripts.diff import behaviour
from scripts.diff.behaviour import OTHER, Behaviour
from scripts.diff.rows import Row
from scripts.diff.spread import Spread


def added(*pairs: tuple[Any, Any], tolerance: float = 1e-9) -> Behaviour:
    found = Behaviour(tolerance)
    for number, (old, new) in enumerate(pairs, 1):
        found.add(number, old, new)
    return found


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (1.0, 1.0, True),
        (1.0, 1.0 + 1e-10, True),
        (1.0, 1.0 + 1e-8, False),
        (1e12, 1e12 + 1, True),  # relative
        (1e-12, 2e-12, True),  # next to 0 there is no relative difference
        (1e-10, 2e-10, False),
        (1, 1.0, True),
        (-1.7e308, 1.7e308, False),
        ("a", "a", True),
        ("a", "b", False),
        (None, "null", False),
        (True, 1, False),
        (True, False, False),
        (None, {"double": 1.0}, False),
        ({"a": 1.0}, {"a": 1.0, "b": 1.0}, False),
        ({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0}, True),
        ([1.0, 2.0], [1.0], False),
        ([], [], True),
        ({}, [], False),
        ("x" * 100 + "a", "x" * 100 + "b", False),
    ],
)
def test_what_is_a_change(old: Any, new: Any, same: bool) -> None:
    found = added((old, new))
    assert (found.same, found.changed) == ((1, 0) if same else (0, 1))
    assert added((new, old)).same == found.same


def test_errors_come_go_and_differ() -> None:
    first, second = pfa.ScoringError("no", code=1), pfa.ScoringError("no", code=2)
    refused, bare, other = pfa.InputError([]), pfa.ScoringError("a"), pfa.ScoringError("b")
    found = added(
        (1.0, first),
        (first, 1.0),
        (first, second),
        (first, pfa.ScoringError("in other words", code=1)),
        (refused, first),
        (1.0, refused),
        (refused, refused),
        (bare, other),
        (bare, pfa.ScoringError("a")),
    )
    assert (found.errors_come, found.errors_go, found.errors_differ) == (2, 1, 3)
    assert (found.same, found.changed) == (3, 6)
    assert (found.only_old_accepts, found.only_new_accepts) == (1, 1)
    assert found.neither_accepts == 1
    assert found.errors["error 1", "error 2"] == 1


def test_numbers_are_told_by_their_place() -> None:
    found = added(({"a/b": [1.0, 2.0]}, {"a/b": [1.0, 4.0]}), ({"a/b": [1, 4]}, {"a/b": [1, 3]}))
    assert found.numbers["/a~1b/0"].compared == 2
    assert found.numbers["/a~1b/0"].changed == 0
    second = found.numbers["/a~1b/1"]
    assert (second.up.count, second.down.count) == (1, 1)
    assert second.absolute.to_json()["mean"] == 1.5
    assert second.relative.largest == 0.5


def test_quantiles_are_within_one_percent() -> None:
    spread = Spread()
    random.seed(1)
    sizes = sorted(random.lognormvariate(0, 5) for _ in range(10_000))
    for size in sizes:
        spread.add(size)
    for share in (0.5, 0.9, 0.99):
        assert spread.quantile(share) == pytest.approx(sizes[int(share * 10_000) - 1], rel=0.0101)
    assert spread.largest == sizes[-1]
    assert spread.mean == pytest.approx(sum(sizes) / 10_000)


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1.0, 1.7e308, float("inf")])
def test_quantiles_of_extremes_are_finite(size: float) -> None:
    spread = Spread()
    spread.add(size)
    assert 0 <= spread.quantile(0.5) <= 1.7e308
    assert spread.mean <= 1.7e308


def test_the_ten_largest() -> None:
    numbers = list(range(1, 101))
    random.seed(2)
    random.shuffle(numbers)
    found = Behaviour(0.0)
    for number in numbers:
        found.add(number, 0.0, number / 1000)
    found.add(1000, "a", "b")
    found.add(1001, 1.0, pfa.ScoringError("no"))
    ordered = sorted(found.largest, reverse=True)
    assert [-row.minus_number for row in ordered] == [1001, 1000, *range(100, 92, -1)]
    assert isinstance(ordered[0].new, pfa.ScoringError)
    assert added(*[(0.0, 1.0)] * 30).largest[0].minus_number == -10  # the first of those alike


def test_a_count_of_old_against_new() -> None:
    found = added(("R", "R"), ("R", "M"), ("M", "R"), ("R", "M"))
    assert found.labels[""] == {("R", "R"): 1, ("R", "M"): 2, ("M", "R"): 1}


def test_memory_does_not_grow_with_places_and_values() -> None:
    found = Behaviour(0.0)
    for number in range(3000):
        error = pfa.ScoringError(f"no {number}")
        found.add(number, {f"a{number}": 1.0}, {f"a{number}": 2.0})
        found.add(number, {f"b{number}": "x"}, {f"b{number}": "y"})
        found.add(number, f"x{number}", f"y{number}")
        found.add(number, 1.0, error)
    assert found.changed == 12_000
    assert len(found.numbers) == behaviour.PLACES + 1
    assert found.numbers[OTHER].changed == 3000 - behaviour.PLACES
    assert len(found.labels) <= behaviour.PLACES + 1
    assert max(map(len, found.labels.values())) <= behaviour.LABELS**2 + 1
    assert len(found.errors) <= behaviour.LABELS + 1


def test_a_thousand_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    model = pfa.load({"input": "int", "output": "int", "action": "input"})
    sizes: list[int] = []
    score = pfa.Model.score_batch

    def counted(self: pfa.Model, records: list[Any]) -> list[Any]:
        sizes.append(len(records))
        return score(self, records)

    monkeypatch.setattr(pfa.Model, "score_batch", counted)
    rows = [Row(number, 1, number) for number in range(1, 2502)]
    found = behaviour.compare(model, model, rows, 0.0)
    assert (found.rows, found.same, found.changed) == (2501, 2501, 0)
    assert sizes == [1000, 1000, 1000, 1000, 501, 501]
    large = [Row(number, behaviour.CHUNK_BYTES // 2, number) for number in range(1, 8)]
    sizes.clear()
    behaviour.compare(model, model, large, 0.0)
    assert sizes == [3, 3, 3, 3, 1, 1]
