"""Decision trees: each answer and each error is titus's."""

import json
import marshal
import math
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy
import pytest

from pfa import compat
from pfa.kernels import tree
from pfa.kernels.prepared import NumpyLater, remade
from pfa.kernels.tree import many
from pfa.kernels.tree.flat import in_arrays, in_python
from pfa.kernels.tree.lower import SMALLEST_FLAT
from pfa.kernels.tree.walk import values_of, walker
from scripts.make_forest import forest as regression_forest
from tests.pfa.fake_site import FakeSite, avro

NAN, INF = math.nan, math.inf

FIELDS: dict[str, Any] = {
    "x": "double",
    "y": "float",
    "i": "int",
    "n": "long",
    "s": "string",
    "e": {"type": "enum", "name": "Kind", "symbols": ["low", "mid", "high"]},
    "b": "boolean",
    "mx": ["null", "double"],
    "ms": ["string", "null"],
    "mi": ["int", "null"],
    "two": ["null", "double", "string"],
}
VALUES: list[Any] = [
    "double",
    "int",
    "string",
    "boolean",
    "Kind",
    {"type": "array", "items": ["double", "string"]},
]


@dataclass
class Walking:
    """Trees of one type over records of one type, walked by titus and by our functions."""

    fields: dict[str, Any]
    values: Any
    leaves: list[Any]
    three_way: bool = False
    test: str = "model.tree.simpleTree"
    more: list[Any] = field(default_factory=list)  # of the node type

    def __post_init__(self) -> None:
        ways = ["pass", "fail", "missing"] if self.three_way else ["pass", "fail"]
        enum = {"type": "enum", "name": "Field", "symbols": list(self.fields)}
        node = {
            "type": "record",
            "name": "TreeNode",
            "fields": [
                {"name": "field", "type": enum},
                {"name": "operator", "type": "string"},
                {"name": "value", "type": self.values},
                *({"name": way, "type": ["TreeNode", *self.leaves]} for way in ways),
                *self.more,
            ],
        }
        datum = {
            "type": "record",
            "name": "Input",
            "fields": [{"name": n, "type": t} for n, t in self.fields.items()],
        }
        document = {
            "input": datum,
            "output": {"type": "array", "items": "TreeNode"},
            "cells": {"forest": {"type": {"type": "array", "items": node}, "init": []}},
            "action": {"cell": "forest"},
        }
        self.engine = compat.engine(document)
        self.state = SimpleNamespace(parser=self.engine.parser)
        self.datum = self.engine.config.input
        self.forest = self.engine.config.cells["forest"].avroType
        self.library = compat.load("titus.pfaast").FunctionTable.blank().functions
        self.name = self.test
        if self.test != "model.tree.simpleTree":
            self.name = f"model.tree.{'missing' if self.three_way else 'simple'}Walk"

    def decoded(self, trees: list[Any]) -> list[Any]:
        decode = compat.load("titus.datatype").jsonDecoder
        return decode(self.forest, trees)  # type: ignore[no-any-return]

    def types(self) -> list[Any]:
        return json.loads(repr([self.datum, self.forest.items, "double"]).replace("'", '"'))  # type: ignore[no-any-return]

    def stock(self, datum: Any, root: Any) -> Any:
        def test(_state: Any, _scope: Any, _pos: Any, _types: Any, *args: Any) -> Any:
            return self.library[self.test](self.state, None, "here", self.types(), *args)

        more = () if self.name == self.test else (test,)
        function = self.library[self.name]
        return function(self.state, None, "here", self.types(), datum, root, *more)

    def site(self, parsed: Any = None) -> Any:
        known = {} if parsed is None else {1: parsed}
        made = FakeSite(self.name, ["double"], "double", known=known)
        made.types = [self.datum, self.forest.items]
        made.args = ["x0", "x1", "x2"][: 2 + (self.name != self.test)]
        if self.name != self.test:
            call = FakeSite(self.test, ["double"], "double", args=["d", "t"])
            call.types = made.types
            predicate = SimpleNamespace(params=["d", "t"], call=call)
            made.function = lambda _index: predicate  # type: ignore[method-assign,assignment,return-value]
        return made

    def ours(self, parsed: Any = None) -> Callable[[Any, Any], Any]:
        """Make our function of the record and the root; the tree is constant if it is given."""
        site = self.site(parsed)
        text = tree._tree(site)
        return eval(f"lambda x0, x1: {text}", site.names)  # type: ignore[no-any-return]


