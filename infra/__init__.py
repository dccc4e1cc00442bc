"""Where the pipeline runs: on AWS, or on this machine."""
