"""Verbs that are loaded when they are asked for: a command does not wait for what the others need (SSH, the web server, the engine)."""

from collections.abc import Iterator, Mapping
from importlib import import_module

import typer


class Loaded(Mapping[str, object]):
    """The command of each verb, made from its module; `modules` are their names by verb. Only asking for the command imports it."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self.modules = modules

    def __getitem__(self, verb: str) -> object:
        alone = typer.Typer(rich_markup_mode=None)
        import_module(self.modules[verb]).register(alone)
        return typer.main.get_group(alone).commands[verb]

    def __contains__(self, verb: object) -> bool:
        return verb in self.modules

    def __iter__(self) -> Iterator[str]:
        return iter(self.modules)

    def __len__(self) -> int:
        return len(self.modules)
