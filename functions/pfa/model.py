"""A loaded PFA document: it scores records, and describes itself.

State: each call of ``score`` or ``score_batch`` begins with the document's initial cells, pools,
tally and (if seeded) random generator; ``begin`` runs first, ``end`` last; later records of a
batch see what earlier ones changed; nothing outlives the call.
"""

import json
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from types import CodeType
from typing import Any

from pfa import artifact, direct, document
from pfa.batch import FEW, Batch, Code
from pfa.call import NO_MEMORY, Call, place, timed_out, told_in_full
from pfa.columns import answers_writer, rows_of
from pfa.convert import make_reader, make_writer
from pfa.deadline import DeadlineExceeded, deadline
from pfa.errors import DocumentError, PfaError, ScoringError
from pfa.instance import Source
from pfa.json_schema import input_schema, output_schema
from pfa.memory import memory_budget, release
from pfa.schema import Type, from_avro, from_json, to_avro

ENGINE = "titus2 1.2.0"
VERSION = "pfa-score 0.1.0, titus2 1.2.0"  # of what an artifact is made by, and good for


def load(
    source: bytes | str | dict[str, Any],
    timeout: float | None = None,
    memory: int | None = None,
    *,
    compiled: bool = True,
) -> "Model":
    """Load a PFA document: its bytes, its JSON text, or its JSON values.

    ``timeout`` is in seconds; ``memory`` in bytes, as of ``score``. Without ``compiled`` titus2's
    own engine scores the records: the reference, of which the answers are the same.

    Raises DocumentError, in words for the document's author.
    """
    ends = None if timeout is None else time.monotonic() + timeout
    try:
        with memory_budget(memory), deadline(timeout):
            return _load(source, compiled)
    except DeadlineExceeded:
        if ends is None or time.monotonic() < ends:  # another's, who loads in a block of its own
            raise
        message = f"The document could not be loaded within its time ({timeout:g} s)."
        raise DocumentError(message) from None


def _load(source: bytes | str | dict[str, Any], wanted: bool = True) -> "Model":
    """Load a document, with what time and memory there is."""
    parsed: dict[str, Any] = {}
    with document.collection_paused():
        try:
            read = document.read(source)
            parsed = read.parsed
            default_name = f"Engine_{read.sha256[:12]}"
            named = parsed if "name" in parsed else {"name": default_name, **parsed}
            from pfa import compiler  # not at the top: an artifact needs none of it, nor titus

            make = compiler.engine if wanted else compiler.reference
            engine = make(named, short_names=True, marked=read.has_marks)
            if not isinstance(source, dict):
                document.check_keys(read, engine.cell_keys, source)
            return _compiled(engine, read.sha256, source)
        except DocumentError:
            raise
        except Exception as error:
            raise _document_error(error, parsed) from error


def artifact_key() -> str:
    """Return what an artifact made now is good for: engine, its sources, and Python."""
    return " ".join(artifact.key("", VERSION).values()).strip()


def load_artifact(data: bytes) -> "Model":
    """Load what ``Model.to_artifact`` made, in milliseconds; the answers are the document's.

    Read artifacts only from where nobody but their maker can write: there is code in them.

    Raises DocumentError: it is none, cut off, altered, or of another engine or Python.
    """
    head, content = artifact.unpack(data, VERSION)
    with document.collection_paused():
        read, write = from_json(content["input"]), from_json(content["output"])
        facts = Facts(sha256=head["document"], **content["facts"])

        def encoded() -> bytes:
            return artifact.decompress(content["packed"])

        model = Model(facts, read, write, encoded)
        model._source = content["source"]
        model._lines = lambda: json.loads(artifact.decompress(content["positions"]))
        if content["code"] is not None:
            names = {name: artifact.restored(made) for name, made in content["names"].items()}
            model.shorten(content["code"], names)
        return model


@dataclass(frozen=True, slots=True)
class Facts:
    """What is told of a document."""

    sha256: str
    name: str
    method: str
    doc: str | None
    version: int | None
    metadata: dict[str, str]
    has_end: bool
    fallback: str | None  # why titus's own engine scores it; None: it is compiled


def _compiled(engine: Any, sha256: str, source: bytes | str | dict[str, Any]) -> "Model":
    """Make the model of a just made engine."""
    config = engine.config
    facts = Facts(
        sha256=sha256,
        name=config.name,
        method=config.method,
        doc=config.doc,
        version=config.version,
        metadata=dict(config.metadata),
        has_end=bool(config.end),
        fallback=engine.fallback,
    )
    read, write = from_avro(config.input.schema), from_avro(config.output.schema)
    model = Model(facts, read, write, lambda: document.encoded(source))
    model.engines = Source(engine)
    if not facts.fallback:
        program = type(engine).program
        weakref.finalize(model, program.clear).atexit = False
        module = program.module
        if program.result.text:
            module, code = direct.compiled_of(program, read, write)
            model.shorten(code, dict(program.namespace))  # to which the long way adds names
        model._source, model._lines = module.source, lambda: module.positions
    return model


