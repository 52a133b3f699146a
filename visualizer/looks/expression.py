"""Expressions: a number given by a formula of names, such as `1 + 0.1*kick`. Pure, and nothing of Python is evaluated.

Grammar, the weakest operator first; a condition is true unless it is 0, and a comparison is 1 or 0:

    expression  =  either [ "?" expression ":" expression ]
    either      =  both { "||" both }
    both        =  compared { "&&" compared }
    compared    =  sum [ ("<" | "<=" | ">" | ">=" | "==" | "!=") sum ]
    sum         =  product { ("+" | "-") product }
    product     =  signed { ("*" | "/" | "%") signed }
    signed      =  ("-" | "+" | "!") signed  |  power
    power       =  atom [ ("^" | "**") signed ]
    atom        =  number | name | function "(" expression { "," expression } ")" | "(" expression ")"

A name may begin with $, as the sizes in ISF do: $WIDTH is the name WIDTH.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, NoReturn

from ..easing import smoothstep
from ..errors import BadInput, nearest

#: the largest number that an expression gives, and the least is its negative; a 32-bit float holds it
LIMIT = 1e30
#: how many characters an expression may have, and how many operations one within another
MAX_LENGTH, MAX_NESTING = 1000, 60

#: computes a number from the values of names
Evaluate = Callable[[Mapping[str, float]], float]

CONSTANTS: Mapping[str, float] = MappingProxyType({"pi": math.pi, "tau": math.tau, "true": 1.0, "false": 0.0})

_TOKEN = re.compile(
    r"""(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
      | (?P<name>\$?[A-Za-z_][A-Za-z0-9_]*)
      | (?P<mark>\*\*|<=|>=|==|!=|&&|\|\||[-+*/%^<>!?:(),])""",
    re.VERBOSE,
)
_SPACE = re.compile(r"\s*")


class BadExpression(BadInput):
    """An expression that cannot be read. column: where, 1 is its first character; what: what is wrong there."""

    def __init__(self, column: int, what: str) -> None:
        super().__init__(f"column {column}: {what}")
        self.column, self.what = column, what


class Function(NamedTuple):
    """A function of an expression.

    least, most: how many arguments it takes. make: returns what computes it, given what computes each argument; it is
    called once for each place where the function stands. is_pure: the same arguments always give the same number.
    """

    least: int
    most: int
    make: Callable[[Sequence[Evaluate]], Evaluate]
    is_pure: bool = True


@dataclass(frozen=True)
class Expression:
    """A formula that was read. text: as it was written; names: those whose values it needs."""

    text: str
    names: frozenset[str]
    _evaluate: Evaluate

    def evaluate(self, values: Mapping[str, float]) -> float:
        """Its number, always finite: a division by 0, a root of -1 and whatever else is not a number give 0; a number
        that is too large gives LIMIT. values: of `names` at least.
        """
        value = self._evaluate(values)
        return value if -LIMIT <= value <= LIMIT else finite(value)

    def __reduce__(self) -> tuple[Callable[[str], Expression], tuple[str]]:
        """Pickled as its text, since functions within functions cannot be: one with FUNCTIONS alone can be read again."""
        return parse, (self.text,)


def parse(
    text: str, names: Collection[str] | None = None, functions: Mapping[str, Function] = MappingProxyType({})
) -> Expression:
    """Read an expression. names: that may be used, None: any. functions: besides FUNCTIONS.

    Raises BadExpression, with the column and the nearest name.
    """
    return _Parser(text, names, {**FUNCTIONS, **functions}).expression()


# -- functions --------------------------------------------------------------------------------------------------------


def _one(compute: Callable[[float], float]) -> Function:
    """A function of one number; where it has no value, the value is 0."""

    def make(arguments: Sequence[Evaluate]) -> Evaluate:
        (first,) = arguments

        def evaluate(values: Mapping[str, float]) -> float:
            try:
                return compute(first(values))
            except (ValueError, OverflowError):
                return 0.0

        return evaluate

    return Function(1, 1, make)


def _two(compute: Callable[[float, float], float]) -> Function:
    def make(arguments: Sequence[Evaluate]) -> Evaluate:
        first, second = arguments
        return lambda values: compute(first(values), second(values))

    return Function(2, 2, make)


def _three(compute: Callable[[float, float, float], float]) -> Function:
    def make(arguments: Sequence[Evaluate]) -> Evaluate:
        first, second, third = arguments
        return lambda values: compute(first(values), second(values), third(values))

    return Function(3, 3, make)


def _most(compute: Callable[[float, float], float]) -> Function:
    """The least or the greatest of several numbers."""

    def make(arguments: Sequence[Evaluate]) -> Evaluate:
        first, *rest = arguments

        def evaluate(values: Mapping[str, float]) -> float:
            found = first(values)
            for one in rest:
                found = compute(found, one(values))
            return found

        return evaluate

    return Function(2, 16, make)


def _numbered(compute: Callable[[float, int], float]) -> Function:
    """A function of a number, and of the number of a sequence, 0 if it is not given."""

    def make(arguments: Sequence[Evaluate]) -> Evaluate:
        first = arguments[0]
        second = arguments[1] if len(arguments) > 1 else _constant(0.0)
        return lambda values: compute(finite(first(values)), int(finite(second(values))))

    return Function(1, 2, make)


def _divide(a: float, b: float) -> float:
    return a / b if b else 0.0


def _modulo(a: float, b: float) -> float:
    """The rest of a division, with the sign of b, as mod() in GLSL."""
    return a % b if b else 0.0


def _power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return -LIMIT if a < 0 and b % 2 == 1 else LIMIT
    except ValueError:  # a fraction as the power of a negative number, or a division by 0
        return 0.0


def _choose(condition: float, a: float, b: float) -> float:
    return a if condition else b


def _smoothstep(low: float, high: float, x: float) -> float:
    if low == high:
        return float(x >= high)
    return smoothstep((x - low) / (high - low))


def _random(x: float, sequence: int = 0) -> float:
    """A number 0..1 for the whole part of x: splitmix64 (Steele, Lea and Flood 2014) of both numbers."""
    mask = 2**64 - 1
    state = (math.floor(x) * 0x9E3779B97F4A7C15 + sequence * 0xD1342543DE82EF95 + 0x632BE59BD9B4E019) & mask
    state = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & mask
    state = ((state ^ state >> 27) * 0x94D049BB133111EB) & mask
    return ((state ^ state >> 31) >> 11) / 2.0**53


def _noise(x: float, sequence: int = 0) -> float:
    """Value noise 0..1: a random number at every whole x, and a smooth way between."""
    whole = math.floor(x)
    share = x - whole
    first, second = _random(whole, sequence), _random(whole + 1, sequence)
    return first + (second - first) * smoothstep(share)


def _sign(x: float) -> float:
    return float((x > 0) - (x < 0))


#: every function without memory, by name
FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "min": _most(min),
        "max": _most(max),
        "clamp": _three(lambda x, low, high: min(max(x, low), high)),
        "mix": _three(lambda a, b, share: a + (b - a) * share),
        "step": _two(lambda edge, x: float(x >= edge)),
        "smoothstep": _three(_smoothstep),
        "if": _three(_choose),
        "abs": _one(abs),
        "sign": _one(_sign),
        "floor": _one(lambda x: x // 1.0),
        "ceil": _one(lambda x: -(-x // 1.0)),
        "round": _one(lambda x: (x + 0.5) // 1.0),
        "fract": _one(lambda x: x % 1.0),
        "mod": _two(_modulo),
        "pow": _two(_power),
        "sqrt": _one(math.sqrt),
        "exp": _one(lambda x: math.exp(min(x, 700.0))),
        "log": _one(math.log),
        "sin": _one(math.sin),
        "cos": _one(math.cos),
        "tan": _one(math.tan),
        "noise": _numbered(_noise),
        "random": _numbered(_random),
    }
)

_OPERATORS: Mapping[str, Function] = MappingProxyType(
    {
        "+": _two(operator.add),
        "-": _two(operator.sub),
        "*": _two(operator.mul),
        "/": _two(_divide),
        "%": _two(_modulo),
        "^": _two(_power),
        "**": _two(_power),
        "<": _two(lambda a, b: float(a < b)),
        "<=": _two(lambda a, b: float(a <= b)),
        ">": _two(lambda a, b: float(a > b)),
        ">=": _two(lambda a, b: float(a >= b)),
        "==": _two(lambda a, b: float(a == b)),
        "!=": _two(lambda a, b: float(a != b)),
        # both sides are always computed, as both branches of a condition: what has a memory must go on
        "&&": _two(lambda a, b: float(a != 0 and b != 0)),
        "||": _two(lambda a, b: float(a != 0 or b != 0)),
        "?": _three(_choose),
    }
)
_SIGNS: Mapping[str, Function] = MappingProxyType(
    {"-": _one(operator.neg), "+": _one(operator.pos), "!": _one(lambda x: float(not x))}
)


def _constant(value: float) -> Evaluate:
    return lambda values: value


def finite(value: float) -> float:
    """The nearest number within the limits, 0 for what is no number."""
    return 0.0 if math.isnan(value) else min(max(value, -LIMIT), LIMIT)


# -- the parser -------------------------------------------------------------------------------------------------------


class _Token(NamedTuple):
    kind: str  # "number", "name", "mark" or "end"
    text: str
    column: int


class _Part(NamedTuple):
    """What computes a part of the expression. depth: how many operations stand one within another in it."""

    evaluate: Evaluate
    is_constant: bool = False
    depth: int = 0


class _Parser:
    def __init__(self, text: str, names: Collection[str] | None, functions: Mapping[str, Function]) -> None:
        if len(text) > MAX_LENGTH:
            raise BadExpression(MAX_LENGTH + 1, f"an expression has at most {MAX_LENGTH} characters, not {len(text)}")
        self._text, self._names, self._functions = text, names, functions
        self._used: set[str] = set()
        self._tokens = _tokens(text)
        self._index = self._depth = 0

    def expression(self) -> Expression:
        part = self._conditional()
        if self._token.kind != "end":
            self._fail(f"{_shown(self._token.text)} follows the end of the expression; an operator is missing")
        return Expression(self._text, frozenset(self._used), part.evaluate)

    @property
    def _token(self) -> _Token:
        return self._tokens[self._index]

    def _taken(self, *marks: str) -> _Token | None:
        """The token if it is one of these marks; the parser goes on behind it then."""
        token = self._token
        if token.kind != "mark" or token.text not in marks:
            return None
        self._index += 1
        return token

    def _conditional(self) -> _Part:
        self._deeper()
        part = self._chain(0)
        if mark := self._taken("?"):
            chosen = self._conditional()
            self._expect(":", "between the two values of a condition")
            part = self._apply(_OPERATORS["?"], [part, chosen, self._conditional()], mark.column)
        self._depth -= 1
        return part

    #: operators of two numbers, the weakest first
    _LEVELS = (("||",), ("&&",), ("<", "<=", ">", ">=", "==", "!="), ("+", "-"), ("*", "/", "%"))

    def _chain(self, level: int) -> _Part:
        if level == len(self._LEVELS):
            return self._signed()
        marks = self._LEVELS[level]
        part = self._chain(level + 1)
        n_marks = 0
        while mark := self._taken(*marks):
            n_marks += 1
            if n_marks > 1 and "<" in marks:
                self._fail("two values are compared at a time; write a < b && b < c", mark.column)
            part = self._apply(_OPERATORS[mark.text], [part, self._chain(level + 1)], mark.column)
        return part

    def _signed(self) -> _Part:
        if mark := self._taken("-", "+", "!"):
            self._deeper()
            part = self._apply(_SIGNS[mark.text], [self._signed()], mark.column)
            self._depth -= 1
            return part
        part = self._atom()
        if mark := self._taken("^", "**"):
            self._deeper()
            part = self._apply(_OPERATORS[mark.text], [part, self._signed()], mark.column)
            self._depth -= 1
        return part

    def _atom(self) -> _Part:
        token = self._token
        if token.kind == "number":
            self._index += 1
            return _Part(_constant(float(token.text)), is_constant=True)
        if token.kind == "name":
            self._index += 1
            return self._call(token) if self._taken("(") else self._name(token)
        if self._taken("("):
            part = self._conditional()
            self._expect(")", f"to close the ( at its character {token.column}")
            return part
        said = "the expression ends" if token.kind == "end" else f"{_shown(token.text)} stands"
        self._fail(f"{said} where a number, a name or ( is expected")

    def _name(self, token: _Token) -> _Part:
        name = token.text.removeprefix("$")
        if name in CONSTANTS and token.text == name:
            return _Part(_constant(CONSTANTS[name]), is_constant=True)
        if self._names is not None and name not in self._names:
            if name in self._functions:
                self._fail(f"{name} is a function; write {name}(...)", token.column)
            known = [*self._names, *CONSTANTS]
            hint = nearest(name, known) or f"; there are: {', '.join(known)}"
            self._fail(f"unknown name {_shown(name)}{hint}", token.column)
        self._used.add(name)
        return _Part(operator.itemgetter(name))

    def _call(self, token: _Token) -> _Part:
        arguments: list[_Part] = []
        if not self._taken(")"):
            arguments.append(self._conditional())
            while self._taken(","):
                arguments.append(self._conditional())
            self._expect(")", f"for the ( behind {_shown(token.text)}")
        function = self._functions.get(token.text)
        if function is None:
            hint = nearest(token.text, self._functions) or f"; there are: {', '.join(self._functions)}"
            self._fail(f"unknown function {_shown(token.text)}{hint}", token.column)
        if not function.least <= len(arguments) <= function.most:
            least, most = function.least, function.most
            wanted = f"{least}" if least == most else f"{least} .. {most}"
            plural = "" if most == 1 else "s"
            self._fail(f"{token.text} takes {wanted} value{plural}, not {len(arguments)}", token.column)
        return self._apply(function, arguments, token.column)

    def _apply(self, function: Function, arguments: list[_Part], column: int) -> _Part:
        depth = 1 + max((one.depth for one in arguments), default=0)
        if depth > MAX_NESTING:
            self._too_deep(column)
        evaluate = function.make([one.evaluate for one in arguments])
        if function.is_pure and all(one.is_constant for one in arguments):
            return _Part(_constant(evaluate({})), is_constant=True, depth=depth)
        return _Part(evaluate, depth=depth)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_NESTING:
            self._too_deep(self._token.column)

    def _too_deep(self, column: int) -> NoReturn:
        self._fail(f"more than {MAX_NESTING} operations in a row or one within another", column)

    def _expect(self, mark: str, why: str) -> None:
        if not self._taken(mark):
            said = "the expression ends" if self._token.kind == "end" else f"{_shown(self._token.text)} stands"
            self._fail(f"{said} where {mark} is expected, {why}")

    def _fail(self, what: str, column: int | None = None) -> NoReturn:
        raise BadExpression(self._token.column if column is None else column, what)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = _SPACE.match(text).end()  # type: ignore[union-attr]  # matches anything
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadExpression(at + 1, f"{_shown(text[at])} has no meaning in an expression")
        found.append(_Token(str(match.lastgroup), match[0], at + 1))
        at = _SPACE.match(text, match.end()).end()  # type: ignore[union-attr]  # matches anything
    return [*found, _Token("end", "", len(text) + 1)]


def _shown(text: str) -> str:
    """A piece of the expression for a message: one line, at most 40 characters."""
    return ascii(text if len(text) <= 40 else f"{text[:37]}...")
