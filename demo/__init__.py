"""A synthetic province: its people, and stand-in department systems that are real servers."""
