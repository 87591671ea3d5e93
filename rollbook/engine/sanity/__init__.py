"""Sanity: what an app sees, counted, and what in it is likely to trouble the app. Everything is asked of what the app itself is served."""
