"""What the page behind a letter's link says, in each language."""

from typing import Final

from services.notifier.core.wording import Language

WORDS: Final[dict[Language, dict[str, str]]] = {
    "vi": {
        "title": "Xác nhận đã tiếp nhận",
        "intro": "{unit}: các nội dung đã được thông báo và đến nay vẫn còn",
        "note": "Giải pháp thực hiện",
        "promised_on": "Cam kết hoàn thành trước hết ngày (không bắt buộc)",
        "promise": (
            "Đến hết ngày cam kết, hệ thống không nhắc lại. Nếu sau ngày đó vẫn còn chậm, hệ "
            "thống sẽ thông báo lại."
        ),
        "send": "Xác nhận",
        "intro_units": "Các đơn vị đã được thông báo và đến nay vẫn còn nội dung cần xử lý",
        "since": "từ ngày {day}",
        "n_alerts": "{n} nội dung",
        "answered": "đã xác nhận ngày {day}",
        "promised": "cam kết hoàn thành trước hết ngày {day}",
        "done": "Đã ghi nhận. Xin cảm ơn.",
        "none": "Không còn nội dung nào cần xác nhận.",
        "expired": "Liên kết này đã hết hạn. Vui lòng dùng liên kết trong thư mới nhất.",
        "invalid": "Liên kết này không hợp lệ. Vui lòng mở lại liên kết trong thư.",
        "no_choice": "Vui lòng chọn ít nhất một nội dung.",
        "no_note": "Vui lòng ghi giải pháp thực hiện (không quá 2.000 ký tự).",
        "contact": "Cần trao đổi thêm, xin liên hệ: {contact}.",
        "bad_day": "Ngày cam kết phải từ hôm nay trở đi và không quá một năm.",
    },
    "en": {
        "title": "Acknowledge",
        "intro": "{unit}: what you were told of and what still lags",
        "note": "What is being done",
        "promised_on": "Done by the end of (optional)",
        "promise": (
            "Until the end of that day there are no reminders. If it still lags afterwards, you "
            "are told again."
        ),
        "send": "Acknowledge",
        "intro_units": "Units that you were told of and that still have something to attend to",
        "since": "since {day}",
        "n_alerts": "{n} in all",
        "answered": "acknowledged on {day}",
        "promised": "to be done by the end of {day}",
        "done": "This has been noted. Thank you.",
        "none": "There is nothing left to acknowledge.",
        "expired": "This link has expired. Please use the one in the latest message.",
        "invalid": "This link is not valid. Please open the link in the message again.",
        "no_choice": "Please choose at least one.",
        "no_note": "Please write what is being done (2,000 characters at most).",
        "contact": "For questions please contact: {contact}.",
        "bad_day": "The day must be from today on and within a year.",
    },
}
