"""Scopes as groups: what repeats under one parent is one group with many instances."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..modes import Scope
from ..tape import Node
from .blocks import place, repeating
from .roles import gradient_scope, recorded

__all__ = ["Group", "Instance", "Scopes"]


Key = tuple[str, bool]
"""A name, and whether the engine gave it: a scope of the user's may be called ``backward`` as well."""


@dataclass(eq=False)
class Group:
    """A scope, or the scopes of one name that repeat under one parent. ``instances``: how many there are in all."""

    name: str
    parent: Group | None = None
    instances: int = 0
    index: int | None = None
    children: dict[Key, Group] = field(default_factory=dict)

    def chain(self) -> tuple[Group, ...]:
        """From the outermost group to this one, the root left out."""
        return () if self.parent is None else (*self.parent.chain(), self)

    @property
    def label(self) -> str:
        """``step ×64``: the name, and how often it repeats inside its parent."""
        outer = self.parent.instances if self.parent is not None else 1
        if self.instances == outer:
            return self.name if self.index is None else f"{self.name} {self.index}"
        each, rest = divmod(self.instances, outer)
        return f"{self.name} ×{self.instances if rest else each}" + (" in all" if rest else "")


class Instance:
    """One scope of the model, however often it was entered: a place in a group."""

    def __init__(self, group: Group, parent: Instance | None, ordinal: int) -> None:
        self.group, self.parent, self.ordinal = group, parent, ordinal
        self.indexed: dict[tuple[str, int], Instance] = {}
        self.calls: dict[Key, int] = {}
        group.instances += 1

    def chain(self) -> tuple[Instance, ...]:
        return () if self.parent is None else (*self.parent.chain(), self)


class Scopes:
    """From the Scope of a node to its instance, made when first met."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.blocks = repeating(nodes)
        self.root = Instance(Group(""), None, 0)
        self._met: dict[Scope, Instance] = {}
        self._moved: dict[tuple[Scope, int], Scope] = {}

    def of(self, node: Node, order: int) -> Instance:
        """The place of a node that is part of a derivative of this order."""
        return self[gradient_scope(node.scope, order, self._moved)]

    def __getitem__(self, scope: Scope) -> Instance:
        found = self._met.get(scope)
        if found is None:
            found = self.root if scope.parent is None else self._enter(self[scope.parent], scope)
            self._met[scope] = found
        return found

    def _enter(self, parent: Instance, scope: Scope) -> Instance:
        name, index = self.blocks.get(place(scope), (scope.name, scope.index))
        if index is not None and (name, index) in parent.indexed:
            return parent.indexed[name, index]
        was = recorded(scope)
        key = name, was.mirrored == len(was.chain())
        group = parent.group.children.setdefault(key, Group(name, parent.group, index=index))
        parent.calls[key] = parent.calls.get(key, 0) + 1
        made = Instance(group, parent, parent.calls[key] if index is None else index)
        if index is not None:
            parent.indexed[name, index] = made
        return made

    def shared(self, instances: list[Instance]) -> Instance:
        """The innermost instance that all lie in."""
        shared = instances[0].chain()
        for other in set(instances[1:]):
            pairs = zip(shared, other.chain(), strict=False)
            shared = tuple(one for one, another in pairs if one is another)
        return shared[-1] if shared else self.root
