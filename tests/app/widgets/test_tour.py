"""First steps: shown until a user has seen the way or dismisses them."""

from tests.studio import text


def test_first_steps_lead_on_from_training_and_are_dismissed_for_good(open_page, trained_home):
    assert "First steps, 2 of 6: Overview" in text(open_page("overview"))
    page = open_page("train")
    page.button(key="dismiss_tour").click().run()
    assert "First steps" not in text(page)
    assert "First steps" not in text(open_page("overview"))


def test_first_steps_say_to_train_first(open_page, home):
    for name in ("study", "overview", "train"):
        assert "First steps, 1 of 6: Train" in text(open_page(name))
