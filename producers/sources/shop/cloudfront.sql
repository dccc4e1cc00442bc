-- source:      cloudfront
-- title:       Standard logs of CloudFront
-- owner:       shop-analytics
-- stream:      web
-- event:       page_viewed
-- format:      csv
-- delimiter:   tab
-- quote:       none
-- comment:     #
-- columns:     date, time, x_edge_location, sc_bytes, c_ip, cs_method, cs_host, cs_uri_stem, sc_status,
--              cs_referer, cs_user_agent, cs_uri_query, cs_cookie, x_edge_result_type, x_edge_request_id,
--              x_host_header, cs_protocol, cs_bytes, time_taken, x_forwarded_for, ssl_protocol, ssl_cipher,
--              x_edge_response_result_type, cs_protocol_version, fle_status, fle_encrypted_fields, c_port,
--              time_to_first_byte, x_edge_detailed_result_type, sc_content_type, sc_content_len,
--              sc_range_start, sc_range_end
-- extra_cells: ignore
-- short_rows:  fill
-- nulls:       -
-- event_time:  date || 'T' || time || 'Z'
-- key:         x_edge_request_id
SELECT cs_uri_stem || CASE WHEN cs_uri_query IS NULL THEN '' ELSE '?' || cs_uri_query END AS url,
       -- The first forwarded address is the client's own.
       coalesce(trim(split_part(url_decode(x_forwarded_for), ',', 1)), c_ip) AS client_address,
       sc_status AS status,
       url_decode(cs_referer) AS referrer,
       url_decode(cs_user_agent) AS user_agent,
       sc_bytes AS bytes_sent,
       round(CAST(time_taken AS DOUBLE) * 1000) AS duration_ms
FROM file
-- 000: the viewer closed the connection before it was answered.
WHERE sc_status <> '000'
