"""Load titus2 so that it sees today's Python as the one it was written for.

titus2 1.2.0 was written for Python 3.5 and numpy 1.x. What it needs from there
(``numpy.float_``, ``inspect.getargspec`` and so on) is not put back into those modules, where
everything else in the process would see it. Instead each titus module gets its own
``__builtins__``, whose ``__import__`` hands it *views* of a few modules. A view

* loads the real module at the first use of a name, so that numpy, urllib, yaml, ply and the
  container-file half of avro cost nothing until a document needs them;
* can hold names that the real module no longer has.

Faults in titus itself are mended by functions marked ``@mends("titus.…")`` in the files beside
this one. They run directly after the module's own code, before another module can import from it.
"""

import builtins
import importlib
import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

from pfa import memory

Mend = Callable[[Any], None]

_MENDS: dict[str, list[Mend]] = {}


def mends(*names: str) -> Callable[[Mend], Mend]:
    """Register a function that mends the titus modules called ``names``.

    It is called with the module, directly after the module's own code has run.
    """

    def register(mend: Mend) -> Mend:
        for name in names:
            if _is_ours(sys.modules.get(name)):
                raise ImportError(f"{mend.__module__} came too late to mend {name}")
            _MENDS.setdefault(name, []).append(mend)
        return mend

    return register


