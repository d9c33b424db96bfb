"""Random PFA documents for fuzzing, of every special form; most of them are well typed.

Types are Avro schemas as JSON values. An expression is made for a type; what can be made depends
on the variables that are visible, on which of them may be set, and on how deep it is already.
"""

import random
from typing import Any

ENUM = {"type": "enum", "name": "E", "symbols": ["f0", "f1", "zz"]}
RECORD = {
    "type": "record",
    "name": "R",
    "fields": [
        {"name": "a", "type": "int"},
        {"name": "b", "type": "double"},
        {"name": "c", "type": {"type": "array", "items": "int"}},
        {"name": "d", "type": ["null", "string"]},
        {"name": "e", "type": ENUM},
        {"name": "m", "type": {"type": "map", "values": "double"}},
    ],
}
INTS = {"type": "array", "items": "int"}
STRINGS = {"type": "array", "items": "string"}
DOUBLES = {"type": "array", "items": "double"}
MAP = {"type": "map", "values": "int"}
RECORDS = {"type": "array", "items": "R"}
MAYBE = ["null", "int"]
MAYBE_TEXT = ["null", "string"]
MIXED = ["int", "string", "null"]
SCALARS = ["boolean", "int", "long", "float", "double", "string"]
TYPES = [*SCALARS, INTS, STRINGS, DOUBLES, MAP, "R", RECORDS, "E", MAYBE, MAYBE_TEXT, MIXED]
NUMBERS = ("int", "long", "float", "double")
NAMES = [*"xyzk", "v1", "self", "state", "t1", "class", "lambda"]
TEXTS = ["", "a", "b", "ab", "it's", '"', "\\", "é", "{x}", "%s"]
KEYS = ["a", "b", "zz", ""]

Expression = Any
Scope = dict[str, tuple[Any, bool]]  # of each variable, its type, and whether it may be set


