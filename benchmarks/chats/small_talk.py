"""What customers and agents say that holds no personal data, and much of what looks like it: menus, cars, years, prices, months.

Written down from general knowledge of how people talk to shops, airlines, insurers, banks, restaurants and telecoms.
"""

WORDS = {
    "food": "veggie burger|garlic naan|pad thai|large pepperoni pizza|chicken tikka masala|caesar salad|onion rings|sweet potato fries|"
    "penne arrabiata|mushroom risotto|beef brisket|tuna melt|miso soup|lamb biryani|falafel wrap|fish tacos|spring rolls|lemon sorbet|"
    "chocolate lava cake|iced latte|ginger ale|cappuccino|root beer|mango lassi|green curry|club sandwich|margherita|calzone|gyoza|"
    "katsu curry|jambalaya|clam chowder|hash browns|waffles|blueberry muffin|pretzel|nachos|guacamole|quesadilla|paneer butter masala|"
    "hummus|baba ganoush|tiramisu|gelato|ramen|teriyaki chicken|philly cheesesteak|sloppy joe|eggs benedict|caprese|bruschetta|chai|"
    "black forest gateau|marble cake|salisbury steak|buffalo wings|texas toast|german sausage|bolognese|alfredo|earl grey|bloody mary|"
    "peri peri chicken|coleslaw|dosa|idli|samosa|gulab jamun|churros|paella|pierogi|goulash|kimchi|bibimbap|shawarma|tzatziki",
    "size": "small|medium|large|extra large|family size|12 inch|half|double",
    "side": "ketchup|ranch|mayo|barbecue sauce|sour cream|extra cheese|jalapenos|pickles|no onions|gluten free bread|a side of rice|dr pepper",
    "car": "toyota corolla|honda accord|ford mustang|chevy silverado|jeep grand cherokee|tesla model 3|nissan leaf|kia sorento|dodge charger|"
    "subaru forester|mercedes c class|volvo xc 60|hyundai sonata|mazda cx 5|range rover|mini cooper|gmc sierra|ram 1500|lincoln navigator|"
    "buick enclave|vw golf|renault megane|peugeot 208|seat ibiza|fiat panda|chrysler pacifica|land rover defender|harley davidson|"
    "ducati monster|suzuki swift|skoda octavia|cadillac escalade|bmw 5 series|audi q7|opel astra|lexus rx 350|ford f 150|honda civic",
    "year": "1998|2003|2009|2012|2014|2016|2018|2019|2021|2024",
    "price": "20 dollars|$45|15.99|£120|1,200 rupees|around 300|€75.50|$1,249.00|40 bucks|99 cents|2500 usd|rs 450",
    "colour": "navy blue|olive|dark green|burgundy|charcoal|ivory|rose gold|silver|sky blue|beige|ruby red|hazel|amber|violet",
    "month": "january|march|april|may|june|july|august|september|october|december",
    "weekday": "monday|tuesday|wednesday|thursday|friday|saturday|sunday",
    "day": "3rd|14th|22nd|1st|30th|the 5th|15|28",
    "time": "5 pm|10.30|noon|7 in the evening|8:45 am|half past nine|midnight",
    "count": "2|3|4|two|three|six|12|a couple of|10",
    "place": "london|paris|new york|lagos|mumbai|tokyo|sydney|dublin|madrid|chicago|dallas|istanbul|nairobi|toronto|denver|charlotte|victoria|"
    "florence|adelaide|houston|lima|geneva|phoenix|orlando|seattle|boston|delhi|cairo|cape town|san diego|jackson|austin|lincoln",
    "airline": "skyhop|blue jet|northwind|aeris|pan pacific|delta|emirates|united|lufthansa|ryanair",
    "gadget": "iphone 15|galaxy s 23|pixel 8|macbook air|xbox series x|kindle|airpods pro|thinkpad|ps5|nokia 3310|smart watch|fire stick",
    "thing": "lamp|tent|backpack|jacket|sofa|rug|headphones|blender|kettle|mattress|desk|camera|sneakers|watch|charger|router|sim card|toaster",
    "product": "aurora desk lamp|hudson armchair|nora bookshelf|phoenix jacket|logan backpack|sienna rug|carmen dress|oliver table|"
    "chelsea boots|harper mirror|brooklyn sofa|victoria curtains|jackson stool|ivy planter|hugo chair|stella blanket|luna lamp|apollo kettle",
    "plan": "unlimited plan|family plan|prepaid|5 gb pack|fibre 500|gold plan|business line|basic package|roaming add on",
    "policy_kind": "comprehensive|third party|collision|liability|home contents|term life|dental|renters|umbrella",
    "part": "windshield|bumper|headlight|side mirror|rear door|hood|tyre|fender|roof|tail light",
    "bank_thing": "debit card|savings account|statement|overdraft|wire transfer|credit limit|mortgage|loan|pin|cheque book|interest rate",
    "mood": "frustrated|happy|confused|sorry|worried|disappointed|surprised|patient|grateful|upset|curious|ready|fine|done|busy|late",
    "person": "manager|wife|husband|son|daughter|mom|dad|friend|brother|colleague|neighbour|boss|doctor|lawyer|landlord",
    "language": "english|spanish|french|german|hindi|arabic|polish",
    "greeting": "hi|hello|hey|good morning|good evening|hiya|hey there|hi team|good day|greetings",
    "yes": "yes|yeah|yep|sure|ok|okay|alright|correct|thats right|absolutely|no|nope|not really|nah|maybe|perfect|great|cool|awesome",
    "thanks": "thanks|thank you|ty|thx|thanks a lot|cheers|much appreciated|thank u so much|tysm|many thanks|ta",
    "error": "error 504|error code e 17|code 0x80070057|http 404|version 2.4.1|windows 11|android 14|ios 17|build 2291",
}

