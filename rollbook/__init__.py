"""Rollbook, the open roster hub for schools."""
