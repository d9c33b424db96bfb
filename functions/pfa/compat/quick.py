"""What titus does, in less time: each of these answers as titus's own routine does."""

from collections.abc import Iterable
from typing import Any

from pfa.compat.cells import without_marks
from pfa.compat.loader import mends

# What is no function where it is the key of an object: the words of special forms, and marks.
# fmt: off
_WORDS = {
    "@", "args", "as", "attr", "base64", "call", "cases", "cast", "cell", "code", "cond", "del",
    "do", "doc", "double", "else", "error", "fcn", "fill", "filter", "float", "for", "foreach",
    "forkey", "format", "forval", "if", "ifnotnull", "in", "init", "int", "let", "log", "long",
    "namespace", "new", "pack", "params", "partial", "path", "pool", "ret", "seq", "set", "step",
    "string", "then", "to", "try", "type", "unpack", "until", "upcast", "value", "while",
}
# fmt: on


_LONGEST = 300  # characters of types of which is remembered what a signature makes of them
_REMEMBERED = 8  # such texts for each signature


@mends("titus.reader")
def _arguments(reader: Any) -> None:
    """Read names, numbers and calls without asking for each of the 50 words of special forms."""
    stock = reader._readArgument
    is_name, call, name = reader.validSymbolName, reader.Call, reader.Ref
    string = reader.LiteralString

    def several(given: Any, at: str, builder: Any) -> Any:
        if type(given) is list:
            return reader._readExpressionArray(given, at, builder)
        return [reader._readExpression(given, at, builder)]

    def items(given: Any, at: str, builder: Any) -> Any:
        read = reader._readExpressionArray if type(given) is list else reader._readExpressionMap
        return read(given, at, builder)

    def new(given: Any, a_type: Any, pos: str) -> Any:
        return (reader.NewArray if type(given) is list else reader.NewObject)(given, a_type, pos)

    def without_types(read: Any) -> Any:
        return lambda given, at, _builder: read(given, at)

    def function_name(given: Any, _at: str, _builder: Any) -> Any:
        if type(given) is str and reader.validFunctionName(given):
            return given
        raise ValueError(given)

    one, a_type = reader._readExpression, reader._readAvroPlaceholder
    # How what follows a word is read, and what some words together make: with these parts.
    of: dict[str, Any] = {
        **dict.fromkeys(("attr", "cast", "if", "upcast"), one),
        **dict.fromkeys(("do", "else", "then"), several),
        **dict.fromkeys(("as", "ret", "type"), a_type),
        **dict.fromkeys(("ifnotnull", "let", "set"), reader._readExpressionMap),
        "cases": reader._readCastCaseArray,
        "cell": without_types(reader._readString),
        "code": without_types(reader._readInt),
        "double": without_types(reader._readDouble),
        "error": without_types(reader._readString),
        "fcn": function_name,
        "new": items,
        "params": reader._readParams,
        "partial": without_types(reader._readBoolean),
        "path": reader._readExpressionArray,
        "string": without_types(reader._readString),
        "value": without_types(reader._readJsonToString),
    }
    parts: list[tuple[str, Any, tuple[Any, ...]]] = [
        ("attr path", reader.AttrGet, ()),
        ("cast cases", reader.CastBlock, (False,)),
        ("cast cases partial", reader.CastBlock, ()),
        ("cell", reader.CellGet, ([],)),
        ("cell path", reader.CellGet, ()),
        ("do", reader.Do, ()),
        ("double", reader.LiteralDouble, ()),
        ("error", reader.Error, (None,)),
        ("error code", reader.Error, ()),
        ("fcn", reader.FcnRef, ()),
        ("if then", reader.If, (None,)),
        ("if then else", reader.If, ()),
        ("ifnotnull then", reader.IfNotNull, (None,)),
        ("ifnotnull then else", reader.IfNotNull, ()),
        ("let", reader.Let, ()),
        ("new type", new, ()),
        ("params ret do", reader.FcnDef, ()),
        ("set", reader.SetVar, ()),
        ("string", reader.LiteralString, ()),
        ("type value", reader.Literal, ()),
        ("upcast as", reader.Upcast, ()),
    ]
    forms = {frozenset(words.split()): (make, words.split(), more) for words, make, more in parts}

    def argument(data: Any, dot: str, builder: Any) -> Any:
        kind = type(data)
        if kind is str:
            if is_name(data):
                return name(data, dot)
            first, *rest = data.split(".")
            if is_name(first) and all(map(is_name, rest)):
                return reader.AttrGet(name(first), [string(each, dot) for each in rest], dot)
        elif kind is float:
            return reader.LiteralDouble(data, dot)
        elif kind is int:
            if -(2**31) <= data < 2**31:
                return reader.LiteralInt(data, dot)
        elif kind is list:
            if len(data) == 1 and type(data[0]) is str:
                return string(data[0], dot)
        elif kind is dict and len(data) == 1:
            ((key, given),) = data.items()
            if key not in _WORDS:
                at = f"{dot} -> {key}"
                if type(given) is list:
                    args = [argument(x, f"{at} -> {i}", builder) for i, x in enumerate(given)]
                else:
                    args = [argument(given, at, builder)]
                return call(key, args, reader.pos(dot, None))
        if kind is dict:
            form = forms.get(frozenset(data))
            if form is not None:
                make, words, rest = form
                if "new" in words and type(data["new"]) not in (list, dict):
                    return stock(data, dot, builder)
                try:
                    values = [of[word](data[word], f"{dot} -> {word}", builder) for word in words]
                except (TypeError, AttributeError, NameError, LookupError, ValueError):
                    return stock(data, dot, builder)  # which has the words for it
                return make(*values, *rest, reader.pos(dot, None))
        return stock(data, dot, builder)

    reader._readArgument = argument


