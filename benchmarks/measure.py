"""Cold starts and warm calls on the emulator, the two sides by turns."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.sides import INVOKE_SECONDS, Side
from scripts.local_cloud.lambda_runtime import Emulator
from scripts.local_cloud.s3 import LocalS3

TICK = os.sysconf("SC_CLK_TCK")  # of the CPU times in /proc, a second: 10 ms each

Samples = dict[str, dict[str, list[float]]]  # side -> what -> milliseconds


def cold_starts(
    sides: tuple[Side, Side], model: str, record: Any, s3: LocalS3, logs: Path, rounds: int
) -> Samples:
    """Start each side `rounds` times up to its first answer.

    Per start: `init`, the emulator's own figure of the INIT phase; `cpu`, processor time of the
    function's process until it has answered; `first`, from the request to its answer.
    """
    found: Samples = {side.name: defaultdict(list) for side in sides}
    for number in range(rounds):
        for side in sides if number % 2 else sides[::-1]:
            log = logs / f"cold-{side.name}-{model}-{number}.log"
            emulator = side.start(model, s3, log)
            try:
                started = time.perf_counter()
                call(emulator, side.payload(model, record))
                found[side.name]["first"].append((time.perf_counter() - started) * 1000)
                found[side.name]["cpu"].append(cpu_milliseconds(emulator))
                found[side.name]["init"].append(emulator.init_milliseconds()[0])
            finally:
                emulator.stop()
    return found


def warm_calls(
    sides: tuple[Side, Side], model: str, record: Any, s3: LocalS3, logs: Path, calls: int
) -> Samples:
    """Latency of `calls` calls of each side as its caller sees it, and of an empty handler."""
    emulators = {side.name: side.start(model, s3, logs / f"warm-{side.name}.log") for side in sides}
    payloads = {side.name: side.payload(model, record) for side in sides}
    emulators["empty"] = sides[1].start(model, s3, logs / "warm-empty.log", "inside.nothing")
    payloads["empty"] = payloads["plain"]
    found: Samples = {name: {"latency": []} for name in emulators}
    try:
        for number in range(-10, calls):  # the first ten are not counted
            for name, emulator in emulators.items():
                started = time.perf_counter()
                call(emulator, payloads[name])
                if number >= 0:
                    found[name]["latency"].append((time.perf_counter() - started) * 1000)
    finally:
        for emulator in emulators.values():
            emulator.stop()
    return found


def inside(
    side: Side, model: str, record: Any, s3: LocalS3, logs: Path, calls: int
) -> dict[str, list[float]]:
    """Milliseconds of the side's parts, timed within its own runtime."""
    event = {"calls": 10, "event": side.event(model, record), "record": record}
    emulator = side.start(model, s3, logs / f"inside-{side.name}.log", "inside.handler")
    try:
        call(emulator, json.dumps(event).encode())
        answer = json.loads(call(emulator, json.dumps(event | {"calls": calls}).encode()))
    finally:
        emulator.stop()
    return {name: [time / 1000 for time in times] for name, times in answer.items()}


def call(emulator: Emulator, payload: bytes) -> bytes:
    """Invoke; an answer that is none ends the benchmark."""
    answer = emulator.invoke(payload, INVOKE_SECONDS)
    value = None if answer.error else json.loads(answer.payload)
    refused = isinstance(value, dict) and value.get("statusCode", 200) != 200
    if answer.error or refused:
        raise SystemExit(f"{answer.error}: {answer.payload[:500]!r}\n{emulator.child.tail()}")
    return answer.payload


def cpu_milliseconds(emulator: Emulator) -> float:
    """Processor time, user and system, that the emulator's child (the function) has taken."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                # After the name in parentheses: state, parent; user and system time are 14th, 15th.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # ended meanwhile
                continue
            if int(fields[1]) == emulator.child.process.pid:
                return (int(fields[11]) + int(fields[12])) * 1000 / TICK
    raise SystemExit("the function's process is gone")
