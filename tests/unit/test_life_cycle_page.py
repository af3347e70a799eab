from support.life_cycle import FILE, page


def test_the_page_about_the_life_cycle_is_what_the_deciding_function_says() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "write it anew with: make life-cycle"
