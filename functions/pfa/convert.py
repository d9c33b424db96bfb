"""Python source that reads a model's input and writes its output, made from their Avro types.

The text takes the usual value by the shortest way: one test of its exact type and range. Whatever
else comes goes to the two routines that say what is right, ``pfa.check`` and ``pfa.output``: for a
part of the value first (an int where a double is meant, a tagged union), and if that part does not
fit, for the whole value, so that their answers and their errors are the only ones. Inside the text
a KeyError says "not the usual value".

pfa.convert_text makes the text; here is what it is asked for, and what its names mean.
"""

from collections.abc import Callable
from math import isfinite
from operator import itemgetter
from typing import Any

from pfa.check import Checks
from pfa.convert_text import TOGETHER, Code, Text, indented, shape_of, types_in
from pfa.errors import InputError
from pfa.output import Unfit, Write, parts_writer, writer
from pfa.scalars import (
    BAD,
    Run,
    as_double,
    as_doubles,
    as_key,
    without_tag,
    without_tags,
)
from pfa.schema import NO_DEFAULT, Type


def reader(
    node: Type, source: str, prefix: str = "in_", whole: bool = True, bare: bool = False
) -> Code:
    """Write the reading of the JSON value that the local variable ``source`` holds.

    With ``whole`` false ``fields`` is filled in if the type is a record, and ``value`` costs a new
    dict. With ``bare`` the values of a map of a union are without tags, and so are usual values of
    a record's fields. The lines raise InputError.
    """
    return Text(node, prefix, reading=True, bare=bare).converted(source, source, whole)


def writer_code(node: Type, source: str, prefix: str = "out_", pointer: str = "''") -> Code:
    """Write the writing of the answer that the local variable ``source`` holds.

    ``pointer`` is the expression of where it stands in the whole answer. The lines raise
    ScoringError.
    """
    return Text(node, prefix, reading=False).converted(source, f"{source}, {pointer}", True)


def make_reader(node: Type) -> Callable[[Any], Any]:
    """Make a function that does what ``pfa.check.checker`` does, faster."""
    made = reader(node, "record", "")
    read: Callable[[Any], Any] = _function(made, "record", read_names(node, ""))
    return read


def make_writer(node: Type) -> Callable[..., Any]:
    """Make a function that does what ``pfa.output.writer`` does, faster."""
    made = writer_code(node, "answer", "", "pointer")
    return _function(made, "answer, pointer=''", write_names(node, ""))


def _function(made: Code, parameters: str, names: dict[str, Any]) -> Callable[..., Any]:
    body = [*made.lines, f"return {made.value}"]
    text = "\n".join([*made.prelude, f"def convert({parameters}):", *indented(body)])
    exec(compile(text, "<converter>", "exec"), names)  # noqa: S102 - text of this module
    function: Callable[..., Any] = names["convert"]
    return function


def read_names(node: Type, prefix: str = "in_") -> dict[str, Any]:
    """Return what ``reader``'s text sees; the reference is built when it is first needed.

    Raises DocumentError when the default of a field does not fit the field's type.
    """
    reference = _ReadReference(node)
    return _names(prefix, reference.whole, reference.part)


def write_names(node: Type, prefix: str = "out_") -> dict[str, Any]:
    """Return what ``writer_code``'s text sees."""
    reference = _WriteReference(node)
    return _names(prefix, reference.whole, reference.part)


def _names(prefix: str, whole: Any, part: Any) -> dict[str, Any]:
    given = {"whole": whole, "part": part, "double": as_double, "key": as_key}
    given |= {"bare": without_tag, "bare_map": without_tags, "doubles": as_doubles}
    given |= {"isfinite": isfinite, "itemgetter": itemgetter}
    return {prefix + name: value for name, value in given.items()}


class _ReadReference:
    """``pfa.check`` of a type and of the types in it, by their number."""

    def __init__(self, node: Type) -> None:
        self.node = node
        self.checks: Checks | None = None
        self.types: list[Type] = []
        if any(made.default is not NO_DEFAULT for each in types_in(node) for made in each.fields):
            self.built()

    def built(self) -> Checks:
        if self.checks is None:
            self.types = list(types_in(self.node))
            self.checks = Checks(self.node)
        return self.checks

    def whole(self, value: Any) -> Any:
        try:
            return self.built().checked(value)
        except InputError as error:
            raise error from None  # not after the KeyError that led here

    def part(self, value: Any, number: int) -> Any:
        made = self.built().part(self.types[number])(value, Run())
        if made is BAD:
            raise KeyError
        return made


class _WriteReference:
    """``pfa.output`` of a type and of the types in it, by their number."""

    def __init__(self, node: Type) -> None:
        self.node = node
        self.write: Callable[[Any, str], Any] | None = None
        self.types: list[Type] = []
        self.part_of: Callable[[Type], Write] = parts_writer()
        self.writes: dict[int, Write] = {}

    def whole(self, value: Any, pointer: str) -> Any:
        if self.write is None:
            self.write = writer(self.node)
        return self.write(value, pointer)

    def part(self, value: Any, number: int) -> Any:
        if number not in self.writes:
            self.types = self.types or list(types_in(self.node))
            self.writes[number] = self.part_of(self.types[number])
        try:
            return self.writes[number](value)
        except Unfit:
            raise KeyError from None


def row_reader(
    node: Type, types: dict[str, Type], prefix: str = "row_", bare: bool = False
) -> Code:
    """Write the reading of variables that hold parts of a value of the type ``node``.

    ``types`` are theirs. The lines raise KeyError for what is not of its type. If the variables are
    better read from one, their tuple, ``value`` is its name.
    """
    text = Text(node, prefix, reading=True, bare=bare)
    shapes: dict[Any, list[str]] = {}
    for name, each in types.items():
        shapes.setdefault(shape_of(each), []).append(name)
    for shape, names in shapes.items():
        of = types[names[0]]
        if shape == "double":
            text.code.lines += text.of_doubles(of, names, len(names) == len(types))
        elif len(names) >= TOGETHER:
            item, into = text.name("item"), ", ".join(names)
            text.code.lines.append(f"{into} = [{text.item(of, item)} for {item} in ({into})]")
        else:
            for name in names:
                text.code.lines += text.field(of, name, "")[1:]
    return text.code


def defaults(node: Type) -> str:
    """Write the fields of a record that may be left out, as ``name: JSON value, ...``."""
    return Text(node, "", reading=True).defaults(node)
