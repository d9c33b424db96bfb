"""Run the conformance corpus against an engine.

    python -m tests.conformance.run pfa.compat:engine --jobs 2 --skip-doubtful

The engine is a callable that makes an object with ``action(input)`` out of a document, and with
``begin()``, and an ``emit`` that can be set, where the document has them. It ends with status 1 if
a trial disagrees.
"""

import argparse
import collections
import contextlib
import fnmatch
import gzip
import importlib
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "functions")]

from tests.conformance import values  # noqa: E402 - needs the path above

CORPUS = Path(__file__).with_name("conformance.jsonl.gz")
AGREES = "agrees"


@dataclass(frozen=True)
class Options:
    """How trials run and compare; see the command line's help."""

    strict: bool = False
    raw_bytes: bool = False
    tolerance: float = 1e-9
    timeout: float = 5.0


@dataclass(frozen=True)
class Outcome:
    """What became of one trial: ``status`` is AGREES or a kind of disagreement."""

    document: str
    function: str
    trial: int
    status: str
    expected: str = ""
    got: str = ""


class TooLong(BaseException):
    """A trial took more than its time; not an Exception, so that no engine takes it for one."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooLong in the block after some seconds, again and again until it is left."""

    def stop(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def corpus(
    path: Path = CORPUS, function: str = "*", skip_doubtful: bool = False
) -> Iterator[dict[str, Any]]:
    """Give the entries of the corpus: a document, and its trials."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            if skip_doubtful and "doubtful" in entry:
                continue
            if fnmatch.fnmatch(entry["function"], function):
                yield entry


def run(
    make: Callable[[Any], Any], entry: dict[str, Any], options: Options = Options()
) -> list[Outcome]:
    """Run all trials of one document, in order, on one engine."""

    def outcome(trial: int, status: str, expected: Any = "", got: Any = "") -> Outcome:
        return Outcome(entry["id"], entry["function"], trial, status, str(expected), str(got))

    engine, error = None, ""
    try:
        with time_limit(options.timeout):
            engine = make(entry["pfa"])
    except TooLong:
        return [outcome(i, "load takes too long") for i in range(len(entry["trials"]) or 1)]
    except Exception as caught:
        error = f"{type(caught).__name__}: {caught}"
    if "load_error" in entry:
        status = AGREES if engine is None else "loads"
        return [outcome(0, status, f"a load error: {entry['load_error']}")]
    if engine is None:
        return [outcome(i, "does not load", got=error) for i in range(len(entry["trials"]))]
    answer = _begun(engine, entry, options)
    return [outcome(i, *_compare(answer, t, entry, options)) for i, t in enumerate(entry["trials"])]


def _begun(engine: Any, entry: dict[str, Any], options: Options) -> Callable[[Any], Any]:
    """Begin, and give what answers an input in the corpus's form."""
    document = entry["pfa"]
    names, output = values.named_types(document), document["output"]
    emitted: list[Any] = []
    emits = document.get("method") == "emit"
    if emits:
        engine.emit = emitted.append
    if document.get("begin"):
        with contextlib.suppress(TooLong, Exception), time_limit(options.timeout):
            engine.begin()

    def answer(value: Any) -> Any:
        emitted.clear()
        given = values.decoded(value, bytes_as_text=not options.raw_bytes)
        with time_limit(options.timeout):
            result = engine.action(given)
        if not emits:
            return values.encoded(result, output, names, options.strict)
        return [values.encoded(item, output, names, options.strict) for item in emitted]

    return answer


def _compare(
    answer: Callable[[Any], Any], trial: dict[str, Any], entry: dict[str, Any], options: Options
) -> tuple[str, str, str]:
    """Give the status of one trial, what was expected, and what came."""
    code = trial.get("error_code")
    expected = f"error {code}" if "error_code" in trial else json.dumps(trial["out"])
    try:
        got = answer(trial["in"])
    except TooLong:
        return "takes too long", expected, ""
    except values.WrongType as error:
        return "wrong type", expected, str(error)
    except Exception as error:
        return _compare_error(error, trial), expected, f"{type(error).__name__}: {error}"
    text = json.dumps(got)
    if "error_code" in trial:
        return "no error", expected, text
    wanted = trial["out"]
    if entry.get("json"):  # the order of keys in JSON text is free
        try:
            wanted, got = json.loads(wanted), json.loads(got)
        except ValueError:
            return "no JSON", expected, text
    same = values.same_in_any_order if entry.get("unordered") else values.same
    return (AGREES if same(wanted, got, options.tolerance) else "wrong value"), expected, text


def _compare_error(error: Exception, trial: dict[str, Any]) -> str:
    """Tell a PFA error (it has a code, which a document's own error may leave out) from others."""
    code = getattr(error, "code", None)
    if "error_code" in trial and hasattr(error, "code") and code == trial["error_code"]:
        return AGREES
    if not isinstance(code, int):
        return "exception"
    return "wrong code" if "error_code" in trial else "error"


def _made_by(spec: str) -> Callable[[Any], Any]:
    module, _, name = spec.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    made: Callable[[Any], Any] = found
    return made


def _run_quietly(spec: str, entry: dict[str, Any], options: Options) -> list[Outcome]:
    # documents with "log" print, and deprecated functions say so on stderr
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        return run(_made_by(spec), entry, options)


def run_all(
    spec: str, entries: list[dict[str, Any]], options: Options = Options(), jobs: int = 1
) -> list[Outcome]:
    """Run many documents in so many processes; ``spec`` is ``module:callable``."""
    tasks = [(spec, entry, options) for entry in entries]
    if jobs == 1:
        results = [_run_quietly(*task) for task in tasks]
    else:
        _made_by(spec)  # once, before the processes part
        with multiprocessing.get_context("fork").Pool(jobs) as pool:
            results = pool.starmap(_run_quietly, tasks, chunksize=25)
    return [outcome for outcomes in results for outcome in outcomes]


def report(outcomes: list[Outcome], show: int = 2) -> str:
    """Say which functions disagree, with some examples of each, and how many trials agree."""
    per_function: dict[str, list[Outcome]] = collections.defaultdict(list)
    for outcome in outcomes:
        per_function[outcome.function].append(outcome)
    lines = []
    for function, of_function in sorted(per_function.items()):
        bad = [outcome for outcome in of_function if outcome.status != AGREES]
        if bad:
            kinds = collections.Counter(outcome.status for outcome in bad)
            counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
            lines.append(f"{function}: {len(bad)} of {len(of_function)} disagree: {counts}")
        for outcome in bad[:show]:
            lines.append(f"  {outcome.document} trial {outcome.trial}: {outcome.status}")
            lines.append(f"    expected {outcome.expected:.160}")
            lines.append(f"    got      {outcome.got:.160}")
    agreed = sum(outcome.status == AGREES for outcome in outcomes)
    rate = agreed / max(len(outcomes), 1)
    lines.append(f"{agreed:,} of {len(outcomes):,} trials agree ({rate:.4%})")
    return "\n".join(lines)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", help="module:callable")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="another file of this form")
    parser.add_argument("--function", default="*", help="only these, as a shell pattern")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--skip-doubtful", action="store_true", help="leave out what Titus gets"
                        " wrong, or may")  # fmt: skip
    parser.add_argument("--strict", action="store_true", help="an int is no double")
    parser.add_argument("--raw-bytes", action="store_true", help="give bytes as Python bytes")
    parser.add_argument("--tolerance", type=float, default=Options.tolerance, help="relative")
    parser.add_argument("--timeout", type=float, default=Options.timeout, help="seconds per trial")
    parser.add_argument("--show", type=int, default=2, help="examples per function")
    chosen = parser.parse_args()
    options = Options(chosen.strict, chosen.raw_bytes, chosen.tolerance, chosen.timeout)
    started = time.monotonic()
    entries = list(corpus(chosen.corpus, chosen.function, chosen.skip_doubtful))
    outcomes = run_all(chosen.engine, entries, options, chosen.jobs)
    print(report(outcomes, chosen.show))
    print(f"{len(entries):,} documents, {time.monotonic() - started:.0f} s")
    return 0 if all(outcome.status == AGREES for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