class Maker:
    """Makes documents; the same seed makes the same."""

    def __init__(self, seed: int, depth: int = 5, has_state: bool = True) -> None:
        self.has_state = has_state
        self.random = random.Random(seed)
        self.depth = depth
        self.functions: dict[str, Any] = {}
        self.recursive: set[str] = set()
        self.writes = has_state  # whether cells may be written here
        self.emits = False
        self.cells = {
            "n": ("int", 0),
            "s": ("string", "a"),
            "list": (INTS, [1, 2]),
            "map": (MAP, {"a": 1, "b": 2}),
            "r": ("R", record(self.random)),
            "constant": (MAP, {"a": 5, "b": 6, "": 7}),
            "maybe": (MAYBE, {"int": 3}),
            "numbers": (DOUBLES, [0.5, 1.0, -2.0]),
        }
        self.pools = {"p": ("int", {"a": 1}), "q": (INTS, {"b": [1]})}

    # --- documents

    def document(self) -> dict[str, Any]:
        """Make a document."""
        pick = self.random.choice
        method = pick(["map", "map", "map", "emit", "fold"] if self.has_state else ["map"])
        output = pick([t for t in TYPES if t != "float"])
        if method == "fold":
            output = pick(["int", "double", "string", INTS])
        of_input = pick([t for t in TYPES if t != "float"] + ["R", "R", INTS])
        self.input, self.output = of_input, output
        seen: set[str] = set()
        made: dict[str, Any] = {
            "name": "Fuzzed",
            "method": method,
            "input": spelled(of_input, seen),
            "output": spelled(output, seen),
            "version": 3,
            "metadata": {"a": "b"},
            "cells": {},
            "pools": {},
            "options": {"timeout": 20000},
            "randseed": 5,
        }
        for name, (of, value) in self.cells.items():
            rollback = self.random.random() < 0.4
            made["cells"][name] = {"type": spelled(of, seen), "init": value, "rollback": rollback}
        for name, (of, value) in self.pools.items():
            rollback = self.random.random() < 0.4
            made["pools"][name] = {"type": of, "init": value, "rollback": rollback}
        for number in range(self.random.randint(0, 3)):
            self._function(f"f{number}", pick(TYPES))
        made["fcns"] = self.functions
        self.emits = method == "emit"
        given: Scope = {"input": (of_input, False)}
        if self.has_state:
            given["actionsStarted"] = ("long", False)
        if method == "fold":
            given["tally"] = (output, False)
            made["zero"] = value_of(self.random, output)
            scope: Scope = {"tallyOne": (output, False), "tallyTwo": (output, False)}
            made["merge"] = [*self.statements(scope, 3), self.make(output, scope, 3)]
        if self.has_state and self.random.random() < 0.3:
            made["begin"] = self.statements({"name": ("string", False)}, self.depth)
        if self.has_state and self.random.random() < 0.3:
            scope = {"name": ("string", False)}
            if method == "fold":
                scope["tally"] = (output, False)
            made["end"] = self.statements(scope, self.depth)
        action = self.statements(given, self.depth)
        if self.emits:
            action.append({"emit": self.make(output, given, self.depth)})
        else:
            action.append(self.make(output, given, self.depth))
        made["action"] = action
        if not self.has_state:
            del made["pools"]
        return made

    def _function(self, name: str, ret: Any) -> None:
        pick = self.random.choice
        takes = [pick(TYPES) for _ in range(self.random.randint(1, 2))]
        if self.random.random() < 0.6:  # such as library functions take
            ret = pick(["int", "int", "string", "double"])
            takes = pick([["int", "int"], [ret, ret], [ret, "int"], [ret], ["int", ret]])
            if self.random.random() < 0.3:
                takes, ret = [ret], "boolean"
            takes = [pick(TYPES)] * pick([0, 0, 1]) + takes  # the first may be filled in
        params = list(zip(self.random.sample(NAMES, len(takes)), takes, strict=True))
        if self.random.random() < 0.3:  # recursive: a counter goes down
            params.insert(0, ("depth", "int"))
        scope: Scope = {n: (of, False) for n, of in params}
        body = self.statements(scope, 2)
        if params[0][0] == "depth":
            self.functions[name] = {"params": [{n: of} for n, of in params], "ret": ret}
            again = [{"-": ["depth", 1]}, *(self.make(of, scope, 1) for _, of in params[1:])]
            last = {
                "if": {"<=": ["depth", 0]},
                "then": self.make(ret, scope, 2),
                "else": self.wrapped({"u." + name: again}, ret, scope),
            }
            self.recursive.add(name)
        else:
            last = self.make(ret, scope, 3)
        self.functions[name] = {
            "params": [{n: of} for n, of in params],
            "ret": ret,
            "do": [*body, last],
        }

    def wrapped(self, expression: Expression, of: Any, scope: Scope) -> Expression:
        """Put something around an expression that leaves its value alone."""
        if self.random.random() < 0.5:
            return expression
        return {"do": [*self.statements(inner(scope), 1), expression]}

    # --- statements

    def statements(self, scope: Scope, depth: int) -> list[Expression]:
        """Make statements; what they ``let`` is put into the scope."""
        count = self.random.randint(0, 3 if depth > 2 else 2)
        return [self.statement(scope, depth - 1) for _ in range(count)]

    def statement(self, scope: Scope, depth: int) -> Expression:
        if depth <= 0:
            return self.let(scope, 0)
        kinds = [self.let] * 4 + [self.set] * 3
        kinds += [
            self.if_, self.cond, self.while_, self.until, self.for_, self.foreach, self.forkeyval,
            self.ifnotnull_, self.cast_, self.anything, self.anything, self.fail, self.unpack,
        ]  # fmt: skip
        if self.has_state:
            kinds += [self.log]
        if self.writes:
            kinds += [self.cell_to, self.cell_to, self.pool_to, self.pool_del]
        if self.emits:
            kinds += [self.emit]
        return self.random.choice(kinds)(scope, depth)

    def new_name(self, scope: Scope) -> str:
        free = [name for name in NAMES if name not in scope]
        return self.random.choice(free) if free else f"more{len(scope)}"

    def any_name(self, scope: Scope) -> str:
        """A name for what may shadow."""
        shadowing = [n for n in scope if n not in ("input", "tally", "depth")]
        if shadowing and self.random.random() < 0.6:
            return self.random.choice(shadowing)
        return self.random.choice(NAMES)

    def let(self, scope: Scope, depth: int) -> Expression:
        new: Scope = {}
        made = {}
        for _ in range(self.random.choice([1, 1, 1, 2])):
            of = self.random.choice(TYPES)
            name = self.new_name({**scope, **new})
            made[name] = self.make(of, sealed(scope), depth, exact=True)
            new[name] = (of, True)
        scope.update(new)
        return {"let": made}

    def set(self, scope: Scope, depth: int) -> Expression:
        free = [name for name, (_, free) in scope.items() if free]
        if not free:
            return self.let(scope, depth)
        names = self.random.sample(free, min(len(free), self.random.choice([1, 1, 2])))
        return {"set": {n: self.make(scope[n][0], sealed(scope), depth) for n in names}}

    def block(self, scope: Scope, depth: int) -> list[Expression]:
        inside = inner(scope)
        made = self.statements(inside, depth)
        return made or [self.statement(inside, depth)]

    def if_(self, scope: Scope, depth: int) -> Expression:
        made = {"if": self.make("boolean", sealed(scope), depth), "then": self.block(scope, depth)}
        if self.random.random() < 0.5:
            made["else"] = self.block(scope, depth)
        return made

    def cond(self, scope: Scope, depth: int) -> Expression:
        count = self.random.randint(1, 3)
        made: Any = {"cond": [
            {"if": self.make("boolean", sealed(scope), depth - 1),
             "then": self.block(scope, depth - 1)} for _ in range(count)
        ]}  # fmt: skip
        if self.random.random() < 0.5:
            made["else"] = self.block(scope, depth)
        return made

    def _counted(self, scope: Scope, loop: Any) -> Expression:
        """A loop with a counter that ends it."""
        counter = f"i{self.random.randint(0, 999)}"
        inside = inner(scope)
        inside[counter] = ("int", False)
        step = {"set": {counter: {"+": [counter, 1]}}}
        return {"do": [{"let": {counter: 0}}, loop(counter, inside, step)]}

    def while_(self, scope: Scope, depth: int) -> Expression:
        def loop(counter: str, inside: Scope, step: Any) -> Any:
            more = {"<": [counter, self.random.randint(0, 3)]}
            if self.random.random() < 0.5:
                more = {"&&": [more, self.make("boolean", sealed(inside), depth - 1)]}
            return {"while": more, "do": [step, *self.block(inside, depth - 1)]}

        return self._counted(scope, loop)

    def until(self, scope: Scope, depth: int) -> Expression:
        def loop(counter: str, inside: Scope, step: Any) -> Any:
            enough = {">=": [counter, self.random.randint(0, 3)]}
            if self.random.random() < 0.5:
                enough = {"||": [enough, self.make("boolean", sealed(inside), depth - 1)]}
            return {"do": [step, *self.block(inside, depth - 1)], "until": enough}

        return self._counted(scope, loop)

    def for_(self, scope: Scope, depth: int) -> Expression:
        first, second = self.random.sample(["i", "j", "w", "h"], 2)
        if first in scope or second in scope:
            return self.let(scope, depth)
        inside = inner(scope)
        init = {first: 0, second: self.make("int", sealed(scope), depth - 1)}
        inside.update({first: ("int", False), second: ("int", True)})
        step = {first: {"+": [first, 1]}}
        if self.random.random() < 0.5:
            step = {second: self.make("int", sealed(inside), depth - 1), **step}
        more = {"<": [first, self.random.randint(0, 3)]}
        body = self.block(inside, depth - 1)
        return {"for": init, "while": more, "step": step, "do": body}

    def foreach(self, scope: Scope, depth: int) -> Expression:
        of = self.random.choice([INTS, STRINGS, DOUBLES, RECORDS])
        name = self.new_name(scope)
        in_order = self.random.random() < 0.6
        inside = inner(scope) if in_order else sealed(scope)
        items = self.make(of, sealed(scope), depth - 1)
        inside[name] = (of["items"], False)
        body = self.block(inside, depth - 1)
        return {"foreach": name, "in": items, "do": body, "seq": in_order}

    def forkeyval(self, scope: Scope, depth: int) -> Expression:
        inside = inner(scope)
        key = self.new_name(scope)
        inside[key] = ("string", False)
        value = self.new_name(inside)
        items = self.make(MAP, sealed(scope), depth - 1)
        inside[value] = ("int", False)
        return {"forkey": key, "forval": value, "in": items, "do": self.block(inside, depth - 1)}

    def ifnotnull_(self, scope: Scope, depth: int) -> Expression:
        given, inside = self._not_null(scope, depth)
        made = {"ifnotnull": given, "then": self.block(inside, depth)}
        if self.random.random() < 0.5:
            made["else"] = self.block(scope, depth)
        return made

    def _not_null(self, scope: Scope, depth: int) -> tuple[dict[str, Any], Scope]:
        inside = inner(scope)
        given = {}
        for _ in range(self.random.choice([1, 1, 2])):
            of = self.random.choice([MAYBE, MAYBE_TEXT])
            same = [n for n, (t, _) in scope.items() if t == of]
            if same and self.random.random() < 0.5:  # {"ifnotnull": {"x": "x"}, ...
                name: str = self.random.choice(same)
                given[name] = name
            else:
                name = self.any_name(scope)
                given[name] = self.make(of, sealed(scope), depth - 1, exact=True)
            inside[name] = (of[1], self.random.random() < 0.5)
        return given, inside

    def cast_(self, scope: Scope, depth: int) -> Expression:
        return self._cast(scope, depth, lambda inside: self.block(inside, depth - 1), partial=True)

    def _cast(self, scope: Scope, depth: int, body: Any, partial: bool = False) -> Expression:
        of = self.random.choice([MAYBE, MAYBE_TEXT, MIXED])
        cases = []
        for branch in of:
            name = self.any_name(scope)
            inside = inner(scope)
            inside[name] = (branch, False)
            cases.append({"as": branch, "named": name, "do": body(inside)})
        if partial and self.random.random() < 0.5:
            cases.pop(self.random.randrange(len(cases)))
            return {"cast": self.make(of, sealed(scope), depth - 1), "cases": cases,
                    "partial": True}  # fmt: skip
        return {"cast": self.make(of, sealed(scope), depth - 1), "cases": cases}

    def log(self, scope: Scope, depth: int) -> Expression:
        made = {"log": [self.any(sealed(scope), depth - 1) for _ in range(2)]}
        if self.random.random() < 0.5:
            made["namespace"] = "of it's"
        return made

    def anything(self, scope: Scope, depth: int) -> Expression:
        return self.any(inner(scope), depth)

    def any(self, scope: Scope, depth: int) -> Expression:
        return self.make(self.random.choice(TYPES), scope, depth)

    def fail(self, scope: Scope, depth: int) -> Expression:
        code = self.random.randint(-9, -1)
        error = {"error": self.random.choice(["stop", "it's"]), "code": code}
        return {"if": self.make("boolean", sealed(scope), depth), "then": error}

    def unpack(self, scope: Scope, depth: int) -> Expression:
        name, other = self.random.sample(["pa", "pb", "pc"], 2)
        packed = {"pack": [{"int": self.make("int", sealed(scope), depth - 1)},
                           {"double": self.make("double", sealed(scope), depth - 1)}]}  # fmt: skip
        if name in scope or other in scope:
            return self.let(scope, depth)
        inside = inner(scope)
        inside.update({name: ("int", False), other: ("double", False)})
        formats: list[Any] = [{name: "int"}, {other: "double"}]
        if self.random.random() < 0.3:
            formats.append({"px": "short"})  # there is none
        return {
            "unpack": packed,
            "format": formats,
            "then": self.block(inside, depth - 1),
            "else": self.block(scope, depth - 1),
        }

    def cell_to(self, scope: Scope, depth: int) -> Expression:
        name = self.random.choice([n for n in self.cells if n != "constant"])
        of = self.cells[name][0]
        path, of = self.path(of, scope, depth, written=True)
        made = {"cell": name, "to": self.replacement(of, scope, depth)}
        return {**made, "path": path} if path else made

    def replacement(self, of: Any, scope: Scope, depth: int) -> Expression:
        if self.random.random() < 0.5:
            return self.make(of, sealed(scope), depth - 1)
        writes, self.writes = self.writes, False
        made = self.function([of], of, scope, depth - 1)
        self.writes = writes
        return made

    def pool_to(self, scope: Scope, depth: int) -> Expression:
        name = self.random.choice(list(self.pools))
        of = self.pools[name][0]
        path: list[Any] = [self.key(scope, depth)]
        init = self.make(of, sealed(scope), depth - 1)
        if name == "q" and self.random.random() < 0.5:
            path.append(self.make("int", sealed(scope), 1))
            of = "int"
        return {"pool": name, "path": path, "to": self.replacement(of, scope, depth), "init": init}

    def pool_del(self, scope: Scope, depth: int) -> Expression:
        return {"pool": self.random.choice(list(self.pools)), "del": self.key(scope, depth)}

    def emit(self, scope: Scope, depth: int) -> Expression:
        return {"emit": self.make(self.output, sealed(scope), depth - 1)}

    def key(self, scope: Scope, depth: int) -> Expression:
        if self.random.random() < 0.8:
            return [self.random.choice(KEYS)]
        return self.make("string", sealed(scope), min(depth, 2))

    # --- expressions

    def make(self, of: Any, scope: Scope, depth: int, exact: bool = False) -> Expression:
        """Make an expression of a type; unless it must be exact, of a narrower number at times."""
        if isinstance(of, list):
            return self.union(of, scope, depth)
        if not exact and of in NUMBERS[1:] and self.random.random() < 0.3:
            of = self.random.choice(NUMBERS[: NUMBERS.index(of)])
        if depth <= 0 or self.random.random() < 0.15:
            return self.leaf(of, scope)
        kinds = [self.choice, self.choices, self.do, self.of_functions, self.not_null, self.casted,
                 self.attempt, self.extracted, self.folded, *[self.of_type] * 6]  # fmt: skip
        return self.random.choice(kinds)(of, scope, depth - 1)

    def leaf(self, of: Any, scope: Scope) -> Expression:
        names = [name for name, (kind, _) in scope.items() if kind == of]
        if names and self.random.random() < 0.8:
            return self.random.choice(names)
        cells = [name for name, (kind, _) in self.cells.items() if kind == of]
        if cells and self.random.random() < 0.5:
            return {"cell": self.random.choice(cells)}
        return literal(self.random, of)

    def union(self, of: list[Any], scope: Scope, depth: int) -> Expression:
        names = [name for name, (kind, _) in scope.items() if kind == of]
        if names and self.random.random() < 0.5:
            return self.random.choice(names)
        branch = self.random.choice(of)
        kind = self.random.randint(0, 5) if depth > 0 else 5
        if kind == 0 and of in (MAYBE, MAYBE_TEXT):
            return {"try": self.some_block(of[1], sealed(scope), depth - 1), **self.filter()}
        if kind == 1:
            return self.choice(of, scope, depth - 1)
        if kind == 2 and of == MAYBE:
            return {"cell": "maybe"}
        if kind == 3 and branch != "null":
            return {"upcast": self.make(branch, sealed(scope), depth - 1, exact=True), "as": of}
        if kind == 4:
            return self.of_functions(of, scope, depth - 1)
        if branch == "null":
            return {"type": of, "value": None}
        return {"type": of, "value": {branch: value_of(self.random, branch)}}

    def filter(self) -> dict[str, Any]:
        if self.random.random() < 0.6:
            return {}
        of = ["stop", -1, -2, 18000, 2000, "map key not found", 15039]
        return {"filter": self.random.sample(of, 2)}

    def some_block(self, of: Any, scope: Scope, depth: int) -> Expression:
        """An expression, or ``do`` with statements before it."""
        if self.random.random() < 0.5:
            return self.make(of, scope, depth, exact=True)
        return self.do(of, scope, depth)

    def do(self, of: Any, scope: Scope, depth: int) -> Expression:
        inside = inner(scope)
        made = self.statements(inside, depth)
        return {"do": [*made, self.make(of, inside, depth, exact=True)]}

    def choice(self, of: Any, scope: Scope, depth: int) -> Expression:
        condition = self.make("boolean", sealed(scope), depth)
        then, otherwise = (self.tail(of, scope, depth) for _ in range(2))
        if self.random.random() < 0.15:
            otherwise = [{"error": "else", "code": -3}]
        return {"if": condition, "then": then, "else": otherwise}

    def tail(self, of: Any, scope: Scope, depth: int) -> list[Expression]:
        inside = inner(scope)
        return [*self.statements(inside, depth - 1), self.make(of, inside, depth, exact=True)]

    def choices(self, of: Any, scope: Scope, depth: int) -> Expression:
        cases = [
            {"if": self.make("boolean", sealed(scope), depth - 1),
             "then": self.tail(of, scope, depth - 1)}
            for _ in range(self.random.randint(1, 3))
        ]  # fmt: skip
        return {"cond": cases, "else": self.tail(of, scope, depth - 1)}

    def not_null(self, of: Any, scope: Scope, depth: int) -> Expression:
        given, inside = self._not_null(scope, depth)
        then = self.tail(of, inside, depth)
        return {"ifnotnull": given, "then": then, "else": self.tail(of, scope, depth)}

    def casted(self, of: Any, scope: Scope, depth: int) -> Expression:
        return self._cast(scope, depth, lambda inside: self.tail(of, inside, depth - 1))

    def attempt(self, of: Any, scope: Scope, depth: int) -> Expression:
        """A try, and something else where it fails."""
        if of not in SCALARS:
            return self.of_type(of, scope, depth)
        tried = {"try": self.some_block(of, sealed(scope), depth - 1), **self.filter()}
        name = self.any_name(scope)
        inside = inner(scope)
        inside[name] = (of, False)
        otherwise = self.tail(of, scope, depth - 1)
        then = self.tail(of, inside, depth - 1)
        return {"ifnotnull": {name: tried}, "then": then, "else": otherwise}

    def path(
        self, of: Any, scope: Scope, depth: int, written: bool = False
    ) -> tuple[list[Expression], Any]:
        """A path into a value of a type, perhaps one that is not there, and the type there."""
        path: list[Expression] = []
        while self.random.random() < 0.7:
            if of == "R":
                field = self.random.choice(RECORD["fields"])
                path.append([field["name"]])
                of = "E" if field["type"] is ENUM else field["type"]
            elif isinstance(of, dict) and of["type"] == "array":
                if self.random.random() < 0.7:
                    path.append(self.random.randint(-1, 2))
                else:
                    path.append(self.make("int", sealed(scope), min(depth, 2)))
                of = of["items"]
            elif isinstance(of, dict):
                path.append(self.key(scope, depth))
                of = of["values"]
            else:
                break
        return path, of

    def extracted(self, of: Any, scope: Scope, depth: int) -> Expression:
        """What is at the end of a path into a variable, a cell or a pool."""
        for _ in range(6):
            kind = self.random.choice(["attr", "cell", "cell", "attr", "pool"])
            if kind == "pool" and not self.has_state:
                continue
            if kind == "cell":
                name: Any = self.random.choice(list(self.cells))
                path, found = self.path(self.cells[name][0], scope, depth)
            elif kind == "pool":
                name = self.random.choice(list(self.pools))
                path, found = self.path(self.pools[name][0], scope, depth)
                path = [self.key(scope, depth), *path]
            else:
                from_type = self.random.choice(["R", INTS, MAP, RECORDS, STRINGS])
                name = self.make(from_type, sealed(scope), depth - 1)
                path, found = self.path(from_type, scope, depth)
            if found == of and path:
                return {kind: name, "path": path}
        return self.of_type(of, scope, depth)

    def of_functions(self, of: Any, scope: Scope, depth: int) -> Expression:
        """A call of a user function."""
        fit = [n for n, f in self.functions.items() if f["ret"] == of and "do" in f]
        if not fit:
            return self.of_type(of, scope, depth)
        name = self.random.choice(fit)
        arguments = []
        for param in self.functions[name]["params"]:
            ((param_name, kind),) = param.items()
            if param_name == "depth":
                arguments.append(self.random.randint(0, 3))
            else:
                arguments.append(self.make(kind, sealed(scope), depth - 1))
        return {"u." + name: arguments}

    def function(self, takes: list[Any], ret: Any, scope: Scope, depth: int) -> Expression:
        """A function as an argument: inline, or a reference to a user function."""
        fit = []
        for name, function in self.functions.items():
            of = [next(iter(param.values())) for param in function["params"]]
            if "do" in function and of[-len(takes) :] == takes and function["ret"] == ret:
                names = [next(iter(param)) for param in function["params"]]
                fit.append((name, list(zip(names, of, strict=True))[: -len(takes)]))
        if fit and self.random.random() < 0.5:
            name, filled = self.random.choice(fit)
            if not filled:
                return {"fcn": "u." + name}
            fill = {
                n: self.random.randint(0, 2) if n == "depth" else self.make(t, sealed(scope), depth)
                for n, t in filled
            }
            return {"fcn": "u." + name, "fill": fill}
        inside = sealed(scope)
        params: list[str] = []
        for of in takes:
            name = self.any_name(scope)
            while name in params:
                name = self.new_name({**scope, **dict.fromkeys(params, ("int", False))})
            params.append(name)
            inside[name] = (of, False)
        body = self.statements(inside, depth - 1) if self.random.random() < 0.4 else []
        return {
            "params": [{n: of} for n, of in zip(params, takes, strict=True)],
            "ret": ret,
            "do": [*body, self.make(ret, inside, depth)],
        }

    def folded(self, of: Any, scope: Scope, depth: int) -> Expression:
        items = self.random.choice([INTS, STRINGS])
        name, takes = self.random.choice(
            [("a.fold", [of, items["items"]]), ("a.foldRight", [items["items"], of])]
        )
        scope = sealed(scope)
        arguments = [self.make(items, scope, depth), self.make(of, scope, depth, exact=True)]
        return {name: [*arguments, self.function(takes, of, scope, depth - 1)]}

    def of_type(self, of: Any, scope: Scope, depth: int) -> Expression:
        """A call of the library, or another expression that only makes this type."""
        if isinstance(of, list):
            return self.union(of, scope, depth)
        pick = self.random.choice
        scope = sealed(scope)

        def one(kind: Any, exact: bool = False) -> Expression:
            return self.make(kind, scope, depth, exact=exact)

        def f(takes: list[Any], ret: Any) -> Expression:
            return self.function(takes, ret, scope, depth - 1)

        if of in NUMBERS:
            same = [one(of, exact=True), one(of)]
            self.random.shuffle(same)
            options: list[Any] = [
                lambda: {pick(["+", "-", "*"]): same},
                lambda: {pick(["+", "-", "*", "%", "%%"]): same},
                lambda: {pick(["max", "min"]): same},
                lambda: {pick(["m.abs", "u-"]): [one(of, exact=True)]},
            ]
            if of in ("int", "long"):
                options += [lambda: {"//": same}]
            if of == "int":
                options += [
                    lambda: {"a.len": [one(pick([INTS, STRINGS, DOUBLES]))]},
                    lambda: {"s.len": [one("string")]},
                    lambda: {"map.len": [one(MAP)]},
                    lambda: {pick(["a.sum", "a.max", "a.min", "a.head", "a.last"]): [one(INTS)]},
                    lambda: {"a.reduce": [one(INTS), f(["int", "int"], "int")]},
                    lambda: {"a.count": [one(INTS), one("int")]},
                    lambda: {"a.argmax": [one(DOUBLES)]},
                    lambda: {"cmp": [one("string"), one("string")]},
                    lambda: {pick(["&", "|", "^"]): [one("int", True), one("int", True)]},
                    lambda: {"s.index": [one("string"), one("string")]},
                ]
                if self.writes:
                    count = {"cell": "n", "to": {"+": [{"cell": "n"}, one("int")]}}
                    options += [lambda: count] * 2
            if of == "double":
                options += [
                    lambda: {"/": [one("double"), one("int")]},
                    lambda: {"**": [one("double", True), one("int")]},
                    lambda: {pick(["m.sqrt", "m.exp", "m.ln", "m.floor", "m.sin"]): [one(of)]},
                    lambda: {pick(["a.sum", "a.mean", "a.max"]): [one(DOUBLES)]},
                    lambda: {"cast.double": [one("int")]},
                    lambda: {"m.link.logit": [one("double")]},
                ]
            return pick(options)()
        if of == "boolean":
            kind = pick(["int", "double", "string", "long", "float", INTS, "R", MAP, "E", MAYBE])
            either = [one("boolean"), one("boolean")]
            return pick([
                lambda: {pick(["==", "!="]): [one(kind, True), one(kind, True)]},
                lambda: {pick(["<", "<=", ">", ">="]): [one("double"), one("int")]},
                lambda: {pick(["<", "<=", ">", ">="]): [one("string"), one("string")]},
                lambda: {pick(["&&", "||"]): either},
                lambda: {"!": [one("boolean")]},
                lambda: {"a.contains": [one(INTS), one("int")]},
                lambda: {"map.containsKey": [one(MAP), one("string")]},
                lambda: {pick(["a.any", "a.all"]): [one(INTS), f(["int"], "boolean")]},
                lambda: {"s.contains": [one("string"), one("string")]},
            ])()  # fmt: skip
        if of == "string":
            return pick([
                lambda: {"s.concat": [one("string"), one("string")]},
                lambda: {"s.substr": [one("string"), one("int"), one("int")]},
                lambda: {"s.join": [one(STRINGS), one("string")]},
                lambda: {pick(["s.upper", "s.lower"]): [one("string")]},
                lambda: {"map.argmax": [one(MAP)]},
                lambda: {"a.head": [one(STRINGS)]},
            ])()  # fmt: skip
        if of == "R":
            fields = [(f["name"], f["type"]) for f in RECORD["fields"]]
            self.random.shuffle(fields)
            new = {n: self.make("E" if t is ENUM else t, scope, depth - 1) for n, t in fields}
            return pick([
                lambda: {"new": new, "type": "R"},
                lambda: self.attr_to("R", scope, depth),
                lambda: {"a.head": [one(RECORDS)]},
            ])()  # fmt: skip
        if of == "E":
            return literal(self.random, of)
        if of["type"] == "map":
            item = of["values"]
            return pick([
                lambda: {"new": {k: one(item) for k in self.random.sample(KEYS, 2)}, "type": of},
                lambda: {"map.add": [one(of), one("string"), one(item)]},
                lambda: {"map.remove": [one(of), one("string")]},
                lambda: {"map.map": [one(of), f([item], item)]},
                lambda: {"map.filter": [one(of), f([item], "boolean")]},
                lambda: {"map.mapWithKey": [one(of), f(["string", item], item)]},
                lambda: {"map.zipmap": [one(of), one(of), f([item, item], item)]},
                lambda: self.attr_to(of, scope, depth),
            ])()  # fmt: skip
        item = of["items"]
        options = [
            lambda: {"new": [one(item) for _ in range(self.random.randint(0, 3))], "type": of},
            lambda: {"a.append": [one(of), one(item)]},
            lambda: {"a.concat": [one(of), one(of)]},
            lambda: {"a.filter": [one(of), f([item], "boolean")]},
            lambda: {"a.subseq": [one(of), one("int"), one("int")]},
            lambda: {"a.map": [one(of), f([item], item)]},
            lambda: {"a.map": [one(INTS), f(["int"], item)]},
            lambda: {"a.mapWithIndex": [one(of), f(["int", item], item)]},
            lambda: {"a.flatMap": [one(INTS), f(["int"], of)]},
            lambda: {"a.zipmap": [one(INTS), one(of), f(["int", item], item)]},
            lambda: self.attr_to(of, scope, depth),
        ]
        if item != "R":
            options += [
                lambda: {"a.sort": [one(of)]},
                lambda: {"a.sortLT": [one(of), f([item, item], "boolean")]},
                lambda: {"a.distinct": [one(of)]},
            ]
        if of == STRINGS:
            options += [lambda: {"map.keys": [one(MAP)]}]
        if of == INTS:
            options += [lambda: {"map.values": [one(MAP)]}]
        return pick(options)()

    def attr_to(self, of: Any, scope: Scope, depth: int) -> Expression:
        value = self.make(of, scope, depth - 1)
        for _ in range(4):
            path, found = self.path(of, scope, depth)
            if path:
                return {"attr": value, "path": path, "to": self.replacement(found, scope, depth)}
        return value


