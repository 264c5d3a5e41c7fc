from tools import four_sets


def test_page_is_made_of_the_summary_beside_it() -> None:
    assert four_sets.PAGE.read_text("utf-8") == four_sets.page()
