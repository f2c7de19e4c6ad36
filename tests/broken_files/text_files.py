"""Text files that are no tables: CSV, ARFF, YAML, and what OpenFace and openSMILE write."""

import zipfile

import numpy as np

from tests.broken_files.cases import case, good_table, of_bytes, of_csv


@case("study.csv", "is empty")
def _empty_file(folder):
    return of_bytes(folder, "study.csv", b"")


@case("study.csv", "only blanks")
def _blank_file(folder):
    return of_bytes(folder, "study.csv", b"  \n\n \n")


@case("study.csv", "no rows below")
def _header_alone(folder):
    return of_csv(folder, good_table().iloc[:0])


@case("study.csv", "only one column", "comma, semicolon or tab")
def _unknown_delimiter(folder):
    return of_csv(folder, good_table(), sep="^")


@case("study.csv", "starts with a row of numbers", "header line")
def _no_header(folder):
    table = good_table()[["audio_pitch", "audio_energy", "video_smile"]]
    return of_csv(folder, table, header=False)


@case("study.csv", "its format is none of")
def _binary(folder):
    return of_bytes(folder, "study.csv", bytes(range(256)) * 20)


@case("study.csv", "its format is none of")
def _image_called_csv(folder):
    return of_bytes(folder, "study.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0\1\2" * 99)


@case("study.csv", "its format is none of")
def _zip_called_csv(folder):
    with zipfile.ZipFile(folder / "study.csv", "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    return [folder / "study.csv"]


@case("study.csv", "only one column")
def _json_called_csv(folder):
    return of_bytes(folder, "study.csv", b'{"audio_pitch": 1}\n')


@case("study.csv", "only one column")
def _web_page_called_csv(folder):
    return of_bytes(folder, "study.csv", b"<!DOCTYPE html>\n<html><body>Log in</body></html>\n")


@case("study.csv", "row 7", "9 cells", "8 columns")
def _ragged_row(folder):
    lines = good_table().to_csv(index=False).splitlines()
    lines[7] += ",0.5"
    return of_bytes(folder, "study.csv", "\n".join(lines).encode())


@case("study.csv", "row 20", "quote")
def _quote_never_closed(folder):
    lines = good_table().to_csv(index=False).splitlines()
    lines[20] = '"' + lines[20]
    return of_bytes(folder, "study.csv", "\n".join(lines).encode())


@case("study.csv", "more than once", "audio_pitch")
def _repeated_column_name(folder):
    table = good_table()
    table.columns = ["sample_id", "person", "label", "audio_pitch", "audio_pitch", "a", "b", "c"]
    return of_csv(folder, table)


@case("study.csv", "60,000 columns", "at most")
def _huge_header(folder):
    names = ",".join(f"audio_{i}" for i in range(60_000))
    return of_bytes(folder, "study.csv", f"{names}\n{names}\n".encode())


@case("study.csv", "not text in a known encoding")
def _half_a_utf16_file(folder):
    return of_bytes(folder, "study.csv", good_table().to_csv(index=False).encode("utf-16")[:-1])


@case("Several files are called", "study.csv")
def _one_name_twice(folder):
    (folder / "other").mkdir()
    return of_csv(folder, good_table()) + of_csv(folder / "other", good_table())


@case("study.csv", "1,000,000 columns", "at most")
def _million_columns(folder):
    return of_bytes(folder, "study.csv", ",".join(f"a{i}" for i in range(1_000_000)).encode())


@case("study.csv", "its format is none of")
def _nul_bytes_in_text(folder):
    return of_bytes(folder, "study.csv", good_table().to_csv(index=False).encode() + b"\0" * 200)


@case("study.yaml.csv", "only one column")
def _yaml_of_exploding_aliases(folder):
    nested = [f"a{i}: &a{i} [{' '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    return of_bytes(folder, "study.yaml.csv", "\n".join(["a0: &a0 [lol]", *nested]).encode())


@case("study.arff", "columns", "at most")
def _arff_of_many_attributes(folder):
    names = "".join(f"@attribute a{i} numeric\n" for i in range(60_000))
    return of_bytes(folder, "study.arff", f"@relation x\n{names}@data\n1\n".encode())


@case("study.arff", "sparse ARFF")
def _sparse_arff(folder):
    head = "@relation x\n@attribute a numeric\n@attribute b numeric\n@data\n"
    return of_bytes(folder, "study.arff", (head + "{0 1, 1 2}\n").encode())


@case("study.arff", "do not fit its 2 attributes")
def _ragged_arff(folder):
    head = "@relation x\n@attribute a numeric\n@attribute b numeric\n@data\n"
    return of_bytes(folder, "study.arff", (head + "1,2\n1,2,3\n").encode())


@case("study.csv", "not a complete OpenFace file")
def _openface_with_a_word_among_numbers(folder):
    lines = "frame,timestamp,confidence,success,AU01_r\n1,0.0,0.9,1,high\n"
    return of_bytes(folder, "study.csv", lines.encode())


@case("study.csv", "no action units, gaze or pose")
def _openface_without_features(folder):
    return of_bytes(folder, "study.csv", b"frame,timestamp,confidence,success\n1,0.0,0.9,1\n")


@case("study.csv", "'soon' is not a time")
def _opensmile_with_a_word_for_a_time(folder):
    rows = "file,start,end,pitch\na.wav,0 days,0 days 00:00:00.02,1\na.wav,soon,soon,2\n"
    return of_bytes(folder, "study.csv", rows.encode())


@case("study_ids.txt contains 3 ids", "24 rows")
def _list_of_ids_that_is_too_short(folder):
    np.save(folder / "study.npy", np.zeros((24, 2)))
    (folder / "study_ids.txt").write_text("a\nb\nc\n")
    return [folder / "study.npy", folder / "study_ids.txt"]
