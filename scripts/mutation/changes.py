"""Pure: the small changes that one node of a program can undergo.

A change is never one that its neighbour makes, too: where a comparison is turned round by its own
operator, the condition around it is not. Strings stay, and so does what only says how a class is
built or what type a thing has.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Change:
    """One node in the place of another.

    :param before: the text as it is.
    :param after: the text as it becomes.
    """

    node: ast.AST
    before: str
    after: str


def changes(node: ast.AST, *, boolean: bool) -> Iterator[Change]:
    """Give each change of this node itself, none of those in it.

    :param boolean: whether the function around it is annotated to return a bool.
    """
    match node:
        case ast.Compare():
            yield from _comparison(node)
        case ast.BoolOp(op, values):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield _changed(node, ast.BoolOp(other, values))
            for place, value in enumerate(values):
                if not _turns_itself(value):
                    turned = [*values[:place], negated(value), *values[place + 1 :]]
                    yield _changed(node, ast.BoolOp(op, turned))
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield _changed(node, operand)
        case ast.BinOp(left, op, right) if type(op) in OPERATORS and not _names_types(node):
            yield _changed(node, ast.BinOp(left, OPERATORS[type(op)](), right))
        case ast.AugAssign(target, op, value) if type(op) in OPERATORS:
            yield _changed(node, ast.AugAssign(target, OPERATORS[type(op)](), value))
        case ast.Constant():
            yield from (_changed(node, ast.Constant(other)) for other in _constants(node.value))
        case ast.Call(ast.Name(name), args, keywords) if name in NAMES:
            yield _changed(node, ast.Call(ast.Name(NAMES[name], ast.Load()), args, keywords))
        case ast.Return(value) if value is not None:
            yield from _returned(value, boolean)
        case ast.Lambda(args, body) if not _turns_itself(body):
            yield _changed(node, ast.Lambda(args, negated(body)))


def turned_round(node: ast.AST) -> Iterator[tuple[str, int | None, Change]]:
    """Give each condition of this node turned round, as its field and its place in that field."""
    match node:
        case ast.If(test) | ast.While(test) | ast.IfExp(test) | ast.Assert(test):
            if not _turns_itself(test):
                yield "test", None, _condition(type(node).__name__.lower(), test)
        case ast.comprehension(ifs=tests):
            for place, test in enumerate(tests):
                if not _turns_itself(test):
                    yield "ifs", place, _condition("if", test)
        case ast.match_case(guard=guard) if guard is not None and not _turns_itself(guard):
            yield "guard", None, _condition("if", guard)


def negated(value: ast.expr) -> ast.expr:
    """Turn a value round."""
    return ast.UnaryOp(ast.Not(), value)


def _comparison(node: ast.Compare) -> Iterator[Change]:
    for place, op in enumerate(node.ops):
        for other in COMPARISONS[type(op)]:
            ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
            yield _changed(node, ast.Compare(node.left, ops, node.comparators))


def _constants(value: object) -> tuple[bool | int | float, ...]:
    if isinstance(value, bool):
        return (not value,)
    if not isinstance(value, int | float):
        return ()
    return (value + 1, value - 1) if value == 1 else (value + 1,)


def _returned(value: ast.expr, boolean: bool) -> Iterator[Change]:
    before = f"return {ast.unparse(value)}"
    if boolean:
        if not _turns_itself(value):
            yield Change(ast.Return(negated(value)), before, f"return not ({ast.unparse(value)})")
    elif not (isinstance(value, ast.Constant) and value.value is None):
        yield Change(ast.Return(ast.Constant(None)), before, "return None")


def _turns_itself(value: ast.expr) -> bool:
    """Whether a change of the value itself is its opposite already."""
    match value:
        case ast.Compare(ops=ops):
            return len(ops) == 1
        case ast.UnaryOp(ast.Not()) | ast.Constant():
            return True
    return False


def _names_types(node: ast.BinOp) -> bool:
    """Whether this is ``X | None``, a type outside an annotation."""
    return isinstance(node.op, ast.BitOr) and any(
        isinstance(side, ast.Constant) and side.value is None for side in (node.left, node.right)
    )


def _condition(word: str, test: ast.expr) -> Change:
    word = "if" if word == "ifexp" else word
    text = ast.unparse(test)
    return Change(negated(test), f"{word} {text}", f"{word} not ({text})")


def _changed(before: ast.AST, after: ast.AST) -> Change:
    return Change(after, ast.unparse(before), ast.unparse(ast.fix_missing_locations(after)))
