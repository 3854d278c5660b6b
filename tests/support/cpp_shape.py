"""A rough reading of C++: where functions begin and end, how many parameters they take, how deep they nest.

No parser: brackets are matched in text without comments, strings and preprocessor lines, and each `{` is classified by the
text in front of it. What is not recognised for certain is left alone, so that the budget test never cries wolf.
"""

import re
from dataclasses import dataclass

from support.tree import blank

CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")
TYPE = re.compile(r"\s*(?:class|struct|union|namespace|enum)\b(?!.*\)\s*(?:const|noexcept|override|->.*)?\s*$)", re.DOTALL)
CONDITION = re.compile(r"\s*(?:else\s+)?(?:if\s+constexpr|if|for|while|switch|catch)\s*(?=\()")
BARE_CONTROL = re.compile(r"\s*(?:do|else|try)\b")
ATTRIBUTE = re.compile(r"\s*\[\[[\w:, ]+\]\]")
LABEL = re.compile(r"\s*(?:case\b[^;?]*?|default)\s*(?<!:):(?!:)")
# Ends of a lambda's head: `[&]`, `(int i)`, `() mutable`, `() -> Tensor`.
LAMBDA_END = re.compile(r"[)\]]\s*(?:(?:mutable|noexcept|const|constexpr)\s*|->[\w:<>&*,\s]+)*$")
ASSIGNMENT = re.compile(r"(?<![=!<>])=(?!=)")
# `name(parameters) const noexcept -> R : member(value), other{value}` in front of a body.
FUNCTION = re.compile(r"(operator\s*\(\s*\)|operator\s*[^\s\w(]{1,3}|operator\s+\w+|~?[A-Za-z_]\w*)\s*\(")
NOT_A_FUNCTION = {"if", "for", "while", "switch", "catch", "return", "sizeof", "alignas", "decltype", "requires", "noexcept", "defined"}
OPEN, CLOSE = "([{<", ")]}>"


@dataclass
class Function:
    name: str
    line: int  # of the head
    length: int  # lines from the head to the closing brace
    parameters: int
    nesting: int  # control blocks inside each other
    where: slice  # lines of the file it covers, to look for an exemption


def without_directives(text):
    """Preprocessor lines, with their continuations, blanked."""
    return re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.MULTILINE)


def matching(text, start):
    """Index of the bracket that closes the `(` at `start`, or -1."""
    depth = 0
    for index in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return index
    return -1


def count_parameters(inside):
    """Named parameters: an unnamed one is a tag (`Cpu`) and costs a reader nothing. Commas split at the top level."""
    parameters, depth, previous = [""], 0, ""
    for character in inside:
        if character in OPEN:
            depth += 1
        elif character in CLOSE and not (character == ">" and previous == "-"):
            depth -= 1
        if character == "," and depth == 0:
            parameters.append("")
        else:
            parameters[-1] += character
        previous = character
    return sum(not re.fullmatch(r"\s*[\w:]*\s*", parameter) for parameter in parameters)


def skip_template(text):
    """Index behind the `template <...>` heads at the start of `text`."""
    index = 0
    while match := re.match(r"\s*template\s*<", text[index:]):
        index += match.end()
        depth = 1
        while depth and index < len(text):
            depth += {"(": 1, "<": 1, ")": -1, ">": -1}.get(text[index], 0)
            # The comparison in `(sizeof(T) > 3)` closes nothing.
            depth += 1 if text[index] == ">" and text[index - 1] == " " and text[index + 1 : index + 2] == " " else 0
            index += 1
    return index


def head(text):
    """(name, parameters, offset) when `text` is what stands in front of a function's body, else None."""
    start = skip_template(text)
    for match in FUNCTION.finditer(text, start):
        name = match[1]
        if name in NOT_A_FUNCTION or re.fullmatch(r"__\w+__", name):
            continue
        before = text[start : match.start()]
        if before.count("(") != before.count(")") or before.count("[") != before.count("]"):
            continue
        if ASSIGNMENT.search(before):
            return None
        end = matching(text, match.end() - 1)
        behind = text[end + 1 :]
        # `: member` followed by a brace initialises the member; the body is still to come.
        if end < 0 or re.match(r"\s*(?:noexcept\s*)?:(?!:)", behind) and re.search(r"[\w>]\s*$", behind):
            return None
        return name, count_parameters(text[match.end() : end]), match.start()
    return None


def functions(source):
    """Every function with a body at namespace or class level of `source`."""
    text = without_directives(blank(source))
    found, stack = [], []  # stack of [kind, depth of control blocks, function]
    since, parentheses = 0, 0
    for index, character in enumerate(text):
        if character == "(":
            parentheses += 1
        elif character == ")":
            parentheses -= 1
        elif character == ";" and parentheses == 0:
            since = index + 1
        elif character == "{":
            front = text[since:index]
            stack.append([*classify(front, stack), parentheses, index])
            if stack[-1][0] == "function":
                name, parameters, offset = head(front)
                line = text.count("\n", 0, since + offset) + 1
                stack[-1][2] = Function(name, line, 0, parameters, 0, slice(line - 1, line))
            elif stack[-1][0] == "control":
                owner = next(entry[2] for entry in reversed(stack) if entry[0] == "function")
                owner.nesting = max(owner.nesting, stack[-1][1])
            if stack[-1][0] != "value":
                since, parentheses = index + 1, 0
        elif character == "}" and stack:
            kind, _, function, outer, _ = stack.pop()
            parentheses = outer
            if kind == "function":
                last = text.count("\n", 0, index) + 1
                function.length = last - function.line + 1
                function.where = slice(max(0, function.line - 2), last)
                found.append(function)
            if kind != "value":
                since = index + 1
    return found


def classify(front, stack):
    """[kind, control depth, None] of the `{` behind `front`."""
    depth = stack[-1][1] if stack else 0
    if any(entry[0] == "function" for entry in stack):
        return classify_statement(front, depth)
    start = skip_template(front)
    if TYPE.match(front, start):
        return ["container", 0, None]
    if head(front) and not re.search(r"=\s*$", front):
        return ["function", 0, None]
    return ["container" if CONTAINER.search(front, start) else "value", 0, None]


def classify_statement(front, depth):
    """The same inside a function: a control block, a scope of statements, or a braced value."""
    front = front[label.end() :] if (label := LABEL.match(front)) else front
    if condition := CONDITION.match(front):
        end = matching(front, condition.end())
        rest = front[end + 1 :] if end >= 0 else "?"
    elif bare := BARE_CONTROL.match(front):
        rest = front[bare.end() :]
    else:
        scope = front.strip() == "" or LAMBDA_END.search(front) or CONTAINER.search(front)
        return ["scope" if scope else "value", depth, None]
    rest = rest[attribute.end() :] if (attribute := ATTRIBUTE.match(rest)) else rest
    if rest.strip() == "":
        return ["control", depth + 1, None]
    # `for (...) if (...) {` nests twice, a loop over several indices (`for (...) for (...) {`) once; `if (x) return Pair{`
    # opens a value.
    several = re.match(r"\s*for\b", front) and re.match(r"\s*for\b", rest)
    return classify_statement(rest, depth if several else depth + 1)
