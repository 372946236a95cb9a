"""The protocols of the public sets, one file each: which points, which normalizer, who is counted, and who said so.

Every file has two functions of the annotations of a set and of predictions for them, in the same order: ``errors``
gives the error of every face, ``tables`` what is printed. Faces that were not found have NaN predictions; they are in
no mean, and every table says how many they are. Points that a method does not have are counted for no face, and the
table names them.
"""
