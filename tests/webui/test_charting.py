import re

from webui.charting import Cell, Chart


def test_words_in_the_table_behind_a_chart_are_set_as_words():
    chart = Chart(
        id="c",
        title="Sessions",
        figure={},
        columns=("Day", "Sessions", "Our changes"),
        words=frozenset({"Our changes"}),
        rows=[(Cell(text="1 Nov"), Cell(text="5"), Cell(text="Policy changed"))],
    )

    assert chart.headings == [("Day", False), ("Sessions", True), ("Our changes", False)]
    assert re.findall(r"<td([^>]*)>", chart.body) == ["", ' class="end"', ""]
