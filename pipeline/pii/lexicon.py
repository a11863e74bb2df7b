"""What a word is in general: a common word, a name somewhere in the world, a brand. Decides how sure the model must be of it.

Frequencies are wordfreq's (Speer 2022; Zipf scale: 3 is once in a million words, 6 once in a thousand). Names are those that
Faker's providers list for some 70 locales, in Latin letters. The lists of stop words, brands and
greetings are written by hand, from general knowledge.
"""

import importlib
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache

from faker.config import AVAILABLE_LOCALES
from wordfreq import freq_to_zipf, get_frequency_dict, zipf_frequency

COMMON = 3.0
"""A word from this Zipf frequency on is a common word, unless it is also a name."""
COMMON_THOUGH_A_NAME = (4.0, 5.0, 5.7)
"""The same for a word that one, two, or three and more locales list as a name: "beer", "rose", "john"."""
MISSPELT = 6
"""So long is a word at least that counts as a misspelling of a common one, one letter off; one shorter, of a very common one."""
VERY_COMMON = 4.7
WORDS = 16_384
"""Distinct words whose verdict is kept."""

STOP_WORDS = frozenset(
    """
    a about add after all also am an and any are as at be before but by can could do for from get give got had has
    have he her here his how i if in is it its just like me mine more my need new no not number num of ok okay old on
    one only or order our out ph please pls put sent she so some ssn sure take than thanks that the their them then
    there they this to too two up us want was we well were what when where which who will with would yes ref zip mac
    iban now far let say says you your yours yeah yep yup mr mrs ms name names mail email id address phone contact
    called call
    """.split()  # noqa: SIM905 - a list would be a page long
)
BRANDS = frozenset(
    """
    accenture adidas airpods alexa fitbit gopro kindle macbook mini playstation thinkpad aldi amex avis bosch burgerking chipotle citibank comcast costco dell delta dhl ebay emirates
    epson etihad fedex gmc hdfc hertz hsbc icici ikea jetblue jio kfc lufthansa mastercard mcdonald netflix panasonic pepsi
    philips puma qantas rolex ryanair siemens sprite starbucks target tmobile uniqlo ups verizon visa vodafone walmart
    xbox zara acura alfa altima alto amazon android apple asus audi bajaj baleno bentley beetle bmw bolero bugatti buick
    cadillac camaro camry caravan celerio chevrolet chevy chrysler citroen civic clio cobra corolla corsa corvette
    creta cruze dacia daewoo datsun dodge dominos ducati duster dzire ecosport elantra ertiga escort facebook ferrari
    fiat fiesta ford fortuner galaxy google harley honda huawei hyundai impala impreza infiniti innova instagram ipad
    iphone isuzu jaguar jeep jetta kawasaki kia ktm kwid lada lamborghini lancer lancia lenovo lexus lg linkedin
    mahindra malibu maruti maserati mazda mcdonalds mclaren mercedes microsoft mitsubishi moto motorola mustang nano
    nexus nike nissan nokia odyssey omni oneplus opel oppo optima outback outlook passat paypal peugeot pixel polo
    pontiac porsche prius punto realme redmi renault rolls royce saab safari samsung santro scion scorpio sentra skoda
    snapchat sony sportage spotify subaru sumo suzuki tacoma tahoe tata tesla tiida tigor tiktok toyota triumph tucson
    twitter uber vento verna vespa vitara vivo volkswagen volvo vw wagonr whatsapp windows wrangler xiaomi xuv yamaha
    yaris youtube zara zest
    """.split()  # noqa: SIM905 - a list would be a page long
)
ALSO_WORDS = frozenset(
    """
    amber angel april art august autumn baker banks barber basil bill bishop blanch bliss booker brand bridge brook
    brooks buddy carpenter case cash chance charity chase cherry china christian clay coral crystal daisy dale dawn dean
    drew earl east else ever faith ford forest frank french gene german grace grant gray green guy hall happy harmony
    hazel heath heather hill holiday holly honey hope hunter iris iron ivory ivy jack jade jasmine jasper jay jean jewel
    job joe joy july june justice king lake lane laurel lily link loan logan london long love luck lucky mark marvel mason
    may melody mercury mercy miles mission mister monday moody nick north oak ocean olive opal pace page paris park
    patience pat pearl penny pepper pound precious price prime prince prosper queen rain raven ray rich river rob
    robin rock rose ruby rusty sage sandy savannah scarlet sky snow spencer star stone storm strong sue summer sunday sunny
    swift swiss tab temple ten terry trinity troy van victoria violet virginia wade ward warren welsh wells west will
    willow win winter wise wish wood woods young
    """.split()  # noqa: SIM905 - a list would be a page long
)
"""English words that are names as well: without a capital letter they are mostly meant as words."""
DISHES = frozenset(
    """
    alfredo amaretto americano arrabbiata arrabiata baba baguette baklava balti banh barbecue bbq bhaji bhatura bhuna
    bibimbap biryani bisque bolognese borscht bratwurst brioche brisket broccoli bruschetta bulgogi burrata burrito
    caesar calamari calzone cannelloni cannoli cappuccino caprese carbonara carpaccio ceviche chai chana chapati
    cheesecake chimichanga chorizo chowder churro churros ciabatta coleslaw cordon couscous crepe crepes croissant croquette
    curry custard dal dim donburi doner dosa dumpling dumplings edamame eclair empanada empanadas enchilada enchiladas
    espresso fajita fajitas falafel feta fettuccine focaccia fondue frappe frappuccino frittata gazpacho gelato gnocchi
    goulash granola gratin guacamole gulab gyoza gyro gyros halloumi hummus idli jalapeno jalapenos jambalaya jamun
    jollof kathi katsu kebab kebabs kielbasa kimchi kofta korma lasagna lasagne lassi latte linguine macaron macchiato
    madras manchurian margarita margherita marinara mascarpone masala mayo mayonnaise meatball meatballs minestrone mocha
    moussaka mozzarella naan nacho nachos noodle noodles nugget nuggets omelette omelet paella pakora paneer panini
    parmesan parmigiana pastrami penne pepperoni pesto pho pierogi pilaf pilau piri pita polenta pork poutine prawn
    prawns pretzel prosciutto puri quesadilla quesadillas quiche quinoa raita ramen ranch ratatouille ravioli rigatoni
    risotto rogan roti salami salsa sambal samosa samosas sandwich sashimi satay sauerkraut schnitzel shawarma sherbet
    shrimp smoothie sorbet souffle souvlaki spaghetti stroganoff sub sushi taco tacos tagine tagliatelle tahini tamale
    tamales tandoori tapas tempura teriyaki tikka tiramisu tofu tortellini tortilla tostada tzatziki udon vada veggie
    vindaloo waffle waffles wasabi wonton wrap yakisoba ziti zucchini
    """.split()  # noqa: SIM905
)
INTERJECTIONS = re.compile(
    r"(?:h+[aeiu]+y*i*|hel+o+w?|h+m+|o+k+(?:a*y+|ey+|ie)?|ok+e+y*|y+[aeiu]+[hps]*|yes+|no+|nop+e+|than+k*s*|thank+y?o?u+|tha?n?x+|th?ks+|ty|plea?s+e*|pl[sz]+|bye+|sur+e+|wel+come?|sor+y+|so+r+y+|gr8|"
    r"lol|omg|btw|asap|tysm|tyvm|idk|imo|np|yw|cya|ttyl|fyi|eta|tbh|smh|wtf|tmrw|pic|pics|info|u+h+|o+h+|a+h+|wo+w+|sir|maam|madam|dear|guys?|bro|dude|mate|pal|gud|gm|gn|morn(?:ing)?|youre?|ur|im|ive|id|iam|dont|cant|wont|isnt|its|thats|whats|hows|heres|theres|lets|"
    r"didnt|doesnt|havent|wasnt|couldnt|wouldnt|ill|youve|were|theyre|hes|shes|wanna|gonna|gimme|lemme)"
)


