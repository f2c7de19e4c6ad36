"""The auxiliary losses and the task losses, one family per file.

`interface` defines what an auxiliary loss is, `rows` what it may read. Each row of
`smurf_core.model_kinds.MODEL_KINDS` names one object of this folder, or none.
"""
