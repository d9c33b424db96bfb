"""What the functions tell their operators: JSON log lines and CloudWatch metrics (EMF).

No record, no part of one and no answer is ever logged. Text that came with a request appears only
as the value of a field, never inside a message.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME") or "pfa-score"
NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or "PfaScore"

logger = Logger(service=SERVICE, log_uncaught_exceptions=False, utc=True)
metrics = Metrics(service=SERVICE, namespace=NAMESPACE)  # of one request, flushed at its end


def report(metric: str, model: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
    """Write one metric of one known model at once, apart from the metrics of the request.

    A request for one model may load it, fail to refresh it and push out another; each of these has
    its own model dimension, and EMF has one set of dimensions a line.
    """
    with single_metric(
        name=metric,
        unit=unit,
        value=value,
        namespace=NAMESPACE,
        default_dimensions={"service": SERVICE, "model": model},
    ):
        pass


def log_fault(message: str, error: BaseException, **fields: str) -> None:
    """Log an error that should not be, with the lines that it came through.

    The texts of the error and of what caused it stay out: they may quote a record.
    """
    kinds: list[str] = []
    stack: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(kinds) < 5:
        kinds.append(type(cause).__name__)
        stack += traceback.format_tb(cause.__traceback__)[-20:]
        cause = cause.__cause__ or cause.__context__
    logger.error(message, extra={"errors": kinds, "stack": stack, **fields})


def trace(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return `handler` with an X-Ray subsegment around it, if tracing was asked for."""
    if os.environ.get("POWERTOOLS_TRACE_DISABLED", "true").lower() in ("true", "1"):
        return handler
    from aws_lambda_powertools import Tracer

    # Nothing is patched: S3 is called in a thread of its own, where X-Ray knows no segment.
    tracer = Tracer(service=SERVICE, auto_patch=False)
    return tracer.capture_lambda_handler(handler, capture_response=False, capture_error=False)
