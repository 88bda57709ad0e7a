"""Calls over SIP: trunks, and a registrar for the telephones of lines."""