USER = """
{greeting}
{greeting} there
{greeting}, i need some help
{greeting} can you help me with my order
{greeting} {agent}
hello {agent}, how are you today
thank you {agent} you have been very helpful
thanks {agent}
{thanks}
{thanks} bye
{thanks}, have a great day
{yes}
{yes} please
{yes} {thanks}
{yes} go ahead
that works for me
one moment please
let me check
i am {mood}
i'm {mood} about this whole thing
im {mood} to proceed
i am not {mood}
are you still there
how long will it take
what else do you need
is that all
will you mark it as urgent
may i ask why
i hope so
i hope this gets fixed by {weekday}
grant me access please
can you bill me later
i will be back in {month}
may is fine for me
the price rose again in {month}
i want to join the gold club
my dear friend told me about you
i am from the {place} office
it is {weekday} already
i would like to order a {food}
can i get {count} {food} and a {food}
{size} {food} with {side}
{food}
{food} and {food}
one {food} one {food} and {side}
do you have {food} today
what comes with the {food}
make it {size}
{side} please
no {side}, extra {side}
{food} without {side} please
how much is the {food}
for {count} people at {time}
pick up at {time}
deliver at {time} if possible
that is {price} right
i paid {price} for it
the total should be {price} not {price}
can you give me a refund of {price}
add {count} {food} to my order
is the {food} spicy
i drive a {year} {car}
{car}
{year} {car}
its a {colour} {car}
a {colour} {year} {car}
i had an accident with my {car} on {weekday}
the {part} of my {car} is broken
{part} and {part}
someone hit my {part} in the parking lot
i want {policy_kind} coverage
does {policy_kind} insurance cover the {part}
how much would {policy_kind} be for a {year} {car}
my premium went up to {price}
i have been with you since {year}
i bought it in {month} {year}
{year}
{month} {day}
{weekday} at {time}
on {weekday} the {day} of {month}
{month} {year}
i need a flight from {~place} to {~place}
{~place} to {~place}
from {~place} to {~place} on {month} {day}
flying to {~place} with {airline}
{airline} flight to {~place}
is there a flight to {~place} on {weekday}
window seat please
aisle seat if you have one
{count} bags and a stroller
{count} adults and {count} children
economy
business class
what is the baggage allowance for {~place}
can i bring my dog
my flight to {~place} was cancelled
my {gadget} stopped working
my {gadget} shows {error}
i get {error} when i log in
{error}
{gadget}
the {gadget} in {colour}
do you sell the {gadget}
i reset the router {count} times
the wifi is down since {weekday}
i want to switch to the {plan}
{plan}
how much is the {plan}
i was charged {price} for the {plan}
my {bank_thing} has a problem
i want to increase my {bank_thing}
i lost my {bank_thing}
what is the {bank_thing} today
can i get a {bank_thing}
i want the {product} in {colour}
{product}
is the {product} in stock
i ordered the {product} and got the {product}
the {thing} is broken
my {thing} arrived {mood}
i want to return the {thing}
{colour}
{colour} or {colour}
the {colour} {thing}
my {person} bought the {thing} for me
i asked my {person} and it is fine
its for my {person}
this is my {person}'s account
this is a joke
this is ridiculous
this is wrong
this is urgent please hurry
i am a customer for {count} years
i am calling about my {thing}
i speak {language}
do you speak {language}
do you have someone who speaks {language}
i am {language}
is this a robot
are you a real person
let me talk to your {person}
your {person} promised me a refund
i live far away
i live alone
i moved recently
my address has changed
my name is spelled wrong
my name is wrong on the ticket
my phone number changed
can i change my phone number
i forgot my password
the password does not work
my password is not working
how do i reset my password
my email is not working
i did not get any email
my card was declined
my account is locked
i dont have the order number with me
i cant find the confirmation number
i dont remember my policy number
what is a claim number
where do i find the booking code
sorry wrong chat
oh ok got it
hmm let me think
wow that was fast
lol ok
no worries
no problem
never mind
sounds good
will do
same here
nothing else
thats all for today
you too
see you
bye
good night
have a nice weekend
merry christmas
happy new year
god bless you
who is this
what happened
wait what
seriously
come on
{count}
{count} of them
both
all of them
the second one
just the {food}
just {count}
room for {count} from {month} {day} to {month} {day}
i weigh 80 kg and i am 175 cm tall
it is 12 km away
i have 2500 points
my {thing} is size 42
use the code on the voucher
i waited 45 minutes
the {thing} costs {price} at {airline}
i saw it on instagram
i paid with paypal
google says you are open
i read it on your facebook page
can i pay with amex
visa
mastercard
i use whatsapp
do u ship to {~place}
weather in {~place} is bad
the event is in {~place}
the {~place} branch is closed
i was at your store in {~place} on {weekday}
is {product} made in {~place}
""".strip().splitlines()

