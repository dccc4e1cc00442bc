"""The alarms of jobs. No CDK here: the runbook's test reads it."""

from infra.deployment import Deployment
from infra.stacks.alarm_rule import AlarmRule


def job_alarms(deployment: Deployment, *, imports: bool) -> list[AlarmRule]:
    """What says that jobs do not go on, or cannot be asked for. `imports`: there is an importer."""
    importing = [
        AlarmRule(
            "imports-errors",
            "Chunks of imports go on failing: they will count as failed.",
            "ticket", "AWS/Lambda", "Errors", {"FunctionName": deployment.importer_function},
            "Sum", 3, 900, 1,
        ),
    ]  # fmt: skip
    return [
        AlarmRule(
            "api-errors",
            "The API raises or times out: whoever asks for a job gets 500.",
            "page", "AWS/Lambda", "Errors", {"FunctionName": deployment.api_function}, "Sum", 0, 60, 3,
        ),
        AlarmRule(
            "reader-errors",
            "Reading reports over HTTP raises or times out: whoever asks gets 500.",
            "ticket", "AWS/Lambda", "Errors", {"FunctionName": deployment.reader_function}, "Sum", 0, 60, 3,
        ),
        AlarmRule(
            "jobs-errors",
            "Steps of jobs go on failing: their chunks will count as failed.",
            "ticket", "AWS/Lambda", "Errors", {"FunctionName": deployment.jobs_function}, "Sum", 3, 300, 3,
        ),
        *(importing if imports else []),
        *(_site_alarms(deployment) if deployment.site else []),
        AlarmRule(
            "jobs-waiting",
            "Jobs wait for a worker for more than ten minutes.",
            "page", "AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": deployment.jobs_queue},
            "Maximum", 600,
        ),
        AlarmRule(
            "jobs-dead-letters",
            "Messages of jobs could not be read, or their executions not be begun, five times.",
            "ticket", "AWS/SQS", "ApproximateNumberOfMessagesVisible",
            {"QueueName": deployment.jobs_dead_letter_queue}, "Maximum", 0, 300, 1,
        ),
        AlarmRule(
            "updates-errors",
            "Live updates are not published: whoever waits for one sees it when a minute has passed.",
            "ticket", "AWS/Lambda", "Errors", {"FunctionName": deployment.updates_function}, "Sum", 0, 60, 3,
        ),
        AlarmRule(
            "updates-behind",
            "Live updates of jobs come more than a minute late.",
            "ticket", "AWS/Lambda", "IteratorAge", {"FunctionName": deployment.updates_function},
            "Maximum", 60_000,
        ),
        AlarmRule(
            "updates-dead-letters",
            "Live updates were given up: subscribers did not hear of a change.",
            "ticket", "AWS/SQS", "NumberOfMessagesSent",
            {"QueueName": deployment.updates_dead_letter_queue}, "Sum", 0, 300, 1,
        ),
    ]  # fmt: skip


def _site_alarms(deployment: Deployment) -> list[AlarmRule]:
    """What says that people look at old numbers, or at none."""
    return [
        AlarmRule(
            "site-errors",
            "The report site's API raises or times out: its page shows an error.",
            "ticket", "AWS/Lambda", "Errors", {"FunctionName": deployment.site_function}, "Sum", 0, 60, 3,
        ),
        AlarmRule(
            "site-extract-errors",
            "Dashboards cannot be drawn for the site: it goes on showing older numbers.",
            "ticket", "AWS/Lambda", "Errors", {"FunctionName": deployment.extract_function}, "Sum", 0, 300, 3,
        ),
    ]  # fmt: skip
