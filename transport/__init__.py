"""The one road to other systems over HTTP, so that it can be swapped."""
