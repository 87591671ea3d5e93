"""Districts made up for demonstrations, tests and measurements: Riverbend by hand, any number of others from a seed."""
