"""What a sample of a team's files says of their events: a contract and a source, for a person to correct."""
