"""The report site: its functions, its verbs, and what it consists of on AWS."""
