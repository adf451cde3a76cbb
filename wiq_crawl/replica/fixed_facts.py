"""Facts about the pages which the recorded data files do not hold.

They were read off the English pages (dates printed as plain text, notes beside links, related
links) or are rules for French values that were never recorded.
"""

from __future__ import annotations

from typing import Final

HOST: Final = "https://www.canada.ca"
"""Where the real pages live; canonical and alternate addresses always name it."""

LANGUAGES: Final = ("en", "fr")

_AGREEMENTS = "/collective-agreements"
_RATES_EN = "/services/pay/rates-pay/rates-pay-unrepresented-senior-excluded-employees"
_RATES_FR = (
    "/services/remuneration/taux-remuneration/taux-remuneration-employes-non-representes-exclus-niveaux-superieurs"
)

FRENCH_PATHS: Final[tuple[tuple[str, str], ...]] = (
    (
        "/en/treasury-board-secretariat/topics/pay/collective-agreements/archived/pr-2017-2018-eng.html",
        "/fr/secretariat-conseil-tresor/sujets/remuneration/conventions-collectives/archivees/pr-2017-2018-fra.html",
    ),
    (
        "/en/treasury-board-secretariat/topics/pay/collective-agreements",
        "/fr/secretariat-conseil-tresor/sujets/remuneration/conventions-collectives",
    ),
    (f"/en/treasury-board-secretariat{_RATES_EN}", f"/fr/secretariat-conseil-tresor{_RATES_FR}"),
    (
        f"/content/canadasite/en/treasury-board-secretariat{_RATES_EN}",
        f"/content/canadasite/fr/secretariat-conseil-tresor{_RATES_FR}",
    ),
    (
        (
            "/en/treasury-board-secretariat/services/collective-agreements/collective-bargaining"
            "/collective-bargaining-update.html"
        ),
        (
            "/fr/secretariat-conseil-tresor/services/conventions-collectives/negociations-collectives"
            "/mise-jour-negociations-collectives.html"
        ),
    ),
)
"""English and French beginnings of the pay addresses, whose French form was not recorded."""

FRENCH_CLASSIFICATIONS: Final[dict[str, str]] = {
    "Comptrollership": "Fonction de contrôleur",
    "Engineering and Land Survey – Engineering": "Génie et arpentage – Génie",
    "Engineering and Land Survey – Land Survey": "Génie et arpentage – Arpentage",
    "Printing Operations (Supervisory) (PR(S))": "Services d’imprimerie (Surveillance) (PR(S))",
    "Ship Repair (SR)": "Réparation des navires (SR)",
}
"""French text of the Group cells (49 rows) for which none was recorded."""

LINK_NOTES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("def-src", "agreement"): ("SR-MGT-01",),
    ("def-src", "rates_represented"): ("SR-MGT-01",),
    ("def-srw-mgt", "agreement"): ("SR-MGT-01",),
    ("def-srw-mgt", "rates_represented"): ("SR-MGT-01",),
    ("def-srw-mgt", "rates_unrepresented"): ("SR-MGT-02", "SR-MGT-03"),
}
"""Text printed under the link, by definition fragment and column."""

PLAIN_NOTICE_DATES: Final[dict[str, tuple[str, ...]]] = {
    "def-cp": ("2023-09-28",),
    "def-ct": ("2019-03-09",),
    "def-ec": ("1999-03-18",),
    "def-it": ("1999-03-18", "1999-03-27", "2021-12-09"),
    "def-pa": ("2007-02-21", "2023-09-28"),
}
"""Notices whose dates are plain text without a time element."""

WRONG_DATETIME: Final[dict[tuple[str, str], str]] = {("def-nr", "2006-05-16"): "2005-05-16"}
"""The date printed where the datetime attribute names another day."""

TWIN_SUBGROUPS: Final = (
    "bob",
    "eew",
    "ele",
    "eme",
    "inm",
    "mac",
    "mam",
    "man",
    "mdo",
    "moc",
    "ple",
    "prw",
    "smw",
    "sps",
)
"""Endings X for which def-sre-X and def-srw-X carry the same text."""

SUMMARY_EXCEPTIONS: Final[dict[str, tuple[str, str, str]]] = {
    "def-pr2": ("grp-pr", "", ""),
    "def-om": (
        "occ-om",
        "Organization and Methods (OM) (forms design)",
        "Organisation et méthodes (OM) (conception de formulaires)",
    ),
    "def-sp": (
        "grp-sp",
        "Applied Science and Patent Examination Group (SP)",
        "Groupe Sciences appliquées et examen des brevets (SP)",
    ),
}
"""Summaries whose id or text does not follow from the heading: id, English and French text."""

UNLINKED_ANCHORS: Final[dict[str, tuple[str, str]]] = {
    "def-ec-eco": (
        "Economics and Social Science Services – Economics, Sociology and Statistics Work Stream",
        "Économique et services de sciences sociales – Volet Économique, sociologie et statistique",
    ),
    "def-ec-soc": (
        "Economics and Social Science Services – Social Science Services Work Stream",
        "Économique et services de sciences sociales – Volet Services de sciences sociales",
    ),
}
"""Anchors which no row of the main table points to, with both headings."""

HEADING_OF_PARAGRAPH_ANCHOR: Final = "Ship Repair – Apprentice (SR-APP) Sub-group Definition"
"""Heading above p#def-srw-app, the one anchor that is not on its heading."""

STANDARD_ELEMENTS: Final[dict[str, int]] = {"EC": 9, "FB": 10, "FS": 8, "IT": 7, "LC": 6, "LP": 6}
"""Number of rated elements where it is known; other standards have four to six."""

STANDARD_DATES: Final[dict[str, str]] = {"CT": "2023-09-28", "IT": "2021-12-09"}
"""Effective dates named by a standard; all the others name 2023-10-06."""

STANDARD_OF_SLUG: Final[dict[str, str]] = {
    "comptrollership": "CT",
    "economics": "EC",
    "education": "ED",
    "border-services": "FB",
    "foreign-service": "FS",
    "information-technology": "IT",
    "law-management": "LC",
    "law-practitioner": "LP",
    "meteorology": "MT",
    "nutrition": "ND",
    "nursing": "NU",
    "police": "PO",
    "psychology": "PS",
    "social-work": "SW",
    "job-evaluation-standard-welfare": "WP",
}
"""Beginning of the file name of each standard and the code it is listed under."""

MODIFIED: Final[dict[str, str]] = {"main": "2026-01-09", "definitions": "2025-09-12"}
"""Last change of the two captured pages; the dates of the others are made up."""
