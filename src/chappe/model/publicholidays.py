"""Public holidays of France and Switzerland, by region: the data of the library `holidays`.

A region is "FR" or "CH", or one of their parts by its code of ISO 3166-2: "FR-57" (Moselle), "FR-6AE"
(Alsace), "FR-974" (La Réunion), "CH-GE". The country alone has those that are kept in all of it. Half
holidays of Swiss cantons, and those that only single communes keep, are not among them (the library's
category `public`).
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType

REGIONS: Mapping[str, str] = MappingProxyType(
    {
        "FR": "France",
        "FR-6AE": "Alsace",
        "FR-57": "Moselle",
        "FR-971": "Guadeloupe",
        "FR-972": "Martinique",
        "FR-973": "Guyane",
        "FR-974": "La Réunion",
        "FR-976": "Mayotte",
        "FR-BL": "Saint-Barthélemy",
        "FR-MF": "Saint-Martin",
        "FR-NC": "Nouvelle-Calédonie",
        "FR-PF": "Polynésie française",
        "FR-PM": "Saint-Pierre-et-Miquelon",
        "FR-TF": "Terres australes françaises",
        "FR-WF": "Wallis-et-Futuna",
        "CH": "Suisse",
        "CH-AG": "Aargau",
        "CH-AI": "Appenzell Innerrhoden",
        "CH-AR": "Appenzell Ausserrhoden",
        "CH-BE": "Bern",
        "CH-BL": "Basel-Landschaft",
        "CH-BS": "Basel-Stadt",
        "CH-FR": "Fribourg",
        "CH-GE": "Genève",
        "CH-GL": "Glarus",
        "CH-GR": "Graubünden",
        "CH-JU": "Jura",
        "CH-LU": "Luzern",
        "CH-NE": "Neuchâtel",
        "CH-NW": "Nidwalden",
        "CH-OW": "Obwalden",
        "CH-SG": "St. Gallen",
        "CH-SH": "Schaffhausen",
        "CH-SO": "Solothurn",
        "CH-SZ": "Schwyz",
        "CH-TG": "Thurgau",
        "CH-TI": "Ticino",
        "CH-UR": "Uri",
        "CH-VD": "Vaud",
        "CH-VS": "Valais",
        "CH-ZG": "Zug",
        "CH-ZH": "Zürich",
    }
)
"""Every region by its code, with its name in its own language."""


@lru_cache(maxsize=1024)
def holidays_of(region: str, year: int) -> Mapping[date, str]:
    """The public holidays of a region in a year, with their names, in French where the library has them.

    France is known from 1803 to 2100; other years have none. Raises KeyError for a region that is not known.
    """
    # Imported here: it costs a tenth of a second, and only who keeps holidays needs it.
    import holidays

    REGIONS[region]
    country, _, part = region.partition("-")
    found = holidays.country_holidays(country, subdiv=part or None, years=year, language="fr")
    # A holiday's day of rest may lie in another year than was asked for.
    return MappingProxyType({day: name for day, name in sorted(found.items()) if day.year == year})
