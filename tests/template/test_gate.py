"""The gate's function, the way of an upload to it, and all alarms, on the expanded template."""

import json
import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from gate import policy
from gate.verdict import Limits
from score.store import LOAD_SECONDS
from scripts.build import ROOT

Expanded = Callable[..., dict[str, Any]]
Properties = Callable[[str], dict[str, Any]]

# Beside what it is given by the template: Lambda's own, and those of the score function's imports.
OTHERS = {"LAMBDA_TASK_ROOT", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME"}


def plain() -> dict[str, Any]:
    return dict(yaml_parse((ROOT / "template.yaml").read_text()))


def test_it_is_the_score_function_s_artefact() -> None:
    functions = plain()["Resources"]
    gate, score = functions["GateFunction"], functions["ScoreFunction"]
    assert gate["Metadata"] == score["Metadata"]
    for name in ("CodeUri", "Runtime", "Architectures"):
        assert gate["Properties"][name] == score["Properties"][name]
    assert gate["Properties"]["Handler"] == "gate.app.handler"


def test_it_has_time_and_memory(properties: Properties) -> None:
    gate = properties("GateFunction")
    assert gate["Timeout"] == 300
    assert gate["MemorySize"] == "3008"
    default = {name: it["Default"] for name, it in plain()["Parameters"].items()}
    most = {name: it.get("MaxValue") for name, it in plain()["Parameters"].items()}
    # Both engines load and replay; the rest is S3's.
    assert 2 * (most["GateLoadSeconds"] + most["GateExampleSeconds"]) < gate["Timeout"]
    assert default["GateModelMegabytes"] * 2 < default["GateMemorySize"]


def test_what_passes_is_what_the_score_function_loads(properties: Properties) -> None:
    assert plain()["Parameters"]["GateLoadSeconds"]["MaxValue"] <= LOAD_SECONDS
    gate = properties("GateFunction")["Environment"]["Variables"]
    score = properties("ScoreFunction")["Environment"]["Variables"]
    assert gate["GATE_MAX_MB"] == score["MODEL_MAX_MB"]


def test_it_reads_every_variable_that_it_is_given(properties: Properties) -> None:
    given = set(properties("GateFunction")["Environment"]["Variables"])
    sources = [*(ROOT / "functions/gate").glob("*.py"), ROOT / "functions/telemetry.py"]
    text = "".join(path.read_text() for path in sources)
    read = set(re.findall(r'(?:environ(?:ment)?(?:\.get)?[\[(]|number\()"([A-Z0-9_]+)"', text))
    assert read - given <= OTHERS
    assert given - read <= {"POWERTOOLS_LOG_LEVEL", "POWERTOOLS_TRACE_DISABLED"}  # Powertools reads


def test_its_limits_are_those_of_the_desk(properties: Properties) -> None:
    """`make gate` on the desk and the function come to the same verdict by default."""
    variables = properties("GateFunction")["Environment"]["Variables"]
    assert Limits.from_environment(variables) == Limits.from_environment({})


def test_all_that_can_be_refused_is_described() -> None:
    words = re.findall(r"[\w-]+", plain()["Parameters"]["GateRefuse"]["Description"])
    assert set(words) >= set(policy.KINDS)


# ---- the way of an upload -----------------------------------------------------------------------


def test_uploads_start_it(properties: Properties) -> None:
    rule = properties("GateFunctionUpload")
    pattern = rule["EventPattern"]
    assert pattern == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [{"Ref": "ModelBucket"}]},
            "object": {"key": [{"prefix": "models/"}]},
        },
    }
    event = json.loads((ROOT / "events/upload.json").read_text())
    assert event["source"] in pattern["source"]
    assert event["detail-type"] in pattern["detail-type"]
    assert event["detail"]["object"]["key"].startswith("models/")
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["GateFunction", "Arn"]}
    assert not {"Input", "InputPath", "InputTransformer"} & target.keys()
    assert rule.get("State", "ENABLED") == "ENABLED"


