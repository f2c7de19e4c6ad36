"""How to cite the method."""

BIBTEX = r"""@inproceedings{woertwein2024smurf,
  author    = {W{\"o}rtwein, Torsten and Allen, Nicholas B. and Cohn, Jeffrey F. and
               Morency, Louis-Philippe},
  title     = {{SMURF}: Statistical Modality Uniqueness and Redundancy Factorization},
  booktitle = {International Conference on Multimodal Interaction (ICMI '24)},
  address   = {San Jose, Costa Rica},
  publisher = {ACM, New York, NY, USA},
  year      = {2024},
  doi       = {10.1145/3678957.3685716}
}
"""
