"""The sentences of a letter in each language.

The law of this file: sentences alone, with named places for what a letter puts in; no language has
a sentence that another has not.
"""

from collections.abc import Mapping
from typing import Final

from services.notifier.core.wording import Language

_VI: Final = {
    "subject_test": "[Nhịp Số] Thông báo thử, không cần xử lý",
    "subject_operators": "[Nhịp Số] {parts}",
    "n_sources": "{n} nguồn dữ liệu ngừng gửi",
    "n_receivers": "{n} nơi nhận không nhận được thông báo",
    "subject": "[Nhịp Số] {unit} có {parts}",
    "subject_again": "[Nhịp Số] Nhắc lại: {unit} có {parts}",
    "n_lagging": "{n} chỉ tiêu chậm tiến độ",
    "subject_escalated": "[Nhịp Số] Chưa được xác nhận: {unit} có {parts}",
    "subject_above": "[Nhịp Số] Chưa được xác nhận: {n} đơn vị thuộc {within}",
    "subject_units": "[Nhịp Số] {n} đơn vị tại {within}: {parts}",
    "subject_units_again": "[Nhịp Số] Nhắc lại: {n} đơn vị tại {within}: {parts}",
    "subject_broken": "[Nhịp Số] Quá hẹn ngày {day}: {unit} có {parts}",
    "n_lagging_or_falling": "{n} chỉ tiêu chậm tiến độ hoặc đang giảm",
    "n_reports": "{n} báo cáo cần gửi",
    "dear": "Kính gửi: {addressee}",
    "sources": (
        "Hệ thống Nhịp Số không còn nhận được dữ liệu từ {n} nguồn sau đây. Cho đến khi nguồn gửi "
        "lại, các chỉ tiêu lấy số liệu từ nguồn này không được đánh giá và đơn vị không bị nhắc."
    ),
    "noticed": "Phát hiện lúc {clock}.",
    "heard": "Nhận dữ liệu lần cuối lúc {clock}, cách đây {ago}.",
    "silent_after": "Quá {limit} không có dữ liệu thì nguồn được coi là ngừng gửi.",
    "check_sources": (
        "Đề nghị dùng lệnh `nhipso sources list` xem bên nào đã ngừng gửi, lệnh `nhipso rejections "
        "list` xem dữ liệu có bị từ chối không, rồi kiểm tra kết nối và liên hệ với cơ quan quản lý "
        "nguồn dữ liệu."
    ),
    "receivers": (
        "Hệ thống Nhịp Số không gửi được thông báo đến {n} nơi nhận sau đây. Thông báo chờ gửi được "
        "giữ lại trong thời gian quy định rồi mới hủy."
    ),
    "receiver_receiver-disabled": (
        "Nơi nhận trả lời rằng không nhận thông báo nữa, nên đã bị ngừng gửi. Phát hiện lúc {clock}."
    ),
    "receiver_receiver-failing": (
        "Đã nhiều giờ không có thông báo nào gửi đến được. Phát hiện lúc {clock}."
    ),
    "more_receivers": "Và {n} nơi nhận khác.",
    "check_receivers": (
        "Đề nghị xem nguyên nhân bằng lệnh `nhipso receivers list`, khắc phục, rồi kiểm tra lại "
        "bằng lệnh `nhipso receivers test`."
    ),
    "test": (
        "Đây là thông báo thử do người vận hành hệ thống Nhịp Số gửi để kiểm tra nơi nhận. Thông "
        "báo này không có số liệu và không yêu cầu xử lý."
    ),
    "test_works": "Nếu đọc được thông báo này, nơi nhận đã hoạt động.",
    "test_addressee": "Nơi nhận thông báo của hệ thống Nhịp Số",
    "reports": "{unit} có {n} báo cáo cần gửi:",
    "reports_again": "Nhịp Số xin nhắc lại: {unit} có {n} báo cáo cần gửi:",
    "report": "Hạn gửi: ngày {day}. Đã nhận {got} trên {wanted} chỉ tiêu.",
    "send_reports": (
        "Đề nghị {addressee} gửi đủ số liệu. Khi nhận đủ, hệ thống sẽ không nhắc nữa."
    ),
    "lagging": "Tính đến {clock}, {within} có {n} chỉ tiêu thấp hơn tiến độ.",
    "lagging_again": (
        "Nhịp Số xin nhắc lại: tính đến {clock}, {within} vẫn còn {n} chỉ tiêu thấp hơn tiến độ."
    ),
    "lagging_or_falling": (
        "Tính đến {clock}, {within} có {n} chỉ tiêu thấp hơn tiến độ hoặc đang giảm."
    ),
    "lagging_or_falling_again": (
        "Nhịp Số xin nhắc lại: tính đến {clock}, {within} vẫn còn {n} chỉ tiêu thấp hơn tiến độ "
        "hoặc đang giảm."
    ),
    "escalated": (
        "Thư này được gửi lên cấp trên vì đã quá thời hạn mà {within} chưa xác nhận đã tiếp nhận "
        "các nội dung dưới đây."
    ),
    "above": (
        "Tính đến {clock}, {n} đơn vị thuộc {within} đã quá thời hạn mà chưa xác nhận đã tiếp nhận "
        "thư của Nhịp Số về các nội dung dưới đây. Thư này là thư chung về tất cả các đơn vị đó."
    ),
    "units": (
        "Tính đến {clock}, {n} đơn vị tại {within} có nội dung cần xử lý: {parts}. Thư này là thư "
        "chung về tất cả các đơn vị đó."
    ),
    "units_again": (
        "Nhịp Số xin nhắc lại: tính đến {clock}, {n} đơn vị tại {within} vẫn còn nội dung cần xử "
        "lý: {parts}. Thư này là thư chung về tất cả các đơn vị đó."
    ),
    "units_new": "So với thư trước (ngày {day}), có thêm {n} đơn vị.",
    "units_recovered": "Từ thư trước (ngày {day}) đến nay, đã theo kịp tiến độ: {names}.",
    "more_units": "Và {n} đơn vị khác.",
    "more_units_named": "và {n} đơn vị khác",
    "more_promises": "và {n} nội dung khác",
    "moved_up": " (từ thư trước tăng {points})",
    "moved_down": " (từ thư trước giảm {points})",
    "above_broken": "Quá hẹn ngày {day}.",
    "above_units": "Danh sách đơn vị, nơi có chỉ tiêu chậm nhất xếp trước:",
    "above_unit": "{unit}: {parts}.",
    "above_worst": "Chậm nhất: {worst}.",
    "please_above": (
        "Đề nghị {addressee} đôn đốc các đơn vị trên xác nhận và có giải pháp để kịp tiến độ."
    ),
    "please_units": ("Đề nghị {addressee} theo dõi, phối hợp với các đơn vị trên để kịp tiến độ."),
    "promises_broken": (
        "Đã quá ngày hẹn hoàn thành mà đến nay chưa kịp tiến độ: {promises}. Nếu cần thêm thời gian, "
        "đề nghị cho biết giải pháp và hẹn lại ngày hoàn thành."
    ),
    "promise": "{name} (hẹn ngày {day})",
    "broken_on": "Đã quá ngày hẹn {day} mà chưa kịp tiến độ.",
    "contact": "Cần trao đổi thêm, xin liên hệ: {contact}.",
    "missed": "Đã qua ngày {day} mà chưa đạt mục tiêu đặt ra cho ngày đó.",
    "reason_target-missed": "Đã qua thời hạn của mục tiêu mà chưa đạt.",
    "reason_falling": "Chưa thấp hơn tiến độ nhưng đang giảm.",
    "reason_recovering": "Đang dần theo kịp tiến độ.",
    "reason_promise-broken": "Đã qua ngày cam kết mà chưa kịp tiến độ.",
    "other_line_national": "Theo mục tiêu quốc gia là {target}, đến nay cần đạt {pace}.",
    "other_line_own": "Theo mục tiêu riêng của đơn vị là {target}, đến nay cần đạt {pace}.",
    "other_line_provincial": "Theo mục tiêu của tỉnh là {target}, đến nay cần đạt {pace}.",
    "order": "Các chỉ tiêu được xếp theo mức độ chậm, chậm nhất trước.",
    "recovered": "Từ thư trước đến nay, đơn vị đã theo kịp tiến độ ở chỉ tiêu: {names}.",
    "critical": "Nghiêm trọng",
    "warning": "Cần chú ý",
    "info": "Theo dõi",
    "new": "mới",
    "value": "Hiện đạt",
    "value_text": "Hiện đạt {value}{counts}; theo tiến độ, đến nay cần đạt {pace}.",
    "counts": " ({numerator} trên {denominator} {noun})",
    "pace": "Tiến độ đến nay",
    "target_provincial": "Mục tiêu",
    "target_own": "Mục tiêu riêng của đơn vị",
    "target_national": "Mục tiêu quốc gia",
    "target_by": "đến ngày {day}",
    "target_provincial_text": "Mục tiêu: {target} đến ngày {day}.",
    "target_own_text": "Mục tiêu riêng của đơn vị: {target} đến ngày {day}.",
    "target_national_text": "Mục tiêu quốc gia: {target} đến ngày {day}.",
    "gap": "Còn thiếu",
    "gap_text": "Để kịp tiến độ, còn thiếu {gap} {noun}.",
    "gap_few": "Để kịp tiến độ, còn thiếu dưới {few} {noun}.",
    "below": "dưới {share}",
    "few_reached": (
        "Hiện đạt dưới {share} (dưới {few} trên {denominator} {noun}); theo tiến độ, đến nay cần "
        "đạt {pace}."
    ),
    "few_missing": (
        "Hiện còn dưới {few} trên {denominator} {noun} chưa đạt; theo tiến độ, đến nay cần đạt "
        "{pace}."
    ),
    "few_missing_short": "còn dưới {few} trên {denominator} {noun} chưa đạt",
    "few_counted_short": "không nêu số liệu vì số đối tượng quá ít",
    "few_counted": "Số đối tượng quá ít nên thư này không nêu số liệu.",
    "since_up": "Từ thư trước (ngày {day}): tăng {points}{gap}.",
    "since_down": "Từ thư trước (ngày {day}): giảm {points}{gap}.",
    "since_same": "Từ thư trước (ngày {day}): không thay đổi{gap}.",
    "since_gap": ", số còn thiếu trước là {before}, nay là {now} {noun}",
    "trend_up": "{days} ngày qua: tăng từ {first} lên {last}, bình quân {month} mỗi 30 ngày.",
    "trend_down": "{days} ngày qua: giảm từ {first} xuống {last}, bình quân {month} mỗi 30 ngày.",
    "trend_same": "{days} ngày qua: giữ nguyên ở mức {last}.",
    "chart": "Biểu đồ {days} ngày qua, từ ngày {from} đến ngày {to}: từ {first} đến {last}{pace}.",
    "chart_pace": "; tiến độ cần đạt là {pace}",
    "legend": "Nét liền: số liệu của đơn vị. Nét đứt: tiến độ cần đạt.",
    "on_time": "Nếu giữ tốc độ này, dự kiến đạt mục tiêu vào ngày {day}, kịp thời hạn.",
    "late": "Nếu giữ tốc độ này, đến ngày {day} mới đạt mục tiêu, chậm so với thời hạn.",
    "never": "Với tốc độ này, chưa thể dự kiến ngày đạt mục tiêu.",
    "too_short": "Chưa đủ 7 ngày số liệu để tính xu hướng và dự kiến ngày đạt mục tiêu.",
    "per_month": ("Để đạt mục tiêu đúng thời hạn, mỗi tháng cần thêm khoảng {number} {noun}."),
    "criteria": "Tiêu chí thành phần thấp nhất:",
    "criterion": "{name}: {value}",
    "areas": "Nơi còn thiếu nhiều nhất:",
    "area": "{name}: thiếu {gap} {noun}, hiện đạt {value}",
    "missing": "Hiện còn {missing} trên {denominator} {noun} chưa đạt chỉ tiêu này.",
    "similar": (
        "{count} đơn vị cùng cấp có quy mô gần nhất: mức giữa (trung vị) là {median}; cao nhất là "
        "{best} với {best_value}."
    ),
    "others": "Các chỉ tiêu khác:",
    "other": "{name}: {value}, tiến độ {pace}{gap}",
    "other_gap": ", còn thiếu {gap} {noun}",
    "please": "Đề nghị {addressee} xem xét và có giải pháp để kịp tiến độ.",
    "please_escalated": "Đề nghị {addressee} đôn đốc {within} có giải pháp để kịp tiến độ.",
    "answer": (
        "Vui lòng bấm “Xác nhận đã tiếp nhận” để ghi giải pháp và ngày dự kiến hoàn thành; không cần "
        "tài khoản."
    ),
    "answer_within": (
        "Nếu sau {days} ngày chưa có xác nhận, nội dung này sẽ được báo lên cấp trên."
    ),
    "page": "Xem số liệu của đơn vị",
    "acknowledge": "Xác nhận đã tiếp nhận",
    "regards": "Trân trọng.",
    "automatic": "Thư này được gửi tự động.",
    "one_letter": "Mỗi lần, đơn vị chỉ nhận một thư chung cho tất cả các chỉ tiêu.",
    "sums": (
        "Thư chỉ có số liệu tổng hợp, không có thông tin cá nhân; số dưới {few} người không được "
        "nêu."
    ),
}

