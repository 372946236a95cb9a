"""Evaluation protocols of public datasets, one file each: points, normalizer, counted faces, and their sources.

Every file has two functions. Both take the annotations of a set and predictions of the same faces in the same order:
``errors`` returns the error of every face, ``tables`` the printed tables. A face that was not found has NaN
predictions; it is excluded from all means, and a note below every table gives the number of these faces. A point that a
method does not predict is not counted for any face, and a note lists it.

Protocols that were never run on the real dataset are marked as unverified in their docstring, and
`rdrface.evaluation.protocols.notes.UNVERIFIED` is printed below their tables.
"""
