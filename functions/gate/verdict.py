"""What the gate is asked to hold, and what it finds: limits, findings, a verdict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

Status = Literal["passed", "warning", "failed", "skipped"]

MAX_MESSAGE = 1500  # characters: a message goes into a log line and an event of EventBridge
_REFUSED = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,80}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may be and need; each has a default and a variable of the environment."""

    max_mb: float = 32.0  # GATE_MAX_MB: of the document, in megabytes
    load_seconds: float = 20.0  # GATE_LOAD_SECONDS: to load the document, or its artifact
    example_seconds: float = 60.0  # GATE_EXAMPLE_SECONDS: to replay all examples on all engines
    p99_ms: float = 1000.0  # GATE_P99_MS: of one score(), in milliseconds
    memory_mb: float = 1024.0  # GATE_MEMORY_MB: of loading, and of the loaded model, in megabytes
    refuse: tuple[str, ...] = ()  # GATE_REFUSE: see policy.py
    allow_breaking: bool = False  # GATE_ALLOW_BREAKING: schemas that break callers may pass
    min_examples: int = 0  # GATE_MIN_EXAMPLES: how many a document must have

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables; one that is missing or empty has its default.

        Raises ValueError, naming the variable: a typing error must not open the gate.
        """

        usual = cls()

        def number(name: str, default: float) -> float:
            text = environment.get(name) or str(default)
            try:
                value = float(text)
            except ValueError:
                value = -1.0
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} must be a number, 0 or larger")
            return value

        allow = (environment.get("GATE_ALLOW_BREAKING") or "false").lower()
        if allow not in ("true", "false"):
            raise ValueError("GATE_ALLOW_BREAKING must be true or false")
        refuse = [word.strip() for word in (environment.get("GATE_REFUSE") or "").split(",")]
        if not all(_REFUSED.fullmatch(word) for word in refuse if word):
            raise ValueError("GATE_REFUSE must be words or beginnings of functions, with commas")
        return cls(
            max_mb=number("GATE_MAX_MB", usual.max_mb),
            load_seconds=number("GATE_LOAD_SECONDS", usual.load_seconds),
            example_seconds=number("GATE_EXAMPLE_SECONDS", usual.example_seconds),
            p99_ms=number("GATE_P99_MS", usual.p99_ms),
            memory_mb=number("GATE_MEMORY_MB", usual.memory_mb),
            refuse=tuple(word for word in refuse if word),
            allow_breaking=allow == "true",
            min_examples=int(number("GATE_MIN_EXAMPLES", usual.min_examples)),
        )

    @property
    def memory_bytes(self) -> int:
        """What loading and scoring may take, in bytes."""
        return int(self.memory_mb * 1_000_000)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; message and position are of one line, whatever a document says."""

    check: str
    status: Status
    message: str
    position: str | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Make the texts printable: parts of them come from the document."""
        object.__setattr__(self, "message", printable(self.message))
        if self.position is not None:
            object.__setattr__(self, "position", printable(self.position, 300))

    def to_json(self) -> dict[str, Any]:
        """Give the finding as JSON values."""
        return {
            "check": self.check,
            "status": self.status,
            "message": self.message,
            "position": self.position,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings on an upload, in the order of the checks, and what is to go live with it."""

    passed: bool
    findings: tuple[Finding, ...]
    sha256: str  # of the bytes, hexadecimal
    engine: str  # pfa.VERSION
    examples: int = 0  # how many were replayed and right
    largest_error: float = 0.0  # relative, of their numbers
    artifact: bytes | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Give the verdict as JSON values, without the artifact."""
        return {
            "passed": self.passed,
            "findings": [finding.to_json() for finding in self.findings],
            "sha256": self.sha256,
            "engine": self.engine,
            "examples": self.examples,
            "largestError": self.largest_error,
        }

    def text(self) -> str:
        """Give the report to read: one line for each check, and the verdict."""
        lines = []
        for it in self.findings:
            where = f" ({it.position})" if it.position and it.position not in it.message else ""
            took = "       " if it.status == "skipped" else f"{it.seconds:5.2f} s"
            lines.append(f"{it.status:<8}{it.check:<10}{took}  {it.message}{where}")
        return "\n".join([*lines, "PASSED" if self.passed else "FAILED"])


def printable(text: str, limit: int = MAX_MESSAGE) -> str:
    """Give a text as one line of printable characters, at most about `limit` of them."""
    text = text[: limit + 1]
    if not text.isprintable():
        text = "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
            for char in text
        )
    return text if len(text) <= limit else text[:limit] + "…"