_EN: Final = {
    "subject_test": "[Nhịp Số] Test message, nothing to do",
    "subject_operators": "[Nhịp Số] {parts}",
    "n_sources": "data sources that stopped sending: {n}",
    "n_receivers": "receivers that take no messages: {n}",
    "subject": "[Nhịp Số] {unit}: {parts}",
    "subject_again": "[Nhịp Số] Reminder: {unit}: {parts}",
    "n_lagging": "indicators behind pace: {n}",
    "subject_escalated": "[Nhịp Số] Not acknowledged: {unit}: {parts}",
    "subject_above": "[Nhịp Số] Not acknowledged: units of {within}: {n}",
    "subject_units": "[Nhịp Số] {within}, {n} units: {parts}",
    "subject_units_again": "[Nhịp Số] Reminder: {within}, {n} units: {parts}",
    "subject_broken": "[Nhịp Số] Past the promised day, {day}: {unit}: {parts}",
    "n_lagging_or_falling": "indicators behind pace or falling: {n}",
    "n_reports": "reports awaited: {n}",
    "dear": "To: {addressee}",
    "sources": (
        "Nhịp Số no longer receives data from the sources below ({n}). Until a source sends again, "
        "the indicators that it feeds are not judged and units are not reminded of them."
    ),
    "noticed": "Noticed at {clock}.",
    "heard": "It was heard last at {clock}, {ago} ago.",
    "silent_after": "After {limit} without data a source counts as silent.",
    "check_sources": (
        "Please see with `nhipso sources list` which sender has stopped and with "
        "`nhipso rejections list` whether its data are rejected, check the connection, and ask the "
        "agency that runs the source."
    ),
    "receivers": (
        "Nhịp Số cannot deliver to the receivers below ({n}). What waits for them is kept for a "
        "while and then given up."
    ),
    "receiver_receiver-disabled": (
        "It answered that it wants no more, so nothing is sent to it. Noticed at {clock}."
    ),
    "receiver_receiver-failing": (
        "For hours it has taken nothing that was sent to it. Noticed at {clock}."
    ),
    "more_receivers": "And other receivers: {n}.",
    "check_receivers": (
        "Please see why with `nhipso receivers list`, mend it, and try it with "
        "`nhipso receivers test`."
    ),
    "test": (
        "This is a test message, sent by an operator of Nhịp Số to try this receiver. It holds no "
        "figures and asks for nothing."
    ),
    "test_works": "If you can read it, the receiver works.",
    "test_addressee": "A receiver of messages of Nhịp Số",
    "reports": "Reports that {unit} has yet to send: {n}.",
    "reports_again": "A reminder from Nhịp Số: reports that {unit} has yet to send: {n}.",
    "report": "Due on {day}. Received: {got} of {wanted} indicators.",
    "send_reports": (
        "{addressee} is asked to send all figures. Once they are here there are no more reminders."
    ),
    "lagging": "Indicators of {within} that were below their pace at {clock}: {n}.",
    "lagging_again": (
        "A reminder from Nhịp Số: indicators of {within} still below their pace at {clock}: {n}."
    ),
    "lagging_or_falling": (
        "Indicators of {within} that were below their pace or falling at {clock}: {n}."
    ),
    "lagging_or_falling_again": (
        "A reminder from Nhịp Số: indicators of {within} still below their pace or falling at "
        "{clock}: {n}."
    ),
    "units": (
        "By {clock}, units in {within} with something to attend to: {n} ({parts}). This is one "
        "message about all of them."
    ),
    "units_again": (
        "A reminder from Nhịp Số: by {clock}, units in {within} that still have something to attend "
        "to: {n} ({parts}). This is one message about all of them."
    ),
    "units_new": "Units that have come since the last message ({day}): {n}.",
    "units_recovered": "Since the last message ({day}) these have caught up: {names}.",
    "more_units": "And {n} more units.",
    "more_units_named": "and {n} more",
    "more_promises": "and {n} more",
    "moved_up": " (since the last message up {points})",
    "moved_down": " (since the last message down {points})",
    "above_broken": "Promised for {day}, not done yet.",
    "please_units": "{addressee} is asked to follow this and to help these units to catch up.",
    "promises_broken": (
        "The promised day has passed and these have not caught up yet: {promises}. If more time is "
        "needed, please say what is being done and promise another day."
    ),
    "promise": "{name} (promised for {day})",
    "broken_on": "The promised day, {day}, has passed and it still lags.",
    "contact": "For questions please contact: {contact}.",
    "escalated": (
        "This message goes to the level above because {within} has not acknowledged in time what "
        "stands below."
    ),
    "above": (
        "By {clock}, units of {within} that have not acknowledged in time what Nhịp Số wrote to "
        "them: {n}. This is one message about all of them."
    ),
    "above_units": "The units, the furthest behind first:",
    "above_unit": "{unit}: {parts}.",
    "above_worst": "Furthest behind: {worst}.",
    "please_above": "{addressee} is asked to urge these units to acknowledge and to catch up.",
    "missed": "{day} has passed, and the target set for that day is not met.",
    "reason_target-missed": "The day of the target has passed and it is not met.",
    "reason_falling": "Not below its pace, but falling.",
    "reason_recovering": "Catching up.",
    "reason_promise-broken": "The promised day has passed and it still lags.",
    "other_line_national": "The national target is {target}; it asks for {pace} by now.",
    "other_line_own": "The unit's own target is {target}; it asks for {pace} by now.",
    "other_line_provincial": "The province's target is {target}; it asks for {pace} by now.",
    "order": "They stand in the order of how far behind they are, the furthest first.",
    "recovered": "Since the last message the unit has caught up in: {names}.",
    "critical": "Critical",
    "warning": "Needs attention",
    "info": "To watch",
    "new": "new",
    "value": "Now at",
    "value_text": "Now at {value}{counts}; the pace asks for {pace} by now.",
    "counts": " ({numerator} of {denominator} {noun})",
    "pace": "Pace by now",
    "target_provincial": "Target",
    "target_own": "The unit's own target",
    "target_national": "National target",
    "target_by": "by {day}",
    "target_provincial_text": "Target: {target} by {day}.",
    "target_own_text": "The unit's own target: {target} by {day}.",
    "target_national_text": "National target: {target} by {day}.",
    "gap": "Missing",
    "gap_text": "Missing to be on pace: {gap} {noun}.",
    "gap_few": "Missing to be on pace: fewer than {few} {noun}.",
    "below": "below {share}",
    "few_reached": (
        "Now below {share} (fewer than {few} of {denominator} {noun}); the pace asks for {pace} by "
        "now."
    ),
    "few_missing": (
        "Fewer than {few} of {denominator} {noun} are missing; the pace asks for {pace} by now."
    ),
    "few_missing_short": "fewer than {few} of {denominator} {noun} are missing",
    "few_counted_short": "no figures, because too few are counted",
    "few_counted": "Too few are counted here for this message to give figures.",
    "since_up": "Since the last message ({day}): up {points}{gap}.",
    "since_down": "Since the last message ({day}): down {points}{gap}.",
    "since_same": "Since the last message ({day}): no change{gap}.",
    "since_gap": "; missing: {before} then, {now} {noun} now",
    "trend_up": "Last {days} days: up from {first} to {last}, on average {month} per 30 days.",
    "trend_down": "Last {days} days: down from {first} to {last}, on average {month} per 30 days.",
    "trend_same": "Last {days} days: unchanged at {last}.",
    "chart": "Chart of the last {days} days, {from} to {to}: from {first} to {last}{pace}.",
    "chart_pace": "; the pace asks for {pace}",
    "legend": "Solid line: the unit. Dashed line: the pace.",
    "on_time": "At this speed the target is met on {day}, in time.",
    "late": "At this speed the target is not met before {day}, too late.",
    "never": "At this speed no day can be told on which the target is met.",
    "too_short": "There are fewer than 7 days of figures: too few for a trend and a projected day.",
    "per_month": "To meet the target in time, about {number} more {noun} are needed each month.",
    "criteria": "Lowest criteria:",
    "criterion": "{name}: {value}",
    "areas": "Where most are missing:",
    "area": "{name}: {gap} {noun} missing, now at {value}",
    "missing": "Of {denominator} {noun}, {missing} do not count towards this indicator yet.",
    "similar": (
        "The {count} units of the same level nearest in size: the median is {median}; the highest "
        "is {best} with {best_value}."
    ),
    "others": "Other indicators:",
    "other": "{name}: {value}, pace {pace}{gap}",
    "other_gap": ", {gap} {noun} missing",
    "please": "{addressee} is asked to look into this and take steps to catch up.",
    "please_escalated": "{addressee} is asked to urge {within} to take steps to catch up.",
    "answer": (
        "Please press 'Acknowledge' to say what is being done and by when; no account is needed."
    ),
    "answer_within": ("What is not acknowledged within {days} days is told to the level above."),
    "page": "See the unit's figures",
    "acknowledge": "Acknowledge",
    "regards": "With regards.",
    "automatic": "This message was sent automatically.",
    "one_letter": "The unit gets one message at a time for all its indicators.",
    "sums": (
        "It holds sums alone and nothing of a person; counts of fewer than {few} people are not "
        "given."
    ),
}

SENTENCES: Final[Mapping[Language, Mapping[str, str]]] = {"vi": _VI, "en": _EN}
