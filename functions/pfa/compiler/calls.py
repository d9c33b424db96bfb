"""User functions, functions as arguments, and calls of the library."""

from collections.abc import Callable, Sequence
from typing import Any

from pfa.compat import cells
from pfa.compat.loader import load
from pfa.compiler import runtime
from pfa.compiler.code import (
    CONSTANT,
    EXPRESSION,
    MAX_DEPTH,
    VARIABLE,
    Block,
    Code,
    FunctionCode,
    Statement,
    all_renamed,
    assigned,
    blocks_within,
    inside,
    renamed,
    variable,
)
from pfa.compiler.state import State
from pfa.forest import Forest
from pfa.kernels.prepared import made
from pfa.specialise import MISSING, Site, find

_genpy = load("titus.genpy")
_pfaast = load("titus.pfaast")
_fcn = load("titus.fcn")

# Functions that take from the engine's random numbers.
_RANDOM = ("rand.", "a.shuffle", "model.cluster.randomSeeds")

MAX_BLOCKS = 6  # nested in a function that is written as a loop; Python takes 20 within each other


class Calls(State):
    """Methods of the task for these forms."""

    def _fcn_def(self, context: Any) -> FunctionCode:
        params = [variable(name) for name in context.paramNames]
        return FunctionCode(params, *self.block(context.exprs))

    def _fcn_ref(self, context: Any) -> FunctionCode:
        function = context.fcn
        if not isinstance(function, _pfaast.UserFcn | _pfaast.EmitFcn):
            return FunctionCode([], [], Code("None"), self.library(function))
        params = [f"x{i}" for i in range(len(function.sig.params))]
        return FunctionCode(params, [], Code(self.call_of(function, params), depth=1))

    def _fcn_ref_fill(self, context: Any) -> FunctionCode:
        params: list[str] = []
        arguments: list[Code] = []
        for name in context.originalParamNames:
            if name in context.argTypeResult:
                arguments.append(context.argTypeResult[name][1])
            else:
                params.append(f"x{len(params)}")
                arguments.append(Code(params[-1], kind=CONSTANT))
        before, texts, depth = self.temporaries.in_order(arguments)
        return FunctionCode(params, before, Code(self.call_of(context.fcn, texts), depth=depth + 1))

    def call_of(self, function: Any, texts: list[str]) -> str:
        """Text of a call of a function that was handed on: without the types of its arguments."""
        if isinstance(function, _pfaast.UserFcn):
            return f"{self.user_functions[function.name]}({', '.join(['self', 'state', *texts])})"
        if isinstance(function, _pfaast.EmitFcn):
            return f"self.emit({', '.join(texts)})"
        pos = self.bind_as("pos", _genpy.titus.util.pos)  # what titus's callfcn hands on
        return f"{self.library(function)}({', '.join(['state', 'None', pos, 'None', *texts])})"

    def library(self, function: Any) -> str:
        """Name of a library function as titus has it."""
        if function.name.startswith(_RANDOM):
            self.uses_random = True
        return str(self.bind_as(f"lib_{_identifier(function.name)}", function))

    def _call_user_fcn(self, context: Any) -> Code:
        names = [self.user_functions[f"u.{name}"] for name in context.nameToFcn]
        table = ", ".join(
            f"{name!r}: {function}" for name, function in zip(context.nameToFcn, names, strict=True)
        )
        before, texts, depth = self.temporaries.in_order([context.name, *context.args])
        arguments = ", ".join(["self", "state", *texts[1:]])
        return Code(f"{{{table}}}[{texts[0]}]({arguments})", before, depth=depth + 1)

    def _call(self, context: Any) -> Code:
        function = context.fcn
        if isinstance(function, _pfaast.UserFcn | _pfaast.EmitFcn):
            before, texts, depth = self.temporaries.in_order(self.values(context.args))
            return Code(self.call_of(function, texts), before, depth=depth + 1)
        if function.name in ("&&", "||"):
            return self.logical(function.name, *context.args)
        site = CallSite(self, context)
        written = self.specialise(site)
        if written is not None:
            return Code(written, site.before, depth=site.depth + 2, call=site)
        made = self.call_library(context)
        made.call = site
        return made

    def values(self, arguments: Sequence[Any]) -> list[Code]:
        """Arguments as titus's library takes them."""
        return [
            each.as_titus(f"f_{self.temporaries.new()}") if isinstance(each, FunctionCode) else each
            for each in arguments
        ]

    def logical(self, name: str, left: Code, right: Code) -> Code:
        """Code of && and ||, which evaluate the right side only if it matters."""
        word = "and" if name == "&&" else "or"
        if not right.before and max(left.depth, right.depth) < MAX_DEPTH:
            return self.made(f"({left.text} {word} {right.text})", [left, right])
        result = self.temporaries.new()
        condition = result if word == "and" else f"not {result}"
        more = Block(f"if {condition}:", self.into(result, [right]))
        return Code(result, [*left.before, f"{result} = {left.text}", more], VARIABLE)

    def specialise(self, site: "CallSite") -> str | None:
        """Text of a call of which the types or constants are made use of."""
        if site.name == "a.map" and (forest := self.forest(site)):
            return forest
        write, make = find(site.name)
        if write is not None:
            return write(site)
        kernel = None if make is None else make(site)
        if kernel is None:
            return None
        return f"{self.bind(site.name, kernel)}({', '.join(site.args)})"

    def forest(self, site: "CallSite") -> str | None:
        """Text of the answers of all trees of a constant cell, where ``a.map`` asks for them."""
        function = site.function(1)
        call = function.call
        if call is None or not call.name.startswith("model.tree."):
            return None
        record, tree, *_ = call.args
        params = function.given
        trees = site.forest(0) or site.parsed(0)
        if trees is MISSING or [tree] != params or params[0] in record:
            return None
        from pfa.kernels.tree import forest

        walk = forest(call, trees)
        if walk is None:
            return None
        if cell := site.cell(0):
            self.cell_keys[cell] = walk.recipe[2][0]["keys"]  # type: ignore[attr-defined]
        short = walk.short  # type: ignore[attr-defined]
        return f"{self.bind('forest', walk, short)}({record})"

    def call_library(self, context: Any) -> Code:
        """Code of a call of titus's own function."""
        function = context.fcn
        types = [*context.paramTypes, context.retType]
        codes = self.values(context.args)
        if type(function).genpy is not _fcn.LibFcn.genpy:
            return self.own_text(function, types, codes, context.pos)
        before, texts, depth = self.temporaries.in_order(codes)
        fixed = ["state", "None", repr(context.pos), self.types(types)]
        return Code(
            f"{self.library(function)}({', '.join([*fixed, *texts])})", before, depth=depth + 1
        )

    def own_text(self, function: Any, types: Any, codes: list[Code], pos: Any) -> Code:
        """Code of a function that titus writes as an expression (len, float, pi, &&& and |||)."""
        self.bind_as("math", _genpy.math)
        if function.name not in ("&&&", "|||"):
            before, texts, depth = self.temporaries.in_order(codes)
            text = function.genpy(types, texts, pos)
            own = f"self.f[{function.name!r}](state, scope, {pos!r}, {types!r}"
            double_quoted = own.replace(repr(function.name), f'"{function.name}"', 1)
            for start in (own, double_quoted):
                if text.startswith(start):
                    fixed = f"{self.library(function)}(state, None, {pos!r}, {self.types(types)}"
                    text = fixed + text.removeprefix(start)
            return Code(text, before, depth=depth + 1)
        before = []
        later: list[str] = []
        for code in codes:
            if code.before:
                name = f"f_{self.temporaries.new()}"
                before.append(Block(f"def {name}():", [*code.before, f"return {code.text}"]))
                later.append(name)
            else:
                later.append(f"(lambda: {code.text})")
        arguments = ["state", "None", repr(pos), self.types(types), *later]
        depth = max(code.depth for code in codes) + 2
        return Code(f"{self.library(function)}({', '.join(arguments)})", before, depth=depth)


