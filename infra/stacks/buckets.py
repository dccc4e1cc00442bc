"""A bucket as every bucket here is: private, TLS only, encrypted, versioned where it holds the only copy."""

from collections.abc import Sequence

from aws_cdk import Duration, Fn, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct


def private_bucket(
    scope: Construct,
    identifier: str,
    *,
    name: str,
    versioned: bool,
    lifecycle: Sequence[s3.LifecycleRule],
    access_logs: str | None,
    access_log_policy: IConstruct | None = None,
) -> s3.Bucket:
    """A retained bucket that only principals of the account can reach, over TLS.

    `access_logs` names the bucket that server access logs go to; its policy, when it is made in the same
    stack, must be there first.
    """
    bucket = s3.Bucket(
        scope,
        identifier,
        bucket_name=Fn.sub(name),
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        versioned=versioned,
        removal_policy=RemovalPolicy.RETAIN,
        lifecycle_rules=[abandoned_uploads(), *lifecycle],
    )
    if access_logs is not None:
        resource = bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        # By name: the CDK's own property writes to the other bucket's policy, or falls back to ACLs.
        resource.logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
            destination_bucket_name=Fn.sub(access_logs), log_file_prefix=f"{identifier.lower()}/"
        )
        if access_log_policy is not None:
            bucket.node.add_dependency(access_log_policy)
    return bucket


def abandoned_uploads() -> s3.LifecycleRule:
    """Parts of uploads that nobody finished are billed and seen by nobody."""
    return s3.LifecycleRule(id="abandoned-uploads", abort_incomplete_multipart_upload_after=Duration.days(7))


def expire(identifier: str, prefix: str, days: int) -> s3.LifecycleRule:
    """Objects below the prefix go after so many days, and what versioning kept of them a week later."""
    return s3.LifecycleRule(
        id=identifier,
        prefix=prefix or None,
        expiration=Duration.days(days),
        noncurrent_version_expiration=Duration.days(7),
    )
