"""Pure: make a module note which of its statements run."""

import ast
from typing import Any

from .sites import FUNCTIONS, mark

NOTE = "__note__"
"""The name under which a marked module finds the function that it notes a mark with."""


def marked(tree: ast.Module, module: str) -> ast.Module:
    """Mark each statement of a function and each lambda; the tree is changed.

    :param module: what each mark begins with, before a colon.
    """
    _Marker(module).visit(tree)
    return ast.fix_missing_locations(tree)


class _Marker(ast.NodeTransformer):
    def __init__(self, module: str) -> None:
        self._module, self._depth = module, 0

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Mark what is in this node."""
        function = isinstance(node, FUNCTIONS)
        self._depth += function
        super().generic_visit(node)
        if self._depth and not isinstance(node, ast.Lambda):
            for field in ("body", "orelse", "finalbody"):
                statements = getattr(node, field, None)
                if isinstance(statements, list):
                    setattr(node, field, self._with_marks(statements))
        self._depth -= function
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        """Note the mark, then give the value."""
        super().generic_visit(node)
        both = ast.Tuple([self._call(node), node.body], ast.Load())
        node.body = ast.Subscript(both, ast.Constant(1), ast.Load())
        return node

    def _with_marks(self, statements: list[Any]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for each in statements:
            if not _is_text(each):
                found.append(ast.copy_location(ast.Expr(self._call(each)), each))
            found.append(each)
        return found

    def _call(self, node: ast.stmt | ast.Lambda) -> ast.Call:
        text = ast.Constant(f"{self._module}:{mark(node)}")
        return ast.Call(ast.Name(NOTE, ast.Load()), [text], [])


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
