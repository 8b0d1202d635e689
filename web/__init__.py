"""The HTTP edge: requests in, bytes out; knows no department and no row."""
