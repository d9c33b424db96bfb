"""The checks of an upload, in their order; the first that fails is the last.

Each ends within its time, and says what is wrong, where, and what to do. A document never makes one
raise: what it does to the checker (memory, recursion, time) is a finding. Deadlines and limits of
memory work in the main thread only; see pfa.deadline and pfa.memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import hashlib
import time
from collections.abc import Callable
from typing import Any

import pfa
from gate import compatible, mistakes, policy, replay, routes
from gate.steps import CheckError, Result, Step, run
from gate.verdict import Limits, Verdict
from pfa import document
from pfa.memory import memory_budget, resident_bytes

NAMES = ("size", "json", "pfa", "policy", "compile", "schema", "examples", "budget")
LIGHT_SECONDS = 20.0  # for a check that neither loads nor scores
BUDGET_SECONDS = 15.0
MEASURED_SECONDS = 1.0
LEAST_CALLS = 20  # if they do not take more than
MOST_SECONDS = 4.0
MOST_CALLS = 1000
_SHOWN = 8  # of many things that are wrong alike


def check_document(body: bytes, limits: Limits, live: pfa.Model | None = None) -> Verdict:
    """Check an uploaded document; `live` is the model that answers now, None if there is none.

    Never raises for anything in the document.
    """
    upload = _Upload(body, limits, live)
    light, load = LIGHT_SECONDS, limits.load_seconds
    findings = run(
        [
            ("size", upload.size, light),
            ("json", upload.parse, load),
            ("pfa", upload.understand, load + light),
            ("policy", upload.policy, light),
            ("compile", upload.compile, load),
            ("schema", upload.schema, light),
            ("examples", upload.replay, load + limits.example_seconds + light),
            ("budget", upload.budget, BUDGET_SECONDS),
        ]
    )
    passed = all(it.status in ("passed", "warning") for it in findings)
    return Verdict(
        passed=passed,
        findings=findings,
        sha256=hashlib.sha256(body).hexdigest(),
        engine=pfa.VERSION,
        examples=upload.right,
        largest_error=upload.largest_error,
        artifact=upload.artifact if passed else None,
    )


def check_routes(
    body: bytes, name: str, exists: Callable[[str, str], bool], limits: Limits
) -> Verdict:
    """Check the routes of model `name`; `exists` (model, live version) says what can be named.

    Never raises for anything in the document; raises what `exists` does.
    """
    del limits  # there is nothing in routes to be limited further
    found: dict[str, Any] = {}

    def size() -> Result:
        if len(body) > routes.MAX_BYTES:
            raise CheckError(f"{len(body)} bytes are more than {routes.MAX_BYTES}.")
        return Result(f"{len(body)} bytes of at most {routes.MAX_BYTES}.")

    def json() -> Result:
        found["routes"] = _parsed(body)
        return Result("JSON, and no key is there twice.")

    def form() -> Result:
        try:
            found["named"] = routes.check_form(found["routes"])
        except routes.RoutesError as error:
            raise CheckError(f"{error}.", error.position) from error
        return Result(f"{len(found['named'])} versions are named.")

    def versions() -> Result:
        try:
            routes.check_versions(found["named"], name, known)
        except routes.RoutesError as error:
            raise CheckError(f"{error}.", error.position) from error
        return Result("each of them is, or was, live.")

    broken: list[Exception] = []

    def known(model: str, version: str) -> bool:
        try:
            return exists(model, version)
        except Exception as error:  # of the bucket, and not of the routes
            broken.append(error)
            raise

    steps: list[Step] = [
        ("size", size, LIGHT_SECONDS),
        ("json", json, LIGHT_SECONDS),
        ("routes", form, LIGHT_SECONDS),
        ("versions", versions, LIGHT_SECONDS),
    ]
    findings = run(steps)
    if broken:
        raise broken[0]
    passed = all(it.status == "passed" for it in findings)
    return Verdict(passed, findings, hashlib.sha256(body).hexdigest(), pfa.VERSION)


def size_words(size: int, limits: Limits) -> str:
    """Say that a document of so many bytes is too large."""
    return (
        f"{size / 1e6:.3g} MB are more than {limits.max_mb:g} MB (GATE_MAX_MB): make the model"
        " smaller (fewer or shallower trees), or raise the limit."
    )


def _parsed(body: bytes) -> dict[str, Any]:
    """Parse JSON strictly; raises CheckError, with what the bytes are instead."""
    if known := mistakes.of_bytes(body):
        raise CheckError(known)
    try:
        return document.parse(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CheckError("The document is not UTF-8.", f"byte {error.start}") from error
    except pfa.DocumentError as error:
        raise CheckError(
            _with(str(error), mistakes.of_json_error(error)), error.position
        ) from error


def _with(message: str, hint: str | None) -> str:
    """Add to a message what may be behind it."""
    return f"{message} ({hint})" if hint else message


class _Upload:
    """One document under check: each check is a method, and what one learns the next ones use."""

    def __init__(self, body: bytes, limits: Limits, live: pfa.Model | None) -> None:
        self.body = body
        self.limits = limits
        self.live = live
        self.seeded = False
        self.mistakes: list[str] = []
        self.model: Any = None  # pfa.Model, from the check `pfa` on
        self.grown = 0  # bytes of memory that the model takes
        self.random = False  # draws numbers that are others each time
        self.artifact: bytes | None = None
        self.examples: list[replay.Example] = []
        self.right = 0
        self.largest_error = 0.0

    def size(self) -> Result:
        """Hold the document to its size."""
        megabytes = len(self.body) / 1e6
        if megabytes > self.limits.max_mb:
            raise CheckError(size_words(len(self.body), self.limits))
        return Result(f"{megabytes:.3g} MB of at most {self.limits.max_mb:g} MB.")

    def parse(self) -> Result:
        """Parse it, and look for what exporters do wrong."""
        with memory_budget(self.limits.memory_bytes):
            parsed = _parsed(self.body)
            self.seeded = "randseed" in parsed
            self.mistakes = mistakes.of_document(parsed)
        if self.mistakes:
            return Result(f"JSON, but {'; '.join(self.mistakes)}.", "warning")
        return Result("JSON, and no key is there twice.")

    def understand(self) -> Result:
        """Load it: syntax, types, and the values of cells and pools."""
        _trim()
        before = resident_bytes()
        try:
            self.model = self.load()
        except pfa.DocumentError as error:
            hint = mistakes.of_load_error(str(error)) or "; ".join(self.mistakes)
            raise CheckError(_with(str(error), hint), error.position) from error
        self.grown = max(0, resident_bytes() - before)
        model = self.model
        return Result(f'PFA of the method {model.method}, named "{model.name}".')

    def load(self, compiled: bool = True) -> pfa.Model:
        """Load the document in the time and memory that it may take; raises DocumentError."""
        limits = self.limits
        return pfa.load(self.body, limits.load_seconds, limits.memory_bytes, compiled=compiled)

    def policy(self) -> Result:
        """Say what it does besides computing."""
        engine = self.model.engines.start(lambda _: None)
        engine.f, graph = None, engine.callGraph
        self.random = policy.is_random(graph) and not self.seeded
        found = policy.found(graph, self.seeded, self.limits.refuse)
        refused = [it for it in found if it.refused]
        if refused:
            words = "; ".join(it.words for it in refused)
            kinds = ", ".join(sorted({kind for it in refused for kind in it.refused}))
            raise CheckError(f"The model {words}: refused here (GATE_REFUSE: {kinds}).")
        if found:
            return Result(f"The model {'; '.join(it.words for it in found)}.", "warning")
        return Result("No randomness, no log, no state, no recursion, no loops without a bound.")

    def compile(self) -> Result:
        """Compile it ahead of time, and load what that gave."""
        with memory_budget(self.limits.memory_bytes):
            self.artifact = self.model.to_artifact()
            pfa.load_artifact(self.artifact)
        size = f"{len(self.artifact) / 1e3:,.0f} kB ahead of time"
        if self.model.fallback:
            reason = self.model.fallback[:200]
            return Result(
                f"Not compiled ({reason}): titus2's own engine scores it, which is slower; {size}.",
                "warning",
            )
        return Result(f"Compiled; {size}.")

    def schema(self) -> Result:
        """Compare its schemas with those of the model that answers now."""
        new, live = self.model, self.live
        if live is None:
            return Result("There is no live version: nothing to be compatible with.")
        inputs = compatible.compare(live.input_schema, new.input_schema, "input")
        outputs = compatible.compare(_answer(live), _answer(new), "output")
        breaks = inputs.breaks + outputs.breaks
        notes = inputs.notes + outputs.notes
        words = _listed(breaks or notes)
        if not breaks:
            if notes:
                return Result(f"Compatible with the live version, but: {words}.", "warning")
            return Result("Compatible with the live version.")
        if new.metadata.get("breaking") == "allow":
            return Result(f"Breaks callers, which metadata.breaking allows: {words}.", "warning")
        if self.limits.allow_breaking:
            return Result(f"Breaks callers, which GATE_ALLOW_BREAKING allows: {words}.", "warning")
        raise CheckError(
            f'Breaks callers of the live version: {words}. If they know, say "breaking": "allow" in'
            " the document's metadata, or upload it under another name."
        )

    def replay(self) -> Result:
        """Replay the examples on titus2's own engine, compiled, and from the artifact."""
        try:
            self.examples = replay.read(self.model.metadata)
            if len(self.examples) < self.limits.min_examples:
                raise CheckError(
                    f"{len(self.examples)} examples are fewer than {self.limits.min_examples}"
                    " (GATE_MIN_EXAMPLES): put inputs, and the answers of the library that made the"
                    " model, into metadata.examples."
                )
            if not self.examples:
                return Result(
                    "There are no examples, so that nothing proves its answers: put inputs, and the"
                    " answers of the library that made the model, into metadata.examples.",
                    "warning",
                )
            self.compare()
        except replay.ExamplesError as error:
            raise CheckError(f"{error}") from error
        self.right = len(self.examples)
        how = "compiled, ahead of time, and on titus2's own engine"
        if self.random:
            how = "compiled only, as it draws random numbers without a randseed"
        return Result(
            f"{self.right} of {self.right} examples right ({how}); largest relative error"
            f" {self.largest_error:.2g}."
        )

    def compare(self) -> None:
        """Compare the engines with each other, and with what is expected; raises CheckError."""
        ends = time.monotonic() + self.limits.example_seconds
        compiled = self.answers(self.model, ends)
        for number, (example, answer) in enumerate(zip(self.examples, compiled, strict=True), 1):
            wrong, error = replay.judge(example, answer)
            if wrong:
                hint = mistakes.of_input(example.record, self.model.input_schema)
                if mistakes.ROUNDED in self.mistakes and error < 1e-3:
                    hint = hint or mistakes.ROUNDED
                if self.random:
                    hint = hint or "it draws random numbers without a randseed"
                raise CheckError(_with(f"Example {number} of {len(compiled)}: {wrong}.", hint))
            self.largest_error = max(self.largest_error, error)
        if self.random:  # two engines cannot be held to each other
            return
        assert self.artifact is not None  # noqa: S101 - else `compile` had failed
        with memory_budget(self.limits.memory_bytes):
            restored = pfa.load_artifact(self.artifact)
        self.agree(
            compiled, self.answers(restored, ends), "the model that was compiled ahead of time"
        )
        del restored
        try:
            reference = self.load(compiled=False)
        except pfa.DocumentError as error:
            words = f"titus2's own engine, which proves the answers, does not load it: {error}"
            raise CheckError(words, error.position) from error
        others = self.answers(reference, ends)
        self.agree(compiled, others, "titus2's own engine", replay.ENGINES)

    def answers(self, model: pfa.Model, ends: float) -> list[Any]:
        """Score all examples on a model; raises ExamplesError."""
        return replay.answers(model, self.examples, ends, self.limits.memory_bytes)

    def agree(
        self, compiled: list[Any], others: list[Any], what: str, tolerance: float = 0.0
    ) -> None:
        """Hold the answers of another engine to those of the compiled one; raises CheckError."""
        for number, (one, other) in enumerate(zip(compiled, others, strict=True), 1):
            if replay.same(one, other, tolerance):
                continue
            gave = [
                replay.words_of(it) if isinstance(it, pfa.PfaError) else replay.shown(it)
                for it in (one, other)
            ]
            # Without a code it is time, memory, or calls within calls: the reference needs more.
            why = "The engine is at fault, not the model: please report this document."
            if isinstance(other, pfa.ScoringError) and other.code is None:
                why = "So nothing proves the answer: make the model's functions call less deeply."
            raise CheckError(
                f"Example {number} of {len(compiled)}: compiled, the model gives {gave[0]};"
                f" {what} gives {gave[1].removesuffix('.')}. {why}"
            )

    def budget(self) -> Result:
        """Hold the model to its memory, and the examples to their time."""
        limits = self.limits
        megabytes = self.grown / 1e6
        memory = f"{megabytes:.3g} MB of memory of at most {limits.memory_mb:g} MB"
        if megabytes > limits.memory_mb:
            raise CheckError(f"The loaded model takes {memory} (GATE_MEMORY_MB).")
        if not self.examples:
            return Result(f"{memory}; no examples, so that no time was measured.")
        records = [example.record for example in self.examples]
        p99 = self.measured(records)
        if limits.p99_ms < p99 < 3 * limits.p99_ms:  # another process may have been at it
            p99 = min(p99, self.measured(records))
        took = f"p99 {p99:.3g} ms of at most {limits.p99_ms:g} ms"
        if p99 > limits.p99_ms:
            raise CheckError(
                f"The examples are too slow: {took} (GATE_P99_MS): make the model smaller, or raise"
                " the limit."
            )
        return Result(f"{took}; {memory}.")

    def measured(self, records: list[Any]) -> float:
        """Give the 99th percentile of the time of one score(), in milliseconds."""
        score = self.model.score
        times: list[float] = []
        began = time.monotonic()
        with memory_budget(self.limits.memory_bytes):
            while len(times) < MOST_CALLS + len(records):
                passed = time.monotonic() - began
                if passed > (MEASURED_SECONDS if len(times) >= LEAST_CALLS else MOST_SECONDS):
                    break
                record = records[len(times) % len(records)]
                started = time.perf_counter()
                with contextlib.suppress(pfa.PfaError):  # an example may expect it
                    score(record)
                times.append((time.perf_counter() - started) * 1000)
        times.sort()
        return times[min(len(times) - 1, int(0.99 * len(times)))]


def _answer(model: pfa.Model) -> Any:
    """The schema of an answer: with the method emit, a list of outputs."""
    schema = model.output_schema
    return {"type": "array", "items": schema} if model.method == "emit" else schema


def _listed(sentences: list[str]) -> str:
    more = f"; and {len(sentences) - _SHOWN} more" if len(sentences) > _SHOWN else ""
    return "; ".join(sentences[:_SHOWN]) + more


def _trim() -> None:
    """Give freed memory back to the system, or a model in its place would seem small."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):  # not glibc
        return
