"""Cases that stay where they are: what is asked of them is put in their database's own language, and sums come back.

In order:
    letters: which letters every database folds alike
    tongues: the few things that each language says in its own way, and our questions in it
    columns: their typed columns → canonical ones
    asked: one connection for what lies here and what lies there
    opening: looking the cases through before anything rests on them
"""
