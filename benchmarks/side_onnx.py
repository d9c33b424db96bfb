"""ONNX Runtime, one row or many given as dicts; one thread, as all the others."""

from typing import Any

import numpy as np
import onnxruntime

onnxruntime.set_default_logger_severity(3)


def load(text: bytes, _: str) -> Any:
    """Make a session of a graph."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(text, options, providers=["CPUExecutionProvider"])


def one(model: Any) -> Any:
    """Answer a record."""
    score = many(model)
    return lambda record: score([record])[0]


def many(model: Any) -> Any:
    """Answer records: the last column of the last output."""
    names, run = [model.get_outputs()[-1].name], model.run

    def score(records: list[dict[str, float]]) -> list[float]:
        rows = np.array([list(record.values()) for record in records], dtype=np.float32)
        return run(names, {"x": rows})[0][:, -1].tolist()

    return score
