"""Who may do what: one table for every door. A row is an act, and in it stand the roles that may do it; nothing else decides.

Where an act is allowed is decided by the post: a district's operators act in their district, an installation operator in every one,
a school administrator on the people and classes of their own schools (`Reach.schools`).
"""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from rollbook.refusal import Refusal
from rollbook.store.models import Account, Administrator, Operator, Organization


class Role(StrEnum):
    """What somebody is here. Not the roles of OneRoster, which are people's in a roster."""

    INSTALLATION = "installation operator"
    DISTRICT = "district administrator"
    SCHOOL = "school administrator"
    PRIVACY = "privacy officer"
    HELP_DESK = "help desk"
    PARTNER = "partner"
    ORGANIZATION = "organization administrator"
    SITE = "site administrator"
    SUPPORT = "product support"


class Act(Enum):
    """The kinds of things done here. A page or a call names one, and answers those only who may."""

    SEE_DASHBOARD = auto()
    SEE_ROSTER = auto()
    SEE_DEMOGRAPHICS = auto()
    EDIT_ROSTER = auto()
    SEE_IMPORTS = auto()
    SEE_SETTINGS = auto()
    MANAGE_OPERATORS = auto()
    DECIDE_HOLDS = auto()
    MANAGE_LIMITS = auto()
    MANAGE_CONNECTIONS = auto()
    MANAGE_SNAPSHOTS = auto()
    COMPARE = auto()
    MANAGE_SEVERITIES = auto()
    MANAGE_TOKENS = auto()
    MANAGE_CALENDAR = auto()
    MANAGE_LAUNCH_PAD = auto()
    HAND_OUT_SIGN_INS = auto()

    SEE_APPS = auto()
    REQUEST_APP = auto()
    MANAGE_APPS = auto()
    SEE_PERMISSIONS = auto()
    EDIT_PERMISSIONS = auto()
    APPROVE_PERMISSIONS = auto()
    OPT_OUT = auto()
    MANAGE_KEYS = auto()
    FIND = auto()
    EXPLAIN = auto()
    CHECK_SANITY = auto()
    MANAGE_DELIVERIES = auto()
    WRITE_TO_DEVELOPER = auto()
    SEE_ACCESS_HISTORY = auto()
    SEE_AUDIT = auto()

    SEE_CATALOGUE = auto()
    MANAGE_CATALOGUE = auto()
    SEE_INSTALLATION_AUDIT = auto()
    ACKNOWLEDGE_ALARMS = auto()

    SEE_OWN_APPS = auto()
    CHECK_OWN_SANITY = auto()
    REGISTER_APPS = auto()
    MANAGE_OWN_KEYS = auto()
    MANAGE_DEVELOPERS = auto()

    SEE_ROSTERING = auto()
    MANAGE_ROSTERING = auto()
    SEE_MEMBERS = auto()
    MANAGE_MEMBERS = auto()
    MANAGE_ADMINISTRATORS = auto()
    SEE_SIGN_IN = auto()
    MANAGE_SIGN_IN = auto()
    SUPPORT_ROSTERING = auto()
    MANAGE_SIGN_IN_CLIENTS = auto()


OP, DA, SA, PO, HD = Role.INSTALLATION, Role.DISTRICT, Role.SCHOOL, Role.PRIVACY, Role.HELP_DESK
PA, OA, TA, PS = Role.PARTNER, Role.ORGANIZATION, Role.SITE, Role.SUPPORT

OF_A_DISTRICT, OF_A_PRODUCT = (OP, DA, SA, PO, HD), (PA, OA, TA, PS)
"""The two sides: who gives rosters out, and who makes or uses what takes them in. No role stands on both."""

IN_A_DISTRICT: dict[Act, tuple[Role, ...]] = {
    Act.SEE_DASHBOARD: (OP, DA, SA, PO, HD),
    # The roster of a district, whole.
    Act.SEE_ROSTER: (OP, DA),
    Act.SEE_DEMOGRAPHICS: (OP, DA),
    Act.EDIT_ROSTER: (OP, DA),
    Act.SEE_IMPORTS: (OP, DA),
    Act.SEE_SETTINGS: (OP, DA),
    Act.MANAGE_OPERATORS: (OP, DA),
    Act.DECIDE_HOLDS: (OP, DA),
    Act.MANAGE_LIMITS: (OP, DA),
    Act.MANAGE_CONNECTIONS: (OP, DA),
    Act.MANAGE_SNAPSHOTS: (OP, DA),
    Act.COMPARE: (OP, DA),
    Act.MANAGE_SEVERITIES: (OP, DA),
    Act.MANAGE_TOKENS: (OP, DA),
    Act.MANAGE_CALENDAR: (OP, DA),
    # Its launch pad: how its people come in, and what they come in by. A school administrator hands that out in their schools.
    Act.MANAGE_LAUNCH_PAD: (OP, DA),
    Act.HAND_OUT_SIGN_INS: (OP, DA, SA, HD),
    # The apps of a district.
    Act.SEE_APPS: (OP, DA, SA, PO, HD),
    Act.REQUEST_APP: (OP, DA, SA, PO),
    Act.MANAGE_APPS: (OP, DA),
    Act.SEE_PERMISSIONS: (OP, DA, PO),
    Act.EDIT_PERMISSIONS: (OP, DA),
    Act.APPROVE_PERMISSIONS: (OP, DA, PO),
    Act.OPT_OUT: (OP, DA, PO),
    Act.MANAGE_KEYS: (OP, DA),
    Act.FIND: (OP, DA, SA, PO, HD),
    Act.EXPLAIN: (OP, DA, PO, HD),
    Act.CHECK_SANITY: (OP, DA, SA, PO),
    Act.MANAGE_DELIVERIES: (OP, DA),
    Act.WRITE_TO_DEVELOPER: (OP, DA),
    Act.SEE_ACCESS_HISTORY: (OP, DA, PO),
    Act.SEE_AUDIT: (OP, DA, PO),
}

