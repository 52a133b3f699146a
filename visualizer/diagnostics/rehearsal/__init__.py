"""A rehearsal: runs the live show in a child process, provokes planned faults and measures how the show copes.

`runner` is the parent process and reports the result, `show_process` the child that runs the show. Everything that
provokes faults is in this package: the show itself contains no code for rehearsals.
"""
