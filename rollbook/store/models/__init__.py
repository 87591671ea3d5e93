"""Every table of Rollbook, one module a subject; import models from here."""

from rollbook.store.models.access import (
    AccessToken,
    Account,
    Credential,
    Grant,
    IDToken,
    OAuthGrant,
    Operator,
    RefreshToken,
)
from rollbook.store.models.auditing import AuditEntry, AuditHead, AuditNote
from rollbook.store.models.catalogue import App, Bearer, Developer, DeveloperMail, Logo, Partner, PartnerKey
from rollbook.store.models.checking import SanityCheck, SanityPlan
from rollbook.store.models.deliveries import Delivery, Export
from rollbook.store.models.disclosing import Shown
from rollbook.store.models.guarding import Hold, Limit
from rollbook.store.models.history import Connection, Plan, Run, Snapshot
from rollbook.store.models.jobs import Progress, Worker
from rollbook.store.models.judging import EmailDomain, SeverityChange
from rollbook.store.models.keeping import Keeping, SnapshotAct
from rollbook.store.models.letters import Letter
from rollbook.store.models.permissions import (
    ApprovalRule,
    GrantVersion,
    MaskKey,
    OptOut,
    PermissionRequest,
)
from rollbook.store.models.planning import Rehearsal, Schedule, Span, Start
from rollbook.store.models.preparation import Preparation
from rollbook.store.models.publication import Publication, Served, View, ViewRow
from rollbook.store.models.reading import (
    AccessRow,
    DailyUse,
    KeyUse,
    LastSignIn,
    Nonce,
    PageChunk,
    PageList,
    Pin,
)
from rollbook.store.models.roster import (
    RECORDS,
    AcademicSession,
    Class,
    ClassResource,
    Course,
    CourseResource,
    Demographics,
    District,
    Enrollment,
    Org,
    Record,
    Resource,
    Role,
    User,
    UserProfile,
    UserResource,
)
from rollbook.store.models.tokens import OperatorToken, OperatorTokenUse

__all__ = [
    "RECORDS",
    "AcademicSession",
    "AccessRow",
    "AccessToken",
    "Account",
    "App",
    "ApprovalRule",
    "AuditEntry",
    "AuditHead",
    "AuditNote",
    "Bearer",
    "Class",
    "ClassResource",
    "Connection",
    "Course",
    "CourseResource",
    "Credential",
    "DailyUse",
    "Delivery",
    "Demographics",
    "Developer",
    "DeveloperMail",
    "District",
    "EmailDomain",
    "Enrollment",
    "Export",
    "Grant",
    "GrantVersion",
    "Hold",
    "IDToken",
    "Keeping",
    "KeyUse",
    "LastSignIn",
    "Letter",
    "Limit",
    "Logo",
    "MaskKey",
    "Nonce",
    "OAuthGrant",
    "Operator",
    "OperatorToken",
    "OperatorTokenUse",
    "OptOut",
    "Org",
    "PageChunk",
    "PageList",
    "Partner",
    "PartnerKey",
    "PermissionRequest",
    "Pin",
    "Plan",
    "Preparation",
    "Progress",
    "Publication",
    "Record",
    "RefreshToken",
    "Rehearsal",
    "Resource",
    "Role",
    "Run",
    "SanityCheck",
    "SanityPlan",
    "Schedule",
    "Served",
    "SeverityChange",
    "Shown",
    "Snapshot",
    "SnapshotAct",
    "Span",
    "Start",
    "User",
    "UserProfile",
    "UserResource",
    "View",
    "ViewRow",
    "Worker",
]
