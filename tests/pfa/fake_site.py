"""One call of a library function, as the compiler would hand it to what specialises it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pfa import compat  # noqa: F401  mends titus
from pfa.compat.loader import load
from pfa.specialise import MISSING, find

_FUNCTIONS = load("titus.pfaast").FunctionTable.blank().functions
_datatype = load("titus.datatype")


def avro(schema: Any) -> Any:
    """Return titus's AvroType, or its FcnType, of a schema."""
    if isinstance(schema, dict) and schema["type"] == "function":
        params = [avro(x) for x in schema["params"]]
        return _datatype.FcnType(params, avro(schema["ret"]))
    return _datatype.jsonNodeToAvroType(schema)


@dataclass
class FakeFunction:
    name: str
    text: str | None = None
    params: list[str] = field(default_factory=list)
    call: Any = None

    def inline(self, *args: str) -> str | None:
        return None if self.text is None else f"({self.text.format(*args)})"

    def loop(self, items: str) -> str | None:
        return None


@dataclass
class FakeSite:
    name: str
    schemas: list[Any]
    ret_schema: Any
    known: dict[int, Any] = field(default_factory=dict)  # constants by argument
    functions: dict[int, Callable[..., Any]] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)  # expressions of functions' bodies
    args: list[str] = field(default_factory=list)
    containers: dict[int, tuple[Any, str]] = field(default_factory=dict)
    pos: str | None = "here"

    def __post_init__(self) -> None:
        self.types = [avro(schema) for schema in self.schemas]
        self.ret = avro(self.ret_schema)
        self.args = self.args or [f"x{i}" for i in range(len(self.types))]
        self.names: dict[str, Any] = {f"f{i}": f for i, f in self.functions.items()}

    def once(self, index: int) -> str:
        return self.args[index]

    def bind(self, hint: str, value: Any, short: str | None = None) -> str:
        name = f"{hint}_{len(self.names)}"
        self.names[name] = value
        return name

    def constant(self, index: int) -> Any:
        return self.known.get(index, MISSING)

    def parsed(self, index: int) -> Any:
        return self.known.get(index, MISSING)

    def keyed(self, index: int) -> tuple[Any, str] | None:
        return self.containers.get(index)

    def function(self, index: int) -> FakeFunction:
        params = [f"v{i}" for i in range(len(self.types[index].params))]
        return FakeFunction(f"f{index}", self.texts.get(index), params)

    def error(self, message: str, code: int | None) -> Callable[[], Any]:
        def fail() -> Any:
            raise load("titus.errors").PFARuntimeException(message, code, self.name, self.pos)

        return fail

    def specialised(self) -> Callable[..., Any] | None:
        """Return the specialised function of all arguments (functions are as in ``functions``)."""
        inline, kernel = find(self.name)
        if inline is not None:
            text = inline(self)
            if text is None:
                return None
            names = ", ".join(f"x{i}" for i in range(len(self.types)))
            made: Callable[..., Any] = eval(f"lambda {names}: {text}", self.names)
            return made
        return None if kernel is None else kernel(self)

    def stock(self, *args: Any) -> Any:
        """Call titus's function."""
        types = json.loads(repr([*self.types, self.ret]))
        given = [
            (lambda _s, _c, _p, _t, *a, f=arg: f(*a)) if callable(arg) else arg for arg in args
        ]
        return _FUNCTIONS[self.name](None, None, self.pos, types, *given)