class Model:
    """A loaded document. Threads may share it: each call has its own state.

    ``sha256`` is hexadecimal, of the document's bytes; ``name``, ``doc``, ``version`` and
    ``metadata`` are the document's own; ``method`` is "map", "emit" or "fold"; ``input_schema`` and
    ``output_schema`` are JSON values of Avro; ``engine`` says what scores, and ``fallback`` why
    that is titus (None: the document is compiled).
    """

    def __init__(
        self,
        facts: Facts,
        read: Type,
        write: Type,
        encoded: Callable[[], bytes],
    ) -> None:
        """Take input and output type, and what gives the document; see ``load``."""
        self.sha256 = facts.sha256
        self.name = facts.name
        self.method = facts.method
        self.doc = facts.doc
        self.version = facts.version
        self.metadata = facts.metadata
        self.fallback = facts.fallback
        self.engine = ENGINE if facts.fallback else f"{ENGINE}, compiled"
        self.input_schema: Any = to_avro(read)
        self.output_schema: Any = to_avro(write)
        self._facts = facts
        self._input, self._output = read, write
        self._has_end = facts.has_end
        self._encoded = encoded
        self._short: Callable[[Any], Any] | None = None
        self._code: CodeType | None = None
        self._names: dict[str, Any] = {}
        self._source: str | bytes = ""  # of an artifact: compressed
        self._lines: Callable[[], list[str | None]] = list

    @cached_property
    def _whole(self) -> "Model":
        """The model with all that an artifact's does without, for the long way.

        If threads make several at once the first is for all: another would end while in use.
        """
        made = _load(self._encoded(), self.fallback is None)
        return vars(self).setdefault("_whole", made)  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Callable[[bytes], "Model"], tuple[bytes]]:
        """Copy, and pickle, as an artifact: a model lets go of what its code sees at its end."""
        return load_artifact, (self.to_artifact(),)

    @property
    def source(self) -> str:
        """The generated Python; "" of a model that titus's own engine scores."""
        kept = self._source
        return kept if isinstance(kept, str) else artifact.decompress(kept).decode()

    @cached_property
    def positions(self) -> list[str | None]:
        """For each line of ``source`` where in the document it is from, as errors tell it.

        None for a line that is from no expression: it reads the record or writes the answer.
        """
        return [place(position) for position in self._lines()]

    def where(self, error: BaseException) -> str | None:
        """Return where in the document the code is from that an error came from, if it is known."""
        made: Any = vars(self).get("engines")  # of the long way, if a record went it
        program = getattr(made and made.kind, "program", None)
        frames = []
        trace = error.__traceback__
        while trace is not None:
            frames.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
            trace = trace.tb_next
        for file, line in reversed(frames):
            if file == direct.BATCH:
                line = direct.Loop(self.source, self._input).line(line)
            lines: list[str | None] = []
            if file in (direct.FILE, direct.BATCH):
                lines = self._lines()
            elif program is not None and file == program.file:
                lines = program.module.positions
            if 0 < line <= len(lines) and (position := lines[line - 1]):
                return place(position)
        return None

    @cached_property
    def check(self) -> Callable[[Any], Any]:
        """What gives the engine's form of a record; raises InputError."""
        return make_reader(self._input)

    @cached_property
    def write(self) -> Callable[..., Any]:
        """What gives the JSON form of an answer and of its place; raises ScoringError."""
        return make_writer(self._output)

    @cached_property
    def engines(self) -> Source:
        """What makes an engine for a call."""
        return self._whole.engines

    def shorten(self, code: CodeType, names: dict[str, Any]) -> None:
        """Take the compiled short way of a record, and what its names mean; see direct.py."""
        self._code, self._names = code, names
        self._short = direct.function_of(code, names, self._input, self._output)

    @cached_property
    def _batch_code(self) -> Code:
        """The short way of many records."""
        loop = direct.Loop(self.source, self._input)
        rows = rows_of(self._input, loop.keys, loop.singly) if loop.keys else iter
        write = answers_writer(self._output, loop.answer_keys())
        rest = write is None, self._names, self._input, self._output
        return Code(loop.function(*rest), rows, write, loop.together(*rest))

    def to_artifact(self) -> bytes:
        """Compile the model ahead of time: bytes for ``load_artifact``."""
        packed = artifact.compress(self._encoded())
        names: dict[str, Any] = {}
        code = self._code
        if code is not None:
            wanted = direct.names_outside(code) & self._names.keys()
            names = {name: artifact.portable(self._names[name]) for name in sorted(wanted)}
            if None in names.values():
                code, names = None, {}
        facts = asdict(self._facts)
        content = {
            "input": self.input_schema,
            "output": self.output_schema,
            "packed": packed,
            "source": artifact.compress(self.source.encode()),
            "positions": artifact.compress(json.dumps(self.positions).encode()),
            "code": code,
            "names": names,
        }
        head = artifact.key(facts.pop("sha256"), VERSION)
        return artifact.pack(head, {**content, "facts": facts})

    def score(self, record: Any, timeout: float | None = None, memory: int | None = None) -> Any:
        """Score one record, a JSON value; the answer is a JSON value.

        The method ``map`` gives the output, ``emit`` the list of what was emitted, ``fold`` the
        tally. ``timeout`` is in seconds; ``memory`` is how many bytes the call may take besides
        what the process has in use (see ``pfa.memory.memory_budget`` for where both work).

        Raises InputError, ScoringError, ScoringTimeout.
        """
        if timeout is None and memory is None and self._short is not None:
            try:
                return self._short(record)
            except Exception:  # noqa: S110 - the long way says what is wrong
                pass
        (result,) = self.score_batch([record], timeout, memory)
        if isinstance(result, PfaError):
            raise result
        return result

    def score_batch(
        self, records: Sequence[Any], timeout: float | None = None, memory: int | None = None
    ) -> list[Any]:
        """Score records in their order, within ``timeout`` seconds and ``memory`` bytes for all.

        Gives for each record what ``score`` would, or the PfaError that it would raise. What
        ``begin`` emits counts to the first record that gets an answer, what ``end`` emits to the
        last. When the time is up, the running record and the rest get ScoringTimeout.
        """
        if memory is None:
            return self._score_all(records, timeout)
        try:
            with memory_budget(memory):
                return self._score_all(records, timeout)
        except MemoryError as error:  # not of one record: there is none left for what is around it
            release(error)
            return [ScoringError(NO_MEMORY, None, self.where(error))] * len(records)

    def _score_all(self, records: Sequence[Any], timeout: float | None) -> list[Any]:
        # Without state, records have nothing to do with each other. Where a deadline does not work
        # the long way looks at the clock.
        if self._short is None or not (timeout is None or deadline.works()):
            return Call(self, timeout).all(records)
        batch = Batch(self, records)
        code: Code | None = None
        try:
            if timeout is not None and timeout <= 0:
                raise DeadlineExceeded
            # Made before the clock runs: if that took longer, it would have to be made each time.
            if len(records) > FEW:
                code = self._batch_code
                batch.prepare(code)
            with deadline(timeout):
                batch.run(code)
        except DeadlineExceeded as error:
            batch.end(code, timed_out(timeout, self.where(error)))
        return batch.results

    def _answer(self, record: Any) -> Any:
        """Score one record of a document without state; give the answer or the error."""
        assert self._short is not None  # noqa: S101 - else it is not called
        try:
            return self._short(record)
        except Exception:  # noqa: S110 - see Batch.chunk
            pass
        return self._long(record)

    def _long(self, record: Any) -> Any:
        """Score one record with all checks; give the answer or the error."""
        (result,) = Call(self, None).all([record])
        return result

    def describe(self) -> dict[str, Any]:
        """What the model is, as JSON values; of its metadata all but the examples."""
        return {
            "name": self.name,
            "method": self.method,
            "doc": self.doc,
            "version": self.version,
            "sha256": self.sha256,
            "engine": self.engine,
            "compiled": self.fallback is None,
            "input": {"avro": self.input_schema, "jsonSchema": input_schema(self._input)},
            "output": {"avro": self.output_schema, "jsonSchema": self._answer_schema()},
            "metadata": {k: v for k, v in self.metadata.items() if k != "examples"},
        }

    def _answer_schema(self) -> dict[str, Any]:
        """The JSON Schema of an answer: with the method emit, a list of outputs."""
        schema = output_schema(self._output)
        if self.method != "emit":
            return schema
        around: dict[str, Any] = {
            key: schema.pop(key) for key in ("$schema", "$defs") if key in schema
        }
        return {**around, "type": "array", "items": schema}


