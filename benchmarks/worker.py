"""One engine in a process of its own, told over standard input what to do and time.

    python -m benchmarks.worker SIDE

A line of JSON in, a line of JSON out; see `Worker`. Standard library only: the engine's own
imports are what is measured.

All times are processor time of this process, which holds on a busy machine; the engines that have
threads are told to use one.
"""

from __future__ import annotations

import gc
import importlib
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

BLOCK_SECONDS = 0.0005  # of the calls that are timed together: the clock itself takes 0.5 µs
WATCHED = ("numpy", "titus", "avro")  # packages that an engine may do without
SIDES = {
    "titus2": "benchmarks.side_titus2",
    "pfa": "benchmarks.side_pfa",
    "pfa_artifact": "benchmarks.side_pfa_artifact",
    "scikit-learn": "benchmarks.side_sklearn",
    "ONNX Runtime": "benchmarks.side_onnx",
    "treelite": "benchmarks.side_treelite",
    "m2cgen": "benchmarks.side_m2cgen",
}

Answer = Callable[[Any], Any]


class Worker:
    """What can be asked of an engine. Each method is a command, its arguments are the line's."""

    def __init__(self, side: str) -> None:
        """Import the engine."""
        started = time.process_time()
        self.side = importlib.import_module(SIDES[side])
        self.imported = time.process_time() - started
        self.model: Any = None
        self.records: list[Any] = []
        self.mixed: Iterator[Any] = iter(())

    def load(self, path: str) -> dict[str, float]:
        """Make a model ready of the file at `path`; the last one is let go before.

        Returns: seconds of `import` (the engine's, once) and `load`, from the file's text in memory
            to the ready model.
        """
        self.model = None
        text = Path(path).read_bytes()
        gc.collect()
        started = time.process_time()
        self.model = self.side.load(text, path)
        return {"import": self.imported, "load": time.process_time() - started}

    def use(self, path: str) -> int:
        """Take the records of a JSON file; say how many."""
        self.records = json.loads(Path(path).read_text("utf-8"))
        shuffled = random.Random(1).sample(self.records, len(self.records))
        self.mixed = cycle(shuffled)  # for times: files are often sorted by the answer
        return len(self.records)

    def keep(self, count: int) -> None:
        """Go on with at most `count` records, evenly from all of them."""
        self.records = self.records[:: -(-len(self.records) // count)]

    def memory(self, path: str) -> dict[str, Any]:
        """Answer the first record of a file; say what the process has then.

        Returns: `peak` and `resident` bytes; `modules`, those of WATCHED that were imported.
        """
        with Path(path).open(encoding="utf-8") as file:
            record = json.load(file)[0]
        self.side.one(self.model)(record)
        status = dict(
            line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines()
        )
        return {
            "peak": int(status["VmHWM"].split()[0]) * 1024,
            "resident": int(status["VmRSS"].split()[0]) * 1024,
            "modules": [name for name in WATCHED if name in sys.modules],
        }

    def answers(self) -> list[Any]:
        """Return the answer for each record, or the name of the error's class."""
        found = []
        one = self.side.one(self.model)
        for record in self.records:
            try:
                found.append(one(record))
            except Exception as error:
                found.append({"error": type(error).__name__})
        return found

    def time(self, seconds: float) -> list[float]:
        """Score records one by one for about `seconds`; microseconds a record, a block each."""
        one: Answer = self.side.one(self.model)
        source = self.mixed
        size, taken = 1, 0.0
        while True:  # as many records as fill a block; this is the warming up, too
            block = list(islice(source, size))
            taken = timed(one, block)
            if taken >= BLOCK_SECONDS:
                break
            size *= 2
        size = max(1, round(size * BLOCK_SECONDS / taken))
        found = []
        until = time.process_time() + seconds
        while not found or time.process_time() < until:
            block = list(islice(source, size))
            found.append(timed(one, block) / size * 1e6)
        return found

    def each(self, calls: int) -> list[float]:
        """Time `calls` records each on its own, in microseconds, less what the clock takes."""
        one: Answer = self.side.one(self.model)
        clock = time.thread_time_ns
        found, idle = [], []
        for record in islice(self.mixed, calls):
            started = clock()
            one(record)
            between = clock()
            found.append(between - started)
            idle.append(clock() - between)
        own = median(idle)
        return [max(0.0, time - own) / 1000 for time in found]

    def batch(self, rows: int) -> float:
        """Score `rows` records, given as a list of dicts, at once; seconds."""
        return answered(self.side.many(self.model), islice(cycle(self.records), rows))

    def loop(self, rows: int) -> float:
        """Score `rows` records one by one, and keep the answers, as a batch does; seconds."""
        one: Answer = self.side.one(self.model)
        source = islice(cycle(self.records), rows)
        return answered(lambda records: [one(record) for record in records], source)

    def save(self, path: str) -> bool:
        """Write the model as it is compiled ahead of time; say whether the engine can."""
        artifact = getattr(self.side, "artifact", None)
        made = artifact(self.model) if artifact else None
        if made is not None:
            Path(path).write_bytes(made)
        return made is not None

    def about(self) -> Any:
        """Return what the engine says of the model, if anything."""
        about = getattr(self.side, "about", None)
        return about(self.model) if about else None


def answered(many: Answer, source: Iterator[Any]) -> float:
    """Processor seconds of making the answers to records, a list; not of letting go of them."""
    records = list(source)
    gc.collect()
    started = time.process_time()
    answers = many(records)
    seconds = time.process_time() - started
    del answers
    return seconds


def timed(one: Answer, records: list[Any]) -> float:
    """Processor seconds of scoring `records` in a loop."""
    started = time.process_time()
    for record in records:
        one(record)
    return time.process_time() - started


def main() -> None:
    """Answer commands until the input ends."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # an engine that prints does not disturb
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        try:
            answer = {"ok": getattr(worker, command)(*arguments)}
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"[:2000]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
