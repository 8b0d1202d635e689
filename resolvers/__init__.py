"""How fields get their values: sets in, sets out."""