IN_THE_INSTALLATION: dict[Act, tuple[Role, ...]] = {
    Act.SEE_CATALOGUE: (OP, DA, SA, PO),
    Act.MANAGE_CATALOGUE: (OP,),
    Act.SEE_INSTALLATION_AUDIT: (OP,),
    Act.ACKNOWLEDGE_ALARMS: (OP,),
}

ON_A_PRODUCTS_SIDE: dict[Act, tuple[Role, ...]] = {
    # The apps of the company that makes them.
    Act.SEE_OWN_APPS: (PA, PS),
    Act.CHECK_OWN_SANITY: (PA, PS),
    Act.REGISTER_APPS: (PA,),
    Act.MANAGE_OWN_KEYS: (PA,),
    Act.MANAGE_DEVELOPERS: (PA,),
    # An organization: what its rostering is set to, and the people it has.
    Act.SEE_ROSTERING: (OA, TA),
    Act.MANAGE_ROSTERING: (OA,),
    Act.SEE_MEMBERS: (OA, TA),
    Act.MANAGE_MEMBERS: (OA,),
    Act.MANAGE_ADMINISTRATORS: (OA,),
    # How its members come in, and why somebody did not. A site administrator sees the people of their sites.
    Act.SEE_SIGN_IN: (OA, TA),
    Act.MANAGE_SIGN_IN: (OA,),
    # All organizations of a product: how their rostering is, and nobody's name without a reason that is kept.
    Act.SUPPORT_ROSTERING: (PS,),
    # By which the product's own server takes sign-ins from us, for all its organizations.
    Act.MANAGE_SIGN_IN_CLIENTS: (PS,),
}

MAY: dict[Act, tuple[Role, ...]] = IN_A_DISTRICT | IN_THE_INSTALLATION | ON_A_PRODUCTS_SIDE
"""Who may do each act."""


class NotAllowed(Refusal):
    """Your role does not let you do this here: an administrator of the district can, or can give you another role."""


def may(role: str, act: Act) -> bool:
    """The cell of the table. A role that nobody knows may do nothing."""
    return role in MAY[act]


@dataclass(frozen=True)
class Reach:
    """Where an account works: its posts as an operator."""

    posts: tuple[Operator, ...]

    @property
    def is_installation(self) -> bool:
        return any(post.role == Role.INSTALLATION for post in self.posts)

    @property
    def districts(self) -> frozenset[int] | None:
        """The ids of the districts it works in; None stands for all."""
        if self.is_installation:
            return None
        return frozenset(post.district_id for post in self.posts if post.district_id is not None)

    def may(self, act: Act, district_id: int) -> bool:
        return any(may(post.role, act) for post in self._posts_in(district_id))

    def may_here(self, act: Act) -> bool:
        """Whether it may do what belongs to no district, such as keeping the catalogue."""
        return any(may(post.role, act) for post in self.posts)

    def roles_in(self, district_id: int) -> frozenset[str]:
        return frozenset(post.role for post in self._posts_in(district_id))

    def schools(self, act: Act, district_id: int) -> frozenset[int] | None:
        """The record ids of the schools within which it may do this act; None stands for the whole district.

        Only a school administrator is bound to schools: who also has another post that allows the act is not.
        """
        allowed = [post for post in self._posts_in(district_id) if may(post.role, act)]
        if any(post.role != Role.SCHOOL for post in allowed):
            return None
        return frozenset(school for post in allowed for school in post.schools)

    def _posts_in(self, district_id: int) -> tuple[Operator, ...]:
        return tuple(
            post
            for post in self.posts
            if post.role == Role.INSTALLATION or (post.district_id == district_id and district_id is not None)
        )


def reach_of(account: Account) -> Reach:
    return Reach(tuple(Operator.objects.filter(account=account)))


@dataclass(frozen=True)
class ProductReach:
    """Where an account works on a product's side: its posts as an administrator, or as a product's support."""

    posts: tuple[Administrator, ...]

    def may(self, act: Act, organization: Organization) -> bool:
        """Whether it may do this in the organization. Support's acts are a product's: `may_support`."""
        return any(may(post.role, act) for post in self._posts_in(organization))

    def may_support(self, act: Act, product_id: int) -> bool:
        """Whether it may do what is done for a product, for all its organizations."""
        here = [post for post in self.posts if post.organization_id is None and post.product_id == product_id]
        return any(may(post.role, act) for post in here)

    def sites(self, act: Act, organization: Organization) -> frozenset[int] | None:
        """The ids of the sites within which it may do this act; None stands for the whole organization.

        Only a site administrator is bound to sites.
        """
        allowed = [post for post in self._posts_in(organization) if may(post.role, act)]
        if any(post.role != Role.SITE for post in allowed):
            return None
        return frozenset(site for post in allowed for site in post.sites)

    def _posts_in(self, organization: Organization) -> tuple[Administrator, ...]:
        return tuple(post for post in self.posts if post.organization_id == organization.pk)


def product_reach_of(account: Account) -> ProductReach:
    posts = Administrator.objects.filter(account=account, left_at=None).select_related(
        "organization", "product"
    )
    return ProductReach(tuple(posts.order_by("product__name", "organization__name", "pk")))
