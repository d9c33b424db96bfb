"""What the makers of the sample models share: where things lie, and how a document is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
MODELS = ROOT / "models"
EVENTS = ROOT / "events"

Document = dict[str, Any]


def metadata(source: str, examples: list[tuple[Any, Any]]) -> dict[str, str]:
    """The metadata of a sample model.

    Args:
        source: which software fitted the model to which data.
        examples: inputs with the answers that this software gave. PFA metadata maps text to
            text, so they travel as JSON text.
    """
    listed = [{"input": record, "expected": expected} for record, expected in examples]
    return {"source": source, "examples": json.dumps(listed)}


def examples(document: Document) -> list[tuple[Any, Any]]:
    """The (input, expected output) pairs that a document carries."""
    listed = json.loads(document["metadata"]["examples"])
    return [(example["input"], example["expected"]) for example in listed]


def text(document: Any) -> str:
    """The JSON of a document or an event as it is committed."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
