"""Events, and everything that puts them on a Kinesis stream."""
