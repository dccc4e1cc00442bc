-- source:      alb
-- title:       Access logs of an Application Load Balancer
-- owner:       shop-analytics
-- stream:      web
-- event:       page_viewed
-- format:      csv
-- delimiter:   space
-- columns:     type, time, elb, client, target, request_processing_time, target_processing_time,
--              response_processing_time, elb_status_code, target_status_code, received_bytes, sent_bytes,
--              request, user_agent, ssl_cipher, ssl_protocol, target_group_arn, trace_id, domain_name,
--              chosen_cert_arn, matched_rule_priority, request_creation_time, actions_executed, redirect_url,
--              error_reason, target_list, target_status_list, classification, classification_reason,
--              conn_trace_id
-- extra_cells: ignore
-- short_rows:  fill
-- nulls:       -
-- event_time:  time
-- key:         elb, client, request_creation_time, request
SELECT nullif(regexp_extract(request, '^\S+ [a-z]+://[^/ ]+(/.*) HTTP/[\d.]+$', 1), '') AS url,
       trim(regexp_replace(client, ':\d+$', ''), '[]') AS client_address,
       elb_status_code AS status,
       user_agent,
       sent_bytes AS bytes_sent,
       CAST(request_processing_time AS DOUBLE) AS _request,
       CAST(target_processing_time AS DOUBLE) AS _target,
       CAST(response_processing_time AS DOUBLE) AS _response,
       -- -1 stands where a part did not take place.
       CASE WHEN _request >= 0 AND _target >= 0 AND _response >= 0
            THEN round((_request + _target + _response) * 1000) END AS duration_ms
FROM file
