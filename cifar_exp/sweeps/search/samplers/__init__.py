"""Samplers: which values a search proposes next. Each is one file and an entry in the registry."""
