"""Extracts tables of features from recordings; needs the packages of the extra `extract`."""
