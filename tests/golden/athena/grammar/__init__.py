"""Whether Trino's own grammar takes our SQL, without a server: dt-sql-parser from npm."""
