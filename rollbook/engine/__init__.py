"""The engine: desired, existing, changes, plan, apply; no Django, no network, no clock."""
