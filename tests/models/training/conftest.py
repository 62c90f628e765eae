from __future__ import annotations

import importlib.util

# Tests of the network need the `train` extra. Without it they are not collected; where it is meant to be installed,
# naming the folder (`pytest tests/models/training/with_torch`) fails with "no tests ran" if it is not.
collect_ignore = [] if importlib.util.find_spec("torch") else ["with_torch"]
