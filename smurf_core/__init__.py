"""SMURF: statistical modality uniqueness and redundancy factorization (ICMI 2024).

The library behind SMURF Studio. It imports no user interface; `smurf_core.data`,
`smurf_core.results`, `smurf_core.runs` and `smurf_core.evaluation` do not import torch either,
so that a web process stays light.
"""

__version__ = "0.1.0"
