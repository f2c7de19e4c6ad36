"""Numbers in tables look like all other numbers, and still sort as numbers."""

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest


def script(rows: int) -> None:
    import numpy as np
    import pandas as pd
    import streamlit as st

    from app.widgets.number_table import show_table

    number = st.column_config.NumberColumn
    table = pd.DataFrame(
        {
            "id": [f"s-{i}" for i in range(rows)],
            "change": np.resize([-0.25, 0.5, np.nan], rows),
            "share": np.resize([-0.125, 0.5, 0.0], rows),
            "low": np.resize([-1.14e-10, 45600.0, 2.0], rows),
            "n": range(rows),
        },
        index=np.zeros(rows, dtype=int),  # as a table has that was put together
    )
    show_table(
        table, key="table",
        column_config={
            "change": number("Change", format="%+.3f"), "share": number(format="percent"),
            "low": number(format="%.3g"), "n": number(format="%.3f"), "absent": number(format="%d"),
        },
    )  # fmt: skip


def shown(page: AppTest) -> pd.DataFrame:
    """The text that comes with each cell."""
    import pyarrow as pa

    styler = page.dataframe[0].proto.arrow_data.styler
    return pa.ipc.open_stream(styler.display_values).read_pandas()


@pytest.fixture
def page():
    def open_(rows: int) -> AppTest:
        page = AppTest.from_function(script, kwargs={"rows": rows}, default_timeout=60).run()
        assert not page.exception
        return page

    return open_


def test_numbers_have_true_minus_signs_and_stay_numbers(page):
    found = page(3)
    texts = shown(found)
    assert texts["change"].tolist() == ["−0.250", "+0.500", "–"]
    assert texts["share"].tolist() == ["−12.5%", "50%", "0%"]
    assert texts["low"].tolist() == ["−1.14e−10", "4.56e+04", "2"]
    assert texts["id"].tolist() == ["s-0", "s-1", "s-2"]
    assert found.dataframe[0].value["change"].tolist()[:2] == [-0.25, 0.5]


def test_a_long_table_keeps_streamlits_format(page):
    assert not page(5_000).dataframe[0].proto.arrow_data.styler.display_values
