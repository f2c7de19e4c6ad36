"""Verify: the demonstration of basins runs beside the page."""

import json


def test_the_demonstration_runs_beside_the_page_and_stops(open_page, home):
    page = open_page("verify")
    assert page.button(key="stop_basins").disabled
    page.number_input(key="basin_starts").set_value(40).run()
    page.button(key="start_basins").click().run()
    assert not page.exception
    live = page.session_state["live_basins"]
    assert live.state == "running"
    assert not page.button(key="stop_basins").disabled
    page.button(key="stop_basins").click().run()
    assert live.state == "stopped"
    assert "stopped" in json.dumps([str(element.proto) for element in page.get("progress")])
    assert not page.button(key="start_basins").disabled
