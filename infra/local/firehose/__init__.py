"""Amazon Data Firehose on this machine, with its failure semantics: Kinesis stream to Parquet in S3."""
