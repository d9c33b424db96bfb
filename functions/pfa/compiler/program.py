"""The generated module of a document: its functions, and the engine's class.

What is generated is run with ``exec``. Text of a document gets into it as ``repr`` of a scalar, or
in names that titus checked (letters, digits and underscores) behind a prefix of ours.
"""

import re
from typing import Any

from pfa.compat import cells
from pfa.compat.loader import load
from pfa.compiler.code import (
    Block,
    Code,
    Statement,
    UnsupportedError,
    checked_name,
    render,
    variable,
)

_genpy = load("titus.genpy")

# Python keeps 20 places for handlers of errors that are in each other, and overwrites other memory
# if there are more. It counts statements, and forgets that comprehensions need a handler, too.
MAX_TRIES = 6
_TRY = re.compile(r"^( *)try:$", re.MULTILINE)

_CELL = re.compile(r"\bc[0-9]+_\w*")
_STATE = re.compile(r"\bstate\b")

# What a call may depend on, or leave behind, besides its input and its result.
_STATEFUL = re.compile(
    r"\bself\.|\bv_(?:name|instance|metadata|version|actionsStarted|actionsFinished)\b"
)

# Variables of PFA that hold something else than the input, and where it is.
_GIVEN = {
    "name": "self.config.name",
    "instance": "self.instance",
    "metadata": "self.config.metadata",
    "version": "self.config.version",
    "actionsStarted": "self.actionsStarted",
    "actionsFinished": "self.actionsFinished",
    "tally": "self.tally",
}


class Program:
    """Generated source, and what it sees under which name.

    It stands where titus's fromAst has the text of a class, and is run instead of it.
    """

    def __init__(
        self, source: str, bound: dict[str, Any], short: dict[str, str], class_name: str
    ) -> None:
        """Take the module's source, what it sees, Base.short, and the name of its class."""
        self.source = source
        self._cells = set(_CELL.findall(source))
        # Of a document without state: its functions, what an action does with the input, v_input,
        # and the expression of the result; "" if there is state.
        self.functions: list[Statement] = []
        self.action: list[Statement] = []
        self.result = ""
        self.bound = bound
        self.short = short
        self.expressions: list[tuple[str, list[str], str]] = []  # user functions that are one
        self.has_limit = True  # the document's options limit the time of an action
        self.class_name = class_name
        self.namespace: dict[str, Any] = {}

    def run(self, names: dict[str, Any]) -> None:
        """Make the class; titus looks for it in ``names``."""
        code = compile(self.source, f"<{self.class_name}>", "exec", dont_inherit=True)
        self.namespace = {**self.bound, "PFAEngine": _genpy.PFAEngine}
        exec(code, self.namespace)  # noqa: S102 - see the module's docstring
        made = self.namespace[self.class_name]
        made.program = self
        names[self.class_name] = made

    def reads(self, name: str) -> bool:
        """Tell whether a name of a constant cell is in the code."""
        return name in self._cells

    def clear(self) -> None:
        """Let go of what the code sees: it and its functions hold each other.

        So a model's content goes with it, and needs not wait for the garbage collector.
        """
        self.namespace.clear()
        self.bound.clear()


def write(lowering: Any, context: Any) -> Program:
    """Write the module of a document, of which all parts are lowered."""
    lowering.bind_as("ExecutionState", _genpy.ExecutionState)
    class_name = f"PFA_{checked_name(context.name or _genpy.titus.util.uniqueEngineName())}"
    statements: list[Statement] = []
    expressions: list[tuple[str, list[str], str]] = []
    for name, function in context.fcns:
        params = [variable(param) for param in function.paramNames]
        header = f"def {lowering.user_functions[name]}({', '.join(['self', 'state', *params])}):"
        place = f"fcns -> {name.removeprefix('u.')!r} -> do"
        body, last = _placed(lowering, function.exprs, place)
        if len(function.exprs) == 1 and not last.before:
            called = lowering.user_functions[name]
            expressions.append((called, ["self", "state", *params], last.text))
        statements += [Block(header, [*body, f"return {last.text}"]), ""]
    methods: list[Statement] = [_init(lowering, context), _initialize()]
    for name, part in (("begin", context.begin[0]), ("end", context.end[0])):
        methods.append(_once(lowering, name, part, context))
    methods.append(_action(lowering, context))
    if context.merge is not None:
        methods.append(_merge(lowering, context))
    methods.append(_pool_delete())
    statements.append(Block(f"class {class_name}(PFAEngine):", methods))
    source = "\n".join(render(statements)) + "\n"
    _limit_tries(source)
    program = Program(source, lowering.bound, lowering.short, class_name)
    program.expressions = expressions
    if _is_stateless(lowering, context):
        body, last = _placed(lowering, context.action[0], "action")
        parts = [*statements[:-1], *body, last.text]
        if not _STATEFUL.search("\n".join(render(parts))):
            program.functions, program.action, program.result = statements[:-1], body, last.text
    for cell in lowering.lowered_cells:
        if not program.reads(lowering.cell_name(cell)):
            cells.defer(lowering.config.cells[cell])
    return program


def _limit_tries(source: str) -> None:
    """Bound how many ``try`` are in each other; raises UnsupportedError."""
    around: list[int] = []
    for match in _TRY.finditer(source):
        indent = len(match[1])
        while around and around[-1] >= indent:
            around.pop()
        around.append(indent)
        if len(around) > MAX_TRIES:
            raise UnsupportedError("attempts are nested too deeply")


