"""`make rollback MODEL=sonar [VERSION=…]` and `make remove MODEL=sonar`: what callers get changes.

python -m scripts.rollback sonar [--version=…] [--remove]

Without a version, the newest older one with other bytes comes back; given once more, the one before
that. Only the gate may write live/, so it is asked to (see scripts/stack.py for where). Ends with 0
if it was done, 1 if nothing was changed or nothing is known of it.
"""

import argparse
import json
import sys
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from scripts.stack import StackError, place

SECONDS = 310  # the gate has 300
UNKNOWN = "It is not known what was done: see what is live (make live) before you try again."


def command(event: dict[str, Any]) -> dict[str, Any]:
    """Give the gate a command; return its answer. Raises StackError."""
    function = place(("GATE_FUNCTION", "FUNCTION"), "GateFunction")
    # Once: a rollback that comes twice goes back twice.
    once = Config(read_timeout=SECONDS, retries={"total_max_attempts": 1})
    try:
        client = boto3.client("lambda", config=once)
        answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        told = json.loads(answer["Payload"].read())
    except ClientError as error:
        raise StackError(f"function {function}: {error}") from error
    except (BotoCoreError, ValueError) as error:
        raise StackError(f"function {function}: {error}\n{UNKNOWN}") from error
    if answer.get("FunctionError") or not isinstance(told, dict) or "message" not in told:
        raise StackError(f"function {function} failed; its log says why.\n{UNKNOWN}")
    return told


def main(arguments: list[str] | None = None) -> int:
    """Roll one model back, or remove it; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="make rollback", description=(__doc__ or "").split(":")[0]
    )
    parser.add_argument("model", help="the model's name")
    parser.add_argument("--version", help="the live version to go back to")
    parser.add_argument("--remove", action="store_true", help="take the model off live instead")
    given = parser.parse_args(arguments)
    event = {"command": "remove" if given.remove else "rollback", "model": given.model}
    if given.version:
        event["version"] = given.version
    try:
        told = command(event)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(told["message"])
    if "text" in told:
        print(f"\n{told['text']}")
    return 0 if told.get("done") is True else 1


if __name__ == "__main__":
    sys.exit(main())