def outcome(function: Callable[..., Any], *args: Any) -> str:
    """Say what a call gives, with types, or what it raises."""
    try:
        return repr(function(*args))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def numbers(rng: random.Random) -> float:
    return rng.choice([rng.uniform(-2, 2), float(rng.randint(-2, 2)), -0.0, INF, -INF, 1e300])


def record(rng: random.Random) -> dict[str, Any]:
    """A record of FIELDS as the engine has it."""
    number = rng.choice([numbers(rng), NAN])
    integer = rng.choice([rng.randint(-2, 2), 2**53 + 1, -(2**63), 2**31 - 1])
    text = rng.choice(["", "a", "b", "low", "é"])
    some: dict[str, Any] = {
        "x": number,
        "y": numbers(rng),
        "i": rng.choice([rng.randint(-2, 2), 2**31 - 1]),
        "n": integer,
        "s": text,
        "e": rng.choice(["low", "mid", "high"]),
        "b": rng.random() < 0.5,
        "mx": rng.choice([None, {"double": number}, number]),
        "ms": rng.choice([None, {"string": text}, text]),
        "mi": rng.choice([None, {"int": integer}, integer]),
        "two": rng.choice([None, {"double": number}, {"string": text}]),
    }
    return some


def value(rng: random.Random, name: str) -> Any:
    """A value to compare a field with; rarely one of another type."""
    kind = FIELDS[name]
    if rng.random() < 0.1:
        kind = rng.choice(list(FIELDS.values()))
    if rng.random() < 0.15:
        items = rng.choice([[{"double": 1}, {"double": 0.0}], [{"string": "a"}, {"string": ""}]])
        return {"array": items}
    if kind in ("double", "float") or kind == FIELDS["mx"]:
        return {"double": rng.choice([numbers(rng), rng.randint(-2, 2)])}
    if kind in ("int", "long") or kind == FIELDS["mi"]:
        return {"int": rng.randint(-2, 2)}
    if kind == "boolean":
        return {"boolean": rng.random() < 0.5}
    if kind == FIELDS["e"]:
        return {"Kind": rng.choice(["low", "mid", "high"])}
    return {"string": rng.choice(["", "a", "b", "low"])}


OPERATORS = ["<=", "<", ">=", ">", "==", "!=", "in", "notIn"]
ALWAYS = ["alwaysTrue", "alwaysFalse", "isMissing", "notMissing", "known", ""]


def grown(rng: random.Random, names: list[str], ways: list[str], depth: int) -> Any:
    """A random tagged node."""
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(
            [{"double": rng.choice([0.0, -0.0, 1, 2.5])}, {"string": rng.choice(["", "M", "0.0"])}]
        )
    name = rng.choice(names)
    operators = OPERATORS if rng.random() < 0.9 else ALWAYS
    node = {"field": name, "operator": rng.choice(operators), "value": value(rng, name)}
    below = {way: grown(rng, names, ways, depth - 1) for way in ways}
    return {"TreeNode": {**node, **below}}


def random_tree(rng: random.Random, names: list[str], ways: list[str]) -> Any:
    while True:
        tagged = grown(rng, names, ways, rng.randint(1, 4))
        if "TreeNode" in tagged:
            return tagged["TreeNode"]


