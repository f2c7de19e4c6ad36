import io

import pandas as pd
import pytest

from app.sections.report import _BUILT
from smurf_core.runs import studies


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_report_is_built_on_click_and_equals_what_is_shown(open_page, trained_home, task):
    study = next(s for s in studies.list_studies(trained_home) if s.task == task)
    page = open_page("report", study=study.id)
    assert not page.get("download_button")
    page.toggle(key="report_images").set_value(False).run()
    page.button(key=f"build_{page.selectbox(key='run').value}").click().run()
    assert not page.exception
    report = page.session_state[_BUILT]
    table = page.dataframe[0].value
    exported = pd.read_csv(io.BytesIO(report.files["tables/table_2_performance.csv"]))
    for model, rows in exported.groupby("title"):
        cells = [cell.split(" ")[0].replace("−", "-") for cell in table[model]]
        assert [float(cell) for cell in cells] == pytest.approx(rows["mean"].tolist(), abs=5.1e-4)
    assert report.page.startswith(b"<!doctype html>")
    titles = [button.label for button in page.get("download_button")]
    assert titles[:2] == ["Report (HTML)", "Everything (ZIP)"]
    page.toggle(key="report_images").set_value(True).run()  # Asked for something else.
    assert not page.get("download_button")
