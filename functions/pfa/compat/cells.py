"""Read the initial values of cells and pools in one pass.

titus writes such a value as JSON text, parses that again and decodes it with a routine that asks
anew for the type of every value in it. For a forest of 8 MB that is 2 of 2.4 s of CPU. Here the
parsed value of the document is kept, and decoded by functions that are made once per type. What
is out of the ordinary goes to titus's routine, so that values and errors are the same.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from pfa.compat.loader import mends
from pfa.forest import Forest

Decoder = Callable[[Any], Any]

# Set while a document is read of which is known that no key in it is "@".
without_marks: ContextVar[bool] = ContextVar("without_marks", default=False)

_DEFERRED: Any = object()  # the value of a cell that is decoded when it is read


@mends("titus.datatype")
def _decoders_per_type(datatype: Any) -> None:
    """Decode with a function per type, kept with the type's schema."""
    stock = datatype.jsonDecoder

    def decode(avro_type: Any, value: Any) -> Any:
        return value if value is _DEFERRED else decoder(avro_type)(value)

    def decoder(avro_type: Any) -> Decoder:
        known: Decoder | None = vars(avro_type.schema).get("_decoder")
        if known is not None:
            return known
        made = _decoder(avro_type, lambda value: stock(avro_type, value), decoder)
        vars(avro_type.schema)["_decoder"] = made
        return made

    # The stock one calls itself by this name for what is inside arrays, records and unions.
    datatype.jsonDecoder = decode


def _decoder(avro_type: Any, stock: Decoder, decoder: Callable[[Any], Decoder]) -> Decoder:
    """Make the function that decodes a value of ``avro_type``.

    ``stock`` does what titus does, ``decoder`` gives the function of a type inside this one.
    """
    kind = avro_type.schema.type
    if kind == "record":
        return _record(avro_type, stock, decoder)
    if kind == "union":
        return _union(avro_type, stock, decoder)
    if kind == "array":
        items = decoder(avro_type.items)
        return lambda value: [items(x) for x in value] if type(value) is list else stock(value)
    if kind == "map":
        values = decoder(avro_type.values)
        return lambda value: (
            {k: values(v) for k, v in value.items()} if type(value) is dict else stock(value)
        )
    if kind == "enum":
        symbols = frozenset(avro_type.symbols)
        return lambda value: value if type(value) is str and value in symbols else stock(value)
    ready = {"string": str, "int": int, "long": int, "float": float, "double": float}.get(kind)
    if ready is None:
        return stock
    return lambda value: value if type(value) is ready else stock(value)


def _record(avro_type: Any, stock: Decoder, decoder: Callable[[Any], Decoder]) -> Decoder:
    fields: list[tuple[str, Decoder]] = []
    defaults: dict[str, Any] = {}

    def record(value: Any) -> Any:
        if type(value) is not dict:
            return stock(value)
        try:
            return {name: decode(value[name]) for name, decode in fields}
        except KeyError:
            pass
        full = {**defaults, **value}
        try:
            return {name: decode(full[name]) for name, decode in fields}
        except KeyError:  # a field of type null, or an error
            return stock(value)

    # Kept before its fields are looked at: they may hold records of this type.
    vars(avro_type.schema)["_decoder"] = record
    fields += [(field.name, decoder(field.avroType)) for field in avro_type.fields]
    defaults |= {f.name: _default(f) for f in avro_type.fields if f.schema.has_default}
    return record


def _default(field: Any) -> Any:
    """Give a field's default; that of a union is written without tag, and of its first branch.

    titus takes it with a tag only, and does not take null for a default.
    """
    value, of = field.default, field.avroType
    if of.schema.type != "union" or value is None:
        return value
    names = [branch.name for branch in of.types]
    tagged = isinstance(value, dict) and len(value) == 1 and next(iter(value)) in names
    return value if tagged else {names[0]: value}


def _union(avro_type: Any, stock: Decoder, decoder: Callable[[Any], Decoder]) -> Decoder:
    branches = {branch.name: decoder(branch) for branch in avro_type.types}
    nullable = "null" in branches

    def union(value: Any) -> Any:
        if type(value) is dict and len(value) == 1:
            ((tag, inner),) = value.items()
            if tag in branches:
                return {tag: branches[tag](inner)}
        elif value is None and nullable:
            return None
        return stock(value)

    return union


