"""Pages that only other pages link to, and which definitions entry links to which of them.

File names and dates are those of the English pages.  The French file names were not recorded: they
follow the patterns of the French site.  The titles are shortened.
"""

from __future__ import annotations

from typing import Final

_NOTICES_EN = "/en/treasury-board-secretariat/services/information-notice"
_NOTICES_FR = "/fr/secretariat-conseil-tresor/services/avis-information"
_JOBS_EN = "/en/treasury-board-secretariat/services/collective-agreements/job-evaluation"
_JOBS_FR = "/fr/secretariat-conseil-tresor/services/conventions-collectives/evaluation-emplois"

NOTICES: Final[dict[str, tuple[str, str, str, str, str | None]]] = {
    "ct-bulletin": (
        "comptrollership-occupational-group-implementation-bulletin",
        "bulletin-mise-oeuvre-groupe-professionnel-fonction-controleur",
        "Comptrollership (CT) implementation bulletin",
        "Bulletin de mise en œuvre du groupe Fonction de contrôleur (CT)",
        "2023-08-16",
    ),
    "supervision": (
        "designated-levels-evaluation-supervision-factor-some-classification-standards",
        "niveaux-designes-evaluation-facteur-surveillance-certaines-normes-classification",
        "Interpretation of designated levels, supervision factor",
        "Interprétation des niveaux désignés du facteur Surveillance",
        "2023-12-22",
    ),
    "ec-allocation": (
        "interpretation-related-allocation-work-economics-social-science-services-occupational-group",
        "interpretation-attribution-travail-groupe-economique-services-sciences-sociales",
        "Interpretation on allocating work to the EC group",
        "Interprétation sur l’attribution du travail au groupe EC",
        "2016-03-16",
    ),
    "revised-standards": (
        "revised-job-evaluation-standards",
        "normes-evaluation-emplois-revisees",
        "Revised Job Evaluation Standards",
        "Normes d’évaluation des emplois révisées",
        "2017-10-03",
    ),
    "fs-allocation": (
        "interpretation-related-allocation-positions-foreign-service-occupational-group",
        "interpretation-attribution-postes-groupe-service-exterieur",
        "Interpretation on allocating positions to the FS group",
        "Interprétation sur l’attribution de postes au groupe FS",
        "2016-03-24",
    ),
    "pe-allocation": (
        (
            "interpretation-human-resources-management-group-allocation-specific-personnel-administration"
            "-classification-standard"
        ),
        "interpretation-attribution-groupe-gestion-ressources-humaines-norme-gestion-personnel",
        "Interpretation for the Personnel Administration (PE) standard",
        "Interprétation visant la norme Gestion du personnel (PE)",
        "2014-01-15",
    ),
    "it-conversion": (
        "cs-it-conversion-close-out-information-reminders",
        "conversion-cs-it-renseignements-rappels-cloture",
        "CS to IT conversion: reminders",
        "Conversion de CS à IT : rappels",
        "2022-02-03",
    ),
    "lc-lp-revised": (
        "revised-law-management-law-practitioner-job-evaluation-standards",
        "normes-revisees-evaluation-emplois-gestion-droit-praticien-droit",
        "Revised LC and LP standards",
        "Normes LC et LP révisées",
        "2017-03-09",
    ),
    "lc-lp-creation": (
        "creation-lc-lp",
        "creation-lc-lp",
        "Creation of LC and LP positions",
        "Création de postes LC et LP",
        "2022-01-17",
    ),
    "lp-conversion": (
        "implementation-new-law-practitioner-classification-standard-conversion",
        "mise-oeuvre-nouvelle-norme-classification-praticien-droit-conversion",
        "Law Practitioner (LP) conversion",
        "Conversion au groupe Praticien du droit (LP)",
        "2013-12-16",
    ),
    "cr-contacts": (
        "interpretation-contacts-factor-benchmarks-clerical-regulatory-classification-standard",
        "interpretation-facteur-contacts-postes-reperes-norme-classification-commis-ecritures-reglements",
        "Interpretation of the Contacts factor (CR)",
        "Interprétation du facteur Contacts (CR)",
        "2015-09-30",
    ),
    "bulletin-1991": (
        "information-bulletin-november-5-1991",
        "bulletin-information-5-novembre-1991",
        "Information Bulletin – November 5, 1991",
        "Bulletin d’information – 5 novembre 1991",
        None,
    ),
}
"""Information notices: English and French file names, titles, and date."""

