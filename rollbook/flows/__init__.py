"""Storey 4, the verbs: one file tells one story, and every door calls the same."""
