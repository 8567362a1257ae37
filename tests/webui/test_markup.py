from webui.markup import unbroken


def test_names_of_standards_stay_on_one_line_and_the_rest_is_escaped():
    text = unbroken("<b> lacks TLS-RPT or MTA-STS & more")

    assert text == (
        '&lt;b&gt; lacks <span class="nowrap">TLS-RPT</span> or '
        '<span class="nowrap">MTA-STS</span> &amp; more'
    )
