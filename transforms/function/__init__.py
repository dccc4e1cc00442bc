"""What surrounds the gate in the Lambda function: Firehose's batch in and out."""
