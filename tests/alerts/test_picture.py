"""The words of an incident."""

from alerts.services.picture import where


def test_a_place_is_the_domain_or_how_many_with_separated_thousands():
    assert where({"a.example": None}) == "a.example"
    assert where({"xn--bcher-kva.example": None}) == "bücher.example"
    assert where({f"d{n}.example": None for n in range(1203)}) == "1,203 domains"
