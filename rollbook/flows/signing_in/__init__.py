"""Members coming in by an organization's identity providers: set up, tried out, entered by, looked into, and decided about."""
