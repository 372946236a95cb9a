"""Evaluation protocols of public datasets, one file each: points, normalizer, counted faces, and their sources.

Every file has two functions. Both take the annotations of a set and predictions of the same faces in the same order:
``errors`` returns the error of every face, ``tables`` the printed tables. A face that was not found has NaN
predictions; it is in no mean, and every table states how many there are. A point that a method does not have is counted
for no face, and the table names it.

The modules of datasets that were never run on the real dataset state this in their docstring and print
`rdrface.evaluation.protocols.notes.UNVERIFIED` below their tables.
"""
