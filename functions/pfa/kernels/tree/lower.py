"""Constant trees, from a document's JSON to plain data: what `walk` makes functions of.

A tree is checked as titus's decoder would check it, and no more than once per node. Whatever is
out of the ordinary makes the whole of it None: titus then decodes it, and says what is wrong.

The data is of tuples, lists, numbers, strings and bytes, for marshal. A *nested* tree is a leaf's
value, or a tuple (operator, field, value, pass, fail, missing). A *flat* forest (see `flat`) has
all its splits sorted by column and cut.
"""

from array import array
from collections.abc import Callable
from functools import cache
from typing import Any

from pfa.kernels.tree.shape import (
    NUMBERS,
    ORDERED,
    Walk,
    branches,
    comparable,
    error_of,
    field_type,
    is_number,
    value_type,
)

Data = dict[str, Any]

# Operators of nested nodes; the first four are as in ORDERED.
LE, LT, GE, GT, EQ, NE, IN, NOT_IN, IS_MISSING, NOT_MISSING, RAISE, RAISE_PRESENT = range(12)
_OPERATORS = {"<=": LE, "<": LT, ">=": GE, ">": GT, "==": EQ, "!=": NE}

# A forest with fewer splits is walked faster as nested tuples: a flat one is prepared for each
# record, in 0.7 µs per column.
SMALLEST_FLAT = 200

_NODE = {"field", "operator", "value", "pass", "fail"}


class UnusualError(Exception):
    """A tree, or the type of one, that titus is left to deal with."""


class Column:
    """The splits of one field with one operator; ``field`` is the index of its name.

    ``splits`` are their numbers, ``cuts`` what they compare with: an array of doubles takes an
    eighth of the memory of a list's floats, and half the time to sort.
    """

    __slots__ = ("cuts", "field", "operator", "splits")

    def __init__(self, field: int, operator: int, cuts: Any) -> None:
        """Start without splits, with an empty array or list."""
        self.field = field
        self.operator = operator
        self.splits = array("i")
        self.cuts = cuts


