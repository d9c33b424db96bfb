"""Runs inside the Lambda runtime, in place of the function's own handler.

`handler` times the parts of ours there, one call of each in turn. Its event is `{"calls": N,
"event": what the function gets, "record": what the model gets}`, its answer the microseconds of
each call of each part.
"""

import os
import time


def nothing(event, _context):
    """What the emulator and the runtime take by themselves."""
    return event


def handler(event, context):
    """Time the whole handler by HTTP and by direct invocation, the model, and the engine alone."""
    import boto3

    from pfa import compat
    from score.app import DEFAULT_MODEL
    from score.app import handler as ours
    from score.store import STORE

    model = STORE.get(DEFAULT_MODEL).model
    bucket, key = os.environ["MODEL_BUCKET"], f"live/{DEFAULT_MODEL}.pfa"
    document = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    engine = compat.engine(document.decode())
    record = event["record"]
    parts = {
        "handler": lambda: ours(event["event"], context),
        "direct": lambda: ours(record, context),
        "model": lambda: model.score(record, timeout=10.0),
        "action": lambda: engine.action(record),
    }
    if parts["handler"]()["statusCode"] != 200:
        raise ValueError("no answer")
    times = {name: [] for name in parts}
    for _ in range(event["calls"]):
        for name, part in parts.items():
            started = time.perf_counter_ns()
            part()
            times[name].append((time.perf_counter_ns() - started) / 1000)
    return times
