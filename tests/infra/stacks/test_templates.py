"""What matters in the templates: the settings that lose data, leak it or cost money when they are wrong."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dashboards.settings import Settings as RefreshSettings
from infra.aws.outputs import Outputs, OutputsError
from infra.aws.synth import PACKAGED
from infra.stacks.lake import MAX_RECEIVES
from infra.stacks.templates import ACCOUNT_ID, REGION, Resource, UnresolvedError, of_type, read
from queries.ledger.dynamodb import table_definition
from queries.refresh.sealing import sealing_queries
from queries.settings import Settings as QuerySettings
from queries.store.event_views import event_views
from tests.shop import REPORTS, SHOP, TABLES, WEB
from transforms.settings import Settings as TransformSettings

RESOURCES = read(PACKAGED)
DEPLOYMENT = SHOP.default


def one(kind: str, name: str = "") -> Resource:
    found = [each for each in of_type(RESOURCES, kind) if not name or each.name == name]
    assert len(found) == 1, [each.logical_id for each in found]
    return found[0]


def bucket(role: str) -> Resource:
    return one("AWS::S3::Bucket", f"penstock-{role}-{ACCOUNT_ID}-{REGION}")


def destination() -> Any:
    return one("AWS::KinesisFirehose::DeliveryStream").properties["ExtendedS3DestinationConfiguration"]


def test_firehose_partitions_by_event_hour_and_keeps_what_fails_apart() -> None:
    assert destination()["Prefix"] == "web_events/event_hour=!{partitionKeyFromLambda:event_hour}/"
    assert (
        destination()["ErrorOutputPrefix"]
        == "failed/!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/"
    )
    assert destination()["DynamicPartitioningConfiguration"]["Enabled"] is True
    assert destination()["FileExtension"] == ".parquet"


def test_firehose_buffers_as_conversion_and_partitioning_need() -> None:
    hints = destination()["BufferingHints"]
    assert hints["SizeInMBs"] >= 64
    assert hints["IntervalInSeconds"] >= 60


def test_firehose_converts_to_parquet_by_the_lake_table() -> None:
    conversion = destination()["DataFormatConversionConfiguration"]
    assert conversion["Enabled"] is True
    assert conversion["SchemaConfiguration"]["TableName"] == "web_events"
    assert conversion["SchemaConfiguration"]["DatabaseName"] == "penstock"
    assert "ParquetSerDe" in conversion["OutputFormatConfiguration"]["Serializer"]


def test_the_transform_gets_one_megabyte_and_four_attempts() -> None:
    (processor,) = destination()["ProcessingConfiguration"]["Processors"]
    parameters = {each["ParameterName"]: each["ParameterValue"] for each in processor["Parameters"]}
    assert parameters["BufferSizeInMBs"] == "1"
    assert parameters["NumberOfRetries"] == "3"
    assert parameters["LambdaArn"].endswith(":function:penstock-transform")


def test_the_stream_is_on_demand_encrypted_and_kept() -> None:
    stream = one("AWS::Kinesis::Stream")
    assert stream.properties["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    assert stream.properties["StreamEncryption"]["EncryptionType"] == "KMS"
    assert stream.properties["RetentionPeriodHours"] == 72
    assert stream.attributes["DeletionPolicy"] == "Retain"


def test_a_message_is_never_out_twice_while_the_function_works_on_it() -> None:
    queue, function = (
        one("AWS::SQS::Queue", DEPLOYMENT.queue),
        one("AWS::Lambda::Function", DEPLOYMENT.query_function),
    )
    (mapping,) = (
        each.properties
        for each in of_type(RESOURCES, "AWS::Lambda::EventSourceMapping")
        if each.properties["FunctionName"] == DEPLOYMENT.query_function
    )
    window = mapping["MaximumBatchingWindowInSeconds"]
    assert queue.properties["VisibilityTimeout"] >= 6 * function.properties["Timeout"] + window
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    # A notification is about 2 kB of the 6 MB that the function takes.
    assert mapping["BatchSize"] * 2_000 < 6_000_000


def test_dead_letters_outlive_the_queue_and_long_notifications_fit() -> None:
    queue, dead = (
        one("AWS::SQS::Queue", DEPLOYMENT.queue),
        one("AWS::SQS::Queue", DEPLOYMENT.dead_letter_queue),
    )
    assert queue.properties["RedrivePolicy"]["maxReceiveCount"] == MAX_RECEIVES >= 5
    assert (
        dead.properties["MessageRetentionPeriod"] == 14 * 86_400 > queue.properties["MessageRetentionPeriod"]
    )
    assert min(each.properties["MaximumMessageSize"] for each in (queue, dead)) >= 65_536


def test_the_lake_bucket_tells_the_queue_of_parquet_objects_only() -> None:
    (configuration,) = bucket("lake").properties["NotificationConfiguration"]["QueueConfigurations"]
    rules = {rule["Name"]: rule["Value"] for rule in configuration["Filter"]["S3Key"]["Rules"]}
    assert rules == {"prefix": "web_events/", "suffix": ".parquet"}
    assert configuration["Event"] == "s3:ObjectCreated:*"


@pytest.mark.parametrize("role", ["lake", "reporting", "results", "access-logs", "site", "site-data"])
def test_every_bucket_is_private_encrypted_owned_and_kept(role: str) -> None:
    found = bucket(role)
    assert set(found.properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert found.properties["BucketEncryption"]
    assert found.properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert found.attributes["DeletionPolicy"] == found.attributes["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("role", ["lake", "reporting", "results", "access-logs", "site", "site-data"])
def test_every_bucket_denies_what_does_not_come_over_tls(role: str) -> None:
    name = bucket(role).name
    (policy,) = (p for p in of_type(RESOURCES, "AWS::S3::BucketPolicy") if p.properties["Bucket"] == name)
    denied = [s for s in policy.properties["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
    assert any(s["Condition"].get("Bool") == {"aws:SecureTransport": "false"} for s in denied)


@pytest.mark.parametrize("role", ["lake", "reporting"])
def test_what_is_the_only_copy_is_versioned(role: str) -> None:
    assert bucket(role).properties["VersioningConfiguration"] == {"Status": "Enabled"}


def test_no_rule_expires_events_of_the_lake() -> None:
    rules = bucket("lake").properties["LifecycleConfiguration"]["Rules"]
    expiring = {rule.get("Prefix", "") for rule in rules if "ExpirationInDays" in rule}
    assert expiring == {"failed/", "inbox/", "imports/"}


def test_only_plans_of_jobs_and_runs_that_the_query_function_retired_are_deleted() -> None:
    rules = bucket("reporting").properties["LifecycleConfiguration"]["Rules"]
    expiring = [rule for rule in rules if "ExpirationInDays" in rule]
    assert [rule["Prefix"] for rule in expiring] == ["reports/", "sealed/", "jobs/"]
    assert all(rule["TagFilters"] == [{"Key": "penstock", "Value": "retired"}] for rule in expiring[:2])


def test_work_groups_enforce_encryption_and_cut_off() -> None:
    groups = list(of_type(RESOURCES, "AWS::Athena::WorkGroup"))
    assert {group.properties["Name"] for group in groups} == {"penstock-reports", "penstock-analysts"}
    for group in groups:
        configuration = group.properties["WorkGroupConfiguration"]
        assert configuration["EnforceWorkGroupConfiguration"] is True
        assert configuration["BytesScannedCutoffPerQuery"] >= 10_000_000
        assert configuration["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_S3"
        assert configuration["ResultConfiguration"]["OutputLocation"].startswith(
            f"s3://{bucket('results').name}/"
        )


def test_the_ledger_has_the_keys_that_its_code_uses_and_can_be_restored() -> None:
    ledger, wanted = one("AWS::DynamoDB::GlobalTable", DEPLOYMENT.ledger_table), table_definition()
    assert ledger.properties["KeySchema"] == wanted["KeySchema"]
    assert ledger.properties["GlobalSecondaryIndexes"] == wanted["GlobalSecondaryIndexes"]
    (replica,) = ledger.properties["Replicas"]
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert ledger.attributes["DeletionPolicy"] == "Retain"


def test_the_tick_comes_every_minute_and_an_ended_query_at_once() -> None:
    rules = {rule.name: rule.properties for rule in of_type(RESOURCES, "AWS::Events::Rule")}
    assert rules["penstock-tick"]["ScheduleExpression"] == "rate(1 minute)"
    assert rules["penstock-query-ended"]["EventPattern"]["detail"]["workgroupName"] == ["penstock-reports"]


@pytest.mark.parametrize(
    "name",
    [
        "penstock-transform",
        "penstock-queries",
        "penstock-refresh",
        "penstock-collector",
        "penstock-hooks",
        "penstock-jobs",
        "penstock-api",
        "penstock-updates",
    ],
)
def test_functions_run_on_arm_with_a_log_group_of_their_own(name: str) -> None:
    function = one("AWS::Lambda::Function", name).properties
    assert function["Architectures"] == ["arm64"]
    assert function["Runtime"] == "python3.13"
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["LoggingConfig"]["LogGroup"] == f"/aws/lambda/{name}"
    group = one("AWS::Logs::LogGroup", f"/aws/lambda/{name}")
    assert group.properties["RetentionInDays"] == 90


def test_the_transform_reads_its_settings_from_what_the_template_sets() -> None:
    environment = one("AWS::Lambda::Function", "penstock-transform").properties["Environment"]["Variables"]
    keys = environment["PENSTOCK_PSEUDONYM_KEYS"]
    assert keys == "k1:{{resolve:secretsmanager:penstock/pseudonym-keys:SecretString:k1::}}"
    resolved = {**environment, "PENSTOCK_PSEUDONYM_KEYS": "k1:0123456789abcdefghij"}
    assert TransformSettings.from_environ(resolved).stream == WEB.name


def test_the_environment_with_the_pseudonym_keys_is_encrypted_under_a_key_that_rotates() -> None:
    (key,) = of_type(RESOURCES, "AWS::KMS::Key")
    assert key.properties["EnableKeyRotation"] is True
    assert key.properties["PendingWindowInDays"] == 30
    (alias,) = of_type(RESOURCES, "AWS::KMS::Alias")
    assert alias.properties["AliasName"] == DEPLOYMENT.transform_key_alias(WEB)
    secret_holders = {
        each.name: each.properties.get("KmsKeyArn")
        for each in of_type(RESOURCES, "AWS::Lambda::Function")
        if "{{resolve:secretsmanager:" in json.dumps(each.properties)
    }
    assert secret_holders == {"penstock-transform": key.arn}


def test_the_key_goes_with_its_stack_and_the_secret_stays() -> None:
    (key,) = of_type(RESOURCES, "AWS::KMS::Key")
    secrets = of_type(RESOURCES, "AWS::SecretsManager::Secret")
    assert key.attributes["DeletionPolicy"] == key.attributes["UpdateReplacePolicy"] == "Delete"
    assert secrets
    for secret in secrets:
        assert secret.attributes["DeletionPolicy"] == secret.attributes["UpdateReplacePolicy"] == "Retain"


def test_the_query_function_reads_its_settings_from_what_the_template_sets() -> None:
    environment = one("AWS::Lambda::Function", "penstock-queries").properties["Environment"]["Variables"]
    settings = QuerySettings.from_environ(environment)
    assert settings.lake_bucket == bucket("lake").name
    assert settings.reporting_bucket == bucket("reporting").name
    assert settings.to_environ() == environment


def test_the_refresh_function_hears_of_every_publish_that_its_datasets_copy() -> None:
    environment = one("AWS::Lambda::Function", "penstock-refresh").properties["Environment"]["Variables"]
    settings = RefreshSettings.from_environ(environment)
    assert settings.to_environ() == environment
    copies = {
        each.properties["DataSetId"]
        for each in of_type(RESOURCES, "AWS::QuickSight::DataSet")
        if each.properties["ImportMode"] == "SPICE" and not each.properties["DataSetId"].endswith("-rules")
    }
    assert set(settings.data_sets.values()) == copies
    rules = {rule.name: rule.properties for rule in of_type(RESOURCES, "AWS::Events::Rule")}
    detail = rules["penstock-report-published"]["EventPattern"]["detail"]
    assert detail["databaseName"] == ["penstock"]
    assert set(detail["tableName"]) == set(settings.data_sets)
    assert rules["penstock-refresh-tick"]["ScheduleExpression"] == "rate(5 minutes)"


def test_glue_has_a_table_for_the_lake_for_failed_records_and_for_each_report() -> None:
    tables = {each.name: each.properties["TableInput"] for each in of_type(RESOURCES, "AWS::Glue::Table")}
    assert tables.keys() == {
        *TABLES, *sealing_queries(TABLES), *event_views(TABLES), *REPORTS, "failed_records", "report_freshness",
    }  # fmt: skip
    lake = TABLES["web_events"]
    assert [(c["Name"], c["Type"]) for c in tables["web_events"]["StorageDescriptor"]["Columns"]] == [
        (column.name, column.type) for column in lake.columns
    ]
    parameters = tables["web_events"]["Parameters"]
    assert parameters["projection.event_hour.range"] == "2000-01-01-00,NOW+2HOURS"
    assert parameters["storage.location.template"].endswith("/web_events/event_hour=${event_hour}")


def test_report_tables_have_no_projection_for_their_partitions_are_swapped() -> None:
    for each in of_type(RESOURCES, "AWS::Glue::Table"):
        if each.name in REPORTS:
            table = each.properties["TableInput"]
            assert not [name for name in table["Parameters"] if name.startswith("projection")]
            assert table["PartitionKeys"] == [{"Name": REPORTS[each.name].grain, "Type": "string"}]


def test_the_outputs_name_everything_that_commands_ask_for() -> None:
    document: dict[str, Any] = {"region": REGION, "account_id": ACCOUNT_ID, "stacks": {}}
    for path in PACKAGED.glob("*.template.json"):
        declared = json.loads(path.read_bytes()).get("Outputs", {})
        document["stacks"][path.name] = {"outputs": {key: f"the {key}" for key in declared}}
    outputs = Outputs.from_document(document)
    assert outputs.dead_letter_queue_url == "the DeadLetterQueueUrl"
    assert "" not in vars(outputs).values()


def test_missing_outputs_are_named_with_what_to_do() -> None:
    with pytest.raises(OutputsError, match=r"No stream.*penstock local up"):
        Outputs.from_document({"region": REGION, "account_id": ACCOUNT_ID, "stacks": {}})


def test_an_intrinsic_that_has_no_value_stops_the_reading_of_templates(tmp_path: Any) -> None:
    resource = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Fn::Cidr": ["10.0.0.0/16", 1, 8]}}}
    (tmp_path / "x.template.json").write_text(json.dumps({"Resources": {"Role": resource}}))
    with pytest.raises(UnresolvedError, match="Fn::Cidr"):
        read(tmp_path)


class _Stacks:
    """CloudFormation, asked for stacks by name: a deployment's, of those that it has."""

    def __init__(self) -> None:
        self._stacks = {}
        for path in sorted(PACKAGED.glob("*.template.json")):
            name = path.name.removesuffix(".template.json")
            declared = json.loads(path.read_bytes()).get("Outputs", {})
            self._stacks[name] = {
                "StackName": name,
                "StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT_ID}:stack/{name}/1",
                "Outputs": [{"OutputKey": key, "OutputValue": f"production's {key}"} for key in declared],
            }

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803 - as botocore writes it
        if StackName not in self._stacks:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": ""}}, "DescribeStacks")
        return {"Stacks": [self._stacks[StackName]]}


class _Refused:
    def describe_stacks(self, **_: str) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "DescribeStacks")


def test_names_come_from_the_stacks_of_one_deployment() -> None:
    outputs = Outputs.from_stacks(_Stacks(), SHOP.default, SHOP.streams.values())
    assert (outputs.region, outputs.account_id) == (REGION, ACCOUNT_ID)
    assert outputs.lake_bucket == "production's LakeBucket"
    assert outputs.api_url == "production's ApiUrl"


def test_a_deployment_that_is_not_there_says_how_to_make_it() -> None:
    with pytest.raises(OutputsError, match="penstock deploy --deployment staging"):
        Outputs.from_stacks(_Stacks(), SHOP.deployments["staging"], SHOP.streams.values())


def test_a_refused_question_for_the_names_is_not_taken_for_nothing_deployed() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        Outputs.from_stacks(_Refused(), SHOP.default, SHOP.streams.values())
