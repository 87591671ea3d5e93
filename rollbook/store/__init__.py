"""Storey 3a, the memory: the one Django app with models. One hand writes roster rows (`target`); one road leads out (`visibility`)."""
