"""Who somebody is that signs in by another's identity provider: its claims in our words, and the ladder that finds the member."""
