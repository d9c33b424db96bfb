"""What is nested deeper than Python's blocks compiles, and answers as the reference does."""

import json
import random
from typing import Any

import pytest

import pfa
from pfa import compiler
from pfa.compiler import outline
from pfa.compiler.code import Block, Statement, render
from tests.pfa import shadow

INTS = {"type": "array", "items": "int"}
MAYBE = ["null", "int"]
COUNT = {"params": [{"old": "int"}], "ret": "int", "do": {"+": ["old", 1]}}

Expression = Any


class Deep:
    """Makes documents of ints of which each form is inside another one; a seed makes the same."""

    def __init__(self, seed: int, depth: int, has_state: bool) -> None:
        self.random = random.Random(seed)
        self.depth = depth
        self.has_state = has_state
        self.names = 0
        self.twice = 6  # so many loops go round twice: each multiplies what is in it
        blocks = [self.while_, self.until, self.for_, self.foreach, self.forkeyval, self.try_]
        others = [
            self.if_, self.cond, self.ifnotnull, self.cast, self.do, self.map, self.fold,
            self.function, self.arguments, self.and_, self.kleene, self.unpack,
        ]  # fmt: skip
        if has_state:
            others += [self.cell_to, self.pool_to]
        count = self.random.choice([1, 2, 6])  # often few, so that many of a kind are in each other
        self.forms = self.random.sample(blocks, count) + self.random.sample(others, count // 2)

    def document(self) -> dict[str, Any]:
        """Make a document."""
        start = {"let": {"a": 0, "u": {"type": MAYBE, "value": {"int": 3}}, "k": "input"}}
        do = self.nest(["p"], [], self.depth // 2)
        deep = {"params": [{"p": "int"}], "ret": "int", "do": do}
        action = [start, *self.nest(["input", "k", "a"], ["k", "a"], self.depth)]
        made: dict[str, Any] = {
            "name": "Deep",
            "input": "int",
            "output": "int",
            "fcns": {"deep": deep},
            "options": {"timeout": 20000},
            "action": action,
        }
        if self.has_state:
            rollback = self.random.random() < 0.5
            made["cells"] = {"n": {"type": "int", "init": 0, "rollback": rollback}}
            made["pools"] = {"p": {"type": "int", "init": {"a": 1}, "rollback": rollback}}
        return made

    def nest(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        """Make expressions, of which the last is an int; ``free`` of the variables may be set."""
        if depth <= 0:
            return [{"+": [self.value(seen), self.value(seen)]}]
        name = self.new()
        first = [{"let": {name: self.value(seen)}}]
        seen, free = [*seen, name], [*free, name]
        if self.random.random() < 0.5:
            first.append({"set": {self.random.choice(free): self.value(seen)}})
        if self.random.random() < 0.1:
            wrong = {"error": f"e{depth}", "code": -depth}
            first.append({"if": {"==": [{"%": ["k", 11]}, depth % 11]}, "then": wrong})
            if "k" not in seen:
                first.pop()
        if self.has_state and self.random.random() < 0.2:
            first.append({"cell": "n", "to": COUNT})
        form = self.random.choice(self.forms)
        return [*first, *form(seen, free, depth - 1)]

    def new(self) -> str:
        self.names += 1
        return self.random.choice(["x", "y"]) + str(self.names)

    def value(self, seen: list[str]) -> Expression:
        pick = self.random.choice
        return {"%": [{"+": [pick([*seen, seen[-1]]), self.random.randint(-3, 3)]}, 1000]}

    def rounds(self) -> int:
        self.twice -= 1
        return 2 if self.twice >= 0 else 1

    def if_(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        low = self.random.random() < 0.8
        condition = {"<" if low else ">": [self.value(seen), 900]}
        return [{"if": condition, "then": self.nest(seen, free, depth), "else": [depth]}]

    def cond(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        other = {"if": {">": [self.value(seen), 900]}, "then": [depth]}
        usual = {"if": {"<": [self.value(seen), 950]}, "then": self.nest(seen, free, depth)}
        return [{"cond": [other, usual], "else": self.nest(seen, free, 0)}]

    def loop(self, kind: str, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        i = self.new()
        inner, rounds = [*seen, i], self.rounds()
        body = self.nest(inner, free, depth)
        more = {"<": [i, rounds]}
        step = {"+": [i, 1]}
        again: Expression
        if kind == "for":
            again = {"for": {i: 0}, "while": more, "step": {i: step}, "do": body}
            return [again, self.value(seen)]
        body = [{"set": {i: step}}, *body]
        if kind == "while":
            if self.random.random() < 0.5:  # a condition of statements
                more = {"do": [{"let": {"m": more}}, "m"]}
            again = {"while": more, "do": body}
        else:
            again = {"do": body, "until": {">=": [i, rounds]}}
        return [{"let": {i: 0}}, again, self.value(inner)]

    def while_(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        return self.loop("while", seen, free, depth)

    def until(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        return self.loop("until", seen, free, depth)

    def for_(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        return self.loop("for", seen, free, depth)

    def foreach(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        i = self.new()
        items = {"type": INTS, "value": [*range(1, 1 + self.rounds())]}
        body = self.nest([*seen, i], free, depth)
        return [{"foreach": i, "in": items, "do": body, "seq": True}, self.value(seen)]

    def forkeyval(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        i = self.new()
        items = {"type": {"type": "map", "values": "int"}, "value": {"b": 1}}
        body = self.nest([*seen, i], free, depth)
        return [{"forkey": f"{i}k", "forval": i, "in": items, "do": body}, self.value(seen)]

    def try_(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        i = self.new()
        attempt: dict[str, Any] = {"try": {"do": self.nest(seen, [], depth)}}
        if self.random.random() < 0.3:
            attempt["filter"] = ["e1", "e2", -3]
        return [{"ifnotnull": {i: attempt}, "then": ["k" if "k" in seen else i], "else": [depth]}]

    def ifnotnull(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        i = self.random.choice([self.new(), seen[-1]])
        value = {"upcast": self.value(seen), "as": MAYBE}
        free = [each for each in free if each != i]
        then = self.nest([*seen, i], free, depth)
        return [{"ifnotnull": {i: value}, "then": then, "else": [depth]}]

    def cast(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        i = self.random.choice([self.new(), seen[-1]])
        free = [each for each in free if each != i]
        do = self.nest([*seen, i], free, depth)
        cases = [{"as": "int", "named": i, "do": do}, {"as": "null", "named": i, "do": [depth]}]
        value = {"upcast": self.value(seen), "as": MAYBE}
        return [{"cast": value, "cases": cases}]

    def do(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        return [{"do": self.nest(seen, free, depth)}]

    def map(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        i = self.new()
        do = self.nest([*seen, i], [], depth)
        function = {"params": [{i: "int"}], "ret": "int", "do": do}
        items = {"type": INTS, "value": [*range(self.rounds())]}
        return [{"a.sum": [{"a.map": [items, function]}]}]

    def fold(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        i, j = self.new(), self.new()
        do = self.nest([*seen, i, j], [], depth)
        function = {"params": [{i: "int"}, {j: "int"}], "ret": "int", "do": do}
        return [{"a.fold": [{"type": INTS, "value": [1]}, self.value(seen), function]}]

    def function(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        call = "u.deep" if "p" not in seen else "+"
        inner = {"do": self.nest(seen, [], depth)}
        return [{call: [inner] if call == "u.deep" else [inner, 1]}]

    def arguments(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        inner = {"do": self.nest(seen, [], depth)}
        items = [self.value(seen), inner, {"do": self.nest(seen, [], 0)}]
        return [{"a.max": [{"new": items, "type": INTS}]}]

    def and_(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        inner = {"<": [{"do": self.nest(seen, [], depth)}, 5]}
        word = self.random.choice(["&&", "||"])
        return [{"if": {word: [{"<": [self.value(seen), 900]}, inner]}, "then": [1], "else": [2]}]

    def kleene(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        inner = {"<": [{"do": self.nest(seen, [], depth)}, 5]}
        word, i = self.random.choice(["&&&", "|||"]), self.new()
        then = [{"if": i, "then": [1], "else": [2]}]
        value = {word: [{"<": [self.value(seen), 900]}, inner]}
        return [{"ifnotnull": {i: value}, "then": then, "else": [3]}]

    def unpack(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        i = self.new()
        then = self.nest([*seen, i], free, depth)
        data = {"pack": [{"int": self.value(seen)}]}
        return [{"unpack": data, "format": [{i: "int"}], "then": then, "else": [depth]}]

    def cell_to(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        """Nothing in the function of an update may change a cell."""
        i = self.new()
        self.has_state = False
        forms, pure = self.forms, {"cell_to", "pool_to", "function"}
        self.forms = [each for each in forms if each.__name__ not in pure] or [self.if_]
        do = self.nest([*seen, i], [], depth) if "p" not in seen else [i]
        self.has_state, self.forms = True, forms
        function = {"params": [{i: "int"}], "ret": "int", "do": [{"%": [{"do": do}, 500]}]}
        return [{"cell": "n", "to": function}, {"cell": "n"}]

    def pool_to(self, seen: list[str], free: list[str], depth: int) -> list[Expression]:
        update = {"pool": "p", "path": [["a"]], "to": COUNT, "init": 0}
        return [update, {"+": [{"pool": "p", "path": [["a"]]}, {"do": self.nest(seen, [], depth)}]}]


def documents(has_state: bool, count: int) -> list[dict[str, Any]]:
    return [Deep(seed, 8 + seed * 7 % 39, has_state).document() for seed in range(count)]


def is_limit(error: Exception) -> bool:
    """Tell whether titus itself does not get through a document."""
    return "nested" in str(error) or "too much code" in str(error)


def test_the_same_as_the_reference() -> None:
    """With state, and all that is left behind."""
    flat = compared = errors = 0
    for number, document in enumerate(documents(True, 50)):
        try:
            both = shadow.Shadow(document)
        except shadow.Different as different:
            assert is_limit(different.__cause__), different  # type: ignore[arg-type]
            compiler.compiled(document)
            continue
        flat += type(both.engines[1]).program.is_flat
        compared += 1
        for value in (0, 3, 940, -7, 7 + number):
            errors += both.outcome("action", value)[0] == "error"
    assert compared > 30
    assert flat > 15
    assert errors > 15


def test_the_same_by_the_short_way() -> None:
    flat = compared = 0
    for number, document in enumerate(documents(False, 50)):
        model = pfa.load(document)
        assert model.fallback is None
        assert model._short is not None
        flat += "def block0()" in model.source
        assert len(model.positions) == len(model.source.splitlines())
        records = [0, 3, 940, -7, number, *range(11)]
        answers = [told(each) for each in model.score_batch(records)]
        assert answers == [told(each) for value in records for each in model.score_batch([value])]
        try:
            reference = pfa.load(document, compiled=False)
        except pfa.DocumentError as error:
            assert is_limit(error), error
        else:
            assert answers == [told(each) for each in reference.score_batch(records)]
            compared += 1
    assert compared > 30
    assert flat > 15


def told(answer: Any) -> Any:
    if isinstance(answer, pfa.ScoringError):
        return type(answer), str(answer), answer.code
    return answer


def test_the_same_document_gives_the_same_source() -> None:
    (document,) = documents(False, 1)
    text = json.dumps(Deep(5, 40, has_state=False).document())
    assert pfa.load(text).source == pfa.load(text).source
    assert pfa.load(document).source == pfa.load(document).source


@pytest.mark.parametrize("depth", range(15, 25))
def test_around_the_limit(depth: int) -> None:
    """A batch has one loop more around it."""
    body: list[Any] = [{"set": {"a": {"+": ["a", "input"]}}}]
    for number in range(depth):
        items = {"type": INTS, "value": [1]}
        body = [{"foreach": f"x{number}", "in": items, "do": body, "seq": True}]
    action = [{"let": {"a": 0}}, *body, "a"]
    model = pfa.load({"input": "int", "output": "int", "action": action})
    assert model.fallback is None
    assert model.score_batch([*range(20)]) == [*range(20)]
    assert model.score(7) == 7


def test_many_cases() -> None:
    """Python's parser gives up at some thousand of them, which take long."""
    cases: list[Statement] = [
        Block(f"{'el' if i else ''}if x == {i}:", [f"t = {i} + 1"]) for i in range(700)
    ]
    body = [*cases, Block("else:", ["t = -1"]), "return t"]
    flat = render([Block("def f(x):", outline.flat_body(body, "def f(x):"))])
    assert sum(line.lstrip().startswith("elif") for line in flat) == 696
    names: dict[str, Any] = {}
    exec("\n".join(flat), names)
    assert [names["f"](x) for x in (0, 199, 200, 400, 699, 700)] == [1, 200, 201, 401, 700, -1]


def test_what_is_deeper_still_is_refused() -> None:
    body: Any = "input"
    for number in range(400):
        body = {"do": [{"let": {f"x{number}": body}}, f"x{number}"]}
    with pytest.raises(pfa.DocumentError, match="nested too deeply"):
        pfa.load({"input": "int", "output": "int", "action": body})
