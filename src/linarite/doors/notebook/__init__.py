"""The notebook door: what notebook keys open. Jupyter Server as a child process, which asks at every request.

`door`, `child` and `clerk` are this server's side; `__main__`, `host`, `identity` and `channel` run in the child and
import nothing of the engine; `desk` has what the two say to each other. The package itself imports neither side.
"""
