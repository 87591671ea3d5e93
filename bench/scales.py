"""How big a run of the bench is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes of the two districts, and how long is measured. `seconds` is one round of a load; medians are of `rounds` rounds."""

    readers: int  # students of the district that is read
    page: int  # records of a page
    far: int  # the far offset into the enrollments
    active_page: int  # limit of the walk by status
    sort_offset: int  # offset into the sorted walk through users
    imported: int  # students of the district that is imported
    synced: int  # students of the district that a directory is kept in step with
    seconds: float
    rounds: int
    members: int  # of the organization whose lists are looked through
    megabytes: int  # that an import may have in memory


SCALES = {
    # For the bench's own tests.
    "tiny": Scale(100, 100, 500, 200, 100, 60, 60, 0.1, 1, 600, 1_000),
    "small": Scale(3_000, 1_000, 24_000, 5_000, 2_000, 5_000, 10_000, 0.7, 3, 10_000, 1_000),
    # 25,000 students are some 27,000 served users and 208,000 enrollments; 100,000 students some 830,000 enrollments;
    # 121,000 are some 130,000 users and a million enrollments.
    "issue": Scale(25_000, 1_000, 200_000, 5_000, 20_000, 100_000, 121_000, 3, 5, 50_000, 1_000),
    # A million students are some 8.3 million enrollments: a state, or the largest of cities.
    "state": Scale(25_000, 1_000, 200_000, 5_000, 20_000, 1_000_000, 121_000, 3, 3, 50_000, 1_500),
}
