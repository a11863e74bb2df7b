"""What the assistant recognises before it answers anything: dangers, threats, tricks, and requests that need the order.

Each pattern is a list of phrases, since that is how they grow: somebody reads a failure and adds a line.
"""

import re


def phrases(*alternatives: str, dotall: bool = False) -> re.Pattern[str]:
    """Matches where one of the alternatives occurs, whatever its case."""
    return re.compile("|".join(f"(?:{alternative})" for alternative in alternatives), re.I | (re.S if dotall else 0))


INJECTION = phrases(
    r"ignore (all |any |your |the )*(previous|prior|above|earlier)? ?(instructions|rules)",
    r"disregard (all|your|the|previous)",
    r"system prompt|developer mode|jailbreak|new instructions|override",
    r"you are now|pretend (that )?you|act as",
)
WISH_FOR_FORM = phrases(
    r"(?:begin|start|end|finish|close|sign) (?:your|the|every|each) (?:answer|reply|message|response|e-?mail)s? with "
    r"(?:the (?:word|words|line|code) )?[\"'“]?(?P<wish>[^\"'”\n.]{3,60})",
)
REPEAT = phrases(r"(?:repeat|read back|say) (?:after me|this line|the following|back to me)[:,]? [\"'“]?(?P<line>[^\"'”\n]{3,80})")
INJURY = phrases(
    r"\b(injur|hurt\b|rash\b|blood|stitches|bruise|hospital|ambulance|allergic|chok|coughing|swallow)",
    r"\b(burnt|burned) (my|her|his|our)",
    r"\b(caught fire|on fire|exploded|flame|smoke|electric shock|tipped over)",
    r"\b(gas is leaking|smells? of gas)",
    r"\b(swollen|bulging|puffed|bloated)",
)
LEGAL = phrases(r"\b(lawyer|solicitor|attorney|court|sue\b|ombudsman|legal action|trading standards)")
FRAUD = phrases(
    r"don.?t recogni[sz]e|did(n.?t| not) (make|order|buy)|not made by me|never ordered|nobody in my (family|house)",
    r"used my card|opened a dispute|hacked",
    r"(somebody|someone) (is|was|got) in(to)? my account|order that isn.?t mine|that wasn.?t me",
    r"(new|strange) address in my account|(e-?mail|address) (has been|was) changed",
)
BOOKED_TWICE = phrases(
    r"(twice|two times|double charge|both (of your )?(charges|payments|debits)).*(booked|posted|final|gone|not pending|went through|neither is pending)",
    r"(booked|posted).*(twice|both)",
    r"both charges",
    dotall=True,
)
CARD_TO_CHARGE = phrases(r"(card|charge|it).{0,40}\b\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{3,4}\b.{0,80}(charge|use|take|book)", dotall=True)
GIFT_CARD_TO_CASH = phrases(r"gift cards?.*(pay out|paid out|to my (iban|bank|account))", r"(pay out|paid out).*gift cards?", dotall=True)
OTHERS = phrases(
    r"\b(ex-husband|ex-wife|my boss|your customer \w|daughter of|mother.?s order|her order|his order|somebody else.?s (order|account))",
    r"\b(neighbou?r|colleague).?s (order|parcel|account|address)",
    r"(?<!-)(?<!my )\border of (?!the |my |a |an |our )\w",
    r"\b(account|number) of [a-z]",
    r"\bwhat \w+ [\w'-]+ ordered",
)
ORDER_STATUS = phrases(
    r"where('?s| is| are)? (is )?my (order|parcel|package|stuff|things)|where my (order|parcel)",
    r"status of (my|the) order|what.?s (the )?status|happening with my order",
    r"(has|have) .{3,40} (been sent|left your|shipped)|hasn.?t .{3,40} been sent|left your warehouse",
    r"any news on|on (its|their) way|finally send",
    r"when (do|does|will) (the|my) .{3,40} (arrive|come|ship)",
)
WANTS_MONEY = phrases(
    r"refund (me|the|it|my)|(a|want) refund for|full refund|money back",
    r"give it back|take .{2,40} back|return .{2,40} and get",
)
WORN = phrases(r"\b(wore|worn|used (it|them)|i.?ve used|i used|washed (once|twice|it)|pitched)")
CHANGE_ADDRESS = phrases(r"address|send .{2,40} (to another|somewhere else|to my work)|go (to|somewhere) (another|else)|change where")
ASKS_RULE = phrases(r"\b(how long|until when|how many days|time limit|period|policy|can i|how do i|where do i|what do i)\b")