@mends("titus.reader")
def _marks(reader: Any) -> None:
    """Copy no part of a document to take marks out of it, if it has none."""
    stock = reader._stripAtSigns
    reader._stripAtSigns = lambda data: data if without_marks.get() else stock(data)


@mends("titus.pfaast")
def _functions(pfaast: Any) -> None:
    """Put the table of the library's functions together once, and have them in each table.

    For each document titus copies them, 900, item by item, to add the document's own.
    """
    table = pfaast.FunctionTable
    stock_init, stock_blank = table.__init__, table.blank
    library: dict[str, Any] = {}

    class Functions(dict[str, Any]):
        """A table's functions, of which there are no items to be copied."""

        def items(self) -> Any:
            return ()

    def __init__(self: Any, functions: dict[str, Any]) -> None:  # noqa: N807
        stock_init(self, Functions(library))
        self.functions.update(functions)

    def blank() -> Any:
        if not library:
            library.update(stock_blank().functions)
        return table({})

    table.__init__ = __init__
    table.blank = staticmethod(blank)


@mends("titus.datatype")
def _types(datatype: Any) -> None:
    """Find the class of a type by its name, instead of asking for one name after the other."""
    names = "Null Boolean Int Long Float Double Bytes String Fixed Enum Array Map Record Union"
    classes = {name.lower(): getattr(datatype, f"Avro{name}") for name in names.split()}

    def of_schema(schema: Any) -> Any:
        of = classes.get(schema.type)
        if of is None or "_schema" in vars(of):  # a simple type
            return of and of()
        made = of.__new__(of)
        made._schema = schema
        return made

    datatype.schemaToAvroType = of_schema


