"""The 27 methods of Axialys' WebAppel: which parameters make which command, what is answered; both faces."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chappe.dialects.axialys import callbacks, forms, groups, hours, wire
from chappe.dialects.axialys.centrex import CENTREX
from chappe.dialects.contract import Dialect, Operation, WireCall
from chappe.protocols.http import HttpResponse
from chappe.services import callbackfiles, callbackforms, callbackreports, inbox, openinghours, ringgroups
from chappe.services import callbacks as callback_service
from chappe.services.sounds import MOST_BYTES

_FORM_AROUND = 64 * 1024
"""Bytes that a multipart form has beside its file."""


def dialect(*, header_row: bool = False, change_lists: bool = False) -> Dialect:
    """The dialect as the settings want it.

    `header_row` puts the names of the columns before all lines. `change_lists` answers popup_maj with the
    destinations of the pop-up, which the document says of it and means of the next method (dialects.md 4c).
    """
    return Dialect(
        name="axialys",
        paths=wire.PATHS,
        read=wire.read,
        operations={
            **_groups(header_row),
            **_hours(header_row),
            **_forms(header_row, change_lists),
            **_files(),
            **_callbacks(header_row),
        },
        refuse=wire.refuse,
        notice=wire.notice,
        region="FR",
        body_limit=MOST_BYTES + _FORM_AROUND,
    )


def _line(
    section: int,
    summary: str,
    decode: Callable[[WireCall], Any],
    run: Callable[..., Awaitable[Any]],
    encode: Callable[[Any, WireCall], HttpResponse] = wire.encode_done,
) -> Operation:
    return Operation(decode, run, encode, summary, f"API Webappel, section {section}")


def _groups(header: bool) -> Mapping[str, Operation]:
    listed = wire.listing(groups.GROUP_COLUMNS, groups.group_rows, header)
    operators = wire.listing(groups.OPERATOR_COLUMNS, groups.operator_rows, header)
    return {
        "operateurs_liste_groupes": _line(
            2, "List operator groups", groups.decode_list, ringgroups.list_groups, listed
        ),
        "operateur_ajout": _line(2, "Add an operator", groups.decode_add, ringgroups.add_operator),
        "operateur_supp": _line(2, "Remove an operator", groups.decode_remove, ringgroups.remove_operator),
        "operateurs_listing": _line(
            2, "List the operators of a group", groups.decode_find, ringgroups.find, operators
        ),
        "operateur_mode": _line(2, "Say how a group is walked", groups.decode_order, ringgroups.order),
        "blacklistage_numero": _line(
            2, "Never call a number", groups.decode_block_number, inbox.block_number
        ),
        "blacklistage_IP": _line(
            2, "Take no requests from an address", groups.decode_block_address, callback_service.block_address
        ),
    }


def _hours(header: bool) -> Mapping[str, Operation]:
    details = wire.listing(hours.DETAIL_COLUMNS, hours.detail_rows, header)
    names = wire.listing(hours.NAME_COLUMNS, hours.name_rows, header)
    return {
        "planning_plage_add": _line(
            3, "Open at weekly times", hours.decode_add_spans, openinghours.add_spans
        ),
        "planning_plage_del": _line(
            3, "Take weekly times away", hours.decode_remove_spans, openinghours.remove_spans
        ),
        "planning_exception_add": _line(
            3, "Close on a day", hours.decode_add_closure, openinghours.add_closures
        ),
        "planning_exception_del": _line(
            3, "Open again on a day", hours.decode_remove_closure, openinghours.remove_closures
        ),
        "planning_plage_details": _line(
            3, "Read weekly times and closed days", hours.decode_find, openinghours.find, details
        ),
        "planning_plages_listing": _line(
            3, "List opening hours", hours.decode_list, openinghours.list_hours, names
        ),
    }


def _forms(header: bool, change_lists: bool) -> Mapping[str, Operation]:
    listed = wire.listing(forms.FORM_COLUMNS, forms.form_rows, header)
    destinations = wire.listing(forms.DESTINATION_COLUMNS, forms.destination_rows, header)
    change = (
        _line(4, "Change a pop-up", forms.decode_change, callbackreports.change_and_list, destinations)
        if change_lists
        else _line(4, "Change a pop-up", forms.decode_change, callbackforms.change)
    )
    return {
        "popups_listing": _line(
            4, "List pop-ups", forms.decode_list, callbackreports.list_with_files, listed
        ),
        "popup_ajout": _line(
            4, "Create a pop-up", forms.decode_create, callbackforms.create, forms.encode_created
        ),
        "popup_maj": change,
        "popup_destinations": _line(
            4,
            "List where a pop-up may call",
            forms.decode_destinations,
            callbackforms.list_destinations,
            destinations,
        ),
        "popup_destination_ajout": _line(
            4, "Let a pop-up call destinations", forms.decode_allow, callbackforms.allow_destinations
        ),
        "popup_destination_supp": _line(
            4, "Forbid a pop-up destinations", forms.decode_forbid, callbackforms.allow_destinations
        ),
        "popup_del": _line(4, "Remove a pop-up", forms.decode_remove, callbackforms.remove),
    }


def _files() -> Mapping[str, Operation]:
    return {
        "fichier_recuperer": _line(
            5, "Read a file of a pop-up", forms.decode_read_file, callbackfiles.read, forms.encode_file
        ),
        "fichier_deposer": _line(5, "Keep a file for a pop-up", forms.decode_put_file, callbackfiles.put),
        "fichier_supprimer": _line(
            5, "Remove a file of a pop-up", forms.decode_remove_file, callbackfiles.remove
        ),
    }


def _callbacks(header: bool) -> Mapping[str, Operation]:
    in_full = wire.listing(callbacks.CALL_COLUMNS, callbacks.call_rows, header)
    in_short = wire.listing(callbacks.SHORT_COLUMNS, callbacks.short_rows, header)
    return {
        wire.CALL: _line(
            6,
            "Call a visitor and the operators, now or a little later",
            callbacks.decode_request,
            callback_service.request,
            callbacks.encode_requested,
        ),
        wire.CANCEL: _line(6, "Cancel what was not begun", callbacks.decode_cancel, callback_service.cancel),
        "appel_listing": _line(
            6, "What became of callbacks", callbacks.decode_report, callbackreports.report, in_full
        ),
        "appels_resume": _line(
            6, "What became of callbacks, in short", callbacks.decode_report, callbackreports.report, in_short
        ),
    }


AXIALYS = dialect()
DIALECTS = (AXIALYS, CENTREX)
