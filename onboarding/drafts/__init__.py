"""First mapping files, from what a system says of itself; every guess is marked."""
