"""The entity types that the built-in recognizers find, beside those of recognizers in params.yaml."""

ENTITIES: dict[str, str] = {
    "PERSON": "a person's name, given, family or both",
    "EMAIL_ADDRESS": "an e-mail address",
    "PHONE_NUMBER": "a telephone number",
    "STREET_ADDRESS": "house number, street, apartment",
    "CITY": "a city or town",
    "STATE": "a state, province or region",
    "ZIP_CODE": "a postal code",
    "CREDIT_CARD": "a payment card number with a valid checksum",
    "IBAN_CODE": "an international bank account number with a valid checksum",
    "BANK_ACCOUNT": "a bank account or routing number",
    "GOVERNMENT_ID": "a tax, social security, passport or licence number",
    "IP_ADDRESS": "an IPv4 or IPv6 address",
    "MAC_ADDRESS": "a network card's address",
    "CRYPTO": "a crypto wallet's address",
    "REFERENCE_ID": "a booking, policy, claim or other code, or a number, that leads to a person",
    "PASSWORD": "a password that somebody wrote down",
    "URL": "a web address of a person",
}
SHORTEST_VALUE = 4
"""A metadata value with fewer characters says too little to be looked for in a text."""


def kind_of_value(value: str) -> str:
    """The entity type of a metadata value that recurs in a text."""
    return "EMAIL_ADDRESS" if "@" in value else "REFERENCE_ID" if any(c.isdigit() for c in value) else "PERSON"
