"""Documents with code-shaped text in every place that takes text.

The code is a call of ``pfa_probe``, which the tests put among Python's builtins: whoever runs the
document can see whether any of the text was run. Nothing here needs the engine, so that the same
probes can be shown to stock titus2.
"""

import base64

CODE = "pfa_probe()"

_SHAPES = [
    "it's",
    'say "x"',
    "'+{}+'",
    '"+{}+"',
    "'\"+{}+\"'",
    "\\'+{}+\\'",
    '\\"+{}+\\"',
    "\\",
    "\\\\'+{}#",
    "'''+{}+'''",
    '"""+{}+"""',
    "');{};('",
    '"), {}, ("',
    "': {}, '",
    "']+[{}]+['",
    "'}}+{}+{{'",
    "\n        {}\n",
    "'\n        {}\n        '",
    "\r{}\r",
    "\u2028{}\u2029",
    "\x00'+{}+'",
    "\ud800'+{}+'",
    "\U0001f600'+{}+'",
    "{{0.__class__}}{}",
    "%s {}",
    "lambda: {}",
    "{}",
    "X(PFAEngine):\n    {}\nclass PFA_Y",
    "X(PFAEngine, metaclass={}):\n    pass\nclass PFA_Y",
    "x\n",
    "\u0661",
    "é",
    "",
    "null",
    "1e999",
]
PAYLOADS = [shape.format(CODE) for shape in _SHAPES]
# one for each way in which text was pasted
FEW = [
    f"'+{CODE}+'",
    f'"+{CODE}+"',
    f"\\'+{CODE}+\\'",
    f"\n        {CODE}\n",
    CODE,
    f"X(PFAEngine):\n    {CODE}\nclass PFA_Y",
]

REFUSED = object()  # a document that must not load


def _document(output="string", **parts):
    return {"input": "string", "output": output, "action": ["input"], **parts}


def _says(expression, **parts):
    return _document(action=expression, **parts)


def _typed(of, expression=None, **parts):
    """A document whose input is of this type, or a null."""
    return {
        "input": ["null", of],
        "output": "string",
        "action": expression
        or {"ifnotnull": {"x": "input"}, "then": [["there"]], "else": [["null"]]},
        **parts,
    }


def _record(name="R", **more):
    return {"type": "record", "name": name, "fields": [{"name": "f", "type": "string"}], **more}


def _field(**more):
    return {"type": "record", "name": "R", "fields": [{"name": "f", "type": "string", **more}]}


def _in_bytes(text):
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


def _called(of, of_name="R"):
    """The type in a library call, a cast, an upcast, a literal, new, and a user function."""
    return {
        "input": of,
        "output": "string",
        "fcns": {"same": {"params": [{"x": of_name}], "ret": of_name, "do": "x"}},
        "cells": {"c": {"type": of_name, "init": {"f": "y"}}},
        "action": [
            {"let": {"array": {"new": ["input"], "type": {"type": "array", "items": of_name}}}},
            {"let": {"first": {"a.head": ["array"]}, "same": {"u.same": ["input"]}}},
            {"let": {"literal": {"type": of_name, "value": {"f": "z"}}}},
            {"let": {"made": {"new": {"f": ["w"]}, "type": of_name}}},
            {"let": {"union": {"upcast": "first", "as": ["null", of_name]}}},
            {"cell": "c", "to": "first"},
            {
                "cast": "union",
                "cases": [
                    {"as": of_name, "named": "r", "do": "r.f"},
                    {"as": "null", "named": "n", "do": [["null"]]},
                ],
            },
        ],
    }


FUNCTION = {"params": [{"x": "string"}], "ret": "string", "do": "x"}
MAP = {"type": "map", "values": "string"}


