"""Athena's DDL of a lake table, derived from the contract."""

from transforms.contracts import LakeTable


def create_table(table: LakeTable, bucket_uri: str) -> str:
    """The CREATE EXTERNAL TABLE statement with partition projection. `bucket_uri` is `s3://<lake bucket>`."""
    location = f"{bucket_uri}/{table.prefix}"
    columns = ",\n".join(
        f"    `{column.name}` {column.type}"
        + (f" COMMENT {_quoted(column.comment)}" if column.comment else "")
        for column in table.columns
    )
    partition = table.partition_column
    listed = ",\n".join(
        f"    {_quoted(name)} = {_quoted(value)}" for name, value in table.projection(bucket_uri).items()
    )
    return (
        f"CREATE EXTERNAL TABLE `{table.name}` (\n{columns}\n)\n"
        f"PARTITIONED BY (`{partition.name}` {partition.type})\n"
        f"STORED AS PARQUET\nLOCATION {_quoted(location)}\nTBLPROPERTIES (\n{listed}\n)"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
