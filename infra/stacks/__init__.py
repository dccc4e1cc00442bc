"""The CloudFormation stacks, each with its permissions and alarms."""
