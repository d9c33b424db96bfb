"""Where a stack's bucket and gate are, for the commands of an operator.

Environment: MODEL_BUCKET (or BUCKET) and GATE_FUNCTION (or FUNCTION) name them. What is missing is
asked of CloudFormation: the outputs Bucket and GateFunction of the stack STACK, or else of the one
in samconfig.toml.
"""

import os
import sys
import tomllib
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT / "functions") not in sys.path:
    sys.path.insert(0, str(ROOT / "functions"))


class StackError(Exception):
    """It is not known where to go; the message is for the one who reads the terminal."""


def stack_name() -> str:
    """Return the name of the stack."""
    if name := os.environ.get("STACK", ""):
        return name
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    return str(config["default"]["global"]["parameters"]["stack_name"])


def place(variables: tuple[str, ...], output: str) -> str:
    """Return what the first of these variables says, or the stack's `output`. StackError."""
    for variable in variables:
        if given := os.environ.get(variable, ""):
            return given
    name = stack_name()
    try:
        client = boto3.client("cloudformation")
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        raise StackError(f"stack {name}: {error} (STACK= names another one)") from error
    for found in stack.get("Outputs", []):
        if found["OutputKey"] == output:
            return found["OutputValue"]
    raise StackError(f"stack {name} has no output {output}: is it of this version?")
