"""Statistics -> figures. Drawing computes nothing: every number shown comes from `statistics`.

What a page needs to know of figures is here and in `content/`, and imports no matplotlib.
`drawing/` does, in a process of its own.
"""
