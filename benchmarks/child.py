"""Start a worker, and ask it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scripts.sample import ROOT

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class RefusedError(Exception):
    """The worker's engine raised an error."""


class Child:
    """A worker with one engine, in a fresh process."""

    def __init__(self, side: str, python: str | Path = sys.executable) -> None:
        """Start `side` (of worker.SIDES) with the Python of the environment that has it."""
        env = os.environ | ONE_THREAD
        env |= {"PYTHONPATH": str(ROOT / "functions"), "PYTHONHASHSEED": "0"}
        env["PYTHONPYCACHEPREFIX"] = str(ROOT / ".cache/benchmarks_bytecode")
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        self.side = side
        self.process = subprocess.Popen(
            [str(python), "-W", "ignore", "-m", "benchmarks.worker", side],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command: str, *arguments: Any) -> Any:
        """Give a method of Worker its arguments; return what it returns.

        Raises:
            RefusedError: the method raised an error; or the process has ended.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps([command, *map(plain, arguments)]) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RefusedError(f"{self.side} has ended with status {self.process.wait()}")
        answer = json.loads(line)
        if "failed" in answer:
            raise RefusedError(f"{self.side}: {answer['failed']}")
        return answer["ok"]

    def __enter__(self) -> Self:
        """Nothing more."""
        return self

    def __exit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        """End the process."""
        self.process.communicate()


def plain(value: Any) -> Any:
    """Paths as text, all else as it is."""
    return str(value) if isinstance(value, Path) else value
