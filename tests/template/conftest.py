"""The template as CloudFormation sees it, and the artefact that `sam build` makes of it."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from scripts.build import ROOT, build

TEMPLATE = ROOT / "template.yaml"
Template = dict[str, Any]


def expand(**parameters: str) -> Template:
    """Expand the template offline, with `parameters` and defaults, and settle its conditions.

    What stays are `Ref`, `Fn::GetAtt` and `Fn::Sub` on resources and pseudo parameters.
    """
    template = yaml_parse(TEMPLATE.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # The translator takes only what `sam package` leaves: an address in S3.
            resource["Properties"]["CodeUri"] = "s3://bucket/code.zip"
    values = {name: str(it["Default"]) for name, it in template["Parameters"].items()} | parameters
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="eu-west-1"))
    expanded = translator.translate(template, parameter_values=dict(values))
    expanded.pop("Rules", None)  # of the parameters, which are settled here
    named = expanded.pop("Conditions", {})
    conditions = {name: _condition(it, values, named) for name, it in named.items()}
    expanded["Resources"] = {
        name: resource
        for name, resource in expanded["Resources"].items()
        if conditions.get(resource.pop("Condition", ""), True)
    }
    settled = _settle(expanded, conditions, values)
    assert isinstance(settled, dict)
    return settled


def _condition(
    condition: Mapping[str, Any], values: Mapping[str, str], named: Mapping[str, Any]
) -> bool:
    ((function, arguments),) = condition.items()
    if function == "Condition":
        return _condition(named[arguments], values, named)
    if function == "Fn::Not":
        return not _condition(arguments[0], values, named)
    if function == "Fn::And":
        return all(_condition(it, values, named) for it in arguments)
    assert function == "Fn::Equals"
    known = {"AWS::StackName": "stack", **values}
    left, right = (known[it["Ref"]] if isinstance(it, dict) else str(it) for it in arguments)
    return left == right


_NO_VALUE = {"Ref": "AWS::NoValue"}


def _settle(node: Any, conditions: Mapping[str, bool], values: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        if node.keys() == {"Fn::If"}:
            name, then, otherwise = node["Fn::If"]
            return _settle(then if conditions[name] else otherwise, conditions, values)
        if node.keys() == {"Ref"} and node["Ref"] in values:
            return values[node["Ref"]]
        if node.keys() == {"Fn::Sub"} and isinstance(node["Fn::Sub"], str):
            text = node["Fn::Sub"]
            for name, value in values.items():
                text = text.replace(f"${{{name}}}", value)
            return {"Fn::Sub": text} if "${" in text else text
        settled = {key: _settle(value, conditions, values) for key, value in node.items()}
        return {key: value for key, value in settled.items() if value != _NO_VALUE}
    if isinstance(node, list):
        items = [_settle(item, conditions, values) for item in node]
        return [item for item in items if item != _NO_VALUE]
    return node


@pytest.fixture(scope="session")
def expanded() -> Callable[..., Template]:
    """`expanded(Parameter="value", ...)` is the template as CloudFormation gets it."""
    return expand


@pytest.fixture(scope="session")
def resources() -> dict[str, Any]:
    """The resources of the template with its defaults."""
    return dict(expand()["Resources"])


@pytest.fixture(scope="session")
def properties(resources: dict[str, Any]) -> Callable[[str], dict[str, Any]]:
    """`properties("ScoreFunction")`: those of one resource."""
    return lambda name: dict(resources[name]["Properties"])


@pytest.fixture(scope="session")
def artefact() -> Path:
    """The built function, for this machine's processor."""
    return build()
