"""Raters and their answers: saved once, kept through kills, deleted when somebody withdraws."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smurf_core.errors import InputError
from smurf_core.ratings.answers import all_fields
from smurf_core.ratings.catalogue import (
    UNKNOWN_LINK,
    collection_info,
    collection_of,
    create_collection,
    delete_collection,
    list_collections,
    open_collection,
)
from smurf_core.ratings.design import ClipChoice
from smurf_core.ratings.store import Collection
from smurf_core.ratings.tables import (
    act_table,
    answer_table,
    progress_table,
    rater_table,
    stamp,
)
from smurf_core.runs.studies import delete_study, purge_studies
from tests.smurf_core.ratings.writer import value_of

KILLS = int(os.environ.get("SMURF_RATING_KILLS", "3"))


def answer(item) -> dict[str, float]:
    return {field.key: field.high for field in item.fields}


def rate(collection, token, count=999) -> None:
    state = collection.consent(token)
    for _ in range(count):
        if state.next is None:
            break
        item = collection.item(token, state.next)
        collection.save(token, item.position, item.clip, answer(item), seconds=2.0, plays=1)
        state = collection.state(token)


def test_a_rater_goes_through_the_list_and_comes_back(collection):
    token = collection.invite().token
    assert not collection.state(token).has_consented
    state = collection.consent(token)
    assert (state.answered, state.total, state.next, state.is_done) == (0, 8, 0, False)
    assert collection.consent(token) == state
    assert collection.item(token, 0).kind == "practice"
    rate(collection, token, 3)
    again = Collection(collection.folder)  # another process, another device
    assert again.state(token).next == 3
    rate(again, token)
    assert collection.state(token).is_done
    assert rater_table(collection)["status"].tolist() == ["finished"]


def test_saving_again_changes_nothing_unless_the_rater_changed_it(collection):
    token = collection.invite().token
    collection.consent(token)
    item = collection.item(token, 1)
    low = {field.key: field.low for field in item.fields}
    first = collection.save(token, 1, item.clip, answer(item), seconds=3.5, plays=2)
    assert collection.save(token, 1, item.clip, low) == first
    changed = collection.save(token, 1, item.clip, low, revision=2)
    assert changed.answer == low
    assert collection.save(token, 1, item.clip, answer(item), revision=1).answer == low
    assert collection.item(token, 1).answer == low
    table = answer_table(collection)
    assert len(table) == len(item.fields)
    assert changed.next == 0


def test_only_items_of_the_own_list_can_be_answered(collection):
    one, other = collection.invite().token, collection.invite().token
    with pytest.raises(InputError, match="There is no item 0"):
        collection.item(one, 0)
    collection.consent(one)
    item = collection.item(one, 2)
    for token, position, clip, sentence in (
        (one, 99, item.clip, "There is no item 99"),
        (one, -1, item.clip, "There is no item -1"),
        (one, 2, "another", "of another clip"),
        (other, 2, item.clip, "There is no item 2"),
        ("nobody", 2, item.clip, "This link is not valid"),
    ):
        with pytest.raises(InputError, match=sentence):
            collection.save(token, position, clip, answer(item))
    assert answer_table(collection).empty


def test_a_link_is_found_and_no_other_is(home, study, design, collection):
    token = collection.invite().token
    other = create_collection(home, study, design)
    assert collection_of(home, token).id == collection.id
    assert len(token.partition("-")[2]) >= 43  # 256 bits
    secret = token.partition("-")[2]
    for wrong in (
        "",
        "-",
        secret,
        f"{other.id}-{secret}",
        token[:-1],
        f"../{token}",
        f"*-{secret}",
    ):
        with pytest.raises(InputError) as error:
            collection_of(home, wrong)
        assert str(error.value) == UNKNOWN_LINK
    assert token.encode() not in b"".join(p.read_bytes() for p in collection.folder.iterdir())


def test_names_are_kept_apart_and_withdrawing_deletes_everything(collection):
    invitation = collection.invite(name="Ada Lovelace", contact="ada@example.org")
    kept = collection.invite(name="Grace Hopper")
    rate(collection, invitation.token)
    rate(collection, kept.token)
    assert collection.identities()["name"].tolist() == ["Ada Lovelace", "Grace Hopper"]
    answers = b"".join(p.read_bytes() for p in collection.folder.glob("ratings.sqlite*"))
    assert b"Ada" not in answers

    collection.exclude(invitation.rater, "Ada Lovelace said that she guessed")
    collection.withdraw(invitation.token)
    stored = b"".join(p.read_bytes() for p in collection.folder.iterdir())
    assert b"Ada" not in stored
    assert b"ada@" not in stored
    assert set(answer_table(collection)["rater"]) == {kept.rater}
    with pytest.raises(InputError, match="not valid"):
        collection.state(invitation.token)
    # What the rater had is given to the next one.
    rate(collection, collection.invite().token)
    status = rater_table(collection).set_index("rater")["status"]
    assert status.to_dict() == {1: "withdrew", 2: "finished", 3: "finished"}
    cells = answer_table(collection).query("kind == 'clip' and key == 'rating'")
    assert cells.groupby(["clip", "condition"]).size().max() == 1


def test_a_collection_is_balanced_although_raters_leave_and_are_excluded(collection, design):
    chance = np.random.default_rng(1)
    rounds = 0
    while (progress_table(collection)["rated"] < 1).any():
        rounds += 1
        assert rounds < 60
        invitation = collection.invite()
        what = chance.random()
        rate(collection, invitation.token, int(chance.integers(9)) if what < 0.3 else 999)
        if what < 0.15:
            collection.withdraw(invitation.token)
        elif what < 0.3:
            collection.leave(invitation.rater)
        elif what < 0.45:
            collection.exclude(invitation.rater, "failed the check")
    table = answer_table(collection).query("kind == 'clip' and key == 'rating' and not excluded")
    assert set(Counter(zip(table["clip"], table["condition"], strict=True)).values()) == {1}
    met = answer_table(collection).query("kind == 'clip' and key == 'rating'")
    assert not met.duplicated(["rater", "clip"]).any()
    assert (progress_table(collection)["open"] == 0).all()
    info = collection_info(collection)
    assert info.answers == info.items == 40


def test_exclusion_is_a_recorded_act_with_a_reason(collection):
    invitation = collection.invite()
    rate(collection, invitation.token)
    with pytest.raises(InputError, match="Say why"):
        collection.exclude(invitation.rater, " ")
    collection.exclude(invitation.rater, "clicked through")
    assert answer_table(collection)["excluded"].all()
    collection.include(invitation.rater, "spoke to them")
    assert not answer_table(collection)["excluded"].any()
    acts = act_table(collection)
    assert acts[["what", "why"]].to_numpy().tolist() == [
        ["excluded", "clicked through"], ["included", "spoke to them"],
    ]  # fmt: skip
    with pytest.raises(InputError, match="There is no rater 99"):
        collection.leave(99)


def test_a_design_is_a_new_version_once_a_rater_has_begun(collection, design):
    clips = collection.design_version().clips
    later = replace(design, title="Other words")
    token = collection.invite().token
    assert collection.revise(later, clips).number == 1
    collection.consent(token)
    assert collection.revise(later, clips).number == 1  # nothing changed
    assert collection.revise(design, clips[:4]).number == 2
    rate(collection, token)
    rate(collection, collection.invite().token)
    assert [v.design.title for v in collection.design_versions()] == [later.title, design.title]
    assert rater_table(collection)["version"].tolist() == [1, 2]
    assert set(answer_table(collection)["version"]) == {1, 2}


def test_a_closed_collection_takes_no_answers(collection):
    token, late = collection.invite().token, collection.invite().token
    collection.consent(token)
    item = collection.item(token, 0)
    collection.set_open(False)
    with pytest.raises(InputError, match="is closed"):
        collection.save(token, 0, item.clip, answer(item))
    with pytest.raises(InputError, match="is closed"):
        collection.consent(late)
    collection.set_open(True)
    assert collection.save(token, 0, item.clip, answer(item)).next == 1


def test_the_stamp_changes_with_every_act(collection):
    seen = [stamp(collection)]
    invitation = collection.invite()
    seen.append(stamp(collection))
    for count in (0, 1, 999):
        rate(collection, invitation.token, count)
        seen.append(stamp(collection))
    collection.exclude(invitation.rater, "why")
    seen.append(stamp(collection))
    assert len(set(seen)) == len(seen)
    assert stamp(collection) == seen[-1]


def test_collections_are_listed_and_deleted_with_their_study(home, study, design, collection):
    newer = create_collection(home, study, replace(design, clips=ClipChoice()), is_simulated=True)
    assert [c.id for c in list_collections(home, study)] == [newer.id, collection.id]
    assert [c.is_simulated for c in list_collections(home, study)] == [True, False]
    delete_collection(home, study, newer.id)
    with pytest.raises(InputError, match="There is no collection"):
        open_collection(home, study, newer.id)
    delete_study(home, study)
    purge_studies(home, older_than=-1)
    assert not collection.folder.exists()


def test_a_file_of_a_later_version_or_without_tables_is_an_error(collection):
    with sqlite3.connect(collection.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(InputError, match="written by a later version"):
        rater_table(collection)
    collection.path.write_bytes(b"not a database" * 100)
    with pytest.raises(InputError, match="cannot be read"):
        rater_table(collection)


def test_no_acknowledged_answer_is_lost_doubled_or_misplaced_by_kills(home, study, design, affect):
    many = replace(design, clips_per_rater=50, raters_per_cell=max(1, KILLS // 8))
    collection = create_collection(home, study, many, clips=affect.sample_ids[:-1].tolist())
    tokens = [collection.invite().token for _ in range(collection.design_version().plan.slots)]
    writer = Path(__file__).with_name("writer.py")
    chance, acknowledged = np.random.default_rng(3), []
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, str(writer), str(collection.folder)], text=True, cwd=root,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    with process:
        for kill in range(KILLS):
            # Two devices of one rater, and another rater.
            at = kill * len(tokens) // KILLS
            around = " ".join(tokens[at:] + tokens[:at])
            writers = [around, around, " ".join(tokens[at - 1 :] + tokens[: at - 1])]
            process.stdin.write("\n".join(writers) + "\n")
            process.stdin.flush()
            pids = []
            while len(pids) < len(writers):
                line = process.stdout.readline().split()
                pids += [int(line[1])] if line[0] == "pid" else []
                acknowledged += [line] if line[0] != "pid" else []
            acknowledged.append(process.stdout.readline().split())  # They are in the middle of it.
            time.sleep(chance.uniform(0, 0.25))
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        process.stdin.close()
        acknowledged += [line.split() for line in process.stdout]
    done = {(int(rater), int(position)) for rater, position in acknowledged}
    table = answer_table(collection)
    stored = {(row.rater, row.position) for row in table.itertuples()}
    assert len(done) >= 3 * KILLS
    assert done <= stored
    assert len(stored - done) <= 3 * KILLS  # saved, and killed before the acknowledgement
    assert not table.duplicated(["rater", "position", "key"]).any()
    fields = all_fields(many)
    for row in table.itertuples():
        field = fields[row.key]
        assert row.value == value_of(row.rater, row.position, row.clip, field)