def _document_error(error: Exception, parsed: dict[str, Any]) -> DocumentError:
    """The error of a document that the engine refuses, for its author."""
    position = getattr(error, "pos", None)
    if isinstance(error, MemoryError):
        release(error)
        message = "The document needs more memory than it may have."
    elif isinstance(error, RecursionError | SyntaxError):
        message = "The document's expressions are nested too deeply."
    elif type(error).__module__ in ("titus.errors", "avro.schema"):
        message = told_in_full(" ".join(str(error).split()))  # titus breaks lines within types
    else:
        message = f"The document is not valid PFA ({type(error).__name__})."  # or we are at fault
    if dotted := _dotted_name(parsed):
        message += f" Avro names cannot have dots, as {dotted[:80]!r} has: rename the column first."
    return DocumentError(message, place(position))


def _dotted_name(node: Any, depth: int = 0) -> str | None:
    """The first field name or enum symbol with a dot in the document, as R's exporter writes."""
    if isinstance(node, dict) and depth < 200:
        fields = node.get("fields") if node.get("type") == "record" else None
        names = (
            [f.get("name") for f in fields if isinstance(f, dict)]
            if isinstance(fields, list)
            else []
        )
        if node.get("type") == "enum" and isinstance(node.get("symbols"), list):
            names += node["symbols"]
        for name in names:
            if isinstance(name, str) and "." in name:
                return name
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for part in parts:
        if depth < 200 and (found := _dotted_name(part, depth + 1)):
            return found
    return None
