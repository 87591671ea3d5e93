"""Manual records: people and enrollments that are kept by hand, by a connection of their own, and walk the road of every delivery."""