@mends("titus.signature")
def _signatures(signature: Any) -> None:
    """Look at a pattern's class, instead of asking for one after the other."""
    pattern, wildcard = signature.P, signature.P.Wildcard
    error_type, label_data = signature.ExceptionType, signature.LabelData
    numbers = [signature.AvroInt, signature.AvroLong, signature.AvroFloat, signature.AvroDouble]
    others = [signature.AvroNull, signature.AvroBoolean, signature.AvroBytes, signature.AvroString]
    wanted = [pattern.Int, pattern.Long, pattern.Float, pattern.Double]
    same = dict(
        zip(
            [*wanted, pattern.Null, pattern.Boolean, pattern.Bytes, pattern.String],
            [*numbers, *others],
            strict=True,
        )
    )
    wider = {(of, given) for i, of in enumerate(wanted) for given in numbers[: i + 1]}
    stock = signature.Sig.check

    def check(
        self: Any, pat: Any, arg: Any, labels: dict[str, Any], strict: bool, backwards: bool
    ) -> Any:
        of, given = type(pat), type(arg)
        if of is wildcard:
            if given is error_type or not (pat.oneOf is None or arg in pat.oneOf):
                return False
            if pat.label not in labels:
                labels[pat.label] = label_data()
            labels[pat.label].add(arg)
            return True
        if same.get(of) is given or (not strict and not backwards and (of, given) in wider):
            return True
        return stock(self, pat, arg, labels, strict, backwards)

    signature.Sig.check = check
    stock_accepts = signature.Sig.accepts

    def first(self: Any, args: list[Any], version: Any) -> Any:
        found = (stock_accepts(case, args, version) for case in self.cases)
        return next((each for each in found if each is not None), None)

    signature.Sig.accepts = _remembering(stock_accepts)
    signature.Sigs.accepts = _remembering(first)
    simple, all_numbers = set(others), set(numbers)
    named = {signature.AvroFixed, signature.AvroEnum, signature.AvroRecord}
    stock_broadest = label_data.broadestType

    def broadest(candidates: list[Any]) -> Any:
        kinds = set(map(type, candidates))
        if len(kinds) == 1 and (kinds <= simple or (len(candidates) == 1 and kinds <= named)):
            return candidates[0]
        if kinds and kinds <= all_numbers:
            return max(kinds, key=numbers.index)()
        return stock_broadest(candidates)

    label_data.broadestType = staticmethod(broadest)


def _remembering(stock: Any) -> Any:
    """Remember what a signature makes of types in which there is no name of a document."""

    def accepts(self: Any, args: list[Any], version: Any) -> Any:
        try:
            key = ",".join(map(_form, args)), version.major, version.minor, version.release
        except AttributeError:
            return stock(self, args, version)
        known = vars(self).setdefault("pfa_known", {})
        made = known.get(key, known)  # which it never is
        if made is known:
            made = stock(self, args, version)
            if len(key[0]) <= _LONGEST:
                if len(known) >= _REMEMBERED:
                    known.clear()
                known[key] = made
        return made

    return accepts


def _form(of: Any) -> str:
    """Return a text of a type; raises AttributeError if that does not say all of it."""
    if hasattr(of, "params"):
        return f"({','.join(map(_form, of.params))}){_form(of.ret)}"
    return _form_of(of._schema)


def _form_of(schema: Any) -> str:
    kind, extras = str(schema.type), len(schema.props) - 1
    if kind == "union":
        return f"[{','.join(map(_form_of, schema.schemas))}]"
    if kind in _WITHIN and extras == 1:
        return f"{kind} {_form_of(getattr(schema, _WITHIN[kind]))}"
    if kind in _SIMPLE and not extras:
        return kind
    raise AttributeError(kind)


_SIMPLE = frozenset(["null", "boolean", "int", "long", "float", "double", "bytes", "string"])
_WITHIN = {"array": "items", "map": "values"}


@mends("titus.genpy")
def _deadlocks(genpy: Any) -> None:
    """Look for deadlocks in documents that write something."""
    stock = genpy.checkForDeadlock
    writing = (genpy.CellTo, genpy.PoolTo)

    def check(config: Any, engine: Any) -> None:
        if any(isinstance(node, writing) for part in nodes(config) for node in part):
            stock(config, engine)

    genpy.checkForDeadlock = check


def nodes(config: Any) -> tuple[list[Any], list[Any]]:
    """Give the nodes of a document's syntax tree (EngineConfig): of its action, and all others.

    titus collects those of one kind, walking the tree each time, and forgets ``merge``.
    """
    known: tuple[list[Any], list[Any]] | None = vars(config).get("pfa_nodes")
    if known is None:
        rest = [*config.begin, *config.end, *config.fcns.values(), *(config.merge or [])]
        known = vars(config)["pfa_nodes"] = (_within(config.action), _within(rest))
    return known


def _within(parts: Iterable[Any]) -> list[Any]:
    found = []
    todo = [parts]
    while todo:
        for part in todo.pop():
            kind = type(part)
            if kind is str or part is None:
                continue
            if kind is list or kind is tuple:
                todo.append(part)
            elif kind is dict:
                todo.append(part.values())
            elif hasattr(part, "collect"):  # a node
                found.append(part)
                todo.append(vars(part).values())
    return found
