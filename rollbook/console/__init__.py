"""The console: pages for operators; translates and decides nothing."""
