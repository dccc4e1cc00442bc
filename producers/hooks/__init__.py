"""Webhooks: deliveries that the gateway put into a queue, verified, counted once and put on their stream."""
