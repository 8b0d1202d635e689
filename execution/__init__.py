"""Runs fields over sets of parents; knows graphql-core and nothing of townships."""
