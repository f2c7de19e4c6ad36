"""Odd files that are read, with a problem that says what was done."""

import numpy as np
import pandas as pd

from tests.broken_files.cases import case, good_table, of_bytes, of_csv


@case("byte order mark", is_read=True)
def _byte_order_mark(folder):
    return of_csv(folder, good_table(), encoding="utf-8-sig")


@case("UTF-16", is_read=True)
def _utf16(folder):
    return of_csv(folder, good_table(), encoding="utf-16")


@case("not UTF-8", "Windows-1252", is_read=True)
def _windows_1252(folder):
    return of_csv(folder, good_table().replace("calm", "müde"), encoding="cp1252")


@case("separated by semicolon", "decimal commas", is_read=True)
def _semicolons_and_decimal_commas(folder):
    return of_csv(folder, good_table(), sep=";", decimal=",")


@case("separated by tab", is_read=True)
def _tabs_called_csv(folder):
    return of_csv(folder, good_table(), sep="\t")


@case("saved row index", is_read=True)
def _saved_row_index(folder):
    good_table().to_csv(folder / "study.csv")
    return [folder / "study.csv"]


@case("3 rows at the end are empty", is_read=True)
def _delimiters_at_the_end(folder):
    text = good_table().to_csv(index=False) + ",,,,,,,\n" * 3
    return of_bytes(folder, "study.csv", text.encode())


@case("is Parquet, despite its name", is_read=True)
def _parquet_called_csv(folder):
    good_table().to_parquet(folder / "study.csv")
    return [folder / "study.csv"]


@case("'audio'", "1 columns without any value", "audio_energy", "Left out", is_read=True)
def _column_without_values(folder):
    return of_csv(folder, good_table().assign(audio_energy=np.nan))


@case("'audio'", "1 columns with only one value", "audio_energy", "Left out", is_read=True)
def _constant_column(folder):
    return of_csv(folder, good_table().assign(audio_energy=0.0))


@case("2 missing values in 1 columns (audio_energy)", "median", is_read=True)
def _missing_values(folder):
    table = good_table()
    table.loc[[2, 5], "audio_energy"] = np.nan
    return of_csv(folder, table, na_rep="NA")


@case("2 infinite values (audio_energy)", "Taken as missing", is_read=True)
def _infinite_values(folder):
    table = good_table()
    table.loc[[2, 5], "audio_energy"] = [np.inf, 1e300]
    return of_csv(folder, table)


@case("codes for missing", "audio_energy: -999", is_read=True)
def _codes_for_missing(folder):
    table = good_table()
    table.loc[[2, 5], "audio_energy"] = -999
    return of_csv(folder, table)


@case("1 of 24 samples have no value at all", "'video'", "absent", is_read=True)
def _sample_without_a_modality(folder):
    table = good_table()
    table.loc[3, ["video_smile", "video_brow"]] = np.nan
    return of_csv(folder, table)


@case("1 columns of text (audio_note)", "not features", is_read=True)
def _text_beside_features(folder):
    return of_csv(folder, good_table().assign(audio_note=["loud"] * 24))


@case("2 of 24 samples have no target", "left out", is_read=True)
def _some_targets_missing(folder):
    table = good_table()
    table.loc[[1, 2], "label"] = None
    return of_csv(folder, table)


@case("1 of 24 samples have no target", "left out", is_read=True)
def _infinite_target(folder):
    table = good_table().assign(label=np.linspace(0, 1, 24))
    table.loc[1, "label"] = -np.inf
    return of_csv(folder, table)


@case("2 of 24 samples are not in this file (s22, s23)", "1 samples have no row", is_read=True)
def _some_ids_that_do_not_match(folder):
    table = good_table()
    audio = table[["sample_id", "audio_pitch", "audio_rate"]].iloc[:-2]
    stranger = pd.DataFrame({"sample_id": ["x"], "audio_pitch": [0.1], "audio_rate": [0.2]})
    labels = table.drop(columns=["audio_pitch", "audio_energy", "audio_rate"])
    return of_csv(folder, pd.concat([audio, stranger]), "audio.csv") + of_csv(
        folder, labels, "labels.csv"
    )


@case("classes with fewer than 5 samples (rare: 2)", is_read=True)
def _rare_class(folder):
    table = good_table()
    table.loc[[1, 2], "label"] = "rare"
    return of_csv(folder, table)


@case("person 'p0'", "fold '0' (row 1)", "fold '1' (row 2)", is_read=True)
def _person_in_two_folds(folder):
    return of_csv(folder, good_table().assign(test_fold=np.arange(24) % 3))


@case("no test sample is of class calm", is_read=True)
def _fold_without_a_class(folder):
    folds = np.where(
        good_table()["label"] == "calm", np.arange(24) // 4 % 3, np.arange(24) // 4 % 4
    )
    return of_csv(folder, good_table().assign(test_fold=folds).drop(columns="person"))


@case("no validation samples", "training samples became validation", is_read=True)
def _split_without_validation(folder):
    split = np.where(np.arange(24) < 16, "train", "test")
    return of_csv(folder, good_table().assign(split=split))