def test_no_event_is_lost_unseen(properties: Properties) -> None:
    """Undelivered ones and those that the gate failed over come into one queue with an alarm."""
    queue = {"Fn::GetAtt": ["LostUploads", "Arn"]}
    (target,) = properties("GateFunctionUpload")["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": queue}
    assert target["RetryPolicy"] == {
        "MaximumRetryAttempts": 185,
        "MaximumEventAgeInSeconds": 86400,
    }
    invoke = properties("GateFunctionEventInvokeConfig")
    assert invoke["FunctionName"] == {"Ref": "GateFunction"}
    assert invoke["MaximumRetryAttempts"] == 2
    assert invoke["MaximumEventAgeInSeconds"] == 21600
    assert invoke["DestinationConfig"] == {"OnFailure": {"Destination": queue}}
    assert properties("LostUploads")["SqsManagedSseEnabled"] is True
    assert properties("LostUploads")["MessageRetentionPeriod"] == 14 * 86400
    alarm = properties("LostUploadsAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == (
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
    )
    assert alarm["Dimensions"] == [
        {"Name": "QueueName", "Value": {"Fn::GetAtt": ["LostUploads", "QueueName"]}}
    ]


# ---- alarms -------------------------------------------------------------------------------------

ALARMS = (
    "RejectedAlarm",
    "GateErrorsAlarm",
    "LostUploadsAlarm",
    "ServerErrorsAlarm",
    "ScoreErrorsAlarm",
)


def test_an_alarm_of_a_refused_model(
    properties: Properties, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the very metric that the gate writes."""
    monkeypatch.delitem(os.environ, "EVENT_BUS", raising=False)
    from gate import notify
    from telemetry import metrics

    metrics.clear_metrics()
    capsys.readouterr()
    notify.announce("rejected", "model", {}, "text")
    metrics.flush_metrics()
    found = []
    for line in capsys.readouterr().out.splitlines():
        content = json.loads(line)
        for kind in content.get("_aws", {}).get("CloudWatchMetrics", ()):
            names = [metric["Name"] for metric in kind["Metrics"]]
            found.append((kind["Namespace"], names, [set(it) for it in kind["Dimensions"]]))
    alarm = properties("RejectedAlarm")
    dimensions = {it["Name"] for it in alarm["Dimensions"]}
    assert (alarm["Namespace"], [alarm["MetricName"]], [dimensions]) in found
    service = properties("GateFunction")["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": service}]


@pytest.mark.parametrize("kind", ["Gate", "Score"])
def test_an_alarm_of_a_failing_function(properties: Properties, kind: str) -> None:
    alarm = properties(f"{kind}ErrorsAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Errors")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": f"{kind}Function"}}]


def test_an_alarm_of_an_api_that_answers_5xx(properties: Properties) -> None:
    alarm = properties("ServerErrorsAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/ApiGateway", "5XXError")
    assert alarm["Dimensions"] == [
        {"Name": "ApiName", "Value": properties("ScoreApi")["Name"]},
        {"Name": "Stage", "Value": properties("ScoreApiStage")["StageName"]},
    ]


@pytest.mark.parametrize("name", ALARMS)
def test_alarms_go_off_at_the_first(resources: dict[str, Any], name: str) -> None:
    alarm = resources[name]["Properties"]
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)
    assert alarm["Statistic"] in ("Sum", "Maximum")
    assert alarm["TreatMissingData"] == "notBreaching"


def test_all_alarms_are_known_here(resources: dict[str, Any]) -> None:
    found = {name for name, it in resources.items() if it["Type"] == "AWS::CloudWatch::Alarm"}
    assert found == set(ALARMS)


def test_mails_are_sent_if_there_is_an_address(expanded: Expanded) -> None:
    without = expanded()["Resources"]
    assert "AlarmTopic" not in without
    assert not any("AlarmActions" in without[name]["Properties"] for name in ALARMS)
    found = expanded(AlarmEmail="a@example.com")["Resources"]
    assert found["AlarmTopic"]["Properties"]["Subscription"] == [
        {"Protocol": "email", "Endpoint": "a@example.com"}
    ]
    # With AWS's own key for SNS, CloudWatch could not publish.
    assert "KmsMasterKeyId" not in found["AlarmTopic"]["Properties"]
    for name in ALARMS:
        assert found[name]["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}]
