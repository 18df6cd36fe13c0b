"""What goes on in the demonstration just now."""

from tickets.models import Priority, Stage
from tickets.workflow import ResolutionKind, Status

from .steps import (
    Story,
    advanced,
    ago,
    assigned,
    held,
    moved,
    noted,
    rated,
    resolved,
    said,
    taken,
    thanked,
)

STORIES = [
    Story(
        ago(2, 2),
        "amara",
        "product",
        "Kettle stopped heating after two weeks",
        "The kettle worked for two weeks. Since Tuesday the light comes on but the water stays "
        "cold. I tried two other sockets.\n\nI would like a replacement before the weekend "
        "because my mother is staying with us.",
        [
            assigned(ago(2, 1, 22), "priya"),
            said(
                ago(2, 1, 16),
                "priya",
                "Hello Amara, I’m Priya. A kettle shouldn’t give up after "
                "two weeks, and you shouldn’t have to chase us about it. Could you read me the "
                "batch number under the base? It’s next to the barcode and starts with B.",
            ),
            said(ago(0, 1, 9), "amara", "Sorry for the wait! It says B2319."),
            noted(
                ago(0, 1, 6),
                "priya",
                "B2319 is pulled from sale, so no need to collect the old one.",
            ),
            said(
                ago(0, 1, 4),
                "priya",
                "Thank you, that’s what I needed. I’ve asked the warehouse "
                "to set one aside and I’ll confirm your delivery slot by 4 pm today.",
            ),
            said(ago(0, 1), "amara", "Wonderful. Do I have to post the old one back?"),
        ],
        priority=Priority.HIGH,
        against="Aurelia 1.7 L kettle, order 884-2210",
        bought=17,
    ),
    Story(
        ago(4, 16),
        "amara",
        "payment",
        "Charged twice for one delivery",
        "Both payments left on the 14th, £38.50 each. I only got one parcel.",
        [
            taken(ago(4, 2), "tomas"),
            said(
                ago(3, 20),
                "tomas",
                "I can see one payment on our side. Could you tell me the last "
                "four digits of the card the second one came from? Only the last four, please.",
                then=Status.WAITING,
            ),
        ],
        against="Order 884-1987",
    ),
    Story(
        ago(6, 5),
        "helen",
        "insurance",
        "Insurance does not pay for the broken tablet",
        "I took out the product insurance with the tablet. The screen broke in its bag, and now I "
        "read that “wear” is not covered. It was three weeks old.",
        [
            assigned(ago(6, 3), "lena"),
            advanced(ago(5, 22), "lena", Stage.ACKNOWLEDGED),
            advanced(
                ago(0, 2),
                "lena",
                Stage.INVESTIGATING,
                "I have asked the insurer how they came to “wear”, and for the photos the workshop "
                "took.",
            ),
        ],
        against="Tablet insurance, policy 51-0037",
        bought=31,
    ),
    Story(
        ago(0, 0, 41),
        "amara",
        "product",
        "Assembly instructions missing from the box",
        "The bookcase came without its instructions. Could somebody send me a PDF?",
        against="Bookcase AX-40, order 884-2301",
        bought=3,
    ),
    Story(
        ago(9, 3),
        "amara",
        "product",
        "Wrong size of lampshade sent",
        "I ordered the 40 cm shade and got the 30 cm one. The label on the box says 40.",
        [
            assigned(ago(9, 2), "lena"),
            said(
                ago(9, 1),
                "lena",
                "That is our mistake, Amara. The right one leaves today. Please "
                "keep the box: the driver takes the small one back.",
            ),
            said(ago(8, 22), "amara", "Thank you, I’ll be home after five."),
            resolved(
                ago(2, 6),
                "lena",
                ResolutionKind.REPLACED,
                "The 40 cm lampshade was delivered and the other one taken back.",
            ),
        ],
        against="Linen lampshade, order 884-1770",
        bought=14,
    ),
    Story(
        ago(19),
        "amara",
        "account",
        "Invoice shows my old address",
        "I moved in September and changed the address in my account, but the invoice still shows "
        "the old one.",
        [
            assigned(ago(18, 23), "tomas"),
            said(
                ago(18, 22),
                "tomas",
                "I’ve made a new invoice with the address from your account. "
                "You’ll find it under your order.",
            ),
            resolved(
                ago(18, 21),
                "tomas",
                ResolutionKind.ANSWERED,
                "A corrected invoice with your new address is in your account.",
            ),
            rated(
                ago(18, 4),
                "amara",
                5,
                "Quick, and right the first time.",
                "Tell people in their account that it takes a day until invoices know it.",
            ),
            thanked(
                ago(18, 2),
                "tomas",
                "Thank you, Amara. A note about it stands beside the address now.",
            ),
        ],
    ),
    Story(
        ago(1, 2),
        "kofi",
        "payment",
        "Refund promised last week has not arrived",
        "You said five working days and it is now nine. The amount was £112.00.",
        [
            assigned(ago(1, 1), "priya"),
            said(
                ago(1),
                "priya",
                "Hello Kofi. Nine days is too long, and I’m sorry. I’m asking "
                "our bank where it is and will write to you today.",
            ),
            said(ago(0, 3, 30), "kofi", "Thank you. The rent is due on Monday."),
            noted(
                ago(0, 3, 20),
                "priya",
                "The bank bounced it: account closed. Kofi has to give another one.",
            ),
            said(
                ago(0, 3, 10),
                "priya",
                "The bank sent it back because that account was closed. I’m "
                "having it paid to the card you ordered with instead, if that suits you?",
            ),
            said(ago(0, 0, 8), "kofi", "Yes, the card is fine."),
        ],
        priority=Priority.HIGH,
        against="Order 883-9054",
    ),
    Story(
        ago(0, 5),
        "helen",
        "product",
        "Glass in the table top cracked while assembling",
        "It cracked with a bang when I tightened the second leg. My son cut his hand, it is fine "
        "now, but I don’t dare to touch the rest.",
        [
            assigned(ago(0, 4, 50), "lena"),
            said(
                ago(0, 4, 40),
                "lena",
                "I’m glad your son is all right. Please leave it where it is: "
                "we collect the table, glass and all. Which day suits you?",
            ),
            said(ago(0, 4, 20), "helen", "Tomorrow before noon, please."),
        ],
        priority=Priority.URGENT,
        against="Table Halo 120, order 884-2255",
        bought=6,
    ),
    Story(
        ago(0, 7),
        "noor",
        "product",
        "Wrong colour of cushion covers",
        "Ordered moss green, received sage. In daylight the difference is hard to miss.",
        [
            assigned(ago(0, 6, 30), "lena"),
            said(
                ago(0, 2, 40),
                "lena",
                "I’ve looked at both swatches and you are right, these are "
                "sage. Moss green comes with tomorrow’s parcel.",
            ),
        ],
        against="Four cushion covers, order 884-2290",
        bought=5,
    ),
    Story(
        ago(0, 0, 25),
        "noor",
        "product",
        "Wrong colour of cushion covers, second parcel",
        "The same order, second parcel: two more in sage instead of moss green.",
        against="Order 884-2290",
        bought=5,
    ),
    Story(
        ago(0, 0, 19),
        "mei",
        "delivery",
        "Two of three boxes arrived",
        "The driver left two boxes and said the third would follow. The tracking page calls all "
        "three delivered.",
        against="Wardrobe Nord, order 884-2248",
    ),
    Story(
        ago(0, 0, 12),
        "jonas",
        "other",
        "Is the oak sideboard coming back in stock?",
        "I would like two, delivered together. I can wait until spring.",
        priority=Priority.LOW,
    ),
    Story(
        ago(0, 0, 4),
        "luca",
        "service",
        "Driver would not carry it upstairs",
        "I paid for delivery to the second floor. The driver left the box in the hall and was gone "
        "before I could answer.",
        against="Order 884-2312",
    ),
    Story(
        ago(4, 1),
        "yuki",
        "product",
        "Lamp flickers on the dimmer",
        "On its own it is fine, on the dimmer it flickers below half.",
        [
            assigned(ago(4), "daniel"),
            said(
                ago(1, 5),
                "daniel",
                "Not every dimmer gets on with LEDs. Which model do you have? "
                "The name is on the inside of the cover.",
                then=Status.WAITING,
            ),
        ],
        against="Pendant lamp Ode",
        bought=30,
    ),
    Story(
        ago(6),
        "marta",
        "product",
        "Replacement screws for shelf AX-40",
        "Two of the eight screws have no thread. I can send a photo if it helps.",
        [
            taken(ago(5, 23), "lena"),
            said(ago(5, 22), "lena", "No photo needed, I’m ordering a full set for you."),
            held(ago(3), "lena", "The maker sends a new set of screws on Thursday", days=8),
        ],
        priority=Priority.LOW,
        against="Shelf AX-40",
    ),
    Story(
        ago(3, 4),
        "sam",
        "payment",
        "Voucher says used but I never used it",
        "A birthday present, the code ends with 7Q2. The shop says it was used on the 2nd.",
        [
            assigned(ago(3, 3), "tomas"),
            said(ago(3, 2), "tomas", "It was booked on another order by mistake. I’ve freed it."),
            resolved(
                ago(2, 23), "tomas", ResolutionKind.REFUNDED, "The voucher has its full £25 again."
            ),
            moved(ago(1, 22), "sam", Status.OPEN, text="It still says used when I pay."),
            said(
                ago(0, 2, 15),
                "tomas",
                "I see why: the shop’s app kept the old answer. Please try "
                "once more, and tell me what it says.",
            ),
        ],
    ),
    Story(
        ago(5, 6),
        "jonas",
        "delivery",
        "Parcel says delivered but it is not here",
        "Tracking says it was handed over at 11:02. Nobody was at home then.",
        [moved(ago(5, 4), "jonas", Status.WITHDRAWN, text="A neighbour had it all along.")],
        against="Order 884-2119",
    ),
]
