"""A stack with an API on a running local cloud, made from a template by CloudFormation, and people of its pool."""

import contextlib
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from infra.local.cloud import LocalCloud
from infra.local.deploy.deployer import PROVIDER, serve_locally
from tests.infra.local.graphql.rig import PASSES_ON, SCHEMA

PASSWORD = "Correct-Horse-42"
FUNCTION = """
def handler(event, context):
    if event["arguments"]["jobId"] == "bad":
        raise ValueError("no such job")
    asked = [event["info"]["fieldName"], *event["info"]["selectionSetList"]]
    return {"jobId": event["arguments"]["jobId"], "revision": 7, "state": event["identity"]["username"],
            "note": {"asked": asked}}
"""


def template() -> dict[str, Any]:
    """An API with a pool of its own, a function for queries and nothing behind its mutation."""
    api = {"Fn::GetAtt": ["Api", "ApiId"]}
    pool = {"UserPoolId": {"Ref": "Pool"}, "AwsRegion": "us-east-1", "DefaultAction": "ALLOW"}
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com", "appsync.amazonaws.com"]},
        "Action": "sts:AssumeRole"}]}  # fmt: skip
    calls = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": {"Fn::GetAtt": ["Function", "Arn"]}}]}  # fmt: skip
    resources = {
        "Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {}},
        "Client": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {
            "UserPoolId": {"Ref": "Pool"}, "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]}},
        "Api": {"Type": "AWS::AppSync::GraphQLApi", "Properties": {
            "Name": "live", "AuthenticationType": "AMAZON_COGNITO_USER_POOLS", "UserPoolConfig": pool,
            "AdditionalAuthenticationProviders": [{"AuthenticationType": "AWS_IAM"}]}},
        "Schema": {"Type": "AWS::AppSync::GraphQLSchema", "Properties": {"ApiId": api, "Definition": SCHEMA}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
        "Calls": {"Type": "AWS::IAM::Policy", "Properties": {
            "PolicyName": "calls", "PolicyDocument": calls, "Roles": [{"Ref": "Role"}]}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Runtime": "python3.13", "Handler": "index.handler", "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"ZipFile": FUNCTION}}},
        "Nothing": {"Type": "AWS::AppSync::DataSource", "Properties": {
            "ApiId": api, "Name": "nothing", "Type": "NONE"}},
        "Jobs": {"Type": "AWS::AppSync::DataSource", "Properties": {
            "ApiId": api, "Name": "jobs", "Type": "AWS_LAMBDA",
            "ServiceRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "LambdaConfig": {"LambdaFunctionArn": {"Fn::GetAtt": ["Function", "Arn"]}}}},
        "Change": {"Type": "AWS::AppSync::Resolver", "DependsOn": ["Schema"], "Properties": {
            "ApiId": api, "TypeName": "Mutation", "FieldName": "changeJob",
            "DataSourceName": {"Fn::GetAtt": ["Nothing", "Name"]}, **PASSES_ON}},
        "Job": {"Type": "AWS::AppSync::Resolver", "DependsOn": ["Schema"], "Properties": {
            "ApiId": api, "TypeName": "Query", "FieldName": "job",
            "DataSourceName": {"Fn::GetAtt": ["Jobs", "Name"]}}},
    }  # fmt: skip
    names = ("ApiId", "Arn", "GraphQLUrl", "RealtimeUrl", "GraphQLDns", "RealtimeDns")
    outputs: dict[str, Any] = {name: {"Value": {"Fn::GetAtt": ["Api", name]}} for name in names}
    outputs |= {name: {"Value": {"Ref": name}} for name in ("Api", "Pool", "Client")}
    return {"Resources": resources, "Outputs": outputs}


@dataclass(frozen=True)
class Stack:
    """A deployed stack."""

    cloud: LocalCloud
    name: str
    outputs: dict[str, str]

    def token(self, *groups: str) -> str:
        """An access token of somebody new, who is in these groups."""
        people, pool = self.cloud.context.client("cognito-idp"), self.outputs["Pool"]
        who = f"who-{secrets.token_hex(4)}"
        people.admin_create_user(UserPoolId=pool, Username=who, MessageAction="SUPPRESS")
        people.admin_set_user_password(UserPoolId=pool, Username=who, Password=PASSWORD, Permanent=True)
        for group in groups:
            with contextlib.suppress(people.exceptions.GroupExistsException):
                people.create_group(UserPoolId=pool, GroupName=group)
            people.admin_add_user_to_group(UserPoolId=pool, Username=who, GroupName=group)
        answer = people.admin_initiate_auth(
            UserPoolId=pool, ClientId=self.outputs["Client"], AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": who, "PASSWORD": PASSWORD},
        )  # fmt: skip
        return str(answer["AuthenticationResult"]["AccessToken"])


def deploy(cloud: LocalCloud) -> Stack:
    """The stack, once it is whole."""
    client, name = cloud.context.client("cloudformation"), f"live-{secrets.token_hex(4)}"
    provider = cloud.context.client("lambda").get_function(FunctionName=PROVIDER)["Configuration"][
        "FunctionArn"
    ]
    body = json.dumps(
        serve_locally(template(), provider, cloud.context.ask("/_cfn"), cloud.context.server_url)
    )
    client.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    deadline = time.monotonic() + 60
    while (found := client.describe_stacks(StackName=name)["Stacks"][0])["StackStatus"] != "CREATE_COMPLETE":
        assert found["StackStatus"] == "CREATE_IN_PROGRESS", client.describe_stack_events(StackName=name)[
            "StackEvents"
        ]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return Stack(cloud, name, {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]})