@cache
def names() -> Mapping[str, int]:
    """Given and family names of the world's locales, lower case, one word each, of three letters and more; how many locales list each."""
    found: Counter[str] = Counter()
    for locale in sorted(AVAILABLE_LOCALES):
        try:
            provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        except ImportError:
            continue
        of_locale: set[str] = set()
        for attribute in dir(provider):
            listed = getattr(provider, attribute)
            if attribute.startswith(("first_name", "last_name", "romanized")) and isinstance(listed, tuple | list | dict):
                of_locale.update(word for name in listed for word in _words(name[0] if isinstance(name, tuple) else name))
        found.update(of_locale)
    return found


def _words(name: object) -> list[str]:
    return re.findall(r"\b[a-z]{3,}\b", str(name).lower()) if str(name).isascii() else []


def frequency(word: str) -> float:
    """Zipf frequency of a lower-case word in English, 0 where it is unknown."""
    # wordfreq takes a word apart before it looks it up, which takes twenty times as long and changes nothing for plain letters.
    if word.isascii() and word.isalpha():
        listed = _listed().get(word)
        return round(freq_to_zipf(listed), 2) if listed else 0.0
    return float(zipf_frequency(word, "en"))


@cache
def _listed() -> Mapping[str, float]:
    frequencies: Mapping[str, float] = get_frequency_dict("en")
    return frequencies


