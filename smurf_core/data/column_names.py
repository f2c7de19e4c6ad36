"""Usual names of columns, used by readers and to guess the columns' roles."""

from __future__ import annotations

import re
from functools import lru_cache

# Names as `plain_name` writes them; the first that a table has is taken.
ID_NAMES = (
    "sampleid", "id", "sample", "uttid", "utteranceid", "segmentid", "segment", "clipid", "clip",
    "instanceid", "instance", "trialid", "trial", "filename", "file", "itemid", "item", "videoid",
    "video", "key", "name", "index", "ids", "keys", "sampleids", "filenames",
    "utterance", "turn",
)  # fmt: skip
# Words for a person, also with a word for a number: `SpkrID`, `actor_no`, `VP-Nr`.
PERSON_NAMES = (
    "person", "subject", "speaker", "participant", "actor", "pid", "user", "subj", "sbj", "sub",
    "spkr", "spk", "ppt", "ppn", "pp", "patient", "child", "infant", "student", "player",
    "talker", "volunteer", "respondent", "interviewee", "individual", "client", "driver",
    # German, French, Spanish, Portuguese, Italian, Dutch
    "proband", "probandin", "vp", "vpn", "versuchsperson", "teilnehmer", "teilnehmerin",
    "sprecher", "sprecherin", "schauspieler", "sujet", "locuteur", "locutrice", "participante",
    "sujeto", "hablante", "persona", "sujeito", "falante", "soggetto", "partecipante",
    "parlante", "proefpersoon", "deelnemer", "spreker",
    # Chinese, Japanese, Russian
    "被试", "受试者", "说话人", "話者", "参加者", "испытуемый", "участник", "диктор",
)  # fmt: skip
# Words for several persons or for a condition: their cells decide.
GROUP_NAMES = (
    "group", "groups", "dyad", "couple", "pair", "family", "team", "session", "gruppe", "groupe",
    "grupo",
)  # fmt: skip
# Words for what several samples may be parts of.
RECORDING_NAMES = (
    "video", "dialogue", "dialog", "conversation", "interview", "recording", "movie", "film",
    "episode", "call", "meeting", "clip", "audio", "file", "filename", "id", "sample", "name",
    "instance", "document", "song",
)  # fmt: skip
# Words for the place of a sample in a recording or an experiment.
POSITION_NAMES = (
    "trial", "segment", "turn", "utterance", "utt", "window", "chunk", "block", "item", "index",
    "position", "order", "sentence", "line", "row",
    # German, French, Spanish, Italian, Chinese
    "durchgang", "durchlauf", "szene", "satz", "abschnitt", "äußerung", "reihenfolge", "essai",
    "bloc", "scène", "énoncé", "ensayo", "bloque", "prova", "blocco", "试次", "片段", "句子",
)  # fmt: skip
# Words for what a sample was recorded under.
CONDITION_NAMES = (
    "condition", "cond", "bedingung", "task", "stimulus", "stim", "run", "condición", "condizione",
    "条件",
)  # fmt: skip
RATER_NAMES = (
    "rater", "annotator", "coder", "judge", "labeler", "labeller", "evaluator", "assessor",
    "worker", "observer", "beurteiler", "annotateur", "anotador",
)  # fmt: skip
_THINGS = frozenset({
    *PERSON_NAMES, *GROUP_NAMES, *RECORDING_NAMES, *POSITION_NAMES, *RATER_NAMES, *CONDITION_NAMES,
})  # fmt: skip
# Words for a number or a code behind the word for the thing that it numbers.
NUMBER_WORDS = (
    "id", "ids", "no", "nr", "num", "number", "nummer", "code", "idx", "index", "uid", "uuid",
)  # fmt: skip
FOLD_NAMES = ("testfold", "fold", "cvfold", "folds", "foldid", "foldno", "foldnr", "foldnumber",
              "cv", "kfold")  # fmt: skip
SPLIT_NAMES = (
    "split", "partition", "set", "subset", "splitset", "datasplit", "dataset", "splits", "usage",
    "phase", "traintest", "trainvaltest", "mode",
)  # fmt: skip
TARGET_NAMES = (
    "target", "label", "labels", "y", "quadrant", "emotion", "affect", "class", "sentiment",
    "valence", "arousal", "dominance", "rating", "score", "stress", "pain", "mood", "intended",
    "activation", "engagement", "polarity", "emoclass", "emoval", "emoact", "emodom",
    "groundtruth", "valenz", "émotion", "emoción", "emocion", "emozione", "情感", "情绪",
    "erregung", "stimmung", "schmerz", "klasse", "éveil", "douleur", "valencia", "activación",
    "dolor", "valenza", "效价", "唤醒度", "愉悦度", "标签",
)  # fmt: skip
TRANSCRIPT_NAMES = ("transcript", "transcription", "text", "rawtext", "utterance", "sentence")
START_NAMES = ("start", "starttime", "begin", "onset", "metabegin", "startsec", "starts")
END_NAMES = ("end", "endtime", "offset", "metaend", "endsec", "ends")
# Numbers that describe a sample but are not features.
DESCRIPTION_NAMES = (
    *START_NAMES, *END_NAMES, "duration", "time", "timestamp", "frame", "frametime", "faceid",
    "confidence", "success",
)  # fmt: skip
# Usual names of the columns of each role.
ROLE_NAMES: dict[str, tuple[str, ...]] = {
    "id": ID_NAMES,
    "target": TARGET_NAMES,
    "person": (*PERSON_NAMES, *GROUP_NAMES),
    "fold": FOLD_NAMES,
    "split": SPLIT_NAMES,
    "transcript": TRANSCRIPT_NAMES,
    "start": START_NAMES,
    "end": END_NAMES,
}


@lru_cache(maxsize=200_000)
def plain_name(column: str) -> str:
    """A column's name in the form used in the lists above: lower case, without separators."""
    return re.sub(r"[_\-. ]", "", column).lower()


@lru_cache(maxsize=200_000)
def name_words(column: str) -> tuple[str, ...]:
    """The words of a column's name, in lower case: `SpkrID` and `spkr_id` are `spkr`, `id`."""
    # `SpkrID` changes from small to capital letters, `PIDNumber` before a word's second letter.
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", column)
    return tuple(word.lower() for word in re.findall(r"[^\W\d_]+|\d+", apart))


@lru_cache(maxsize=200_000)
def named_thing(column: str) -> str:
    """A column's plain name without the words for a number: `actor` of `actor_no`, `ActorID`."""
    words = list(name_words(column))
    while len(words) > 1 and (words[-1] in NUMBER_WORDS or words[-1].isdigit()):
        words.pop()
    thing = "".join(words)
    # `speakerid` has no separator.
    ending = next((w for w in ("id", "nr", "no") if thing.endswith(w)), "")
    stem = thing.removesuffix(ending)
    return stem if stem in _THINGS and thing not in _THINGS else thing


def has_number_word(column: str) -> bool:
    """True if a column's name ends with a word for a number or code: `emotion_id`, `actor_no`."""
    words = name_words(column)
    return bool(words) and words[-1] in NUMBER_WORDS
