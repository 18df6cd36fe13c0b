"""What made-up people say."""
# ruff: noqa: SIM905 -- names are read, not looked up

FIRST_NAMES = """
Aisha Amir Anna Ben Bruno Carmen Chen Clara Daniel Elena Emil Fatima Felix Grace Hana Hugo Ines
Ivan Jana Jonas Kemal Laila Leon Lucia Maja Marco Maria Mateo Mina Nadia Noor Olga Omar Paul
Priya Rosa Samir Sofia Tariq Tomas Uma Vera Viktor Wei Yara Yusuf Zoe
""".split()
LAST_NAMES = """
Adler Ahmed Almeida Bauer Becker Bianchi Brown Costa Cruz Diaz Dubois Evans Fischer Garcia Green
Haddad Hansen Ivanova Jensen Kaya Khan Kim Kowalski Larsen Lopez Martin Meyer Moreau Nguyen Novak
Okafor Olsen Patel Pereira Rossi Sato Schmidt Silva Singh Smith Sousa Tanaka Torres Walker Weber
""".split()

# Category, its team, what it is about, what goes wrong.
TRADES = [
    (
        "Faulty product",
        "Returns team",
        ["Kettle K200", "Toaster Duo", "Desk lamp Arc", "Vacuum cleaner S4", "Blender Mix 5"],
        ["stopped working", "makes a burning smell", "switches off by itself", "arrived scratched"],
    ),
    (
        "Delivery",
        "Delivery team",
        ["Order of two chairs", "Parcel with books", "Fridge delivery", "Express parcel"],
        ["has not arrived", "went to the wrong address", "arrived open", "came a week late"],
    ),
    (
        "Billing",
        "Payments team",
        ["Invoice", "Card payment", "Monthly fee", "Refund"],
        ["charged twice", "higher than agreed", "never booked", "shows the wrong name"],
    ),
    (
        "Account",
        "Accounts team",
        ["Sign-in", "Password", "Newsletter", "Address change"],
        ["does not work", "keeps being refused", "can't be switched off", "is not saved"],
    ),
    (
        "Internet and phone",
        "Network team",
        ["Broadband", "Landline", "Router R7", "Mobile data"],
        ["drops every evening", "is slower than promised", "is dead since Monday", "crackles"],
    ),
    (
        "Service visit",
        "Field team",
        ["Technician appointment", "Installation", "Heating service", "Meter reading"],
        ["nobody came", "left unfinished", "moved three times", "damaged the floor"],
    ),
]

COMPLAINTS = [
    "I bought it three weeks ago and followed the manual.",
    "It worked well for the first days, then this began.",
    "I have switched it off and on again, which did not help.",
    "I called the shop and was told to write to you.",
    "My family depends on it, so I hope for a quick answer.",
    "I have kept the receipt and the packaging.",
    "This is the second time within a year.",
    "I would like a replacement or my money back.",
]
CUSTOMER_LINES = [
    "Thank you for looking into it.",
    "I tried what you said, and nothing has changed.",
    "The number on the back is hard to read, but I think it ends in 7.",
    "I am at home on weekdays after five.",
    "Is there any news?",
    "Yes, that is the right address.",
    "The light blinks three times and then goes out.",
    "I have found the receipt and can send a picture.",
    "That would be fine for me.",
    "Please call me if anything is missing.",
]
AGENT_LINES = [
    "Thank you for getting in touch, and I am sorry for the trouble.",
    "I have passed this to our workshop and will write again tomorrow.",
    "Could you tell me the serial number from the label on the back?",
    "A replacement has been ordered for you.",
    "I can see the payment and have asked for it to be booked back.",
    "Our technician can come on Thursday between nine and twelve.",
    "Please unplug it for ten minutes and try once more.",
    "You do not need to send the old one back.",
    "I have spoken to the warehouse: the parcel is on its way.",
    "Is there anything else you have noticed?",
]
NOTES = [
    "Second case with this batch, see the list of the workshop.",
    "Called the depot, they will look for it tonight.",
    "Refund is within what we may decide ourselves.",
    "Customer prefers to be called in the evening.",
]
RESOLUTIONS = [
    ("replaced", "We have sent you a new one. Please recycle the old one."),
    ("refunded", "The amount is on its way back to your account. It takes up to five days."),
    ("repaired", "It has been repaired and tested, and works as it should."),
    ("answered", "We have explained how it works, and you told us it does now."),
    ("compensated", "We have credited 10 to your account for the trouble."),
    ("no_fault", "Our test found no fault. Please keep it plugged in over night."),
]
HOLD_REASONS = ["A spare part is on order.", "The depot answers next week."]
COMMENTS = [
    "",
    "",
    "",
    "Quick and friendly.",
    "It took too long.",
    "Thank you!",
    "I had to explain everything twice.",
    "Just as promised.",
]
