"""The standards of mail transport security as pure code: text or bytes in, values and findings out.

TLSRPT (RFC 8460), MTA-STS (RFC 8461) and DANE for SMTP (RFC 7672). No I/O, no clock, no Django.
"""
