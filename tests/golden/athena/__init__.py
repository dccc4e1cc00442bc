"""What Trino answers, frozen: expressions, queries, and how ours are compared with them."""
