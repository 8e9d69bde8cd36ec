"""Reads what a user gives into arrays, or refuses it with an error that says how to mend it."""
