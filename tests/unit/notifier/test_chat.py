"""A letter as a chat shows it, within its bounds."""

from services.notifier.receivers.chat.message import ChatMessage

MESSAGE = ChatMessage("Tiêu đề", ("một hai ba", "bốn năm sáu", "bảy tám chín"))


def test_what_fits_is_whole() -> None:
    assert MESSAGE.within(len(MESSAGE.text)) == MESSAGE.text


def test_what_does_not_fit_is_left_out_by_whole_blocks() -> None:
    assert MESSAGE.within(len(MESSAGE.text) - 1) == "Tiêu đề\n\nmột hai ba\n\nbốn năm sáu\n\n…"


def test_of_a_list_that_does_not_fit_the_first_lines_stay() -> None:
    long = ChatMessage("Tiêu đề", ("một hai ba", "danh sách:\n1. bốn\n2. năm"))
    assert long.within(len(long.text) - 1) == "Tiêu đề\n\nmột hai ba\n\ndanh sách:\n1. bốn\n\n…"


def test_it_never_is_too_long() -> None:
    for longest in range(5, len(MESSAGE.text) + 5):
        assert len(MESSAGE.within(longest)) <= longest
