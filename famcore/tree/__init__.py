"""The tree: what is known of the disk. Changes go in, events come out."""

from famcore.tree.tree import Tree

__all__ = ["Tree"]
