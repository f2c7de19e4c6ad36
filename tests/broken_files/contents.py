"""Tables with something wrong inside."""

import numpy as np

from tests.broken_files.cases import case, good_table, of_csv, with_cell


@case("study.csv", "column 'audio_energy'", "row 5", "'loud'", "number")
def _text_in_a_feature(folder):
    return of_csv(folder, with_cell("audio_energy", 4, "loud"))


@case("study.csv", "column 'video_brow'", "row 3", "'1,5'")
def _decimal_comma_in_quotes(folder):
    return of_csv(folder, with_cell("video_brow", 2, "1,5"))


@case("study.csv", "column 'sample_id'", "rows 2 and 9", "'s01'", "twice")
def _repeated_id(folder):
    table = good_table()
    table.loc[8, "sample_id"] = "s01"
    table = table.assign(**{"id": range(24)})[["sample_id", *table.columns[1:]]]
    features = good_table()[["sample_id", "audio_pitch", "audio_rate"]]
    labels = table[["sample_id", "person", "label", "video_smile", "video_brow"]]
    return of_csv(folder, features, "audio.csv") + of_csv(folder, labels)


@case("study.csv", "column 'sample_id'", "row 6", "missing")
def _missing_id(folder):
    return of_csv(folder, with_cell("sample_id", 5, None))


@case("audio.csv", "labels.csv", "no sample id in common", "'x00'", "'s00'")
def _ids_that_never_match(folder):
    table = good_table()
    audio = table[["sample_id", "audio_pitch", "audio_rate"]].assign(
        sample_id=[f"x{i:02d}" for i in range(24)]
    )
    labels = table.drop(columns=["audio_pitch", "audio_energy", "audio_rate"])
    return of_csv(folder, audio, "audio.csv") + of_csv(folder, labels, "labels.csv")


@case("audio.csv has 23 rows", "labels.csv has 24", "sample ids")
def _no_ids_and_unequal_lengths(folder):
    table = good_table().drop(columns="sample_id")
    audio = table[["audio_pitch", "audio_rate"]].iloc[:-1]
    labels = table.drop(columns=["audio_pitch", "audio_energy", "audio_rate"])
    return of_csv(folder, audio, "audio.csv") + of_csv(folder, labels, "labels.csv")


@case("No column names the samples in labels.csv, audio.csv", "--match position")
def _files_without_ids(folder):
    table = good_table().drop(columns="sample_id")
    audio = table[["audio_pitch", "audio_rate"]]
    labels = table.drop(columns=["audio_pitch", "audio_energy", "audio_rate"])
    return of_csv(folder, audio, "audio.csv") + of_csv(folder, labels, "labels.csv")


@case("video.csv", "no column 'sample_id'", "match samples")
def _id_column_in_one_file_alone(folder):
    table = good_table()
    audio = table[["sample_id", "audio_pitch", "audio_rate"]]
    labels = table[["sample_id", "person", "label"]]
    video = table[["video_smile", "video_brow"]]
    return (
        of_csv(folder, audio, "audio.csv")
        + of_csv(folder, labels, "labels.csv")
        + of_csv(folder, video, "video.csv")
    )


@case("study.csv", "no column has a usual name of a target")
def _no_target(folder):
    return of_csv(folder, good_table().drop(columns="label"))


@case("study.csv", "column 'label'", "every sample is of class 'calm'")
def _one_class(folder):
    return of_csv(folder, good_table().assign(label="calm"))


@case("study.csv", "column 'label'", "0.5 for every sample")
def _constant_target(folder):
    return of_csv(folder, good_table().assign(label=0.5))


@case("study.csv", "24 different values for 24 samples")
def _names_for_a_target(folder):
    return of_csv(folder, good_table().assign(label=[f"take {i}" for i in range(24)]))


@case("study.csv", "all 24 samples have no target")
def _target_without_values(folder):
    return of_csv(folder, good_table().assign(label=np.nan))


@case("study.csv", "column 'label'", "row 3", "'high'")
def _word_among_ratings(folder):
    table = good_table().assign(label=np.linspace(0, 1, 24).round(3).astype(object))
    table.loc[2, "label"] = "high"
    return of_csv(folder, table)


@case("study.csv", "6 samples have a target", "at least 10")
def _too_few_samples(folder):
    return of_csv(folder, good_table(6))


@case("study.csv", "at least 2 modalities", "audio")
def _one_modality(folder):
    return of_csv(folder, good_table().drop(columns=["video_smile", "video_brow"]))


@case("study.csv", "'video'", "no column that varies")
def _modality_that_never_varies(folder):
    return of_csv(folder, good_table().assign(video_smile=1.0, video_brow=np.nan))


@case("study.csv", "column 'person'", "row 4", "missing")
def _missing_person(folder):
    return of_csv(folder, with_cell("person", 3, None))


@case("study.csv", "column 'test_fold'", "2 different folds", "at least 3")
def _two_folds(folder):
    return of_csv(folder, good_table().assign(test_fold=np.arange(24) // 12))


@case("study.csv", "column 'test_fold'", "row 5", "missing")
def _missing_fold(folder):
    table = good_table().assign(test_fold=(np.arange(24) // 4 % 3).astype(object))
    table.loc[4, "test_fold"] = None
    return of_csv(folder, table)


@case("study.csv", "column 'split'", "row 1", "'one'", "train, validation and test")
def _unknown_split(folder):
    return of_csv(folder, good_table().assign(split=["one", "two", "three"] * 8))


@case("study.csv", "column 'split'", "no test samples")
def _split_without_a_test(folder):
    return of_csv(folder, good_table().assign(split=["train", "train", "dev"] * 8))


@case("study_train.csv", "study_test.csv", "different columns", "video_brow")
def _splits_with_different_columns(folder):
    table = good_table()
    return of_csv(folder, table.iloc[:16], "study_train.csv") + of_csv(
        folder, table.iloc[16:].drop(columns="video_brow"), "study_test.csv"
    )
