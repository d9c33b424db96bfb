"""The text of a conversion, from Avro types to Python source; see pfa.convert, which asks for it.

Of the schema only names and symbols come into the text, as the ``repr`` of a str, and in the names
of local variables where they are Python identifiers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pfa.check import Checks
from pfa.scalars import FLOAT_MAX, INT_LIMIT, LONG_LIMIT, Run
from pfa.schema import NO_DEFAULT, Type, items_of

# Larger types are left to the reference: text that takes long to compile, Python's own limits.
MAX_TYPES = 2000
MAX_DEPTH = 50
TOGETHER = 6  # fields of one shape from which a comprehension compiles faster and runs as fast
_COPIED = 16  # CPython writes a dict display of more pairs in pieces: copying is faster
_EXACT = 2**53  # a double holds every integer up to here
_DEFAULT = 500  # characters of a default's text

_RANGE = "type({0}) is int and -%d <= {0} <= %d"
_TESTS = {  # true only of values that are their own engine's form and JSON form
    "null": "{0} is None",
    "boolean": "{0} is True or {0} is False",
    "int": _RANGE % (INT_LIMIT, INT_LIMIT - 1),
    "long": _RANGE % (LONG_LIMIT, LONG_LIMIT - 1),
    "float": f"type({{0}}) is float and -{FLOAT_MAX!r} <= {{0}} <= {FLOAT_MAX!r}",
    "double": "type({0}) is float and {0} - {0} == 0.0",  # NaN and the infinities give NaN
    "string": "type({0}) is str and {0}.isascii()",
    "bytes": "type({0}) is str and {0}.isascii()",
}
_NOT_USUAL = "raise KeyError"


@dataclass
class Code:
    """Text that converts one value.

    Its names begin with the prefix it was asked for. ``prelude`` stands at module level, over
    ``lines``, which may stand in any function; then ``value`` is the expression of the result, to
    be written once, and ``fields`` has the local variable of each field if it is a record. The
    text needs the names that ``read_names`` or ``write_names`` gives.
    """

    prelude: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    value: str = ""
    fields: dict[str, str] = field(default_factory=dict)


def types_in(node: Type) -> Iterator[Type]:
    """Give a type and the types within it, each once, in the order of the schema."""
    seen: set[int] = set()
    left = [node]
    while left:
        each = left.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            left.extend(reversed(_within(each)))


def _within(node: Type) -> list[Type]:
    if node.kind in ("array", "map"):
        return [items_of(node)]
    return node.branches or [made.type for made in node.fields]


def _levels(node: Type) -> tuple[int, set[int]]:
    """How deep a type is, and the ids of the types in which a recursive one is."""
    found: dict[int, tuple[int, bool]] = {}

    def visit(each: Type, above: int) -> tuple[int, bool]:
        if above > MAX_DEPTH:
            return 1, False
        if id(each) not in found:
            found[id(each)] = 0, True  # what comes back here is recursive
            parts = [visit(part, above + 1) for part in _within(each)]
            deepest = max((levels for levels, _ in parts), default=0)
            found[id(each)] = deepest + 1, any(endless for _, endless in parts)
        return found[id(each)]

    levels, _ = visit(node, 0)
    return levels, {key for key, (_, endless) in found.items() if endless}


class Text:
    """The text of one conversion, in the making."""

    def __init__(self, node: Type, prefix: str, reading: bool, bare: bool = False) -> None:
        """Take the type, how names begin, and whether it is of the input; see convert.reader."""
        self.node, self.prefix, self.reading, self.bare = node, prefix, reading, bare
        self.code = Code()
        self.count = 0
        self.numbers = {id(each): number for number, each in enumerate(types_in(node))}
        self.levels, self.endless = _levels(node)
        self.functions: dict[int, str] = {}
        self.checks: Checks | None = None

    def name(self, hint: str) -> str:
        """Return a new name; the hint is a word of this module or an Avro name."""
        self.count += 1
        shown = f"_{hint[:40]}" if hint.isascii() and hint.isidentifier() else ""
        return f"{self.prefix}x{self.count}{shown}"

    def converted(self, source: str, arguments: str, whole: bool) -> Code:
        """Write the whole conversion; ``arguments`` are those of the reference."""
        node, code = self.node, self.code
        reference = f"{self.prefix}whole({arguments})"
        if self.bare and node.kind == "map":
            reference = f"{self.prefix}bare_map({reference})"
        if len(self.numbers) > MAX_TYPES or self.levels > MAX_DEPTH:
            code.value = self.name("value")
            code.lines = [f"{code.value} = {reference}"]
        elif node.kind not in ("record", "array", "map"):
            code.value = self.name("value")
            code.lines = [f"{code.value} = {self.simple(node, source, reference)}"]
        elif whole or node.kind != "record":
            code.value = self.name("value")
            lines, value = self.compound(node, source)
            code.lines = [
                "try:",
                *indented([*lines, f"{code.value} = {value}"]),
                "except (KeyError, RecursionError):",
                f"    {code.value} = {reference}",
            ]
        else:
            self.by_fields(source, reference)
        return code

    def by_fields(self, source: str, reference: str) -> None:
        """Write the reading of a record into variables."""
        code = self.code
        lines, code.fields = self.record(self.node, source)
        code.value = _display(code.fields)
        # the reference gives the fields in the order of the schema
        into = f"{', '.join(code.fields.values())}, = " if code.fields else ""
        again = [f"{into}{reference}.values()"]
        code.lines = ["try:", *indented(lines), "except (KeyError, RecursionError):"]
        code.lines += indented(again)

    def simple(self, node: Type, value: str, other: str = "") -> str:
        """Write the conversion of a type without parts, or a union, of the variable ``value``.

        ``other`` is the conversion of what is not usual: of the part, if it is not given.
        """
        if node.kind == "union":
            return self.union(node, value, other)
        usual = f"{value} if {_test(node, value)} else"
        if node.kind == "double" and self.reading and other:  # an int comes often: not all the way
            usual += (
                f" float({value}) if type({value}) is int and -{_EXACT} <= {value} <= {_EXACT} else"
            )
        return f"{usual} {other or self.other(node, value)}"

    def other(self, node: Type, value: str) -> str:
        """Write the call that converts what is not usual of a part."""
        if node.kind == "double" and self.reading:
            return f"{self.prefix}double({value})"
        return f"{self.prefix}part({value}, {self.numbers[id(node)]})"

    def union(self, node: Type, value: str, other: str) -> str:
        """Write the conversion of a union, as ``simple``."""
        kinds = [branch.kind for branch in node.branches]
        rest = [kind for kind in kinds if kind != "null"]
        cases = [("None", f"{value} is None")] if "null" in kinds else []
        if len(rest) == 1 and rest[0] in _TESTS:
            (kind,) = rest
            cases.append((f"{{{kind!r}: {value}}}", _TESTS[kind].format(value)))
            if kind == "double" and self.reading and not other:
                made = f"{{{kind!r}: {self.prefix}double({value})}}"
                cases.append((made, f"type({value}) is int"))
            inner = f"{value}[{kind!r}]"
            tagged = f"type({value}) is dict and len({value}) == 1 and {kind!r} in {value}"
            cases.append((f"{{{kind!r}: {inner}}}", f"{tagged} and ({_TESTS[kind].format(inner)})"))
        elif self.reading:
            # Of several, the one that takes the value whatever the others are: see pfa.unions.
            firsts = (("double", "float"), ("int", "long"), ("string",), ("boolean",))
            chosen = [next((kind for kind in first if kind in rest), "") for first in firsts]
            cases += [
                (f"{{{kind!r}: {value}}}", _TESTS[kind].format(value)) for kind in chosen if kind
            ]
            if chosen[0] == "double" and not chosen[1] and not other:
                made = f"{{'double': {self.prefix}double({value})}}"
                cases.append((made, f"type({value}) is int"))
        last = other or self.other(node, value)
        if self.bare:
            cases = [(re.sub(r"\{'\w+': (.+)\}", r"\1", made), test) for made, test in cases]
            last = f"{self.prefix}bare({last})"
        return " else ".join([*(f"{made} if {test}" for made, test in cases), last])

    def compound(self, node: Type, value: str) -> tuple[list[str], str]:
        """Write the conversion of a record, array or map: statements, then an expression."""
        if node.kind == "record":
            if self.reading and len(node.fields) >= _COPIED and _only_doubles(node):
                return self.doubles(node, value)
            lines, fields = self.record(node, value)
            return lines, _display(fields)
        item = self.name("item")
        made = self.item(items_of(node), item)
        if node.kind == "array":
            return [
                f"if type({value}) is not list: {_NOT_USUAL}"
            ], f"[{made} for {item} in {value}]"
        key = self.name("key")
        test = _TESTS["string"].format(key)
        made = f"({key} if {test} else {self.prefix}key({key})): {made}"
        lines = [f"if type({value}) is not dict: {_NOT_USUAL}"]
        made = f"{{{made} for {key}, {item} in {value}.items()}}"
        if self.reading and (self.bare or items_of(node).kind == "double"):
            made = f"(len({value}) >= {_COPIED} and {self.prefix}doubles({value})) or {made}"
        return lines, made

    def item(self, node: Type, value: str) -> str:
        """Write the conversion of the variable ``value`` as one expression."""
        if node.kind not in ("record", "array", "map"):
            return self.simple(node, value)
        if id(node) in self.endless:  # the reference counts the levels of a recursive type
            return f"{self.prefix}part({value}, {self.numbers[id(node)]})"
        return f"{self.function(node)}({value})"

    def function(self, node: Type) -> str:
        """Write a function that converts a record, array or map; a named type's once."""
        if id(node) not in self.functions:
            name = self.functions[id(node)] = self.name(node.short_name)
            lines, value = self.compound(node, "value")
            body = [*lines, f"return {value}"]
            self.code.prelude += [f"def {name}(value):", *indented(body)]
        return self.functions[id(node)]

    def getter(self, names: list[str]) -> str:
        """Write what gets these keys of a dict, as a tuple."""
        name = self.name("get")
        keys = ", ".join(map(repr, names))
        self.code.prelude.append(f"{name} = {self.prefix}itemgetter({keys})")
        return name

    def record(self, node: Type, value: str) -> tuple[list[str], dict[str, str]]:
        """Write the conversion of each field into a variable."""
        size = len(node.fields)
        wrong = f"type({value}) is not dict or len({value}) != {size}"
        lines = []
        if self.reading and (defaults := self.defaults(node)):
            lines = [f"if type({value}) is not dict: {_NOT_USUAL}"]
            whole = self.name("record")
            lines += [f"{whole} = {value} if len({value}) == {size} else {{{defaults}, **{value}}}"]
            value, wrong = whole, f"len({whole}) != {size}"
        lines.append(f"if {wrong}: {_NOT_USUAL}")
        fields = {made.name: self.name(made.name) for made in node.fields}
        shapes: dict[Any, list[tuple[str, Type]]] = {}
        for made in node.fields:
            shapes.setdefault(shape_of(made.type), []).append((made.name, made.type))
        for alike in shapes.values():
            names = [name for name, _ in alike]
            if len(alike) >= TOGETHER:
                item = self.name("item")
                source = f"{self.getter(names)}({value})"
                into = ", ".join(fields[name] for name in names)
                each = f"[{self.item(alike[0][1], item)} for {item} in "
                if self.reading and alike[0][1].kind == "double" and len(alike) >= _COPIED:
                    all_of = self.name("all")
                    lines.append(f"{all_of} = {source}")
                    usual = self.are_doubles(all_of, str(len(alike)))
                    lines.append(f"{into} = {all_of} if {usual} else {each}{all_of}]")
                else:
                    lines.append(f"{into} = {each}{source}]")
            else:
                for name, inner in alike:
                    lines += self.field(inner, fields[name], f"{value}[{name!r}]")
        return lines, fields

    def of_doubles(self, node: Type, names: list[str], is_all: bool) -> list[str]:
        """Write the conversion of variables that hold doubles."""
        into, total = ", ".join(names), self.name("sum")
        if is_all and len(names) >= _COPIED:
            rows, item = self.name("all"), self.name("item")
            self.code.value = rows
            made = f"{item} if type({item}) is float else {self.other(node, item)}"
            return [
                f"if [*map(type, {rows})].count(float) != {len(names)}:",
                f"    {rows} = [{made} for {item} in {rows}]",
                f"if not {self.prefix}isfinite(sum({rows})): {_NOT_USUAL}",
                f"{into} = {rows}",
            ]
        each = []
        for name in names:
            made = f"{name} * 1.0 if type({name}) is int else {self.other(node, name)}"
            each.append(f"if type({name}) is not float: {name} = {made}")
        if len(names) > 1:
            floats = " is ".join(f"type({name})" for name in names)
            each = [f"if not {floats} is float:", *indented(each)]
        # Of large ones the sum may be infinite, too: these are read one by one.
        return [
            *each,
            f"{total} = {' + '.join(names)}",
            f"if {total} - {total} != 0.0: {_NOT_USUAL}",
        ]

    def are_doubles(self, values: str, size: str) -> str:
        """Write whether so many values are finite doubles; of large ones it may say no."""
        floats = f"[*map(type, {values})].count(float) == {size}"
        return f"{floats} and {self.prefix}isfinite(sum({values}))"

    def field(self, node: Type, name: str, source: str) -> list[str]:
        """Write the conversion of the expression ``source`` into the variable ``name``."""
        lines = [f"{name} = {source}"]
        if node.kind in _TESTS or node.kind in ("enum", "fixed"):
            wrong = f"not ({_test(node, name)})"
            if node.kind == "double":
                wrong = f"type({name}) is not float or {name} - {name} != 0.0"  # compiles quicker
            return [*lines, f"if {wrong}: {name} = {self.other(node, name)}"]
        return [*lines, f"{name} = {self.item(node, name)}"]

    def doubles(self, node: Type, value: str) -> tuple[list[str], str]:
        """Write the conversion of a record of doubles only: at best a copy of the dict."""
        size, names, none = len(node.fields), self.name("names"), self.name("none")
        keys = ", ".join(repr(made.name) for made in node.fields)
        self.code.prelude += [f"{names} = [{keys}]", f"{none} = dict.fromkeys({names})"]
        types, ordered = self.name("types"), self.name("ordered")
        self.code.prelude.append(f"{types} = [float] * {size}")
        values, item = self.name("values"), self.name("item")
        each = f"{self.simple(node.fields[0].type, item)} for {item} in {values}"
        p = self.prefix
        return [
            f"if type({value}) is not dict or len({value}) != {size}: {_NOT_USUAL}",
            f"{ordered} = {value} if [*{value}] == {names} else {{**{none}, **{value}}}",
            f"if len({ordered}) != {size}: {_NOT_USUAL}",
            f"{values} = [*{ordered}.values()]",
        ], (
            f"{ordered}.copy() if [*map(type, {values})] == {types}"
            f" and {p}isfinite(sum({values})) else dict(zip({names}, [{each}]))"
        )

    def defaults(self, node: Type) -> str:
        """Write the fields that may be left out, as a JSON value that means the default."""
        found = [made for made in node.fields if made.default is not NO_DEFAULT]
        if not found:
            return ""
        checks = self.checks = self.checks or Checks(self.node)
        pairs = []
        for made in found:
            default = checks.default(made)
            text = repr(default)
            if repr(checks.part(made.type)(default, Run())) == text and len(text) <= _DEFAULT:
                pairs.append(f"{made.name!r}: {text}")
        return ", ".join(pairs)


def _test(node: Type, value: str) -> str:
    if node.kind == "enum":
        symbols = ", ".join(map(repr, node.symbols))
        return f"type({value}) is str and {value} in {{{symbols}}}"
    if node.kind == "fixed":
        return f"type({value}) is str and len({value}) == {node.size} and {value}.isascii()"
    return _TESTS[node.kind].format(value)


def shape_of(node: Type) -> Any:
    """What is equal for types that convert alike, as far as text goes."""
    if node.kind in _TESTS:
        return node.kind
    kinds = tuple(branch.kind for branch in node.branches)
    return kinds if kinds and all(kind in _TESTS for kind in kinds) else id(node)


def _only_doubles(node: Type) -> bool:
    return all(f.type.kind == "double" and f.default is NO_DEFAULT for f in node.fields)


def _display(fields: dict[str, str]) -> str:
    return "{" + ", ".join(f"{name!r}: {text}" for name, text in fields.items()) + "}"


def indented(lines: list[str]) -> list[str]:
    """Return lines one level further in."""
    return ["    " + line for line in lines]
