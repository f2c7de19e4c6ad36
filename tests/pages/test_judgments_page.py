"""Human judgments: the table of agreement."""


def test_every_judged_modality_is_in_the_table_with_stars(open_page, judged):
    page = open_page("judgments")
    table = next(d.value for d in page.dataframe if "Unique to" in d.value)
    assert table["Unique to"].tolist() == ["C", "A+B"]
    assert table["n"].tolist() == [80, 50]
    assert table["r"].str.match(r"−?\d\.\d{3}\*{0,3}$").all()
    assert table["Raters"].tolist() == [3, 0]
    assert table["Ceiling of r"].str.match(r"–|[01]\.\d{3}$").all()
    assert table["r, calibrated"].str.match(r"–|−?\d\.\d{3}\*{0,3}$").all()
    page.segmented_control(key="judgments_ratings").set_value("Calibrated").run()
    assert not page.exception
    page.segmented_control(key="judgments_ratings").set_value("As published").run()
    page.selectbox(key="judgments_colour").set_value("scene").run()
    assert not page.exception
    page.selectbox(key="judgments_colour").set_value("size of error").run()
    assert not page.exception