@pytest.mark.parametrize(
    ("test", "three_way"),
    [
        ("model.tree.simpleTree", False),
        ("model.tree.simpleTest", False),
        ("model.tree.simpleTest", True),
        ("model.tree.missingTest", True),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_random_trees_answer_as_in_titus(test: str, three_way: bool, seed: int) -> None:
    """Every operator, also with values of other types, and records with odd numbers."""
    rng = random.Random(seed)
    walking = Walking(FIELDS, VALUES, ["double", "string"], three_way, test)
    ways = ["pass", "fail", "missing"] if three_way else ["pass", "fail"]
    lowered = 0
    dynamic = walking.ours()
    for _ in range(120):
        names = rng.sample(list(FIELDS), rng.randint(1, 3))
        parsed = random_tree(rng, names, ways)
        (root,) = walking.decoded([parsed])
        ours = walking.ours(parsed)
        whole = tree.forest(walking.site(), [parsed, parsed])
        lowered += whole is not None
        for _ in range(6):
            datum = record(rng)
            expected = outcome(walking.stock, datum, root)
            assert outcome(ours, datum, root) == expected, (parsed, datum)
            assert outcome(dynamic, datum, root) == expected, (parsed, datum)
            if whole is not None and "Exception" not in expected:
                assert repr(whole(datum)) == f"[{expected}, {expected}]"
    assert lowered > 20


def forest_of(
    rng: random.Random,
    operators: list[str],
    three_way: bool,
    integers: bool = False,
    depth: int = 5,
) -> list[Any]:
    """Trees of comparisons of numbers only."""

    def node(depth: int) -> Any:
        if depth == 0 or rng.random() < 0.1:
            return {"double": rng.choice([0.0, -0.0, rng.random()])}
        ways = ["pass", "fail", "missing"] if three_way else ["pass", "fail"]
        cut: Any = {"double": rng.choice([numbers(rng), rng.randint(-2, 2)])}
        if integers and rng.random() < 0.5:
            cut = {"int": rng.choice([rng.randint(-2, 2), 2**53 + 1])}
        names = ["x", "n", "i"] if not three_way else ["x", "mx", "mi"]
        return {
            "TreeNode": {
                "field": rng.choice(names),
                "operator": rng.choice(operators),
                "value": cut,
                **{way: node(depth - 1) for way in ways},
            }
        }

    trees = (node(depth) for _ in range(1000))
    return [each["TreeNode"] for each in trees if "TreeNode" in each][: 60 if depth > 3 else 300]


@pytest.mark.parametrize(
    ("operators", "three_way", "integers", "depth"),
    [
        (["<="], False, False, 5),
        (["<"], True, False, 5),
        ([">"], False, True, 5),
        ([">="], True, True, 5),
        (["<=", "<", ">", ">="], False, True, 5),
        (["<=", "<", ">", ">="], True, True, 5),
        (["<=", ">"], False, False, 3),
        (["<=", ">"], True, False, 2),
    ],
)
def test_flat_forest_answers_as_titus(
    monkeypatch: pytest.MonkeyPatch,
    operators: list[str],
    three_way: bool,
    integers: bool,
    depth: int,
) -> None:
    rng = random.Random(len(operators))
    test = "model.tree.missingTest" if three_way else "model.tree.simpleTree"
    walking = Walking(FIELDS, ["double", "int", "string"], ["double"], three_way, test)
    trees = forest_of(rng, operators, three_way, integers, depth)
    ours: Any = tree.forest(walking.site(), trees)
    data = ours.recipe[2][0]
    assert "columns" in data
    assert sum(len(cuts) for _, _, cuts in data["columns"]) >= SMALLEST_FLAT
    again = remade(marshal.loads(marshal.dumps(ours.recipe)))
    by_values, values = walker(data), values_of(data)
    walks = [in_python(data), arrays_of(data)]
    monkeypatch.setattr("pfa.kernels.tree.flat.LISTED", 0)
    walks.append(in_python(data))
    roots = walking.decoded(trees)
    for _ in range(60):
        datum = record(rng)
        expected = repr([walking.stock(datum, root) for root in roots])
        assert repr(ours(datum)) == expected
        assert repr(again(datum)) == expected
        assert repr(by_values(values(datum))) == expected
        assert [repr(walk(values(datum))) for walk in walks] == [expected] * 3


def arrays_of(data: Any) -> Any:
    walk = in_arrays(numpy, data)
    assert walk is not None
    return walk


def test_numpy_walks_when_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    walking = Walking(FIELDS, ["double", "int", "string"], ["double"])
    rng = random.Random(3)
    trees = forest_of(rng, ["<="], False)
    some = [record(rng) for _ in range(20)]
    expected = [repr(tree.forest(walking.site(), trees)(each)) for each in some]  # type: ignore[misc]
    asked: list[int] = []
    walks: list[Any] = []

    def after(self: NumpyLater, work: int) -> Any:
        asked.append(work)
        return numpy if len(asked) > 5 else None

    def made(np: Any, data: Any) -> Any:
        if len(walks) == 1:
            walks.append(MemoryError)
            raise MemoryError
        walks.append(in_arrays(np, data) if not walks else None)
        return walks[-1]

    monkeypatch.setattr(NumpyLater, "after", after)
    monkeypatch.setattr("pfa.kernels.tree.flat.in_arrays", made)
    for number in range(3):  # in arrays; not for want of memory; not that deep
        asked.clear()
        ours: Any = tree.forest(walking.site(), trees)
        assert [repr(ours(each)) for each in some] == expected
        assert asked == [60] * 6
        assert len(walks) == number + 1


def test_numpy_does_not_walk_in_few_or_deep_trees() -> None:
    walking = Walking(FIELDS, VALUES, ["double", "string"])
    deep: Any = {**NODE, "value": {"double": 0.0}}
    for cut in range(1, 220):
        deep = {**NODE, "value": {"double": float(cut)}, "fail": {"TreeNode": deep}}
    for trees in ([deep], [deep] * 60):
        ours: Any = tree.forest(walking.site(), trees)
        data = ours.recipe[2][0]
        assert in_arrays(numpy, data) is None
        (root, *_) = walking.decoded(trees)
        for x in (-1.0, 100.5, 300.0, NAN):
            datum = {**record(random.Random(1)), "x": x}
            assert ours(datum) == [walking.stock(datum, root)] * len(trees)


@pytest.mark.parametrize("three_way", [False, True])
@pytest.mark.parametrize("operators", [["<="], ["<"], [">"], [">="], ["<=", "<", ">", ">="]])
def test_many_records_at_once(operators: list[str], three_way: bool) -> None:
    """Missing values and NaN; integers that are no doubles are walked for alone."""
    rng = random.Random(len(operators))
    test = "model.tree.missingTest" if three_way else "model.tree.simpleTree"
    walking = Walking(FIELDS, ["double", "int", "string"], ["double"], three_way, test)
    some = [record(rng) for _ in range(300)]
    for integers in (False, True):
        ours: Any = tree.forest(walking.site(), forest_of(rng, operators, three_way, integers))
        assert many.trees_of(ours) == many.trees_of(ours.of_fields) == 60
        fields = ours.recipe[2][0]["fields"]
        exact = [each for each in some if all(is_exact(each[name]) for name in fields)]
        assert 300 > len(exact) > 20
        if three_way:
            seen = {repr(each["mx"]) for each in exact}
            assert {"None", "nan", "{'double': nan}"} <= seen
        for records in (exact, some, some[:1], []):
            answers = many.Many(ours)(records)
            assert repr(answers) == repr([ours(each) for each in records])
            rows = [tuple(each[name] for name in fields) for each in records]
            assert repr(many.Many(ours.of_fields)(rows)) == repr(answers)


def is_exact(value: Any) -> bool:
    (value,) = value.values() if isinstance(value, dict) else (value,)
    return value is None or value != value or abs(value) <= 2**53


def test_what_is_not_walked_for_many_records_at_once() -> None:
    walking = Walking(FIELDS, VALUES, ["double", "string"])
    small = tree.forest(walking.site(), [NODE] * 3)
    assert [many.trees_of(each) for each in (small, len, walker, None)] == [0, 0, 0, 0]


@pytest.mark.parametrize("make", [in_python, arrays_of])
def test_flat_forest_in_many_threads_and_after_an_error(make: Callable[[Any], Any]) -> None:
    """What is kept of a record for the next one is not seen by a walk at the same time."""
    rng = random.Random(7)
    walking = Walking(FIELDS, ["double", "int", "string"], ["double"])
    ours: Any = tree.forest(walking.site(), forest_of(rng, ["<="], False))
    data = ours.recipe[2][0]
    walk, values = make(data), values_of(data)
    records = [record(rng) for _ in range(50)]
    expected = [repr(ours(each)) for each in records]

    def rounds(_: int) -> bool:
        for each, answer in [*zip(records, expected, strict=True)] * 20:
            if repr(walk(values(each))) != answer:
                return False
            with pytest.raises(TypeError):
                walk(values({**each, data["fields"][-1]: "no number"}))
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(rounds, range(4)))


def test_forest_with_a_cut_that_is_no_number() -> None:
    walking = Walking(FIELDS, VALUES, ["double", "string"])
    cuts = [{"double": cut} for cut in [NAN, 0.5, *range(300)]]
    trees = [{**NODE, "value": cut} for cut in cuts]
    ours: Any = tree.forest(walking.site(), trees)
    for x in (NAN, 0.0, 1.0, 200.5, INF):
        datum = {**record(random.Random(1)), "x": x}
        roots = walking.decoded(trees)
        assert ours(datum) == [walking.stock(datum, root) for root in roots]


def test_forest_of_the_real_estate_model() -> None:
    """Its sum of answers is that of the engine, bit by bit."""
    document = regression_forest(trees=20)
    names = [each["name"] for each in document["input"]["fields"]]
    walking = Walking(dict.fromkeys(names, "double"), ["double"], ["double"])
    trees = document["cells"]["forest"]["init"]
    ours: Any = tree.forest(walking.site(), trees)
    engine = compat.engine(document)
    for example in document["metadata"].values():
        for case in json.loads(example) if example.startswith("[") else []:
            scores = ours(case["input"])
            assert sum(scores) / len(scores) == engine.action(case["input"])
    rng = random.Random(7)
    for _ in range(50):
        datum = {name: numbers(rng) for name in names}
        scores = ours(datum)
        assert sum(scores) / len(scores) == engine.action(datum)


NODE = {
    "field": "x",
    "operator": "<=",
    "value": {"double": 1.5},
    "pass": {"double": 1.0},
    "fail": {"string": "no"},
}


@pytest.mark.parametrize(
    "parsed",
    [
        {**NODE, "value": {"double": "x"}},
        {**NODE, "value": 1.5},
        {**NODE, "value": {"double": 1.5, "int": 1}},
        {**NODE, "field": "z"},
        {**NODE, "field": ["x"]},
        {**NODE, "operator": 5},
        {**NODE, "pass": None},
        {**NODE, "pass": {"int": 1}},
        {**NODE, "pass": {"double": "no"}},
        {**NODE, "fail": {"string": 1}},
        {**NODE, "pass": {"double": 1.0, "string": "a"}},
        {**NODE, "pass": {"TreeNode": {"field": "x"}}},
        {**NODE, "pass": {"TreeNode": None}},
        {**NODE, "pass": {"TreeNode": NODE, "double": 1.0}},
        {key: NODE[key] for key in list(NODE)[:-1]},
        [],
        None,
        "x",
    ],
)
def test_what_titus_refuses_or_reads_its_own_way_is_left_to_it(parsed: Any) -> None:
    walking = Walking(FIELDS, VALUES, ["double", "string"])
    assert tree.forest(walking.site(), [NODE]) is not None
    assert tree.forest(walking.site(), [NODE, parsed]) is None


def test_too_deep_a_tree_is_left_to_titus() -> None:
    walking = Walking(FIELDS, VALUES, ["double", "string"])
    deep = NODE
    for _ in range(100_000):
        deep = {**NODE, "pass": {"TreeNode": deep}}
    assert tree.forest(walking.site(), [deep]) is None
    while "TreeNode" in deep["pass"]:  # or it is freed recursively
        deep = deep["pass"].pop("TreeNode")


def test_other_fields_of_a_node_are_checked() -> None:
    walking = Walking(
        FIELDS, VALUES, ["double", "string"], more=[{"name": "rows", "type": ["null", "int"]}]
    )
    assert tree.forest(walking.site(), [{**NODE, "rows": {"int": 3}}]) is not None
    assert tree.forest(walking.site(), [{**NODE, "rows": None}]) is not None
    assert tree.forest(walking.site(), [{**NODE, "rows": 3}]) is None
    assert tree.forest(walking.site(), [NODE]) is None


@pytest.mark.parametrize("plain", ["double", "int", "string"])
def test_value_that_is_no_union(plain: str) -> None:
    name = {"double": "x", "int": "i", "string": "s"}[plain]
    cut: Any = {"double": 1, "int": 1, "string": "a"}[plain]
    walking = Walking(FIELDS, plain, ["double"])
    parsed = {**NODE, "field": name, "value": cut, "fail": {"double": 2}}
    ours: Any = tree.forest(walking.site(), [parsed])
    (root,) = walking.decoded([parsed])
    rng = random.Random(1)
    for _ in range(20):
        datum = record(rng)
        assert repr(ours(datum)) == repr([walking.stock(datum, root)])


def test_leaves_of_any_type_are_the_decoded_values() -> None:
    leaves = [{"type": "map", "values": "double"}, {"type": "array", "items": "int"}, "boolean"]
    walking = Walking(FIELDS, VALUES, leaves)
    trees = [
        {**NODE, "pass": {"map": {"a": 1}}, "fail": {"array": [1, 2]}},
        {**NODE, "pass": {"boolean": True}, "fail": {"boolean": False}},
    ]
    ours: Any = tree.forest(walking.site(), trees)
    low, high = ({**record(random.Random(1)), "x": x} for x in (0.0, 2.0))
    assert repr(ours(low)) == "[{'a': 1.0}, True]"
    assert repr(ours(high)) == "[[1, 2], False]"


def test_leaves_of_an_enum_are_its_symbols() -> None:
    walking = Walking(FIELDS, VALUES, ["Kind"])
    good = {**NODE, "pass": {"Kind": "low"}, "fail": {"Kind": "high"}}
    bad = {**NODE, "pass": {"Kind": "low"}, "fail": {"Kind": "other"}}
    ours: Any = tree.forest(walking.site(), [good, good])
    assert ours({**record(random.Random(1)), "x": 0.0}) == ["low", "low"]
    assert tree.forest(walking.site(), [good, bad]) is None


@pytest.mark.parametrize("name", ["model.tree.simpleTest", "model.tree.missingTest"])
def test_single_comparisons(name: str) -> None:
    walking = Walking(FIELDS, VALUES, ["double"], test=name)
    site = FakeSite(name, ["double"], ["null", "boolean"])
    site.types = [walking.datum, walking.forest.items]
    ours: Any = site.specialised()
    rng = random.Random(2)
    for _ in range(400):
        parsed = random_tree(rng, list(FIELDS), ["pass", "fail"])
        parsed = {**NODE, **{k: parsed[k] for k in ("field", "operator", "value")}}
        (node,) = walking.decoded([{**parsed, "fail": {"double": 0.0}}])
        datum = record(rng)
        args = (walking.state, None, "here", walking.types(), datum, node)
        assert outcome(ours, datum, node) == outcome(walking.library[name], *args)


@pytest.mark.parametrize("logic", ["and", "or", "xor", "nor"])
def test_compound_test(logic: str) -> None:
    function = {"type": "function", "params": ["double", "double"], "ret": "boolean"}
    array = {"type": "array", "items": "double"}
    site = FakeSite(
        "model.tree.compoundTest",
        ["double", "string", array, function],
        "boolean",
        functions={3: lambda datum, cut: datum < cut},
    )
    ours: Any = site.specialised()
    rng = random.Random(3)
    for _ in range(50):
        cuts = [float(rng.randint(0, 4)) for _ in range(rng.randint(0, 3))]
        args = (float(rng.randint(0, 4)), logic, cuts)
        expected = outcome(site.stock, *args, site.functions[3])
        assert outcome(ours, *args, None) == expected


def test_surrogate_test() -> None:
    results: list[Any] = [None, True, False, {"boolean": True}, {"boolean": False}]
    array = {"type": "array", "items": "int"}
    function = {"type": "function", "params": ["double", "int"], "ret": ["null", "boolean"]}
    site = FakeSite(
        "model.tree.surrogateTest",
        ["double", array, function],
        "boolean",
        functions={2: lambda _datum, index: results[index]},
    )
    ours: Any = site.specialised()
    for first in range(5):
        for comparisons in ([], [first], [0, first], [0, 0]):
            expected = outcome(site.stock, 1.0, comparisons, site.functions[2])
            assert outcome(ours, 1.0, comparisons, None) == expected


@pytest.mark.parametrize("three_way", [False, True])
def test_walk_with_any_predicate(three_way: bool) -> None:
    """A predicate that is not one comparison is called for each node."""
    walking = Walking(FIELDS, VALUES, ["double", "string"], three_way, "model.tree.simpleTest")
    rng = random.Random(4)
    ways = ["pass", "fail", "missing"] if three_way else ["pass", "fail"]
    choices: list[Any] = [True, False]
    if three_way:
        choices += [None, {"boolean": True}, {"boolean": False}]

    def test(datum: Any, node: Any) -> Any:
        return choices[len(repr([datum, node["value"]])) % len(choices)]

    site = FakeSite(walking.name, ["double"], "double", functions={2: test})
    two = {"type": "function", "params": ["double", "double"], "ret": "boolean"}
    site.types = [walking.datum, walking.forest.items, avro(two)]
    site.args = ["x0", "x1", "x2"]
    ours = eval(f"lambda x0, x1: {tree._tree(site)}", site.names)
    function = walking.library[walking.name]
    for _ in range(60):
        (root,) = walking.decoded([random_tree(rng, list(FIELDS), ways)])
        datum = record(rng)
        expected = function(
            walking.state, None, "here", walking.types(), datum, root,
            lambda _state, _scope, _pos, _types, *args: test(*args),
        )  # fmt: skip
        assert repr(ours(datum, root)) == repr(expected)
