"""The words between rooms: pure data, standard library only."""
