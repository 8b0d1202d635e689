"""Who asks, what they may see, and the record of it; never where data lives."""
