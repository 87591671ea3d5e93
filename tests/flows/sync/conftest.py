"""A small school in step with an organization's directory: synced once, and put back for each test that begins with it."""

from tests.flows.sync.organizations import connected_school, synced_school
from tests.kept import kept

unsynced = kept(connected_school)
synced = kept(synced_school)
