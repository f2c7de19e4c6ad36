"""The losses: what is added to the task loss, and the task losses, one family per file.

`interface` says what an auxiliary loss is, `rows` what it may read. Every row of
`smurf_core.model_kinds.MODEL_KINDS` names one object of this folder, or none.
"""
