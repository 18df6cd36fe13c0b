"""Who appears in the demonstration, and what their shop is complained to about."""

from dataclasses import dataclass

from accounts.models import Role
from tickets.models import DayCount, Expertise

CATEGORIES = {
    "product": ("Faulty or damaged product", "Returns team"),
    "delivery": ("Delivery", "Delivery team"),
    "payment": ("Payment or refund", "Payments team"),
    "service": ("Service or staff", "Customer relations"),
    "account": ("Account or privacy", "Accounts team"),
    "insurance": ("Product insurance", "Insurance team"),
    "other": ("Something else", "Front desk"),
}
DEALT = {"payment"}  # the registry assigns these by itself


# What is promised, in hours of opening time: of a category or all, of a priority or all.
SERVICE_LEVELS = [
    (None, "", 8, 40),
    (None, "urgent", 2, 10),
    ("payment", "", 4, 20),
]


# Complaints about insurance are regulated.
PROCEDURE = (
    "Insurance complaints",
    {
        "days": DayCount.CALENDAR,
        "acknowledge_within": 5,
        "respond_within": 28,
        "warn_before": 2,
        "referral": (
            "If you do not agree with our decision, you can turn to the Insurance Ombudsman "
            "within six months of this letter, free of charge.\n\n"
            "Insurance Ombudsman, 1 Example Square, Exampleton"
        ),
        "sender": "Customer Care Registry\nInsurance team\n12 Sample Street\nExampleton",
    },
)
COMPLAINT_CODES = [
    ("cause", "cover", "What the insurance covers"),
    ("cause", "delay", "A payment that came late"),
    ("remedy", "paid", "Paid in full"),
    ("remedy", "upheld", "The first decision stands"),
]


@dataclass(frozen=True)
class Person:
    first_name: str
    last_name: str
    role: Role = Role.CUSTOMER
    is_accepted: bool = True
    signs_in: bool = False

    @property
    def email(self):
        words = f"{self.first_name}.{self.last_name}".lower()
        plain = words.translate(str.maketrans("áćłš", "acls", " '-"))
        return f"{plain}@example.com"


# The administrator comes first: she accepts the agents.
PEOPLE = {
    "ruth": Person("Ruth", "Adeyemi", Role.ADMIN, signs_in=True),
    "amara": Person("Amara", "Okafor", signs_in=True),
    "noor": Person("Noor", "el-Amrani", signs_in=True),
    "kofi": Person("Kofi", "Asante", signs_in=True),
    "helen": Person("Helen", "Brandt"),
    "jonas": Person("Jonas", "Petersen"),
    "mei": Person("Mei", "Carter"),
    "luca": Person("Luca", "Romano"),
    "marta": Person("Marta", "Kowalczyk"),
    "yuki": Person("Yuki", "Tanaka"),
    "sam": Person("Sam", "Whitlock"),
    "priya": Person("Priya", "Raman", Role.AGENT, signs_in=True),
    "tomas": Person("Tomás", "Silva", Role.AGENT, signs_in=True),
    "lena": Person("Lena", "Fischer", Role.AGENT, signs_in=True),
    "daniel": Person("Daniel", "Mensah", Role.AGENT, signs_in=True),
    "ines": Person("Ines", "Jovanović", Role.AGENT, is_accepted=False, signs_in=True),
    "wole": Person("Wole", "Ogunleye", Role.AGENT, is_accepted=False),
}

BASIC, GOOD, EXPERT = Expertise.Level
EXPERTISE = {
    "priya": {"product": EXPERT, "payment": GOOD, "account": BASIC},
    "tomas": {"payment": EXPERT, "account": GOOD},
    "lena": {"product": EXPERT, "service": GOOD},
    "daniel": {"delivery": EXPERT, "product": BASIC},
}
