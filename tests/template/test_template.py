"""Function, bucket, permissions and logs, on the expanded template."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint
from samtranslator.yaml_helper import yaml_parse

from bucket import Bucket
from score.store import BYTES_PER_BYTE, from_environment
from scripts.build import ROOT

Expanded = Callable[..., dict[str, Any]]
Properties = Callable[[str], dict[str, Any]]

SWITCHES = {
    "AccessLogs": ("true", "false"),
    "Tracing": ("true", "false"),
    "ReservedConcurrency": ("5", "-1"),
    "AlarmEmail": ("models@example.com", ""),
    "SnapStart": ("true", "false"),
    "ProvisionedConcurrency": ("2", "0"),
}
COMBINATIONS = [dict(zip(SWITCHES, values, strict=True)) for values in product(*SWITCHES.values())]


def parameters() -> dict[str, dict[str, Any]]:
    return dict(yaml_parse((ROOT / "template.yaml").read_text())["Parameters"])


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)


# ---- the whole ----------------------------------------------------------------------------------


def test_sam_validates_it_offline_and_without_credentials(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        # Nothing listens on the discard port: a request would fail.
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    run = subprocess.run(
        [sys.executable, "-m", "samcli", "validate", "--lint"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "is a valid SAM Template" in run.stdout


@pytest.mark.parametrize("switches", [COMBINATIONS[0], COMBINATIONS[-1]], ids=["on", "off"])
def test_the_expanded_template_is_sound(expanded: Expanded, switches: dict[str, str]) -> None:
    """Among cfn-lint's rules: dangling references and circular dependencies."""
    template = expanded(**switches)
    # W2001: parameters that are settled by now are used no more.
    found = lint(
        json.dumps(template), config=ManualArgs(regions=["eu-west-1"], ignore_checks=["W2001"])
    )
    assert [f"{it.rule.id} {it.path}: {it.message}" for it in found] == []


def test_the_check_above_finds_a_circle(expanded: Expanded) -> None:
    """The bucket names the function that reads it, as it would with an S3 event."""
    template = expanded()
    template["Resources"]["ModelBucket"]["Properties"]["Tags"] = [
        {"Key": "reader", "Value": {"Ref": "ScoreFunction"}}
    ]
    found = lint(json.dumps(template), config=ManualArgs(regions=["eu-west-1"]))
    assert "E3004" in {it.rule.id for it in found}