class View:
    """A module as titus sees it: loaded at the first use, with some names of our own."""

    def __init__(
        self,
        module: str,
        names: Mapping[str, object] | None = None,
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        """View ``module``; ``names`` are values given here, ``renamed`` maps old names to new."""
        self.__dict__.update(names or {})
        self._module = module
        self._renamed = renamed or {}

    def __getattr__(self, name: str) -> Any:
        """Load the module, and take the name from it once."""
        if self._module.startswith("numpy"):
            memory.numpy()
        module = importlib.import_module(self._module)
        today = self._renamed.get(name, name)
        try:
            value = getattr(module, today)
        except AttributeError:
            try:
                value = importlib.import_module(f"{self._module}.{today}")
            except ModuleNotFoundError:
                raise AttributeError(f"module {self._module!r} has no name {name!r}") from None
        self.__dict__[name] = value
        return value


class Later:
    """A class or function taken by ``from module import name``, loaded when it is called."""

    def __init__(self, module: str, name: str) -> None:
        """Stand for ``module.name``."""
        self._module = module
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the real thing."""
        return getattr(importlib.import_module(self._module), self._name)(*args, **kwargs)


def _getargspec(function: Any) -> Any:
    """Give what inspect.getargspec, gone in Python 3.11, gave: ``.args`` is all titus reads."""
    import inspect

    return inspect.getfullargspec(function)


def _matrix(rows: Any, dtype: Any = None) -> Any:
    """Stand for numpy.matrix, about whose use numpy warns: titus needs two dimensions of it only.

    Elements of a two-dimensional array are numbers; those of a matrix are matrices, which numpy 2
    does not convert to float.
    """
    return memory.numpy().array(rows, dtype=dtype, ndmin=2)


def _views() -> dict[str, Any]:
    """Give the modules that titus sees otherwise, by the name in its import statement.

    An ``import a.b`` gets ``a`` (with ``b`` in it), a ``from a.b import c`` gets ``a.b``.
    """
    linalg = View("numpy.linalg")
    linalg.__dict__["linalg"] = linalg  # numpy.linalg.linalg.LinAlgError, private since numpy 2
    core = View("numpy", renamed={"records": "rec"})  # numpy.core is private since numpy 2
    numpy = View(
        "numpy",
        {"core": core, "int": int, "linalg": linalg, "matrix": _matrix},
        {"float_": "float64", "in1d": "isin", "unique1d": "unique"},
    )
    # Parse() is parse() plus a DeprecationWarning
    schema = View("avro.schema", renamed={"Parse": "parse"})
    binary = _view_of_later(
        "avro.io", "BinaryDecoder", "BinaryEncoder", "DatumReader", "DatumWriter"
    )
    datafile = _view_of_later("avro.datafile", "DataFileReader", "DataFileWriter")
    return {
        "numpy": numpy,
        "avro": View("avro", {"schema": schema, "io": binary, "datafile": datafile}),
        "avro.schema": schema,
        "avro.io": binary,
        "avro.datafile": datafile,
        "inspect": View("inspect", {"getargspec": _getargspec}),
        # 16 patterns for pack and unpack, 3 ms: re.match() compiles, and keeps, what is used
        "re": View("re", {"compile": lambda pattern: pattern}),
        "ctypes": View("ctypes"),
        "urllib": View("urllib"),
        "yaml": View("yaml"),
        "ply": View("ply"),
        "ply.lex": View("ply.lex"),
        "ply.yacc": View("ply.yacc"),
        "pytz": View("pfa.compat.zones"),
    }


def _view_of_later(module: str, *names: str) -> View:
    """View a module from which titus takes names at import but uses them hardly ever."""
    return View(module, {name: Later(module, name) for name in names})


VIEWS = _views()


def _import(
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Any:
    """Do what ``import`` does, with views where titus needs them.

    Python calls it for each import statement in a titus module.
    """
    if name == "numpy" and globals is not None and globals["__name__"] == "titus.datatype":
        # It only names numpy's scalar types, does without them when there is no numpy, and
        # numeric.py names them for it.
        raise ImportError("not needed")
    root = name.partition(".")[0]
    if level == 0 and root in VIEWS:
        if not fromlist:
            # ``import ply.lex as lex`` also takes this way: Python then asks ply for lex
            return VIEWS[root]
        if name in VIEWS:
            return VIEWS[name]
    return builtins.__import__(name, globals, locals, fromlist or (), level)


_BUILTINS: dict[str, object] = {**vars(builtins), "__import__": _import}

# Spellings in titus's source about which the compiler warns since Python 3.8 and 3.12. Warnings
# may be errors, and the switch for them is global. None of these changes the meaning, but for the
# comparison of a string by identity, which was a mistake.
_RESPELLED = (
    (b're.compile("""', b're.compile(r"""'),
    (rb're.search("\.', rb're.search(r"\.'),
    (rb'"^[A-Za-z0-9\+/]*=*$"', rb'r"^[A-Za-z0-9\+/]*=*$"'),
    (rb'"^[a-zA-Z][a-zA-Z0-9\+\-\.]*://"', rb'r"^[a-zA-Z][a-zA-Z0-9\+\-\.]*://"'),
    (b'dataType is "', b'dataType == "'),
)


class Loader(importlib.machinery.SourceFileLoader):
    """Run a titus module with its own builtins, then mend it.

    Bytecode is found, checked and cached as for any other module.
    """

    def source_to_code(  # type: ignore[override]
        self, data: bytes, path: str, *, _optimize: int = -1
    ) -> CodeType:
        """Compile the module without a warning."""
        if isinstance(data, bytes):
            for old, new in _RESPELLED:
                data = data.replace(old, new)
        code: CodeType = super().source_to_code(data, path)
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code, then what mends it."""
        vars(module)["__builtins__"] = _BUILTINS
        super().exec_module(module)
        for mend in _MENDS.get(module.__name__, ()):
            mend(module)


class Finder:
    """Find ``titus`` and what is in it, and nothing else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give the module's usual spec, with our loader in it."""
        if fullname != "titus" and not fullname.startswith("titus."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None:
            return None
        if type(spec.loader) is not importlib.machinery.SourceFileLoader:
            # bytecode without source, or a zip file: it would run as it is
            raise ImportError(f"{fullname} is not a source file, so that it cannot be mended")
        spec.loader = Loader(fullname, spec.loader.path)
        return spec


def _is_ours(module: ModuleType | None) -> bool:
    """Tell a module loaded here from titus as somebody else imported it."""
    return isinstance(getattr(module, "__loader__", None), Loader)


def load(name: str) -> Any:
    """Give a mended titus module.

    An unmended titus that somebody imported before is set aside: its modules hold each other by
    reference and go on working for those who have them. From here on ``import titus`` is ours.
    """
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
    for other, module in list(sys.modules.items()):
        if (other == "titus" or other.startswith("titus.")) and not _is_ours(module):
            del sys.modules[other]
    return importlib.import_module(name)
