"""What the lake holds: its objects by hour, and the notifications that report them."""
