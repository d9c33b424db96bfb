"""A small document that passes, and variants of it."""

import json


def example(record=3.14, expected=103.14):
    return {"input": record, "expected": expected}


def examples(*listed):
    return json.dumps(listed)


def document(**changes):
    """The document, with other parts."""
    return {
        "name": "hello",
        "input": "double",
        "output": "double",
        "action": {"+": ["input", 100.0]},
        "metadata": {"examples": examples(example())},
        **changes,
    }


def body(**changes):
    """Its bytes."""
    return json.dumps(document(**changes)).encode()