def inner(scope: Scope) -> Scope:
    """The scope of a block."""
    return dict(scope)


def sealed(scope: Scope) -> Scope:
    """The scope of what may not set variables outside of it."""
    return {name: (of, False) for name, (of, _) in scope.items()}


def spelled(of: Any, seen: set[str]) -> Any:
    """A type with its names defined where they first come; ``seen`` are those that have been."""
    if of == "R" and "R" not in seen:
        seen.add("R")
        fields = [{**f, "type": spelled("E", seen) if f["type"] is ENUM else f["type"]}
                  for f in RECORD["fields"]]  # fmt: skip
        return {**RECORD, "fields": fields}
    if of == "E" and "E" not in seen:
        seen.add("E")
        return ENUM
    if isinstance(of, dict) and "items" in of:
        return {**of, "items": spelled(of["items"], seen)}
    return of


def record(chosen: random.Random) -> dict[str, Any]:
    """A value of RECORD."""
    return {
        "a": value_of(chosen, "int"),
        "b": value_of(chosen, "double"),
        "c": value_of(chosen, INTS),
        "d": value_of(chosen, MAYBE_TEXT),
        "e": value_of(chosen, "E"),
        "m": {k: value_of(chosen, "double") for k in chosen.sample(KEYS, 2)},
    }