def is_name(word: str) -> bool:
    """Whether people somewhere are called so, in any case."""
    return word.lower() in names()


@lru_cache(WORDS)
def is_common(word: str) -> bool:
    """Whether a word is far likelier something else than a name: an everyday word, also misspelt or two run together, a greeting, a brand, a dish."""
    lower = word.lower()
    return is_known(lower) or (lower not in names() and (_is_two_words(lower) or _is_misspelt(lower)))


def is_known(word: str) -> bool:
    """Whether a word is common as it stands, without being taken for two or for a misspelling."""
    lower = word.lower()
    if lower in BRANDS or lower in STOP_WORDS or lower in ALSO_WORDS or lower in DISHES or INTERJECTIONS.fullmatch(lower):
        return True
    locales = names().get(lower, 0)
    return frequency(lower) >= (COMMON_THOUGH_A_NAME[min(locales, 3) - 1] if locales else COMMON)


def _is_two_words(word: str) -> bool:
    """ "howmuch", "youbye": two frequent words without the blank."""
    return any(frequency(word[:cut]) >= 5 and frequency(word[cut:]) >= 4.5 for cut in range(3, len(word) - 2))


def _is_misspelt(word: str) -> bool:
    """ "burgar", "cliam": one letter off a common word, or two of its letters swapped."""
    swapped = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(1, len(word) - 1))
    if any(frequency(other) >= COMMON and other not in names() for other in swapped) and len(word) > 4:
        return True
    if len(word) < MISSPELT - 1:
        return False
    letters = "abcdefghijklmnopqrstuvwxyz"
    edits = {word[:i] + c + word[i + 1 :] for i in range(1, len(word)) for c in letters}
    edits |= {word[:i] + c + word[i:] for i in range(1, len(word) + 1) for c in letters}
    edits |= {word[:i] + word[i + 1 :] for i in range(1, len(word))}
    enough = VERY_COMMON if len(word) < MISSPELT else COMMON + 0.3 if len(word) < MISSPELT + 2 else COMMON
    if word.isascii() and word.isalpha():
        return not edits.isdisjoint(_could_be_meant(enough))
    return any((frequency(other) >= enough and (other not in names() or enough == VERY_COMMON)) or other in BRANDS for other in edits)


@cache
def _could_be_meant(enough: float) -> frozenset[str]:
    """What a word of plain letters may be a misspelling of. A new word has some hundred neighbours, each looked up here."""
    rather_less = 10 ** (enough - 9.1)  # the share of all words that frequencies a little below `enough` stand for
    listed = (word for word, share in _listed().items() if share > rather_less and word.isascii() and word.isalpha())
    return BRANDS.union(word for word in listed if frequency(word) >= enough and (word not in names() or enough == VERY_COMMON))
