"""The command line: one file per verb; translates and decides nothing."""
