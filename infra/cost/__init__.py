"""What a load costs and which limit it reaches first."""
