"""What the CC BY 4.0 licence of the O*NET database asks to be said where its information is given on."""

from __future__ import annotations


def attribution(release: str) -> dict[str, str]:
    """The attribution of one release («29.3») with the notice of modification, by language (``en``, ``fr``).

    Wording: onetcenter.org/license_db.html; the notice is due because values are aggregated.
    """
    return {
        "en": (
            f"This product includes information from the O*NET® {release} Database by the U.S. Department of Labor, "
            "Employment and Training Administration (USDOL/ETA). Used under the CC BY 4.0 license. O*NET® is a "
            "trademark of USDOL/ETA. WiQ has modified all or some of this information. USDOL/ETA has not approved, "
            "endorsed, or tested these modifications."
        ),
        "fr": (
            f"Ce produit comprend de l’information tirée de la base de données O*NET® {release} du U.S. Department of "
            "Labor, Employment and Training Administration (USDOL/ETA), utilisée sous la licence CC BY 4.0. O*NET® "
            "est une marque de commerce de USDOL/ETA. WiQ a modifié cette information en tout ou en partie. "
            "USDOL/ETA n’a ni approuvé, ni appuyé, ni mis à l’essai ces modifications."
        ),
    }
