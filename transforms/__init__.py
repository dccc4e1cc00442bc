"""Record bytes to lake rows, and what becomes of records that cannot be one."""
