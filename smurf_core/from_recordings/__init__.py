"""From recordings and a table of utterances to a study, in a process beside the app."""
