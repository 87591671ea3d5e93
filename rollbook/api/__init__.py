"""The REST door: translates requests into reads through a grant, and decides nothing."""
