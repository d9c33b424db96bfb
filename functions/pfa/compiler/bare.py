"""An input that is a map of a union, without tags: for the short way of a record (see direct.py).

``{"double": 3.5}`` is 3.5 there if all that the action does with a value is a ``cast``: the type of
the Python value says as much as the tag.
"""

import re
from collections import Counter
from collections.abc import Iterator

from pfa.compiler.code import Block, Statement, placed, render
from pfa.schema import Type, items_of

_TYPES = {"double": "float", "string": "str", "boolean": "bool"}
_CAST = r"k\d+_cast_(null|string|boolean)\((g\d+)\)"
_OTHER = rf"(?:NO_MATCH if g\d+ is None or '\w+' not in g\d+ else )?{_CAST}"
# What control.py writes for a cast, as it is after short.of_input: whether a value is a double;
# a case, with the test in the next statement; a case before that of a double.
_IS_DOUBLE = re.compile(r"(t\d+) = (g\d+) is not None and 'double' in g\d+")
_OF_DOUBLE = re.compile(r"(v\w+) = (g\d+)\['double'\] if (t\d+) else k\d+_cast_double\(g\d+\)")
_OF_OTHER = re.compile(rf"(v\w+) = {_OTHER}")
_BEFORE_DOUBLE = re.compile(rf"if not (t\d+) and \((v\w+) := {_OTHER}\) is not NO_MATCH:")
# All that may be done with the input, and with a value of it: as a line, and within one.
_KNOWN_LINE = re.compile(
    r" *(?:g\d+ = v_input\[(?:\w+|'[\w.]*')\]|for v\w+, g\d+ in v_input\.items\(\):"
    r"|v\w+ = g\d+|if type\(g\d+\) is \w+:|if g\d+ is None:)"
)
_KNOWN = re.compile(
    r"\blist\(v_input\)|\blen\(v_input\)|\bv_input\.keys\(\)|\('[\w.]*' in v_input\)"
)
_LEFT = re.compile(r"[gtv](?<!\w.)(?:_input|\d+)\b")  # "\b" at its beginning is slow
_DOUBLE = re.compile(r"t\d+")


class _UnknownError(Exception):
    """The text is not as it is written for a cast."""


def of_map(statements: list[Statement], read: Type) -> list[Statement] | None:
    """Return the action for values without tags; None if there is no such.

    Args:
        statements: as short.of_input leaves them.
        read: the type of the input.
    """
    if read.kind != "map" or items_of(read).kind != "union":
        return None
    kinds = [branch.kind for branch in items_of(read).branches]
    if "double" not in kinds or not {*kinds} <= {"null", *_TYPES}:
        return None
    doubles: set[str] = set()
    try:
        made = [*_bare(statements, doubles)]
    except _UnknownError:
        return None
    made = _by_items(made)
    used = {name for line in render(made) for name in _left(line)}
    return made if used.isdisjoint(doubles) and all(map(_DOUBLE.fullmatch, used)) else None


def _left(line: str) -> list[str]:
    """Return the names in a line of which something unknown is done."""
    if _KNOWN_LINE.fullmatch(line):
        return []
    return _LEFT.findall(_KNOWN.sub("", line) if "v_input" in line else line)


def _bare(statements: list[Statement], doubles: set[str]) -> Iterator[Statement]:
    """Give the statements anew; ``doubles`` gets the variables that are done without."""
    todo = iter(statements)
    for each in todo:
        if isinstance(each, str):
            if found := _IS_DOUBLE.fullmatch(each):
                doubles.add(found[1])
            elif found := _OF_DOUBLE.fullmatch(each):
                wanted = f"if {found[3]} or {found[1]} is not NO_MATCH:"
                body = _next(todo, wanted)
                yield _case("double", found[2], found[1], body, doubles, each)
            elif found := _OF_OTHER.fullmatch(each):
                body = _next(todo, f"if {found[1]} is not NO_MATCH:")
                yield _case(found[2], found[3], found[1], body, doubles, each)
            else:
                yield each
        elif found := _BEFORE_DOUBLE.fullmatch(each.header):
            case = _case(found[3], found[4], found[2], each.body, doubles, each)
            first, *rest = _bare(_next(todo, "else:"), doubles)
            if not isinstance(first, Block) or first.header != _test("double", found[4]):
                raise _UnknownError
            yield first  # as most values are doubles
            yield Block("else:", [case, *rest], each.pos)
        else:
            yield Block(each.header, [*_bare(each.body, doubles)], each.pos)


def _by_items(statements: list[Statement]) -> list[Statement]:
    """Return statements that go through keys and values, for those that get the value of a key."""
    found = [_KEYS.fullmatch(each) for each in statements if isinstance(each, str)]
    names = [each[1] for each in found if each]
    if not names:
        return statements
    text = "\n".join(render(statements))
    uses = Counter(_VARIABLE.findall(text))
    known = Counter(made or within for made, within in _USED_AS_KEYS.findall(text))
    keys = {name for name in names if known[name] == uses[name] and text.count(f"{name} = ") == 1}
    out: list[Statement] = []
    for each in statements:
        if isinstance(each, Block) and (loop := _OF_KEYS.fullmatch(each.header)):
            first, *rest = each.body
            value = _VALUE.fullmatch(first) if isinstance(first, str) else None
            if loop[2] in keys and value and value[2] == loop[1]:
                header = f"for {loop[1]}, {value[1]} in v_input.items():"
                out.append(Block(header, rest, each.pos))
                continue
        out.append(each)
    text = "\n".join(render(out))
    unused = {f"{name} = list(v_input)" for name in keys if text.count(name) == 1}
    return [each for each in out if isinstance(each, Block) or each not in unused]


_KEYS = re.compile(r"(v_\w+) = list\(v_input\)")
_USED_AS_KEYS = re.compile(r"(v_(?<!\w..)\w+) = list\(v_input\)|for v\w+ in (v_\w+):")
_VARIABLE = re.compile(r"v_(?<!\w..)\w+")
_OF_KEYS = re.compile(r"for (v\w+) in (v_\w+):")
_VALUE = re.compile(r"(g\d+) = v_input\[(v\w+)\]")


def _next(todo: Iterator[Statement], header: str) -> list[Statement]:
    """Return the body of the next statement, which has this header."""
    each = next(todo, None)
    if not isinstance(each, Block) or each.header != header:
        raise _UnknownError
    return each.body


def _case(
    kind: str, value: str, name: str, body: list[Statement], doubles: set[str], of: Statement
) -> Block:
    """Return the statements of a case, which stand in place of ``of``."""
    pos = getattr(of, "pos", None)
    first = placed(f"{name} = {value}", pos)
    return Block(_test(kind, value), [first, *_bare(body, doubles)], pos)


def _test(kind: str, value: str) -> str:
    return f"if {value} is None:" if kind == "null" else f"if type({value}) is {_TYPES[kind]}:"