def slots(p):
    """Give, for the text ``p``: where it is, the document, an input, and the answer if it is known.

    An answer of None means that the document may be refused, or give anything.
    """
    f = {"f": "in"}
    tagged = {"R": f}
    yield "engine name", _document(name=p), "a", None
    yield "engine doc", _document(doc=p), "a", "a"
    yield "engine version", _document(version=p), "a", REFUSED
    yield "method", _document(method=p), "a", REFUSED
    yield "top-level key", _document(**{p + "_": 1}), "a", REFUSED
    yield "metadata value", _says("metadata.k", metadata={"k": p}), "a", p
    yield "metadata key", _document(metadata={p: "v"}), "a", "a"
    yield "option", _document(options={p: p}), "a", "a"
    yield "option timeout", _document(options={"timeout": p}), "a", None
    yield (
        "locator",
        _document(**{"@": p, "action": {"@": p, "s.concat": ["input", "input"]}}),
        "a",
        "aa",
    )
    failing = {"@": p, "error": "stop"}
    yield "locator of an error", _document(action=[failing, "input"]), "a", None
    yield "input", _document(), p, p
    # literals
    yield "string", _says({"string": p}), "a", p
    yield "string in brackets", _says([[p]]), "a", p
    yield "typed string", _says({"type": "string", "value": p}), "a", p
    yield (
        "typed array",
        _says({"a.head": {"type": {"type": "array", "items": "string"}, "value": [p]}}),
        "a",
        p,
    )
    yield "typed map", _says({"attr": {"type": MAP, "value": {p: p}}, "path": [[p]]}), "a", p
    yield "typed bytes", _says({"bytes.decodeAscii": {"type": "bytes", "value": p}}), "a", None
    yield "base64", _says({"bytes.decodeUtf8": {"base64": _in_bytes(p)}}), "a", None
    yield "broken base64", _document(action=[{"base64": p}, "input"]), "a", None
    yield "number", _document(action=[{"double": p}, "input"]), "a", REFUSED
    yield "integer", _document(action=[{"int": p}, "input"]), "a", REFUSED
    yield "typed number", _document(action=[{"type": "double", "value": p}, "input"]), "a", None
    yield "expression doc", _document(action=[{"doc": p}, "input"]), "a", "a"
    # errors and logs
    yield "error message", _document(action=[{"error": p}, "input"]), "a", None
    yield "error code", _document(action=[{"error": "x", "code": p}, "input"]), "a", REFUSED
    caught = {"try": [{"error": p}, "input"], "filter": [p]}
    yield (
        "try filter",
        _says([{"ifnotnull": {"x": caught}, "then": ["x"], "else": [["caught"]]}]),
        "a",
        "caught",
    )
    yield "log", _document(action=[{"log": [[p]]}, "input"]), "a", "a"
    yield "log namespace", _document(action=[{"log": [["x"]], "namespace": p}, "input"]), "a", "a"
    # names
    yield "reference", _says([p]), "a", None
    yield "dotted reference", _document(input=MAP, action="input." + p), {"k": "v", p: "w"}, None
    yield "let", _document(action=[{"let": {p: "input"}}, "input"]), "a", None
    yield "set", _document(action=[{"set": {p: "input"}}, "input"]), "a", REFUSED
    each = {
        "foreach": p,
        "in": {"new": ["input"], "type": {"type": "array", "items": "string"}},
        "do": "input",
    }
    yield "foreach", _document(action=[each, "input"]), "a", None
    for kind in ("forkey", "forval"):
        over = {
            "forkey": "k",
            "forval": "v",
            "in": {"new": {"k": "input"}, "type": MAP},
            "do": "input",
            kind: p,
        }
        yield kind, _document(action=[over, "input"]), "a", None
    loop = {"for": {p: 0}, "while": {"<": [p, 1]}, "step": {p: {"+": [p, 1]}}, "do": "input"}
    yield "for", _document(action=[loop, "input"]), "a", None
    yield "function name", _says({"u." + p: "input"}, fcns={p: FUNCTION}), "a", None
    yield "called function", _says({p: "input"}), "a", None
    yield "called user function", _says({"u." + p: "input"}), "a", REFUSED
    yield (
        "function reference",
        _says(
            {"a.map": [{"type": {"type": "array", "items": "string"}, "value": []}, {"fcn": p}]},
            output={"type": "array", "items": "string"},
        ),
        "a",
        REFUSED,
    )
    yield (
        "parameter",
        _says(
            {"u.same": "input"}, fcns={"same": {**FUNCTION, "params": [{p: "string"}], "do": ["x"]}}
        ),
        "a",
        None,
    )
    strings = {"type": {"type": "array", "items": "string"}, "value": ["v"]}
    filled = {"fcn": "u.two", "fill": {p: "input"}}
    yield (
        "fill",
        _says(
            {"a.head": {"a.map": [strings, filled]}},
            fcns={"two": {**FUNCTION, "params": [{"x": "string"}, {"y": "string"}]}},
        ),
        "a",
        REFUSED,
    )
    chosen = {"input": {"type": "enum", "name": "E", "symbols": [p]}, "output": "string"}
    yield (
        "call by enum",
        {**chosen, "fcns": {p: FUNCTION}, "action": {"call": "input", "args": [["x"]]}},
        p,
        None,
    )
    yield "cell", _says({"cell": p}, cells={p: {"type": "string", "init": "i"}}), "a", None
    yield (
        "cell reference",
        _says({"cell": p}, cells={"c": {"type": "string", "init": "i"}}),
        "a",
        REFUSED,
    )
    yield "cell content", _says({"cell": "c"}, cells={"c": {"type": "string", "init": p}}), "a", p
    yield (
        "cell path",
        _says({"cell": "c", "path": [[p]]}, cells={"c": {"type": MAP, "init": {p: "v"}}}),
        "a",
        "v",
    )
    yield (
        "cell to",
        _says(
            [{"cell": "c", "to": [p]}, {"cell": "c"}], cells={"c": {"type": "string", "init": "i"}}
        ),
        "a",
        p,
    )
    yield (
        "cell source",
        _says({"cell": "c"}, cells={"c": {"type": "string", "init": p, "source": p}}),
        "a",
        REFUSED,
    )
    pools = {"p": {"type": "string", "init": {p: "v"}}}
    yield "pool", _document(pools={p: {"type": "string", "init": {}}}), "a", None
    yield "pool content", _says({"pool": "p", "path": [[p]]}, pools=pools), "a", "v"
    to = {"pool": "p", "path": [[p]], "to": [p], "init": [p]}
    yield "pool to", _document(pools=pools, action=[to, {"pool": "p", "path": [[p]]}]), "a", p
    yield "pool del", _document(pools=pools, action=[{"pool": "p", "del": [p]}, "input"]), "a", "a"
    yield "attr path", _document(input=MAP, action={"attr": "input", "path": [[p]]}), {p: "v"}, "v"
    attr_to = {"attr": {"attr": "input", "path": [[p]], "to": [p]}, "path": [[p]]}
    yield "attr to", _document(input=MAP, action=attr_to), {p: "v"}, p
    yield (
        "new map",
        _document(action={"attr": {"new": {p: "input"}, "type": MAP}, "path": [[p]]}),
        "a",
        None if p == "@" else "a",
    )
    yield (
        "new record",
        _document(action={"attr": {"new": {p: "input"}, "type": _record()}, "path": [["f"]]}),
        "a",
        REFUSED,
    )
    # types: text that means nothing, wherever types go
    for where, of in {
        "record doc": _record(doc=p),
        "record extra": _record(extra=p),
        "record extra key": _record(**{p + "_": p}),
        "record aliases": _record(aliases=[p]),
        "field doc": _field(doc=p),
        "field extra": _field(extra={"deep": [p, {p: p}]}),
        "field aliases": _field(aliases=[p]),
        "field default": _field(default=p),
        "field order": _field(order=p),
        "string extra": {
            **_record(),
            "fields": [{"name": "f", "type": {"type": "string", "x": p}}],
        },
    }.items():
        may_fail = where in ("field order", "record aliases", "field aliases")
        yield where + ", ifnotnull", _typed(of), tagged, None if may_fail else "there"
        yield where + ", everywhere", _called(of), f, None if may_fail else "in"
    unset = {"input": "null", "output": "string"}
    default = {"attr": {"type": _field(default=p), "value": {}}, "path": [["f"]]}
    yield "default as value", {**unset, "action": default}, None, p
    for where, of in {
        "record name": _record(p),
        "record namespace": _record(namespace=p),
        "field name": {"type": "record", "name": "R", "fields": [{"name": p, "type": "string"}]},
        "enum name": {"type": "enum", "name": p, "symbols": ["f"]},
        "enum symbol": {"type": "enum", "name": "R", "symbols": [p, "f"]},
        "enum doc": {"type": "enum", "name": "R", "symbols": ["f"], "doc": p},
        "fixed name": {"type": "fixed", "name": p, "size": 2},
        "fixed size": {"type": "fixed", "name": "R", "size": p},
        "fixed extra": {"type": "fixed", "name": "R", "size": 2, "extra": p},
        "array extra": {"type": "array", "items": "string", "extra": p},
        "map extra": {"type": "map", "values": "string", "extra": p},
        "type name": p,
        "type of type": {"type": p},
    }.items():
        yield where + ", ifnotnull", _typed(of), None, None
        yield (
            where + ", library",
            _typed(of, {"a.head": {"new": [["x"]], "type": {"type": "array", "items": "string"}}}),
            None,
            None,
        )
        cases = [
            {"as": of, "named": "x", "do": [["of"]]},
            {"as": "null", "named": "n", "do": [["null"]]},
        ]
        yield (
            where + ", cast",
            {
                "input": ["null", of],
                "output": "string",
                "action": {"cast": "input", "cases": cases},
            },
            None,
            None,
        )
        yield (
            where + ", upcast",
            _document(action=[{"upcast": "input", "as": ["string", of]}, "input"]),
            "a",
            None,
        )
        yield where + ", literal", _document(action=[{"type": of, "value": p}, "input"]), "a", None
        yield (
            where + ", cell",
            _document(cells={"c": {"type": of, "init": p}}, action=[{"cell": "c"}, "input"]),
            "a",
            None,
        )
        yield (
            where + ", function",
            _document(fcns={"g": {"params": [{"x": of}], "ret": "string", "do": [["x"]]}}),
            "a",
            None,
        )
    yield (
        "cast name",
        {
            "input": ["null", "string"],
            "output": "null",
            "action": {
                "cast": "input",
                "cases": [{"as": "string", "named": p, "do": None}],
                "partial": True,
            },
        },
        None,
        None,
    )
    yield (
        "ifnotnull name",
        {
            "input": ["null", "string"],
            "output": "string",
            "action": {"ifnotnull": {p: "input"}, "then": [["x"]], "else": [["y"]]},
        },
        None,
        None,
    )
    yield "pack", _document(action=[{"pack": [{p: 1}]}, "input"]), "a", None
    yield "pack padded", _document(action=[{"pack": [{"int " + p: 1}]}, "input"]), "a", None
    unpack = {
        "unpack": {"base64": "AAAAAQ=="},
        "format": [{"x": p}],
        "then": ["input"],
        "else": ["input"],
    }
    yield "unpack", _document(action=unpack), "a", None
    yield "unpack padded", _document(action={**unpack, "format": [{"x": "int " + p}]}), "a", None
    yield "unpack name", _document(action={**unpack, "format": [{p: "int"}]}), "a", None
    # the other methods
    joined = {"s.concat": ["tally", "input"]}
    fold = _document(
        method="fold", zero=p, action=joined, merge={"s.concat": ["tallyOne", "tallyTwo"]}
    )
    yield "zero", fold, "a", p + "a"
    yield "begin and end", _document(begin=[{"let": {"x": [p]}}], end=[{"log": [[p]]}]), "a", "a"
    yield "emitted", _document(method="emit", action={"emit": [[p]]}), "a", None
    # library functions that look into text
    for function, args in {
        "re.findall": ["input", [p]],
        "re.replaceall": ["input", ["a"], [p]],
        "s.join": [{"type": {"type": "array", "items": "string"}, "value": [p, p]}, [p]],
        "s.replaceall": ["input", ["a"], [p]],
        "parse.double": [[p]],
        "parse.int": [[p], 10],
        "time.year": [1e9, [p]],
        "parse.time": [[p], [p], ["UTC"]],
        "s.hex": [10, 5, False, False],
    }.items():
        yield function, _document(action=[{"let": {"x0": {function: args}}}, "input"]), "a", None
