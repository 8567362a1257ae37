import pytest

from alerts.rules import PARAMETERS, RuleKind, read_failure_rate_rule, read_rule
from alerts.rules.threshold import FailureRateRule


@pytest.mark.parametrize(
    ("sessions", "failures", "found"),
    [
        pytest.param(1, 1, False, id="one failed session of one is no alarm"),
        pytest.param(19, 19, False, id="below the floor of sessions"),
        pytest.param(20, 4, False, id="below the floor of failed sessions"),
        pytest.param(20, 5, True, id="a quarter of twenty"),
        pytest.param(1000, 50, False, id="the threshold itself is not over it"),
        pytest.param(1000, 51, True, id="just over the threshold"),
        pytest.param(0, 0, False, id="a day without sessions"),
    ],
)
def test_the_threshold_respects_volume(sessions, failures, found):
    assert FailureRateRule().finds(sessions, failures) is found


def test_parameters_that_are_left_out_have_defaults():
    assert read_failure_rate_rule({"threshold": 0.2}) == FailureRateRule(threshold=0.2)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"treshold": 0.1}, "treshold"),
        ({"threshold": 5}, "share between 0 and 1"),
        ({"threshold": "0.1"}, "takes a number"),
        ({"clean_days": 0}, "takes 1 or more"),
        ({"minimum_sessions": True}, "takes a number"),
    ],
)
def test_a_wrong_parameter_is_named(parameters, named):
    with pytest.raises(ValueError, match=named):
        read_failure_rate_rule(parameters)


@pytest.mark.parametrize("kind", list(RuleKind))
def test_each_kind_reads_what_its_form_shows(kind):
    shown = {parameter.name: parameter.default for parameter in PARAMETERS[kind]}

    assert read_rule(kind, shown) == read_rule(kind, {})