GUIDELINES: Final[dict[str, tuple[str, str, str, str]]] = {
    "FB": (
        f"{_JOBS_EN}/border-services-group-application-guidelines.html",
        f"{_JOBS_FR}/groupe-services-frontaliers-lignes-directrices-application.html",
        "Border Services (FB) - Application Guidelines",
        "Services frontaliers (FB) - Lignes directrices d’application",
    ),
    "FS": (
        f"{_JOBS_EN}/foreign-service-group-application-guidelines.html",
        f"{_JOBS_FR}/groupe-service-exterieur-lignes-directrices-application.html",
        "Foreign Service (FS) - Application Guidelines",
        "Service extérieur (FS) - Lignes directrices d’application",
    ),
}
"""Application guidelines: English and French paths and titles."""

OTHER_PAGES: Final[tuple[tuple[str, str, str, str, str], ...]] = (
    (
        "plan",
        f"{_JOBS_EN}/executive-group-position-evaluation-plan-2022.html",
        f"{_JOBS_FR}/plan-evaluation-postes-groupe-direction-2022.html",
        "Executive Group Position Evaluation Plan 2022",
        "Plan d’évaluation des postes du groupe de la direction 2022",
    ),
    (
        "guide",
        (
            "/en/treasury-board-secretariat/services/collective-agreements/occupational-groups"
            "/guide-allocating-positions-using-occupational-group-definitions.html"
        ),
        (
            "/fr/secretariat-conseil-tresor/services/conventions-collectives/groupes-professionnels"
            "/guide-attribution-postes-selon-definition-groupes-professionnels.html"
        ),
        "Guide to Allocating Positions Using the Occupational Group Definitions",
        "Guide d’attribution des postes selon les définitions des groupes professionnels",
    ),
    (
        "archived",
        f"{_JOBS_EN}/economics-social-science-services-group-application-guidelines.html",
        f"{_JOBS_FR}/groupe-economique-services-sciences-sociales-lignes-directrices-application.html",
        "ARCHIVED - Economics and Social Science Services (EC) - Application Guidelines",
        "ARCHIVÉE - Économique et services de sciences sociales (EC) - Lignes directrices d’application",
    ),
    (
        "agreement_index",
        "/en/treasury-board-secretariat/topics/pay/collective-agreements.html",
        "/fr/secretariat-conseil-tresor/sujets/remuneration/conventions-collectives.html",
        "Collective agreements for the public service",
        "Conventions collectives de la fonction publique",
    ),
    (
        "contact",
        "/en/treasury-board-secretariat/corporate/contact.html",
        "/fr/secretariat-conseil-tresor/organisation/contactez-nous.html",
        "Contact us",
        "Contactez-nous",
    ),
)
"""Single pages: kind, English and French paths and titles."""

RELATED: Final[dict[str, tuple[str, ...]]] = {
    "def-as": ("supervision",),
    "def-cr": ("cr-contacts",),
    "def-ct": ("ct-bulletin",),
    "def-ec": ("ec-allocation", "revised-standards"),
    "def-ed": ("supervision",),
    "def-en": ("supervision",),
    "def-fb": ("guidelines:FB",),
    "def-fs": ("fs-allocation", "guidelines:FS"),
    "def-gs": ("bulletin-1991",),
    "def-hs": ("bulletin-1991",),
    "def-it": ("it-conversion",),
    "def-lc": ("lc-lp-revised", "lc-lp-creation", "appendix:LC"),
    "def-lp": ("lp-conversion", "lc-lp-revised", "lc-lp-creation", "appendix:LP"),
    "def-nd": ("revised-standards",),
    "def-nu": ("revised-standards",),
    "def-pe": ("pe-allocation",),
    "def-ps": ("revised-standards",),
    "def-sw": ("revised-standards",),
    "def-wp": ("supervision", "revised-standards"),
}
"""Related information of each definitions entry, in order; ``appendix`` is #appA of a standard."""


def notice_paths(key: str) -> dict[str, str]:
    """Return both paths of an information notice."""
    english, french = NOTICES[key][:2]
    return {"en": f"{_NOTICES_EN}/{english}.html", "fr": f"{_NOTICES_FR}/{french}.html"}
