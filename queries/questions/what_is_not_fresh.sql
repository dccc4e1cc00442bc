-- title: What is not fresh
-- says:  Report partitions that wait, run or were set aside, and why.
SELECT report, report_partition, condition, published_at, data_as_of, last_error
FROM report_freshness
WHERE condition <> 'fresh'
ORDER BY report, report_partition
