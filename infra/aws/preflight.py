"""What an account must have before a deploy: asked first, so that no stack is left half made."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra.deployment import Deployment

BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
LEAST_BOOTSTRAP = 6
QUICKSIGHT_ROLE = "aws-quicksight-service-role-v0"
EVERYBODY_BY_IAM = "IAM_ALLOWED_PRINCIPALS"
UNRESERVED = 100
"""Concurrency that Lambda keeps for functions without a reservation."""


@dataclass(frozen=True)
class Missing:
    """Something that the account lacks. `stack` is the part that cannot be deployed for it; None means
    all.
    """

    what: str
    remedy: str
    stack: str | None = None


def missing(client: Callable[[str], Any], deployment: Deployment) -> Iterator[Missing]:
    """Everything that is missing. Raises ClientError when not even asking is allowed."""
    account = client("sts").get_caller_identity()["Account"]
    yield from _bootstrap(client("ssm"), account)
    yield from _concurrency(client("lambda"), deployment)
    yield from _lake_formation(client("lakeformation"))
    yield from _quicksight(client, account, deployment)


def _bootstrap(ssm: Any, account: str) -> Iterator[Missing]:
    remedy = f"Run once: npx aws-cdk bootstrap aws://{account}/REGION"
    try:
        version = int(ssm.get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        yield Missing("the CDK's bootstrap stack", remedy)
        return
    if version < LEAST_BOOTSTRAP:
        yield Missing(f"a bootstrap stack of version {LEAST_BOOTSTRAP} or later (it is {version})", remedy)


def _concurrency(functions: Any, deployment: Deployment) -> Iterator[Missing]:
    wanted = deployment.transform_reserved_concurrency
    if wanted is None:
        return
    limits = functions.get_account_settings()["AccountLimit"]
    if limits["UnreservedConcurrentExecutions"] - wanted < UNRESERVED:
        yield Missing(
            f"{wanted} concurrent Lambda executions to reserve (the account has "
            f"{limits['ConcurrentExecutions']}, and {UNRESERVED} stay unreserved)",
            "Raise the quota 'Concurrent executions' in Service Quotas, or set "
            "transform_reserved_concurrency=None for this deployment in infra/deployment.py.",
        )


def _lake_formation(lake_formation: Any) -> Iterator[Missing]:
    """Whether new databases and tables are left to IAM, where all our roles have their permissions."""
    try:
        settings = lake_formation.get_data_lake_settings()["DataLakeSettings"]
    except ClientError:
        return  # whoever may not ask finds it out by the first query, as before
    for kind in ("CreateDatabaseDefaultPermissions", "CreateTableDefaultPermissions"):
        left_to = {
            each["Principal"]["DataLakePrincipalIdentifier"]: each["Permissions"]
            for each in settings.get(kind, [])
        }
        if "ALL" not in left_to.get(EVERYBODY_BY_IAM, []):
            yield Missing(
                "new databases and tables that IAM alone decides about: Lake Formation does",
                "In Lake Formation's console, under Data Catalog settings, tick 'Use only IAM access "
                "control' for new databases and for new tables, and deploy. It may be unticked afterwards.",
            )
            return


def _subscription(quicksight: Any, account: str) -> Missing | None:
    """What is wrong with the account's subscription to QuickSight."""
    subscribe = "Subscribe in the console (Enterprise edition)."
    try:
        info = quicksight.describe_account_subscription(AwsAccountId=account)["AccountInfo"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ResourceNotFoundException":
            return Missing("a QuickSight subscription", subscribe, "dashboards")
        remedy = (
            "Look at your own permissions. QuickSight answers about the account only in the region that the "
            "account has subscribed in: if that is another one, deploy there, or without dashboards."
        )
        return Missing(f"an answer from QuickSight ({code})", remedy, "dashboards")
    status = str(info.get("AccountSubscriptionStatus", ""))
    if "UNSUBSCRIBE" in status:
        return Missing("a QuickSight subscription (it was given up)", subscribe, "dashboards")
    if "IN_PROGRESS" in status:
        what = "a QuickSight subscription that has been made (it is on its way)"
        return Missing(what, "Wait until QuickSight has made it, then deploy again.", "dashboards")
    if info.get("Edition") == "STANDARD":
        remedy = "Upgrade the subscription in QuickSight's console; its users and assets stay."
        return Missing("QuickSight's Enterprise edition (it is STANDARD)", remedy, "dashboards")
    return None


def _quicksight(client: Callable[[str], Any], account: str, deployment: Deployment) -> Iterator[Missing]:
    if unfit := _subscription(client("quicksight"), account):
        yield unfit
        return
    iam, wanted = client("iam"), f"{deployment.prefix}-quicksight-"
    try:
        attached = iam.list_attached_role_policies(RoleName=QUICKSIGHT_ROLE)["AttachedPolicies"]
    except iam.exceptions.NoSuchEntityException:
        attached = []
    # A data source is tried by QuickSight while it is made, with the permissions of this role.
    if not any(each["PolicyName"].startswith(wanted) for each in attached):
        yield Missing(
            f"QuickSight's right to read the reports (policy {wanted}REGION on the role {QUICKSIGHT_ROLE})",
            f"After the access stack, run: aws iam attach-role-policy --role-name {QUICKSIGHT_ROLE} "
            f"--policy-arn arn:aws:iam::{account}:policy/{wanted}REGION - and deploy again.",
            "dashboards",
        )
