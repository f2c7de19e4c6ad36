"""From recordings to tables of features; needs the optional packages of the extra `extract`."""
