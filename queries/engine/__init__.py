"""What runs SQL: the port, Athena, and what a query costs."""
