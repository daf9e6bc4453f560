"""Evaluates the conditions of steps: as much of CEL as TFX's compiler writes."""

import ast
import operator
from typing import Any

_COMPARED = {ast.Eq: operator.eq, ast.Lt: operator.lt, ast.Gt: operator.gt}


def holds(condition: str, inputs: dict[str, Any]) -> bool:
    """Whether a step's condition holds for its inputs, in ExecutorInput's JSON form.

    Raises:
      KeyError, IndexError: the condition reads what is not there.
      ValueError: a part of CEL that the compiler is not known to write.
    """
    # Apart from its logical operators this part of CEL is spelled as Python is.
    spelled = condition.replace("&&", " and ").replace("||", " or ").replace("!(", " not (")
    return bool(_value(ast.parse(spelled.strip(), mode="eval").body, {"inputs": inputs}))


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return names[name]
        case ast.Attribute(value=owner, attr=name):
            return _value(owner, names)[name]
        case ast.Subscript(value=owner, slice=index):
            return _value(owner, names)[_value(index, names)]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, names)
        case ast.BoolOp(op=op, values=values):
            quantifier = all if isinstance(op, ast.And) else any
            return quantifier(_value(value, names) for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _value(left, names) + _value(right, names)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARED:
            return _COMPARED[type(op)](_value(left, names), _value(right, names))
    raise ValueError(f"a condition that cannot be evaluated here: {ast.unparse(node)}")