@mends("titus.reader")
def _parsed_cells(reader: Any) -> None:
    """Keep the value of a cell as it was parsed; its text is only made if it is asked for."""
    cell_class, strip = reader.Cell, reader._stripAtSigns
    read_cell, stock_value = reader._readCell, cell_class.initJsonNode.fget

    def parsed_cell(data: Any, dot: str, builder: Any) -> Any:
        init = data.get("init") if isinstance(data, dict) else None
        if isinstance(init, Forest):
            cell = read_cell({**data, "init": None}, dot, builder)
            vars(cell)["_parsed"] = init
            return cell
        if not isinstance(init, dict | list):
            return read_cell(data, dot, builder)
        cell = read_cell({**data, "init": None}, dot, builder)
        marked = not without_marks.get() and _has_at(init)
        vars(cell)["_parsed"] = strip(init) if marked else init
        return cell

    def value(cell: Any) -> Any:
        if "_deferred" in vars(cell):
            return _DEFERRED
        parsed = vars(cell).get("_parsed")
        if isinstance(parsed, Forest):
            return parsed.value()
        return stock_value(cell) if parsed is None else parsed

    def text(cell: Any) -> Any:
        parsed = vars(cell).get("_parsed")
        if isinstance(parsed, Forest):
            return reader.json.dumps(parsed.value())
        return vars(cell)["init"] if parsed is None else reader.json.dumps(parsed)

    def set_text(cell: Any, init: Any) -> None:
        vars(cell)["init"] = init

    reader._readCell = parsed_cell
    cell_class.initJsonNode = property(value)
    cell_class.init = property(text, set_text)


@mends("titus.genpy")
def _which_one(genpy: Any) -> None:
    """Say which cell or pool has a value that is not of its type."""
    engine, datatype = genpy.PFAEngine, genpy.titus.datatype
    stock = engine.fromAst

    def from_ast(config: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return stock(config, *args, **kwargs)
        except datatype.titus.errors.AvroException:
            for name, cell in config.cells.items():
                check("cell", name, cell.avroType, cell)
            for name, pool in config.pools.items():
                check("pool", name, datatype.AvroMap(pool.avroType), pool)
            raise

    def check(kind: str, name: str, of: Any, item: Any) -> None:
        try:
            datatype.jsonDecoder(of, item.initJsonNode)
        except datatype.titus.errors.AvroException as error:
            message = f'the init of {kind} "{name[:80]}": {error}'
            raise datatype.titus.errors.AvroException(message) from None

    engine.fromAst = staticmethod(from_ast)


@mends("titus.genpy")
def _one_copy(genpy: Any) -> None:
    """Let go of the parsed value once it is decoded: 80 MB of memory for a forest of 8 MB.

    A decoded value is as good an ``init``: the same JSON, with defaults filled in.
    """
    engine = genpy.PFAEngine
    stock = engine.fromAst

    def from_ast(config: Any, *args: Any, **kwargs: Any) -> Any:
        made = stock(config, *args, **kwargs)
        for name, cell in config.cells.items():
            if "_parsed" not in vars(cell) or cell.shared or not made:
                continue
            if vars(cell).pop("_deferred", False):
                for each in made:
                    each.cells[name] = deferred(cell)
            else:
                vars(cell)["_parsed"] = made[0].cells[name].value
        return made

    def deferred(cell: Any) -> Any:
        return Deferred(None, cell.shared, cell.rollback, cell.source, cell)

    class Deferred(genpy.Cell):  # type: ignore[misc]
        """A cell that is decoded when it is read."""

        def __init__(self, value: Any, shared: Any, rollback: Any, source: Any, cell: Any) -> None:
            super().__init__(value, shared, rollback, source)
            self._value, self._cell = value, cell

        @property
        def value(self) -> Any:
            if self._cell is not None:
                datatype = genpy.titus.datatype
                self._value = datatype.jsonDecoder(self._cell.avroType, self._cell.initJsonNode)
                self._cell = None
            return self._value

        @value.setter
        def value(self, value: Any) -> None:
            self._value = value

    engine.fromAst = staticmethod(from_ast)


def forest(cell: Any) -> Forest | None:
    """Give the forest that a cell of a syntax tree begins with, if it was read as one."""
    parsed = vars(cell).get("_parsed")
    return parsed if isinstance(parsed, Forest) else None


def defer(cell: Any) -> None:
    """Leave a cell of a syntax tree undecoded until it is read: its value is known to be right."""
    if "_parsed" in vars(cell):
        vars(cell)["_deferred"] = True


def forget(cell: Any) -> None:
    """Let go of the value of a deferred cell, which nobody will read."""
    vars(cell).pop("_parsed", None)


def _has_at(value: Any) -> bool:
    """Tell whether a locator mark ("@") is anywhere in a JSON value."""
    todo = [value]
    while todo:
        part = todo.pop()
        if type(part) is dict:
            if "@" in part:
                return True
            todo.extend(part.values())
        elif type(part) is list:
            todo.extend(part)
    return False