def value_of(chosen: random.Random, of: Any) -> Any:
    """A JSON value of a type."""
    if isinstance(of, list):
        branch = chosen.choice(of)
        return None if branch == "null" else {branch: value_of(chosen, branch)}
    if of == "boolean":
        return chosen.random() < 0.5
    if of == "int":
        return chosen.choice([0, 1, 2, 3, -1, -7, 2**31 - 1, -(2**31)])
    if of == "long":
        return chosen.choice([0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)])
    if of == "float":
        return chosen.choice([0.0, 1.5, -0.25, 3.0])
    if of == "double":
        return chosen.choice([0.0, -0.0, 0.5, 1.0, -2.75, 1e10, 1e300, -1e-300, 1 / 3])
    if of == "string":
        return chosen.choice(TEXTS)
    if of == "R":
        return record(chosen)
    if of == "E":
        return chosen.choice(ENUM["symbols"])
    if of["type"] == "map":
        keys = chosen.sample(KEYS, chosen.randint(0, 3))
        return {k: value_of(chosen, of["values"]) for k in keys}
    return [value_of(chosen, of["items"]) for _ in range(chosen.randint(0, 3))]


def literal(chosen: random.Random, of: Any) -> Expression:
    """An expression for a value of a type."""
    value = value_of(chosen, of)
    if of in ("int", "long", "float", "double", "string") and chosen.random() < 0.7:
        return {of: value}
    if of == "boolean":
        return value
    return {"type": of, "value": value}
