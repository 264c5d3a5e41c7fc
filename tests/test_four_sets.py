from tools import four_sets


def test_page_equals_the_one_made_from_the_summary() -> None:
    assert four_sets.PAGE.read_text("utf-8") == four_sets.page()
