"""Transformers that leave features out: SelectKBest and its like."""

from collections.abc import Sequence
from typing import Any

from exporters.document import Document, Feature


def selected(model: Any, features: Sequence[Feature], document: Document) -> list[Feature]:
    """Those features that were chosen."""
    del document
    return [features[i] for i in model.get_support(indices=True).tolist()]
