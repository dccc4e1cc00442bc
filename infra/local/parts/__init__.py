"""What the parts of the local server share: context, activity, ticker."""
