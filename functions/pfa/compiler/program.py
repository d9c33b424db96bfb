"""The generated module of a document: its functions, and the engine's class.

What is generated is run with ``exec``. Text of a document gets into it as ``repr`` of a scalar, or
in names that titus checked (letters, digits and underscores) behind a prefix of ours.
"""

import re
from collections.abc import Callable
from typing import Any

from pfa.compat import cells
from pfa.compat.loader import load
from pfa.compiler.code import (
    EXPRESSION,
    TOO_DEEP,
    Block,
    Code,
    Module,
    Statement,
    blocks_within,
    checked_name,
    placed,
    render,
    variable,
)

_genpy = load("titus.genpy")

# Python keeps 20 places for handlers of errors that are in each other, and overwrites other memory
# if there are more. It counts statements, and forgets that comprehensions need a handler, too.
MAX_TRIES = 6
_TRY = re.compile(r"^( *)try:$", re.MULTILINE)

# Before one of these patterns, a text is asked for what must be in it: ten times as fast.
_CELL = re.compile(r"c[0-9]+_\w*")  # and parts of other names, which does no harm: "\b" is slow
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


# Of a document whose code is no deeper, all of it compiles if a part of it does.
_SURE_DEPTH = 12
_LOOPS = ("for ", "while ", "try:")  # and attempts
_MOST_LOOPS = 18  # in each other; Python takes 20, and a batch has one around them

_METHODS = ("begin", "action", "end", "merge")


class Program:
    """Generated source, and what it sees under which name.

    It stands where titus's fromAst has the text of a class, and is run instead of it.
    """

    def __init__(
        self,
        lowering: Any,
        class_name: str,
        module: list[Statement],
        text: str,
        call_graph: dict[str, Any],
    ) -> None:
        """Take the module, with a class of this name, and the text of what is from the document."""
        self.bound: dict[str, Any] = lowering.bound
        self.short: dict[str, str] = lowering.short
        self.class_name = class_name
        self.call_graph = call_graph
        self.namespace: dict[str, Any] = {}
        self.has_limit = True  # the document's options limit the time of an action
        # Of a document without state: its functions, what an action does with the input, v_input,
        # and the expression of the result, which has no text if there is state.
        self.functions: list[Statement] = []
        self.action: list[Statement] = []
        self.result = Code("")
        self.expressions: list[tuple[str, list[str], str]] = []  # user functions that are one
        self._cells = set(_CELL.findall(text)) if lowering.read_cells else set()
        self.module = Module(module)
        self.is_flat = False  # see outline.py; what is made of functions and action must be so, too
        self.file = f"<{class_name}>"  # as tracebacks name it

    def run(self, names: dict[str, Any]) -> None:
        """Make the class; titus looks for it in ``names``.

        Its methods are compiled when they are first called, if records have a shorter way, as
        they have in direct.py, and there is no doubt that Python takes them.
        """
        self.namespace = {**self.bound, "PFAEngine": _genpy.PFAEngine}
        made = type(self.class_name, (_genpy.PFAEngine,), {**_FIXED, "program": self})
        names[self.class_name] = made
        depth = blocks_within([*self.functions, *self.action]) if self.result.text else 0
        is_deep = depth > _SURE_DEPTH
        if is_deep and blocks_within([*self.functions, *self.action], _LOOPS) > _MOST_LOOPS:
            self.flatten()
        if not self.result.text or is_deep:
            self.complete(made)

    def flatten(self) -> None:
        """Take the blocks apart that are nested deeper than Python takes."""
        from pfa.compiler import outline  # not at the top: few documents need it

        self.module = Module(outline.flat(self.module.statements))
        self.is_flat = True

    def complete(self, of: Any) -> None:
        """Compile the methods of the class."""
        try:
            code = compile(self.module.source, self.file, "exec", dont_inherit=True)
        except TOO_DEEP:
            if self.is_flat:
                raise
            self.flatten()
            self.complete(of)
            return
        exec(code, self.namespace)  # noqa: S102 - see the module's docstring
        made = vars(self.namespace[self.class_name])
        for name in _METHODS:
            if name in made and vars(of).get(name) is _FIXED.get(name):  # not made before
                setattr(of, name, made[name])

    def reads(self, name: str) -> bool:
        """Tell whether a name of a constant cell is in the code."""
        return name in self._cells

    def clear(self) -> None:
        """Let go of what the code sees: it and its functions hold each other.

        So a model's content goes with it, and needs not wait for the garbage collector.
        """
        self.namespace.clear()
        self.bound.clear()


def _late(name: str) -> Callable[..., Any]:
    """Make a method that is compiled when it is called."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        type(self).program.complete(type(self))
        return getattr(self, name)(*args, **kwargs)

    return method


def _init(
    self: Any,
    cells: Any,
    pools: Any,
    config: Any,
    options: Any,
    log: Any,
    emit: Any,
    zero: Any,
    instance: Any,
    rand: Any,
) -> None:
    """Set what titus's engines have."""
    self.actionsStarted = self.actionsFinished = 0
    self.cells, self.pools, self.config, self.options = cells, pools, config, options
    self.inputType, self.outputType = config.input, config.output
    self.log, self.emit, self.instance, self.rand = log, emit, instance, rand
    self.callGraph = type(self).program.call_graph
    if config.method == _genpy.Method.FOLD:
        self.tally = zero


def _initialize(_: Any) -> None:
    """Nothing more."""