def _is_stateless(lowering: Any, context: Any) -> bool:
    """Tell whether the document has no place for anything that outlives a call."""
    return bool(
        context.method == _genpy.Method.MAP
        and not context.begin[0]
        and not context.end[0]
        and not context.pools
        and set(context.cells) == lowering.constant_cells
        and not lowering.uses_random
    )


def _placed(lowering: Any, codes: list[Code], place: str) -> tuple[list[Statement], Code]:
    """Statements of a part of the document, and where each is from; code of the last's value."""
    statements: list[Statement] = []
    for number, code in enumerate(codes):
        statements.append(f"# {place} -> {number}")
        statements += lowering.run([code]) if number < len(codes) - 1 else code.before
    return statements, codes[-1]


def _init(lowering: Any, context: Any) -> Block:
    graph = {"(begin)": context.begin[2], "(action)": context.action[2], "(end)": context.end[2]}
    if context.merge is not None:
        graph["(merge)"] = context.merge[2]
    for name, function in context.fcns:
        graph[name] = function.calls
    lowering.bind_as("call_graph", graph)
    body: list[Statement] = [
        "self.actionsStarted = 0",
        "self.actionsFinished = 0",
        "self.cells = cells",
        "self.pools = pools",
        "self.config = config",
        "self.inputType = config.input",
        "self.outputType = config.output",
        "self.options = options",
        "self.log = log",
        "self.emit = emit",
        "self.instance = instance",
        "self.rand = rand",
        "self.callGraph = call_graph",
    ]
    if context.method == _genpy.Method.FOLD:
        body.append("self.tally = zero")
    header = "def __init__(self, cells, pools, config, options, log, emit, zero, instance, rand):"
    return Block(header, body)


def _initialize() -> Block:
    return Block("def initialize(self):", ["pass"])


def _pool_delete() -> Block:
    return Block(
        "def pooldel(self, name, item):", ["self.pools[name].value.pop(item, None)", "return None"]
    )


def _prologue(statements: list[Statement], names: set[str], routine: str) -> list[Statement]:
    """Statements that set what the others use: the state, and the given variables."""
    text = "\n".join(render(statements))
    out: list[Statement] = []
    if _STATE.search(text):
        out.append(f"state = ExecutionState(self.options, self.rand, {routine!r}, self.parser)")
    used = set(re.findall(r"\bv_(\w+)", text))
    out += [f"v_{name} = {where}" for name, where in _GIVEN.items() if name in used & names]
    return out


def _given(context: Any) -> set[str]:
    is_fold = context.method == _genpy.Method.FOLD
    return set(_GIVEN) if is_fold else set(_GIVEN) - {"tally"}


def _once(lowering: Any, name: str, codes: list[Code], context: Any) -> Block:
    if not codes:
        return Block(f"def {name}(self):", ["pass"])
    body, last = _placed(lowering, codes, name)
    body += lowering.run([Code(last.text, kind=last.kind)])
    given = _given(context) if name == "end" else {"name", "instance", "metadata", "version"}
    return Block(f"def {name}(self):", [*_prologue(body, given, "action"), *body])


def _with_rollback(context: Any, body: list[Statement]) -> list[Statement]:
    kept = [f"self.cells[{n!r}]" for n, cell in context.cells.items() if cell.rollback]
    kept += [f"self.pools[{n!r}]" for n, pool in context.pools.items() if pool.rollback]
    if not kept:
        return body
    return [
        *(f"{item}.maybeSaveBackup()" for item in kept),
        Block("try:", body),
        Block("except Exception:", [*(f"{item}.maybeRestoreBackup()" for item in kept), "raise"]),
    ]


def _action(lowering: Any, context: Any) -> Block:
    codes = context.action[0]
    if context.method == _genpy.Method.EMIT:
        body, last = _placed(lowering, codes, "action")
        body += [*lowering.run([Code(last.text, kind=last.kind)]), "self.actionsFinished += 1"]
    else:
        body, last = _placed(lowering, codes, "action")
        if context.method == _genpy.Method.FOLD:
            body += [f"self.tally = {last.text}", "self.actionsFinished += 1", "return self.tally"]
        elif last.kind == 2:
            body += [f"result = {last.text}", "self.actionsFinished += 1", "return result"]
        else:
            body += ["self.actionsFinished += 1", f"return {last.text}"]
    body = [*_prologue(body, _given(context), "action"), *body]
    lowering.bind_as("checkData", _genpy.titus.datatype.checkData)
    return Block(
        "def action(self, v_input, check=True):",
        [
            Block("if check:", ["v_input = checkData(v_input, self.inputType)"]),
            "self.actionsStarted += 1",
            *_with_rollback(context, body),
        ],
    )


def _merge(lowering: Any, context: Any) -> Block:
    body, last = _placed(lowering, context.merge[0], "merge")
    body = [*body, f"self.tally = {last.text}", "return self.tally"]
    given = {"name", "instance", "metadata", "version"}
    body = [*_prologue(body, given, "merge"), *body]
    return Block("def merge(self, v_tallyOne, v_tallyTwo):", _with_rollback(context, body))
