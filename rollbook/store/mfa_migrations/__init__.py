"""The migrations of allauth's table of second steps: as allauth makes it, but without a constraint into the file of the accounts."""
