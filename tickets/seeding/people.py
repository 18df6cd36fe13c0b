"""The people of the load data: customers, agents, and three with a name to sign in with."""

from dataclasses import dataclass
from datetime import datetime
from random import Random

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from accounts import consents
from accounts.models import Role, Standing, User
from tickets.models import Category, Expertise

from . import loading
from .words import FIRST_NAMES, LAST_NAMES, TRADES


@dataclass
class Cast:
    customers: list[User]  # the first one raises every hundredth ticket
    agents: list[User]  # the first one has the fullest desk
    admin: User
    categories: list[Category]


def domain(seed: int) -> str:
    """Everybody's mail domain; a database holds a seed once."""
    return f"seed{seed}.example.org"


def create(
    tickets: int, agents: int, seed: int, *, rng: Random, since: datetime, password: str | None
) -> Cast:
    """Store ``agents`` agents and the customers that ``tickets`` tickets need.

    ``customer@``, ``agent@`` and ``admin@`` the seed's domain can sign in with ``password``;
    nobody can as anybody else.
    """
    rest = {"joined": since, "rng": rng, "domain": domain(seed)}
    customers = _crowd(Role.CUSTOMER, max(20, tickets // 20), **rest)
    agents = _crowd(Role.AGENT, agents, **rest)
    [admin] = _crowd(Role.ADMIN, 1, **rest)
    people = [*customers, *agents, admin]
    for pk, person in enumerate(people, loading.next_pk(User)):
        person.pk = pk
    if password:
        for person in (customers[0], agents[0], admin):
            person.password = make_password(password)
            person.is_demo = True  # production refuses to start with them
    loading.insert(people)
    first = loading.next_pk(EmailAddress)
    loading.insert(
        [
            EmailAddress(pk=pk, user=person, email=person.email, verified=True, primary=True)
            for pk, person in enumerate(people, first)
        ]
    )
    loading.go_on_numbering(User, EmailAddress)
    if password:
        for person in (customers[0], agents[0], admin):
            consents.agree(person, consents.versions())
    categories = _categories()
    _share_out(categories, agents, rng)
    return Cast(customers, agents, admin, categories)


def _crowd(role: Role, size: int, *, joined: datetime, rng: Random, domain: str) -> list[User]:
    names = [role.value, *(f"{role.value}{n}" for n in range(2, size + 1))]
    return [
        User(
            email=f"{name}@{domain}",
            password="!",  # noqa: S106 -- matches no password
            first_name=rng.choice(FIRST_NAMES),
            last_name=rng.choice(LAST_NAMES),
            role=role,
            standing=Standing.ACTIVE,
            created_at=joined,
        )
        for name in names
    ]


def _categories() -> list[Category]:
    """One for each trade, in their order; those of the same name are taken as they are."""
    by_name = {category.name: category for category in Category.objects.all()}
    missing = [trade for trade in enumerate(TRADES) if trade[1][0] not in by_name]
    for pk, (position, (name, team, *_)) in enumerate(missing, loading.next_pk(Category)):
        by_name[name] = Category(pk=pk, name=name, team_name=team, position=position)
    loading.insert([by_name[name] for _, (name, *_) in missing])
    loading.go_on_numbering(Category)
    return [by_name[name] for name, *_ in TRADES]


def _share_out(categories, agents, rng):
    """Every agent knows two categories, and every category has an expert."""
    Expertise.objects.bulk_create(
        Expertise(agent=agent, category=category, level=rng.choice(Expertise.Level.values))
        for n, agent in enumerate(agents)
        for category in (categories[n % len(categories)], categories[(n + 1) % len(categories)])
    )
