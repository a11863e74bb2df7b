"""Conversations in which customers say who they are, as they type it: `u:` is the customer's turn, `a:` the assistant's.

`{slot}` is drawn by `benchmarks.chats.people`; what a slot stands for is labelled with its type.
"""

FLOWS = """
a: May I have your name please?
u: {full}

a: Could you please tell me your full name?
u: {full}
a: Thank you. And your e-mail address?
u: {any_email}

a: Hello, my name is {agent}. May I know your name?
u: {given}

a: Who am I speaking with today?
u: its {given}

a: May I have your first and last name?
u: {given} and {family}

a: Can I get your name and phone number?
u: {full} {phone}

a: Please give me your name and booking number.
u: {full} {code}

a: What is the name on the account?
u: {full} is the name

a: Could I have your last name as well?
u: {family}

a: How do you spell your last name?
u: {family}, sorry for the typo

u: hi this is {given}
u: hello, {full} here
u: hi my name is {given}
u: my name is {full} and i want to cancel my order

u: this is {full} again, nobody called me back
u: {full}
u: i am {full}, i wrote to you yesterday
u: i'm {given} by the way
u: im {given}

u: hello i am {full} and my {thing} is broken
u: call me {given}
u: everyone calls me {given}

u: {full} here, where is my {thing}?
u: you can write to {any_email}

u: its under {full}
u: the reservation is under the name {family}
u: booked under {full} for {time}

u: please send it to my {person} {given} instead
u: my {person} {full} will pick it up
u: her name is {full}
u: {given} my {person} bought it for me

u: I spoke with {full} from your office last {weekday}.
u: I bought this for {given}, but it is the wrong size.
u: {given} and {other_given} are flying with me
u: passengers are {full} and {other}
u: first passenger {full}, second one {other}

u: regards {full}
u: thanks {given}
u: Best wishes, {full}
u: kind regards, {given} {family}

u: the card is in the name of {full}
u: mr {family} told me to write here
u: i am mrs {family}
u: name: {full}
u: name {full}
u: {full} is my name
u: first name {given} last name {family}
u: the name on the card is {full}

u: I am writing on behalf of {full}, who bought the {product} in {month}.
u: Yesterday {full} called me about my {bank_thing}, and then {other} did.
u: The technician, {full}, never came on {weekday}.
u: Could you ask {given} to call me back about the {thing}?

a: May I have your e-mail address?
u: {any_email}

a: What e-mail is the account under?
u: {stripped_email}

a: Please share your email id.
u: its {stripped_email}

u: my email is {any_email}
u: send the receipt to {any_email} please
u: {email} is my mail id
u: it is {spoken_email}
u: mail me at {stripped_email} thanks
u: {given} {family} {stripped_email}

a: What is the best number to reach you?
u: {phone}

a: Can I have your phone number?
u: sure {phone}

u: call me on {phone}
u: my number is {phone}
u: you can reach me at {phone} after {time}
u: mobile {phone} or at work {phone}
u: phone number {phone} name {full}
u: my number is {spelled_phone}

a: What is your order or confirmation number?
u: {code}

a: May I have your booking reference?
u: its {code}

a: Can you tell me your policy number?
u: policy number is {code}

a: Please give me the claim number.
u: {code} is the claim number

a: Could you provide the confirmation code?
u: {code} i think

u: confirmation {code}
u: my booking code is {code} and i want to change the date
u: claim {code} is still open since {month}
u: policy {code} for my {car}
u: account number {account}
u: my account is {account}
u: the tracking number is {code}
u: reference {code}, order from {weekday}
u: member id {code}
u: the plate is {plate}
u: license plate {plate}, a {colour} {car}
u: my driver license number is {code}
u: passport {passport}
u: my passport number is {passport}

a: May I have the last four digits of your social security number?
u: {four}

a: Please verify the last 4 digits of your SSN.
u: last four of my ssn are {four}

a: For security, what are the last four digits of your card?
u: it ends in {four}

u: my ssn is {ssn}
u: social security number {ssn}
u: ssn {four}
u: last four {four}
u: {full} {four}
u: {given} {family} and last four {four}
u: last four digits are {spelled_four}
u: my social is {ssn} and my name is {full}

u: my card number is {card}
u: card {card}, name {full}
u: the iban is {iban}
u: i paid with card ending {four}
u: routing {routing} account {account}

a: What is your delivery address?
u: {street}
u: {city} {state}
u: {zip}

a: May I have your address, please?
u: {street} {city} {state} {zip}

a: What is your shipping address?
u: {street}, {city}, {state} {zip}

a: And the city and state?
u: {city} {state}

a: Where do you live?
u: {street}

a: Could you tell me your zip code?
u: {zip}

a: What is your zip code?
u: zip code is {zip}

a: Where should we deliver it?
u: its {street} {city}

u: i live at {street} {city}
u: my address is {street}, {city} {zip}
u: deliver to {street} please
u: i moved to {street}, {city}, {state}
u: ship it to {full}, {street}, {city} {zip}
u: address {street} {city} {state} zip {zip}
u: my new address is {street}
u: I live at {street} in {city}, and it should go there.
u: the old address was {street} {city}
u: send it to {city} {state} {zip} please

u: my password is {password}
u: password {password} does not work
u: i used {password} as my password
u: the passcode is {password}

u: I am {full}, {street}, {city}, {phone}, {email}
u: {full} {street} {city} {zip} {phone}
u: name {full} phone {phone} email {any_email}
u: my name is {given}, {given} {family}
u: sorry it is {family} with an h
u: you misspelled my name it is {given}

u: I'd like to cancel. My name is {full}, my reference is {code}.
u: Hi, it's {given}. My {thing} never arrived; my mail is {email}.
u: {full}, {four}

u: it is registered to {full}
u: the account holder is {full}
u: can you check if {full} has been added as a driver
u: i think {given} already called about this
u: {family} family, {count} adults
u: its {given} again
u: hey {given} here
u: please change the name from {full} to {other}
""".strip()