def lower(walk: Walk, trees: list[Any]) -> Data | None:
    """Return the trees (parsed JSON of their root nodes) as data; None if they are not usual."""
    try:
        reader = Reader(walk)
        roots = [reader.split(tree) for tree in trees]
        return reader.data(roots)
    except (UnusualError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        return None
    except RecursionError:
        return None


def is_flat(splits: int, columns: int) -> bool:
    """Tell whether a forest of splits that are all in columns is walked faster as a flat one."""
    return splits >= max(SMALLEST_FLAT, 30 * columns)


def count_keys(value: Any) -> int:
    """Return the number of keys of all objects in a JSON value."""
    if type(value) is dict:
        return len(value) + sum(map(count_keys, value.values()))
    return sum(map(count_keys, value)) if type(value) is list else 0


class Reader:
    """Reads trees of one type."""

    def __init__(self, walk: Walk) -> None:
        """Take apart the types."""
        self.walk = walk
        self.tag: str = walk.node.name
        self.values = value_type(walk)
        self.columns: list[Column] = []
        # What adds a cut, and a split, to a column of numbers, by field and operator.
        self.adders: dict[str, dict[str, tuple[Any, Any]]] = {}
        self.fields: dict[str, int] = {}  # those that are compared: name to index
        # Children of the splits, by number: passing, failing, missing. Leaf i is number ~i.
        self.children = [array("i"), array("i"), array("i")]
        self.leaves: list[Any] = []
        self.keys = 0  # of JSON objects in what was read, to be compared with those in the text
        children = ["pass", "fail", "missing"] if walk.three_way else ["pass", "fail"]
        types = walk.node.fieldsDict
        ways = [branches(types[child].avroType) for child in children]
        for way in ways:
            if way[self.tag].fullName != walk.node.fullName:
                raise UnusualError
        # titus's decoders of what a walk does not look at
        self.unread = [
            (each.name, decoder(each.avroType))
            for each in walk.node.fields
            if each.name not in _NODE and each.name not in children
        ]
        self.kinds = {tag: NUMBERS[tag] for tag in branches(self.values) if tag in NUMBERS}
        self.split = self._splitter(*(self._leaf_reader(way) for way in ways))

    def column(self, field: str, operator: int, numbers: bool = False) -> Column:
        """Return the column of a field and an operator, made if there is none."""
        index = self.fields.setdefault(field, len(self.fields))
        for column in self.columns:
            if column.operator == operator and column.field == index:
                return column
        doubles = numbers and not {"int", "long"} & {self.values.name, *self.kinds}
        made = Column(index, operator, array("d") if doubles else [])
        self.columns.append(made)
        return made

    def _splitter(
        self, leaf_of_pass: Any, leaf_of_fail: Any, leaf_of_missing: Any = None
    ) -> Callable[[Any], int]:
        """Make what reads a node and all below, and gives its number."""
        tag_of_node, unread, unusual = self.tag, self.unread, self.unusual
        passing, failing, missing = self.children
        plain = NUMBERS.get(self.values.name)  # None: numbers are tagged
        usual = "double" if "double" in self.kinds else next(iter(self.kinds), None)
        kind = plain or self.kinds.get(usual)  # type: ignore[arg-type]
        adders = self.adders
        tags = (3 if self.walk.three_way else 2) + (plain is None)

        def split(node: Any) -> int:
            self.keys += len(node) + tags
            for name, decode in unread:
                self.keys += count_keys(node[name])
                decode(node[name])
            always = None
            try:
                value = node["value"]
                cut = value if plain else value[usual]
                if type(cut) is not kind:
                    if type(cut) is not int or kind is not float:
                        raise KeyError
                    cut = float(cut)
                if plain is None and len(value) != 1:
                    raise KeyError
                add_cut, add_split = adders[node["field"]][node["operator"]]
            except (LookupError, TypeError):
                column, cut, always = unusual(node)
                self.keys += count_keys(node["value"]) - (plain is None)
                add_cut, add_split = column.cuts.append, column.splits.append
            child = node["pass"]
            below = child.get(tag_of_node)
            passed = leaf_of_pass(child) if below is None or len(child) > 1 else split(below)
            child = node["fail"]
            below = child.get(tag_of_node)
            failed = leaf_of_fail(child) if below is None or len(child) > 1 else split(below)
            if leaf_of_missing is not None:
                child = node["missing"]
                below = child.get(tag_of_node)
                missed = leaf_of_missing(child) if below is None or len(child) > 1 else split(below)
            if always is not None:
                return passed if always else failed
            if leaf_of_missing is not None:
                missing.append(missed)
            number = len(passing)
            passing.append(passed)
            failing.append(failed)
            add_cut(cut)
            add_split(number)
            return number

        return split

    def _leaf_reader(self, way: dict[str, Any]) -> Callable[[Any], int]:
        """Make what reads leaves; equal numbers and strings are one leaf."""
        known: dict[str, dict[Any, int]] = {tag: {} for tag in way}
        decoders = {tag: decoder(branch) for tag, branch in way.items()}
        leaves = self.leaves
        usual = next((tag for tag, branch in way.items() if branch.schema.type in _LEAVES), "")
        seen = known.get(usual, {})
        kind = _LEAVES[way[usual].schema.type] if usual else None
        is_ready = bool(usual) and way[usual].schema.type != "enum"  # or its symbol is checked

        def leaf(union: Any) -> int:
            value = union.get(usual)
            if type(value) is kind and len(union) == 1 and value:
                found = seen.get(value)
                if found is None and is_ready:
                    found = seen[value] = ~len(leaves)
                    leaves.append(value)
                if found is not None:
                    return found
            ((tag, value),) = union.items()
            self.keys += count_keys(value)
            value = decoders[tag](value)
            # 0.0 and -0.0 are equal
            key = value or (repr(value),) if type(value) in (int, float, str) else id(value)
            same = known[tag]
            if key not in same:
                same[key] = ~len(leaves)
                leaves.append(value)
            return same[key]

        return leaf

    def unusual(self, node: Any) -> tuple[Column, Any, bool | None]:
        """Return column and value of a split that is no plain comparison of numbers.

        The last is what it always is, if it is.
        """
        operator, name = node["operator"], node["field"]
        field = field_type(self.walk, name)
        value = decoder(self.values)(node["value"])
        if field is None or type(operator) is not str:
            raise UnusualError
        if operator in ("alwaysTrue", "alwaysFalse"):
            return Column(0, 0, []), None, operator == "alwaysTrue"
        code, value = self._test(operator, field[0], value)
        is_order = code < len(ORDERED) and is_number(field[0])
        column = self.column(name, code, is_order)
        if is_order:
            add = (column.cuts.append, column.splits.append)
            self.adders.setdefault(name, {})[operator] = add
        return column, value, None

    def _test(self, operator: str, field: Any, value: Any) -> tuple[int, Any]:
        """Return code and value of a comparison, as titus's simpleComparison makes it."""
        call, values = self.walk.call, self.values
        if not self.walk.missing and operator in ("isMissing", "notMissing"):
            return (IS_MISSING if operator == "isMissing" else NOT_MISSING), None
        if operator in ("in", "notIn"):
            arrays = [each for each in branches(values).values() or [values] if _is_array(each)]
            if not any(each.items.accepts(field) for each in arrays):
                return RAISE, error_of(call, False)
            if type(value) is dict and list(value) == ["array"]:
                value = value["array"]
            if type(value) is not list:
                raise UnusualError
            if field.schema.type in _HASHED and all(type(x) in (str, int, float) for x in value):
                value = frozenset(value)
            return (IN if operator == "in" else NOT_IN), value
        if not comparable(values, field):
            return RAISE, error_of(call, False)
        if is_number(field):
            if type(value) is dict and len(value) == 1:
                ((tag, inner),) = value.items()
                value = inner if tag in NUMBERS else value
            if type(value) not in (int, float):
                return RAISE_PRESENT, error_of(call, False)
        if operator not in _OPERATORS:
            return RAISE_PRESENT, error_of(call, True)
        if is_number(field):
            return _OPERATORS[operator], value
        return self._other(operator, field, value)

    def _other(self, operator: str, field: Any, value: Any) -> tuple[int, Any]:
        """Return code and value of a comparison of strings, booleans or an enum's symbols."""
        kind = field.schema.type
        if kind not in ("string", "enum", "boolean"):
            raise UnusualError
        inner = self.values
        tagged = branches(inner)
        if tagged:
            ((tag, value),) = value.items()
            # titus takes the last type of the union that a value without tag would be of
            own = [t for t in tagged.values() if t.schema.type in _ALIKE[kind]]
            if len(own) != 1 or tagged[tag] is not own[0]:
                raise UnusualError
            inner = own[0]
        if inner.schema.type != kind:
            raise UnusualError
        if kind != "enum":
            return _OPERATORS[operator], value
        order = list(inner.symbols)
        place = order.index(value)
        below, above = order[:place], order[place + 1 :]
        return IN, frozenset(
            {
                "<=": [*below, value],
                "<": below,
                ">=": [value, *above],
                ">": above,
                "==": [value],
                "!=": [*below, *above],
            }[operator]
        )

    def data(self, roots: list[int]) -> Data:
        """Return what was read as plain data."""
        ordered = all(column.operator < len(ORDERED) for column in self.columns)
        many = is_flat(len(self.children[0]), len(self.columns))
        if ordered and many and not self.has_nan():
            return {**self.head(), **self.flat(roots)}
        return {**self.head(), "trees": self.nested(roots)}

    def head(self) -> Data:
        """Return the data of a forest but the trees."""
        names = tuple(self.fields)
        return {
            "call": self.walk.call,
            "fields": names,
            "untag": any(field_type(self.walk, name)[1] for name in names),  # type: ignore[index]
            "missing": self.walk.missing,
            "keys": self.keys,
        }

    def has_nan(self) -> bool:
        """Tell whether a cut is NaN, which has no place in an order."""
        for column in self.columns:
            total = sum(column.cuts)
            if total != total and any(cut != cut for cut in column.cuts):
                return True
        return False

    def flat(self, roots: list[int]) -> Data:
        """Return splits numbered by column and cut, then leaves; "ways" has where each leads.

        So the splits that a number passes are one side of a place in each column.
        """
        columns: list[tuple[int, int, list[float]]] = []
        order: list[int] = []
        for column in self.columns:
            cuts = list(column.cuts)  # floats side by side in memory
            ranks = sorted(range(len(cuts)), key=cuts.__getitem__)
            order += [column.splits[rank] for rank in ranks]
            columns.append((column.field, column.operator, [cuts[rank] for rank in ranks]))
        # Of ~i, counted from the end, the number is that of leaf i.
        numbers = array("i", [0]) * len(order)
        for number, split in enumerate(order):
            numbers[split] = number
        numbers.extend(range(len(order), len(order) + len(self.leaves)))
        ways = [
            array("i", [numbers[way[split]] for split in order]).tobytes() if way else b""
            for way in self.children
        ]
        return {
            "columns": columns,
            "ways": ways,
            "roots": [numbers[root] for root in roots],
            "leaves": self.leaves[::-1],
        }

    def nested(self, roots: list[int]) -> list[Any]:
        """Return the trees as nested tuples (operator, field, value, pass, fail, missing)."""
        tests = {
            split: (column.operator, column.field, cut)
            for column in self.columns
            for split, cut in zip(column.splits, column.cuts, strict=True)
        }
        passing, failing, missing = self.children

        def tree(split: int) -> Any:
            if split < 0:
                return self.leaves[~split]
            return (
                *tests[split],
                tree(passing[split]),
                tree(failing[split]),
                tree(missing[split]) if missing else None,
            )

        return [tree(root) for root in roots]


_LEAVES = {**NUMBERS, "string": str, "enum": str}
_HASHED = {*NUMBERS, "string", "enum"}
_ALIKE = {"string": ("string", "enum", "bytes", "fixed"), "boolean": ("boolean",)}
_ALIKE["enum"] = _ALIKE["string"]


@cache
def _titus() -> tuple[Any, type[Exception]]:
    from pfa import compat  # noqa: F401  mends titus
    from pfa.compat.loader import load

    return load("titus.datatype"), load("titus.errors").AvroException


def decoder(avro_type: Any) -> Callable[[Any], Any]:
    """Return titus's decoder of a type; it raises UnusualError for what is not of the type."""

    def decode(value: Any) -> Any:
        datatype, error = _titus()
        try:
            return datatype.jsonDecoder(avro_type, value)
        except error:
            raise UnusualError from None

    return decode


def _is_array(avro_type: Any) -> bool:
    return bool(avro_type.schema.type == "array")
