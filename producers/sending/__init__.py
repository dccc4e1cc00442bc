"""The outbox: accepted events wait here, are batched, sent, retried and settled."""
