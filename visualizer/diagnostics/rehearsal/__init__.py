"""A rehearsal: the live show in a process of its own, against faults that are planned, timed and counted.

`conductor` is the parent and tells how it went, `stage` the child that runs the show. All that provokes faults lies in this
package: the show itself has nothing in it for the sake of being rehearsed.
"""
