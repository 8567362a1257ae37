from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils.safestring import mark_safe
from django_tables2 import Column

from webui.markup import unbroken
from webui.tables import PortalTable


def test_names_of_standards_stay_on_one_line_and_the_rest_is_escaped():
    text = unbroken("<b> lacks TLS-RPT or MTA-STS & more")

    assert text == (
        '&lt;b&gt; lacks <span class="nowrap">TLS-RPT</span> or '
        '<span class="nowrap">MTA-STS</span> &amp; more'
    )


def test_heads_of_tables_keep_the_names_of_standards_whole():
    class Standards(PortalTable):
        tlsrpt = Column(verbose_name="No TLS-RPT", empty_values=())
        tick = Column(verbose_name=mark_safe("<input>"), orderable=False)

    page = render_to_string("webui/table.html", {"table": Standards([])}, RequestFactory().get("/"))

    assert 'No <span class="nowrap">TLS-RPT</span>' in page
    assert "<input>" in page