def _pool_delete(self: Any, name: str, item: str) -> None:
    self.pools[name].value.pop(item, None)


# What is the same for all documents.
_FIXED = {
    "__init__": _init,
    "initialize": _initialize,
    "pooldel": _pool_delete,
    **{name: _late(name) for name in ("begin", "action", "end")},
}


def write(lowering: Any, context: Any) -> Program:
    """Write the module of a document, of which all parts are lowered."""
    lowering.bind_as("ExecutionState", _genpy.ExecutionState)
    lowering.bind_as("checkData", _genpy.titus.datatype.checkData)
    class_name = f"PFA_{checked_name(context.name or _genpy.titus.util.uniqueEngineName())}"
    functions: list[Statement] = []
    expressions: list[tuple[str, list[str], str]] = []
    for name, function in context.fcns:
        params = [variable(param) for param in function.paramNames]
        header = f"def {lowering.user_functions[name]}({', '.join(['self', 'state', *params])}):"
        place = f"fcns -> {name.removeprefix('u.')!r} -> do"
        body, last = _placed(lowering, function.exprs, place)
        if len(function.exprs) == 1 and not last.before:
            called = lowering.user_functions[name]
            expressions.append((called, ["self", "state", *params], last.text))
        body.append(placed(f"return {last.text}", last.pos))
        functions += [Block(header, body, f"fcns -> {name.removeprefix('u.')}"), ""]
    body, last = _placed(lowering, context.action[0], "action")
    methods: list[Statement] = [
        _once(lowering, name, part, context)
        for name, part in (("begin", context.begin[0]), ("end", context.end[0]))
    ]
    methods.append(_action(lowering, context, body, last))
    if context.merge is not None:
        methods.append(_merge(lowering, context))
    module = [*functions, Block(f"class {class_name}(PFAEngine):", methods)]
    text = ""
    if short := _is_stateless(lowering, context):
        text = "\n".join(render([*functions, Block("def action():", [*body, last.text])]))
        maybe = "self." in text or any(f"v_{name}" in text for name in _GIVEN)
        short = not (maybe and _STATEFUL.search(text))
    if not short:
        text = "\n".join(render(module))
    program = Program(lowering, class_name, module, text, _call_graph(context))
    if "try:" in text and _too_many_tries(text):
        program.flatten()
    program.expressions = expressions
    if short:
        program.functions, program.action, program.result = functions, body, last
    for cell in lowering.lowered_cells:
        if not program.reads(lowering.cell_name(cell)):
            cells.defer(lowering.config.cells[cell])
    return program


def _too_many_tries(source: str) -> bool:
    """Tell whether more than MAX_TRIES are in each other."""
    around: list[int] = []
    for match in _TRY.finditer(source):
        indent = len(match[1])
        while around and around[-1] >= indent:
            around.pop()
        around.append(indent)
        if len(around) > MAX_TRIES:
            return True
    return False


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
        statements.append(placed(f"# {place} -> {number}", code.pos))
        statements += lowering.run([code]) if number < len(codes) - 1 else code.before
    return statements, codes[-1]


def _value(code: Code) -> Code:
    """Return code without what must run before."""
    return Code(code.text, kind=code.kind, pos=code.pos)


def _call_graph(context: Any) -> dict[str, Any]:
    graph = {"(begin)": context.begin[2], "(action)": context.action[2], "(end)": context.end[2]}
    if context.merge is not None:
        graph["(merge)"] = context.merge[2]
    for name, function in context.fcns:
        graph[name] = function.calls
    return graph


def _prologue(statements: list[Statement], names: set[str], routine: str) -> list[Statement]:
    """Statements that set what the others use: the state, and the given variables."""
    text = "\n".join(render(statements))
    out: list[Statement] = []
    if "state" in text and _STATE.search(text):
        out.append(f"state = ExecutionState(self.options, self.rand, {routine!r}, self.parser)")
    for name, where in _GIVEN.items():
        if name in names and f"v_{name}" in text and re.search(rf"\bv_{name}\b", text):
            out.append(f"v_{name} = {where}")
    return out


def _given(context: Any) -> set[str]:
    is_fold = context.method == _genpy.Method.FOLD
    return set(_GIVEN) if is_fold else set(_GIVEN) - {"tally"}


def _once(lowering: Any, name: str, codes: list[Code], context: Any) -> Block:
    if not codes:
        return Block(f"def {name}(self):", ["pass"])
    body, last = _placed(lowering, codes, name)
    body += lowering.run([_value(last)])
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


def _action(lowering: Any, context: Any, body: list[Statement], last: Code) -> Block:
    finished = "self.actionsFinished += 1"
    if context.method == _genpy.Method.EMIT:
        body = [*body, *lowering.run([_value(last)]), finished]
    elif context.method == _genpy.Method.FOLD:
        body = [*body, placed(f"self.tally = {last.text}", last.pos), finished, "return self.tally"]
    elif last.kind == EXPRESSION:
        body = [*body, placed(f"result = {last.text}", last.pos), finished, "return result"]
    else:
        body = [*body, finished, placed(f"return {last.text}", last.pos)]
    body = [*_prologue(body, _given(context), "action"), *body]
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
    body = [*body, placed(f"self.tally = {last.text}", last.pos), "return self.tally"]
    given = {"name", "instance", "metadata", "version"}
    body = [*_prologue(body, given, "merge"), *body]
    return Block("def merge(self, v_tallyOne, v_tallyTwo):", _with_rollback(context, body))
