"""How the shipped recogniser came to be: network, weights, training, export.

The only place that imports torch, and only its modules that need it do so; the alphabet, the schedule and the recipes
are plain Python. Install with the ``train`` extra. Of ``transformers`` only model modules are imported: the package
looks for a module named ``datasets`` and would take ours for the third-party one.
"""
