"""How models write programs, and how their answers come out: the conventions of MAmmoTH, PoT, PAL and ToRA.

MAmmoTH cuts a completion at the next instruction, runs it inside a function, so that `return` may stand at its top, and
takes what is printed, without the newlines around it, for the answer. PoT's programs leave the answer in `ans`, PAL's
return it from `solution()`, ToRA's stand in fences with their outputs in between, and notebooks end with an expression.
"""

import ast
import re
import textwrap

from mathjax.sandbox import syntax

_NEXT = re.compile(r"^[ \t]*###[ ]?(?:Instruction|Response|Input)\b", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(```|~~~)[ \t]*([\w+#.-]*)[^\n`]*\n(.*?)(?:\1|\Z)", re.MULTILINE | re.DOTALL)
_PYTHON = frozenset(("py", "python", "python3", "ipython", "ipython3", "tool_code"))
_FAILED = re.compile(r"^(?:Traceback \(most recent|[A-Za-z_.]*(?:Error|Exception)\b)", re.MULTILINE)
_CODE = re.compile(
    r"^(?:(?:import|from|def|class|for|while|if|try|with|return|assert)\b|@\w|#"
    r"|[A-Za-z_][\w.]*(?:\(|\[|\s*[-+*/]?=|,\s*\w+\s*=))",
    re.MULTILINE,
)
_PROSE = re.compile(r"[A-Z][\w'’-]*(?:,? [\w$\\'’%.:-]+){2,}")
_RAW = re.compile(r"[rR][bBfF]?['\"]")
_PRINT = re.compile(r"^print\(", re.MULTILINE)
_RETURN = re.compile(r"^return\b", re.MULTILINE)

_PRINTING = frozenset(("display", "pprint", "print", "write"))
_VARIABLES = ("ans", "answer", "final_answer", "result")
_FUNCTIONS = ("solution", "solve", "solver", "main")
_SHOW = "if _answer is not None:\n    print(_answer)\n"  # as a notebook shows the value of an expression


def program(completion: str) -> str | None:
    """The program of `completion`; None where there is none.

    The text ends where the next instruction begins. If it has fences marked as Python, the program is all of them in
    their order, because a later one may use names of an earlier one, and where it does not, the last line printed is
    still that of the last one; fences whose recorded output is an error are left out, as the model mended them. Fences
    without a mark count where no other does. A text without fences is the program itself, without prose before and
    after it if it parses only so.
    """
    begun = _NEXT.search(completion)
    text = completion[: begun.start()] if begun else completion
    text = text.replace("\r\n", "\n")
    fences = [(language.lower(), code) for _, language, code in _FENCE.findall(text)]
    if fences:
        return _joined(fences)
    return _bare(text)


def _plainly_prints(source):
    """Whether `source` prints and needs no function around it, as far as that is seen without a tree."""
    found = _PRINT.search(source)
    if not found or _RETURN.search(source) or "return" in source and "def " not in source:
        return False
    rest = source[found.start() :]  # where a string of several lines ends, the call may stand in it
    return '"""' not in rest and "'''" not in rest


def _joined(fences):
    kept = []
    wanted = _PYTHON if any(language in _PYTHON for language, _ in fences) else {""}
    for place, (language, code) in enumerate(fences):
        _, follows = fences[place + 1] if place + 1 < len(fences) and fences[place + 1][0] not in wanted else ("", "")
        if language in wanted and not _FAILED.search(follows):
            kept.append(textwrap.dedent(code))
    if not kept:
        kept = [textwrap.dedent(code) for language, code in fences if language in wanted][-1:]
    return "\n".join(kept) if kept else None


def _bare(text):
    first = _CODE.search(text)
    if not first or not text.strip():
        return None
    if syntax.outline(text) is not None:
        return text
    lines = text[first.start() :].split("\n")
    end = next((i for i, line in enumerate(lines) if _PROSE.match(line)), len(lines))
    code = "\n".join(lines[:end])
    return code if syntax.outline(code) is not None else text


def runnable(source: str) -> str:
    """`source` as it is to be executed, so that its answer is printed.

    As it stands where it prints, or does not parse; within a function where a `return` stands at its top. Where nothing
    is printed, the first of these that it has is: what that `return` gives, the value of the expression it ends with,
    the variable `ans`, `answer`, `final_answer` or `result`, and what `solution()`, `solve()`, `solver()`, `main()` or
    else the last function without arguments gives. None is not printed.
    """
    if _plainly_prints(source):
        return source
    tree = syntax.outline(source)
    if tree is None or not tree.body:
        return source
    if _returns(tree.body):
        return _wrapped(source, tree)
    if _prints(tree):
        return source
    last = tree.body[-1]
    if type(last) is ast.Expr and type(last.value) is not ast.Constant:
        return _ending(source, last)
    value = _variable(tree.body) or _function(tree.body)
    return f"{source.rstrip()}\n_answer = {value}\n{_SHOW}" if value else source


def answer(printed: str) -> str | None:
    """The answer among what a program printed: its last line that is not blank; None where there is none.

    A line that closes brackets which it does not open is an array's, whose other lines belong to it. MAmmoTH takes all
    of the printed text instead, without the newlines around it.
    """
    lines = printed.rstrip().split("\n")
    open_brackets = 0
    for count, line in enumerate(reversed(lines), start=1):
        open_brackets += sum(line.count(bracket) for bracket in "([{") - sum(line.count(bracket) for bracket in ")]}")
        if open_brackets >= 0:
            return "\n".join(lines[-count:]).strip() or None
    return lines[-1].strip()


def _returns(body):
    """Whether a `return` stands outside every function."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if type(node) is ast.Return:
            return True
        if type(node) not in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
    return False


def _wrapped(source, tree):
    """`source` within a function, whose result is printed where nothing else is."""
    if syntax.warns(source) and _RAW.search(source):
        return source  # the tree has other strings
    starred = [node for node in tree.body if type(node) is ast.ImportFrom and node.names[0].name == "*"]
    frame = ast.parse("def _program():\n    pass").body[0]
    frame.body = [node for node in tree.body if node not in starred]
    try:
        text = ast.unparse(ast.Module([*starred, frame], []))
    except RecursionError:
        return source
    return f"{text}\n_program()\n" if _prints(tree) else f"{text}\n_answer = _program()\n{_SHOW}"


def _prints(tree):
    """Whether something is printed at the top, or in a function that is named there or in another such function."""
    defined = {node.name: node for node in tree.body if type(node) in (ast.FunctionDef, ast.ClassDef)}
    waiting, seen = [node for node in tree.body if node not in defined.values()], set()
    while waiting:
        for node in ast.walk(waiting.pop()):
            if type(node) is ast.Call and getattr(node.func, "id", getattr(node.func, "attr", "")) in _PRINTING:
                return True
            if type(node) is ast.Name and node.id in defined and node.id not in seen:
                seen.add(node.id)
                waiting.append(defined[node.id])
    return False


def _ending(source, last):
    """`source` with the expression statement `last`, its end, as the answer."""
    if last.col_offset and syntax.warns(source):
        return source  # the tree may have other columns
    lines = source.encode().splitlines(keepends=True)
    before, line = lines[: last.lineno - 1], lines[last.lineno - 1]
    head = b"".join(before) + line[: last.col_offset]
    rest = line[last.col_offset :] + b"".join(lines[last.lineno :])
    return f"{head.decode()}_answer = {rest.decode().rstrip().rstrip(';')}\n{_SHOW}"


def _variable(body):
    targets = {target.id for node in body for target in _targets(node) if type(target) is ast.Name}
    return next((name for name in _VARIABLES if name in targets), None)


def _targets(node):
    return getattr(node, "targets", None) or [getattr(node, "target", None)]


def _function(body):
    """A call of the function that holds the program."""
    free = [node.name for node in body if type(node) is ast.FunctionDef and _needs_nothing(node.args)]
    name = next((name for name in _FUNCTIONS if name in free), free[-1] if free else None)
    return name and f"{name}()"


def _needs_nothing(arguments):
    needed = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return needed == 0 and all(default is not None for default in arguments.kw_defaults)
