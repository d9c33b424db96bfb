"""What template.yaml says: the function's settings and the API, expanded as a deployment would.

SAM's own translator turns the template into plain CloudFormation, in which the API is an OpenAPI
document: routes, API keys, CORS answers and gateway responses are read from there, so nothing
about the API is written down twice.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

REGION: Final = "eu-west-1"
ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Function:
    """One Lambda function of the expanded template."""

    name: str
    handler: str
    runtime: str
    timeout: int  # seconds
    memory: int  # MB
    environment: dict[str, str]


@dataclass(frozen=True)
class Deployment:
    """What a stack made from the template would hold."""

    functions: dict[str, Function]
    openapi: dict[str, Any]


def load(path: Path, parameters: Mapping[str, str] | None = None) -> Deployment:
    """Read a SAM template and resolve it with its parameters' defaults.

    `parameters` overrides defaults by name. Raises ValueError if the template has no REST API or
    uses an intrinsic function that is not known here.
    """
    template = yaml_parse(path.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # The translator takes only what `sam package` leaves: an address in S3.
            resource["Properties"]["CodeUri"] = "s3://local/code.zip"
    values = {
        name: str(parameter["Default"])
        for name, parameter in template.get("Parameters", {}).items()
        if "Default" in parameter
    } | dict(parameters or {})
    translator = Translator(
        managed_policy_map={},
        sam_parser=Parser(),
        boto_session=boto3.Session(region_name=REGION),
    )
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)  # its feature toggles
    expanded = translator.translate(template, parameter_values=dict(values))
    resolver = _Resolver(expanded, values)
    apis = _of_type(expanded, "AWS::ApiGateway::RestApi")
    if len(apis) != 1:
        raise ValueError(f"{path.name}: one REST API expected, {len(apis)} found")
    functions = {
        name: _function(name, resolver.resolve(properties))
        for name, properties in _of_type(expanded, "AWS::Lambda::Function").items()
    }
    (api,) = apis.values()
    return Deployment(functions, resolver.resolve(api["Body"]))


def _of_type(template: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def _function(name: str, properties: Mapping[str, Any]) -> Function:
    variables = properties.get("Environment", {}).get("Variables", {})
    return Function(
        name=name,
        handler=properties["Handler"],
        runtime=properties["Runtime"],
        timeout=int(properties.get("Timeout", 3)),
        memory=int(properties.get("MemorySize", 128)),
        environment={key: str(value) for key, value in variables.items()},
    )


_NO_VALUE = object()


class _Resolver:
    """Replaces CloudFormation's intrinsic functions by their values.

    A `Ref` of a resource is the resource's logical id, an attribute `Id.Attribute`: enough to
    see where a value comes from, and nothing local depends on more.
    """

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        self.conditions = template.get("Conditions", {})
        self.mappings = template.get("Mappings", {})
        self.names: dict[str, Any] = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": "local",
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/local/0",
            "AWS::NoValue": _NO_VALUE,
            **parameters,
        }

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            items = [self.resolve(item) for item in value]
            return [item for item in items if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((key, argument),) = value.items()
            if key in ("Ref", "Condition") or key.startswith("Fn::"):
                return self._call(key.removeprefix("Fn::"), argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def _call(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return self.names.get(argument, argument)
            case "Condition":
                return self.resolve(self.conditions[argument])
            case "If":
                condition, yes, no = argument
                return self.resolve(yes if self.resolve(self.conditions[condition]) else no)
            case "Sub":
                return self._substitute(argument)
            case "GetAtt":
                return argument if isinstance(argument, str) else ".".join(argument)
            case "FindInMap":
                name, first, second = self.resolve(argument[:3])
                return self.mappings[name][first][second]
        values = self.resolve(argument)
        match function:
            case "Equals":
                return str(values[0]) == str(values[1])
            case "Not":
                return not values[0]
            case "And":
                return all(values)
            case "Or":
                return any(values)
            case "Join":
                return values[0].join(str(part) for part in values[1])
            case "Select":
                return values[1][int(values[0])]
            case "Split":
                return values[1].split(values[0])
        raise ValueError(f"the template uses Fn::{function}, which the local cloud does not know")

    def _substitute(self, argument: Any) -> str:
        text, extra = (argument, {}) if isinstance(argument, str) else argument
        names = self.names | {key: self.resolve(item) for key, item in extra.items()}

        def value(match: re.Match[str]) -> str:
            name = match[1]
            return "${" + name[1:] + "}" if name.startswith("!") else str(names.get(name, name))

        return re.sub(r"\$\{([^}]+)\}", value, text)
