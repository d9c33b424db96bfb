"""Score PFA documents: ``pfa.load(document)`` gives a Model, ``model.score(record)`` an answer.

PFA is the Portable Format for Analytics 0.8.1 (http://dmg.org/pfa/). This package knows nothing
of AWS or HTTP.
"""

from pfa.errors import (
    DocumentError,
    FieldError,
    InputError,
    PfaError,
    ScoringError,
    ScoringTimeout,
)
from pfa.model import VERSION, Model, artifact_key, load, load_artifact

__all__ = [
    "VERSION",
    "DocumentError",
    "FieldError",
    "InputError",
    "Model",
    "PfaError",
    "ScoringError",
    "ScoringTimeout",
    "artifact_key",
    "load",
    "load_artifact",
]