class CallSite:
    """A call of a library function, for what specialises it (see pfa.specialise.Site)."""

    def __init__(self, lowering: Any, context: Any) -> None:
        """Put the arguments in order."""
        self._lowering = lowering
        self._arguments = context.args
        self.name: str = context.fcn.name
        self.types: list[Any] = context.paramTypes
        self.ret = context.retType
        self.pos: str | None = context.pos
        codes = [
            Code("None", kind=CONSTANT) if isinstance(each, FunctionCode) else each
            for each in context.args
        ]
        self.before: list[Statement]
        self.args: list[str]
        self.depth: int
        self.before, self.args, self.depth = lowering.temporaries.in_order(codes)
        # The body of a function may be written into a comprehension. Of those, Python crashes on
        # 21 in each other (see program.MAX_TRIES): by their depth there are at most 11.
        for each in context.args:
            if isinstance(each, FunctionCode) and each.body is not None:
                self.depth = max(self.depth, each.body.depth)
        self._held = [
            code.kind != EXPRESSION or text != code.text
            for code, text in zip(codes, self.args, strict=True)
        ]

    def once(self, index: int) -> str:
        """Return a name or constant that holds an argument."""
        for i in range(index + 1):
            if not self._held[i]:
                name = self._lowering.temporaries.new()
                self.before.append(f"{name} = {self.args[i]}")
                self.args[i] = name
                self._held[i] = True
        return self.args[index]

    def bind(self, hint: str, value: Any, short: str | None = None) -> str:
        """Return a name under which generated code sees ``value``; see pfa.specialise.Site."""
        return str(self._lowering.bind(hint, value, short))

    def constant(self, index: int) -> Any:
        """Return an argument's value, if it is a literal or of a constant cell; else MISSING."""
        code = self._arguments[index]
        if not isinstance(code, Code):
            return MISSING
        if code.cell is None:
            return code.value
        return self._lowering.cell_at(code.cell, code.steps or ())

    def parsed(self, index: int) -> Any:
        """Return the JSON value of an argument that is of a constant cell; else MISSING."""
        code = self._arguments[index]
        if not isinstance(code, Code) or code.cell is None:
            return MISSING
        whole = self._lowering.config.cells[code.cell].initJsonNode
        if code.steps is not None:
            decoded = self._lowering.cell_at(code.cell, code.steps)
            return MISSING if decoded is MISSING else inside(whole, code.steps)
        self._lowering.lowered_cells.add(code.cell)
        return whole

    def forest(self, index: int) -> Forest | None:
        """Return an argument that is a whole constant cell, if it was read as a Forest."""
        code = self._arguments[index]
        if not isinstance(code, Code) or code.cell is None or code.steps is not None:
            return None
        found = cells.forest(self._lowering.config.cells[code.cell])
        if found is not None:
            self._lowering.lowered_cells.add(code.cell)
        return found

    def cell(self, index: int) -> str:
        """Return the name of the constant cell that an argument is the whole of; "" if of none."""
        code = self._arguments[index]
        return "" if code.cell is None or code.steps is not None else str(code.cell)

    def keyed(self, index: int) -> tuple[Any, str] | None:
        """Return what an argument is looked up in, and a text of the key that may be pasted often.

        For an argument that is a path into a constant cell of which only the last step is not
        known; None for others.
        """
        code = self._arguments[index]
        if not isinstance(code, Code) or code.cell is None or not code.steps:
            return None
        *known, last = code.steps
        if last.kind == EXPRESSION:
            return None
        value = self._lowering.cell_at(code.cell, known)
        return None if value is MISSING else (value, last.text)

    def function(self, index: int) -> "SiteFunction":
        """Return an argument that is a function."""
        return SiteFunction(self._lowering, self, self._arguments[index])

    def error(self, message: str, code: int | None) -> Callable[[], Any]:
        """Return what raises titus's PFARuntimeException of this function, here."""
        fail: Callable[[], Any] = made(runtime.failing, self.name, message, code, self.pos)
        return fail


