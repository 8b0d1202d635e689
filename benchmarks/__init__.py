"""How fast the server is, beside others that answer the same questions from the same database."""
