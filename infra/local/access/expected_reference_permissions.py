"""What roles and policies must be allowed with reference tables, and what they must be denied (pure)."""

from infra.local.access.permission_names import Asked, Names


def rights(names: Names) -> dict[str, tuple[Asked, Asked]]:
    """Principal -> (what it may, what it must not), besides what it may without reference tables."""
    folder = f"{names.reporting}/reference"
    tables = [names.table(table.table) for table in names.project.references.values()]
    files = [f"{folder}/{name}/version=0/rows.parquet" for name in names.project.references]
    listed: Asked = [("s3:ListBucket", names.reporting, {"s3:prefix": "reference/"})] if files else []
    reads: Asked = [
        *listed,
        *(("s3:GetObject", file) for file in files),
        *(("glue:GetTable", table) for table in tables),
        *(("glue:GetPartitions", table) for table in tables),
    ]
    writes: Asked = [
        *(("s3:PutObject", file) for file in files),
        *(("glue:BatchUpdatePartition", table) for table in tables),
    ]
    deletes: Asked = [
        *(("s3:DeleteObject", file) for file in files),
        *(("glue:DeleteTable", table) for table in tables),
    ]
    creates: Asked = [("glue:CreatePartition", table) for table in tables]
    restores: Asked = [("glue:CreateTable", table) for table in tables]
    return {
        "queries": ([*reads, *restores], [*writes, *deletes]),
        "analyst": (reads, [*writes, *deletes]),
        "operator": ([*writes, *creates], [*deletes, *(("s3:GetObject", file) for file in files)]),
        "importer": ([], [*reads, *writes]),
    }
