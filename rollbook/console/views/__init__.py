"""The pages, one module a noun. Every view of a district begins with `access.in_district`."""
