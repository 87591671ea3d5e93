"""Roster sync: a roster read whole, compared with the directory of a product, becomes a plan of operations. Pure: no Django, no clock."""
