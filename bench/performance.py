"""x"""


def write(rows: object, scale: str) -> None:
    pass
