"""`python -m smurf_core` is the command `smurf`."""

from smurf_core.cli import main

if __name__ == "__main__":
    main()