def test_every_parameter_is_grouped_described_and_checked() -> None:
    interface = yaml_parse((ROOT / "template.yaml").read_text())["Metadata"]
    groups = interface["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(parameters())
    for name, parameter in parameters().items():
        assert parameter["Description"], name
        checks = {"AllowedValues", "AllowedPattern", "MinValue"} & parameter.keys()
        assert checks, f"{name} takes anything"


@pytest.mark.parametrize(
    ("parameter", "right", "wrong"),
    [
        ("DefaultModel", ["sonar", "a_b-1", "_x", "A" * 64], ["", "-a", "a.b", "a/b", "A" * 65]),
        (
            "CorsAllowOrigin",
            ["*", "https://app.example.com", "http://localhost:8080"],
            ["", "https://a.com/", "https://a.com,https://b.com", "null", "https://a.com'", "**"],
        ),
        ("StageName", ["v1", "prod_2"], ["", "a-b", "a/b"]),
        ("GateRefuse", ["", "randomness", "recursion,s.hash"], [",", "a,", "a b", "a, b", "a*"]),
        ("AlarmEmail", ["", "a.b@example.com"], ["a", "a@b", "a@b.c d@e.f", "a@b@c.d"]),
        ("EventBus", ["default", "a.b-c_1"], ["", "a/b", "a b", "arn:aws:events"]),
    ],
)
def test_patterns_of_text_parameters(parameter: str, right: list[str], wrong: list[str]) -> None:
    pattern = parameters()[parameter]["AllowedPattern"]
    assert [text for text in right if not re.fullmatch(pattern, text)] == []
    assert [text for text in wrong if re.fullmatch(pattern, text)] == []


# ---- function -----------------------------------------------------------------------------------


def test_the_score_function(resources: dict[str, Any], properties: Properties) -> None:
    functions = [name for name, it in resources.items() if it["Type"] == "AWS::Lambda::Function"]
    assert functions == ["ScoreFunction", "GateFunction"]
    function = properties("ScoreFunction")
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["Handler"] == "score.app.handler"
    assert "ReservedConcurrentExecutions" not in function
    assert function["TracingConfig"] == {"Mode": "PassThrough"}


def test_switches_of_the_function(expanded: Expanded) -> None:
    template = expanded(Tracing="true", ReservedConcurrency="5", Architecture="x86_64")
    function = template["Resources"]["ScoreFunction"]["Properties"]
    assert function["Architectures"] == ["x86_64"]
    assert function["ReservedConcurrentExecutions"] == "5"
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["Environment"]["Variables"]["POWERTOOLS_TRACE_DISABLED"] == "false"
    assert template["Resources"]["ScoreApiStage"]["Properties"]["TracingEnabled"] is True


def test_the_function_ends_before_the_gateway_does() -> None:
    """API Gateway waits 29 s; the function needs a second to say that time ran out."""
    timeout, score = parameters()["Timeout"], parameters()["ScoreTimeoutSeconds"]
    assert timeout["Default"] <= timeout["MaxValue"] < 29
    assert score["MaxValue"] < timeout["MaxValue"]
    assert score["Default"] < timeout["Default"]


def test_the_models_fit_into_the_memory() -> None:
    """The cache, one more model of the largest size while it is loaded, and the rest: 200 MB."""
    default = {name: it["Default"] for name, it in parameters().items()}
    loading = max(BYTES_PER_BYTE * default["MaxModelMegabytes"], default["GateModelMegabytes"])
    assert default["ModelCacheMegabytes"] + loading + 200 <= default["MemorySize"]


def test_the_function_has_the_same_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODEL_TTL_SECONDS", "MODEL_CACHE_MB", "MODEL_MAX_MB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MODEL_BUCKET", "models")
    default = {name: it["Default"] for name, it in parameters().items()}
    made = from_environment()
    assert made.ttl == default["ModelTtlSeconds"]
    assert made.capacity == default["ModelCacheMegabytes"] * 1_000_000
    assert isinstance(made.source, Bucket)
    assert made.source.max_bytes == default["MaxModelMegabytes"] * 1_000_000


def test_the_function_reads_every_variable_that_it_is_given(properties: Properties) -> None:
    given = set(properties("ScoreFunction")["Environment"]["Variables"])
    functions = ROOT / "functions"
    packages = [*(functions / "score").glob("*.py"), *(functions / "bucket").glob("*.py")]
    text = "".join(path.read_text() for path in [*packages, functions / "telemetry.py"])
    read = set(re.findall(r'environ(?:\.get)?[\[(]"(\w+)"', text))
    assert read - given <= {"MAX_BODY_BYTES", "LAMBDA_TASK_ROOT", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"}
    assert given - read <= {"POWERTOOLS_LOG_LEVEL", "POWERTOOLS_TRACE_DISABLED"}  # Powertools reads


# ---- versions, snapshots ------------------------------------------------------------------------


def test_snapstart_never_meets_provisioned_concurrency(expanded: Expanded) -> None:
    """CloudFormation refuses the pair; neither sam nor cfn-lint says so."""
    seen = set()
    for switches in COMBINATIONS[:: len(COMBINATIONS) // 8] + COMBINATIONS[-4:]:
        found = expanded(**switches)["Resources"].values()
        snap = any("SnapStart" in it.get("Properties", {}) for it in found)
        provisioned = any("ProvisionedConcurrencyConfig" in it["Properties"] for it in found)
        wanted = switches["SnapStart"] == "true", switches["ProvisionedConcurrency"] != "0"
        assert (snap, provisioned) == (wanted[0], wanted[1] and not wanted[0])
        seen.add(wanted)
    assert len(seen) == 4


def test_snapstart_is_off_and_of_published_versions(expanded: Expanded) -> None:
    assert parameters()["SnapStart"]["Default"] == "false"
    found = expanded(SnapStart="true")["Resources"]
    assert found["ScoreFunction"]["Properties"]["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert "SnapStart" not in found["GateFunction"]["Properties"]  # nobody waits for its start
    (version,) = [name for name, it in found.items() if it["Type"] == "AWS::Lambda::Version"]
    alias = found["ScoreFunctionAliaslive"]["Properties"]
    assert alias["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}


def test_the_pair_is_refused_before_anything_is_made() -> None:
    rule = yaml_parse((ROOT / "template.yaml").read_text())["Rules"]
    assert rule["SnapStartOrProvisionedConcurrency"]["RuleCondition"] == {
        "Fn::Equals": [{"Ref": "SnapStart"}, "true"]
    }
    (assertion,) = rule["SnapStartOrProvisionedConcurrency"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": "ProvisionedConcurrency"}, "0"]}


@pytest.mark.parametrize("parameter", parameters())
def test_a_version_is_published_when_the_function_changes_and_only_then(
    expanded: Expanded, parameter: str
) -> None:
    """Else callers would go on with the old settings, or Lambda would refuse to publish."""

    def function(template: dict[str, Any]) -> tuple[dict[str, Any], str]:
        found = template["Resources"]
        (version,) = [name for name, it in found.items() if it["Type"] == "AWS::Lambda::Version"]
        # How many may run at once is the function's, not a version's.
        ignored = {"ReservedConcurrentExecutions", "Code"}
        settings = found["ScoreFunction"]["Properties"]
        return {key: it for key, it in settings.items() if key not in ignored}, version

    default = parameters()[parameter]
    others = [it for it in default.get("AllowedValues", []) if it != default["Default"]]
    value = str(others[0]) if others else {"Number": "7"}.get(default["Type"], "other")
    before, old = function(expanded())
    after, new = function(expanded(**{parameter: value}))
    assert (before != after) == (old != new)


def test_the_parameters_in_the_code_s_property_do_not_reach_lambda(expanded: Expanded) -> None:
    code = expanded()["Resources"]["ScoreFunction"]["Properties"]["Code"]
    assert code.keys() == {"S3Bucket", "S3Key"}


# ---- bucket -------------------------------------------------------------------------------------


def test_the_bucket_is_private_encrypted_and_versioned(properties: Properties) -> None:
    bucket = properties("ModelBucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_the_bucket_outlives_the_stack(resources: dict[str, Any]) -> None:
    for name in ("ModelBucket", "ModelBucketPolicy"):
        assert resources[name]["DeletionPolicy"] == "Retain"
        assert resources[name]["UpdateReplacePolicy"] == "Retain"


def test_old_versions_and_unfinished_uploads_go_current_models_never(
    properties: Properties,
) -> None:
    rules = properties("ModelBucket")["LifecycleConfiguration"]["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    actions = {key for rule in rules for key in rule} - {"Id", "Status"}
    assert actions == {
        "NoncurrentVersionExpiration",
        "ExpiredObjectDeleteMarker",
        "AbortIncompleteMultipartUpload",
    }


def test_a_live_document_and_its_artifact_are_kept_for_as_long(expanded: Expanded) -> None:
    found = expanded(NoncurrentVersionDays="9")["Resources"]["ModelBucket"]["Properties"]
    rules = found["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in rules if "NoncurrentVersionExpiration" in rule]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": "9"}
    assert not {"Prefix", "Filter", "TagFilters"} & rule.keys()  # of all objects alike


def test_the_bucket_tells_eventbridge_of_uploads(properties: Properties) -> None:
    assert properties("ModelBucket")["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }


# ---- logs ---------------------------------------------------------------------------------------


def test_every_log_group_is_the_template_s_and_ends(expanded: Expanded) -> None:
    """A group that Lambda made itself would be kept for ever."""
    found = expanded(AccessLogs="true", LogRetentionDays="7")["Resources"]
    groups = {n: it for n, it in found.items() if it["Type"] == "AWS::Logs::LogGroup"}
    assert set(groups) == {"ScoreLogs", "GateLogs", "AccessLogGroup"}
    for group in groups.values():
        assert group["Properties"]["RetentionInDays"] == "7"
    for name in ("Score", "Gate"):
        function = found[f"{name}Function"]["Properties"]
        assert function["LoggingConfig"] == {
            "LogGroup": {"Ref": f"{name}Logs"},
            "LogFormat": "Text",
        }


def test_access_logs_are_json_without_the_callers_text(expanded: Expanded) -> None:
    assert "AccessLogSetting" not in expanded()["Resources"]["ScoreApiStage"]["Properties"]
    stage = expanded(AccessLogs="true")["Resources"]["ScoreApiStage"]["Properties"]
    line = json.loads(stage["AccessLogSetting"]["Format"])
    callers = {"$context.path", "$context.requestId", "$context.identity.userAgent"}
    assert not callers & set(line.values())


# ---- outputs ------------------------------------------------------------------------------------


def test_outputs_say_where_and_how(expanded: Expanded) -> None:
    outputs = expanded()["Outputs"]
    assert {"Url", "Bucket", "ApiKeyCommand", "CurlCommand", "UploadCommand"} <= set(outputs)
    assert outputs["GateFunction"]["Value"] == {"Ref": "GateFunction"}
    assert outputs["Function"]["Value"] == {"Ref": "ScoreFunctionAliaslive"}
    upload = outputs["UploadCommand"]["Value"]["Fn::Sub"]
    assert upload.startswith("aws s3 cp models/ s3://${ModelBucket}/models/ ")
    key = outputs["ApiKeyCommand"]["Value"]["Fn::Sub"]
    assert "aws apigateway get-api-key" in key
    assert "--api-key ${ApiKey} --include-value" in key
    curl = outputs["CurlCommand"]["Value"]["Fn::Sub"]
    assert key.split("--region")[0] in curl
    assert curl.endswith("/models/hello/score")
    assert "\n" not in "".join(strings(outputs))
