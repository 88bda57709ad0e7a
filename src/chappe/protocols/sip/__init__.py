"""SIP (RFC 3261) over datagrams, without sockets and without a clock; messages are read by aiosipua."""
