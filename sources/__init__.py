"""Departments' systems behind one contract. Knows no principal."""
