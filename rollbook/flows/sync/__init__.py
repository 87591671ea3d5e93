"""Roster sync: an organization's directory kept in step with a source. One file tells one part of it."""
