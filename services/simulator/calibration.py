"""The figures that the invented province is held to, each with the sentence that states it.

Shares are fractions of 1. A figure without a sentence is an assumption and says so in `note`; the
documents leave much open, and nothing here pretends otherwise. Sources: Decision 590/QĐ-UBND
(20/4/2023), the article of 20/7/2023, the provincial indicator set, the article on Decision
411/QĐ-TTg in Bình Thuận, Plan 231/KH-UBND (16/11/2023).
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

ARTICLE_2023: Final = 'Article "Yên Bái kiến tạo thế hệ công dân số", 20/7/2023'
BINH_THUAN: Final = "Article on Decision 411/QĐ-TTg, Bình Thuận"
PLAN_231: Final = "Plan 231/KH-UBND, 16/11/2023"


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure: a share (0 to 1), when it held, and the words that state it."""

    share: float
    as_of: date
    source: str
    sentence: str
    note: str = ""


_JULY_2023: Final = date(2023, 7, 20)
_END_2021: Final = date(2021, 12, 31)
_END_2022: Final = date(2022, 12, 31)
_END_2025: Final = date(2025, 12, 31)
# The article on Bình Thuận bears no date; it speaks of "cuối năm 2021" as the past.
_BINH_THUAN_DAY: Final = date(2023, 11, 1)

FIGURES: Final[dict[str, Figure]] = {
    "eid-approved-2023": Figure(
        298_649 / (176_648 / 0.3926),
        _JULY_2023,
        ARTICLE_2023,
        "toàn tỉnh đã đăng ký và được phê duyệt 298.649 trường hợp",
        "share of the people that 176,648 = 39.26 % implies",
    ),
    "eid-2023": Figure(
        0.3926,
        _JULY_2023,
        ARTICLE_2023,
        "kích hoạt được 176.648 tài khoản định danh điện tử (đạt 39,26%)",
    ),
    "eid": Figure(
        0.6967,
        _BINH_THUAN_DAY,
        BINH_THUAN,
        "Tỷ lệ dân số trưởng thành có tài khoản định danh điện tử đạt 69,67%",
    ),
    "app": Figure(
        0.34,
        _JULY_2023,
        ARTICLE_2023,
        "trên 34% dân số có tài khoản Yên Bái-S",
    ),
    "payment-platform": Figure(
        0.45,
        _END_2022,
        ARTICLE_2023,
        "Hết năm 2022, có 45% công dân được cài đặt và sử dụng nền tảng thanh toán trực tuyến",
    ),
    "portal-2022": Figure(
        53_000 / (176_648 / 0.3926),
        _END_2022,
        ARTICLE_2023,
        "53.000 tài khoản được tạo trên Cổng Dịch vụ công quốc gia",
        "share of the people that 176,648 = 39.26 % implies",
    ),
    "smartphone": Figure(
        0.773,
        _BINH_THUAN_DAY,
        BINH_THUAN,
        "tỷ lệ thuê bao điện thoại di động của người dân có sử dụng điện thoại thông minh đạt"
        " 77.3%",
    ),
    "fibre": Figure(
        0.92,
        _BINH_THUAN_DAY,
        BINH_THUAN,
        "tỷ lệ hộ gia đình có đường internet cáp quang băng rộng đạt 92%",
        "taken as coverage",
    ),
    "bank-2021": Figure(0.71, _END_2021, BINH_THUAN, "cuối năm 2021 là 71%"),
    "bank": Figure(
        0.92,
        _BINH_THUAN_DAY,
        BINH_THUAN,
        "Tỷ lệ người dân từ 15 tuổi trở lên có tài khoản thanh toán đang còn hoạt động (…) đạt"
        " khoảng 92%",
    ),
    "e-payment-2021": Figure(0.50, _END_2021, BINH_THUAN, "cuối năm 2021 là 50%"),
    "e-payment": Figure(
        0.67,
        _BINH_THUAN_DAY,
        BINH_THUAN,
        "có đăng ký sử dụng các dịch vụ thanh toán điện tử đạt khoảng 67%",
    ),
    "health-record": Figure(
        0.92,
        _BINH_THUAN_DAY,
        BINH_THUAN,
        "Tỷ lệ dân số có hồ sơ sức khỏe điện tử đã khởi tạo hồ sơ sức khỏe điện tử đạt 92% tổng"
        " dân số",
    ),
    "target-e-signature": Figure(
        0.50,
        _END_2025,
        PLAN_231,
        "Tỷ lệ dân số trưởng thành có chữ ký số hoặc chữ ký điện tử cá nhân đạt từ 50% trở lên",
    ),
    "target-digital-skills": Figure(
        0.70,
        _END_2025,
        PLAN_231,
        "Tỷ lệ người dân trong độ tuổi lao động được đào tạo kỹ năng số cơ bản đạt từ 70% trở lên",
    ),
    "target-online-public-services": Figure(
        0.50,
        _END_2025,
        PLAN_231,
        "Tỷ lệ dân số trưởng thành có sử dụng dịch vụ công trực tuyến đạt từ 50% trở lên",
    ),
    "target-telehealth": Figure(
        0.30,
        _END_2025,
        PLAN_231,
        "Tỷ lệ dân số trưởng thành dùng dịch vụ tư vấn sức khỏe trực tuyến, khám chữa bệnh từ xa"
        " đạt 30%",
    ),
    "target-colleges": Figure(
        0.80,
        _END_2025,
        PLAN_231,
        "Tỷ lệ các cơ sở đào tạo, cao đẳng, giáo dục nghề nghiệp hoàn thiện được mô hình quản trị"
        " số, (…) đạt 80% trở lên",
    ),
    "target-schools": Figure(
        0.70,
        _END_2025,
        PLAN_231,
        "Tỷ lệ các cơ sở giáo dục từ tiểu học đến THPT hoàn thiện được mô hình quản trị số, (…)"
        " đạt từ 70% trở lên",
    ),
}


@dataclass(frozen=True, slots=True)
class Band:
    """An age band in full years, both ends included, and its share of the population."""

    youngest: int
    oldest: int
    share: float


#: The age pyramid: an assumption (no source document gives one), shaped like the young population
#: of the northern uplands. Its edges include every age at which a catalogue population begins.
BANDS: Final = (
    Band(0, 5, 0.115),
    Band(6, 14, 0.165),
    Band(15, 17, 0.050),
    Band(18, 29, 0.175),
    Band(30, 44, 0.235),
    Band(45, 59, 0.155),
    Band(60, 74, 0.080),
    Band(75, 94, 0.025),
)

#: Further assumptions, none of which a source document states.
LEGACY_REGISTRATIONS: Final = 0.70  # share registered before the reform of 1 July 2025
PARTY_MEMBERS: Final = 0.07  # of people aged 18 and over
PEOPLE_IN_A_HOUSEHOLD: Final = 3.8
CITIZENS_TO_AN_ORGANISATION: Final = 60
CITIZENS_TO_A_DOSSIER: Final = 8
INSTITUTIONS_IN_A_COMMUNE: Final = 7
DOSSIER_LEVEL_3_OR_4: Final = 0.72
DOSSIER_AUTHENTICATED: Final = 0.81
DOSSIER_ANSWERED: Final = 0.60
DOSSIER_SATISFIED: Final = 0.91
