"""`smurf share` and `smurf audit` in the terminal."""

from smurf_core.people.members import own_role
from smurf_core.people.person import Person
from smurf_core.runs.own_studies import ensure_synthetic_study
from smurf_core.runs.studies import rename_study


def test_a_study_is_given_to_a_person_whose_actions_are_printed(smurf, workspace):
    study = ensure_synthetic_study(workspace)
    assert "anna@example.org" in smurf("share", study, "Anna@example.org", "--role", "owner").out
    anna = workspace.acting_as(Person("anna@example.org"))
    assert own_role(anna, study) == "owner"
    rename_study(anna, study, "mine")
    said = smurf("audit", study).out
    assert said.index("share as owner") < said.index("rename_study")
    assert "(this machine)" in said
    assert "anna@example.org" not in smurf("share", study, "anna@example.org", "--remove").out
    for wrong, sentence in (
        (("share", "nothing", "anna@example.org"), "There is no study 'nothing'"),
        (("share", study, "anna@example.org", "--role", "admin"), "There is no role 'admin'"),
        (("share", study, "two words"), "is not the name of a person"),
        (("share", study, "carl@x", "--remove"), "carl@x has no role in this study"),
    ):
        ended = smurf(*wrong)
        assert ended.code == 2
        assert sentence in ended.error