ASSISTANT = """
Hello! How can I help you today?
Hi there, my name is {agent}. How may I help you?
Good morning, this is {agent} from customer care.
Welcome to {airline}, I'm {agent}.
Thank you for contacting us. I will be glad to help.
Sure, let me look into that for you.
Please give me a moment.
Is there anything else I can help you with?
You are welcome. Have a great day!
Your order of {count} {food} comes to {price}.
Would you like {side} with that?
The {product} is available in {colour} and {colour}.
I am sorry to hear that your {thing} is broken.
Your {car} is covered for {policy_kind}.
The flight to {~place} leaves at {time} on {weekday}.
Your refund of {price} takes 5 to 7 business days.
The {plan} costs {price} a month.
Which {bank_thing} do you mean?
We have sent you a link to reset your password.
I have updated your address.
Our stores are open from {weekday} to {weekday}.
Could you tell me the make and model of your car?
What size would you like?
Which colour do you prefer?
When would you like to travel?
The warranty is valid until {month} {year}.
Please restart your {gadget} and tell me if you still see {error}.
I understand your frustration.
""".strip().splitlines()

AGENTS = [
    "Alex",
    "Sam",
    "Priya",
    "Jordan",
    "Maria",
    "Chris",
    "Kelly",
    "Nina",
    "Tom",
    "Grace",
    "Ravi",
    "Emma",
    "Luis",
    "Hannah",
    "Mark",
    "Rose",
    "Will",
    "Joy",
    "Angel",
    "Sunny",
    "Faith",
    "Dean",
    "Chase",
]
