"""From files to a graph: reads, checks and puts together what a server serves."""
