"""A queue with its dead letters, as every function of the pipeline that takes messages has them."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_sqs as sqs
from constructs import Construct


def queue_with_dead_letters(
    scope: Construct, identifier: str, dead: str, *, name: str, dead_name: str, timeout: int, receives: int
) -> tuple[sqs.Queue, sqs.Queue]:
    """(dead letters, queue). `timeout` is the function's, in seconds; a message is hidden for six of them, as
    AWS advises for mappings. After `receives` it is a dead letter, which is kept for 14 days.
    """
    letters = sqs.Queue(
        scope,
        dead,
        queue_name=dead_name,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
        removal_policy=RemovalPolicy.RETAIN,
    )
    queue = sqs.Queue(
        scope,
        identifier,
        queue_name=name,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(4),
        visibility_timeout=Duration.seconds(6 * timeout),
        dead_letter_queue=sqs.DeadLetterQueue(queue=letters, max_receive_count=receives),
        removal_policy=RemovalPolicy.RETAIN,
    )
    return letters, queue
