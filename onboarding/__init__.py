"""Proves a mapping file against the live system, and drafts a first one."""