class SiteFunction:
    """A function that the document gives to a library function."""

    def __init__(self, lowering: Any, site: CallSite, code: FunctionCode) -> None:
        """``site`` is the call that it is given to."""
        self._lowering = lowering
        self._site = site
        self._code = code
        self._name = ""
        self.given = list(code.params)  # the names in ``call`` are those given
        self.body = None if code.body is None else code.body.text
        self.call: Site | None = None if code.body is None else code.body.call
        # A comprehension's variable would hide what other arguments and the functions in them mean
        # by the name: Python (3.13) does not keep them apart.
        names = lowering.temporaries.apart(self.given)
        self.params = [names[param] for param in self.given]
        if self.body is not None:
            self.body = renamed(self.body, names)

    @property
    def name(self) -> str:
        """A name to call it by, with positional arguments."""
        if not self._name:
            self._name = f"f_{self._lowering.temporaries.new()}"
            define: Statement = self._code.define(self._name)
            if self._code.library:
                pos = self._lowering.bind_as("pos", _genpy.titus.util.pos)
                call = f"{self._code.library}(state, None, {pos}, None, *x)"
                define = f"{self._name} = lambda *x: {call}"
            self._site.before.append(define)
        return self._name

    def inline(self, *args: str) -> str | None:
        """Return the body with these names for its parameters; None if it is no expression."""
        if self.body is None or len(args) != len(self.params):
            return None
        return f"({renamed(self.body, dict(zip(self.params, args, strict=True)))})"

    def loop(self, items: str) -> str | None:
        """Write a loop over items before the call; return the name of the list of all values.

        None if the function is an expression, or takes other arguments, or is better called.
        """
        code, new = self._code, self._lowering.temporaries
        deep = blocks_within(code.statements) > MAX_BLOCKS
        if not code.statements or len(code.params) != 1 or deep:
            return None
        names = new.apart({*code.params, *assigned(code.statements)})
        body = all_renamed(code.statements, names)
        values = new.new()
        body.append(f"{values}.append({renamed(code.result.text, names)})")
        loop = Block(f"for {names[code.params[0]]} in {items}:", body)
        self._site.before += [f"{values} = []", loop]
        return str(values)


def _identifier(text: str) -> str:
    """Return a text with each other character than a letter or digit as its number."""
    return "".join(c if c.isalnum() else "_" if c == "." else f"_{ord(c)}" for c in text)


__all__ = ["CallSite", "Calls", "FunctionCode", "SiteFunction", "Statement"]
