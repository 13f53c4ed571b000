"""Find the sub-commands of lazy-vos and run one. Needs the standard library only."""

import argparse
import ast
import difflib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from lazy_vos_ros import __version__
from lazy_vos_ros.cli.environment import prepare_environment
from lazy_vos_ros.engine.allocator import tune_allocator


class Parser(argparse.ArgumentParser):
    """Tells what is wrong with the arguments in one line, like every other error of lazy-vos."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f'{self.prog}: {message} (--help tells all arguments)\n')


def commands() -> dict[str, str]:
    """Return the name and the one-line help of every sub-command.

    A sub-command is a module of this package with `add_arguments(parser)` and
    `run(args) -> int`; its name has `-` for `_`. The modules are read, not imported.
    """
    found = {}
    for path in sorted(Path(__file__).parent.glob('*.py')):
        module = ast.parse(path.read_text())
        functions = {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
        if {'add_arguments', 'run'} <= functions:
            summary = (ast.get_docstring(module) or '').split('\n')[0]
            found[path.stem.replace('_', '-')] = summary
    return found


def overview() -> str:
    """Return the help of lazy-vos itself."""
    table = commands()
    width = max(len(name) for name in table)
    lines = [f'  {name:{width}}  {summary}' for name, summary in table.items()]
    return '\n'.join(
        [
            'usage: lazy-vos SUB-COMMAND [ARGUMENTS]',
            '',
            *lines,
            '',
            'lazy-vos SUB-COMMAND --help tells its arguments.',
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sub-command that the arguments name and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ('-h', '--help', 'help'):
        print(overview())
        return 0
    if arguments[0] == '--version':
        print(f'lazy-vos {__version__}')
        return 0
    if arguments[0] not in commands():
        return _refuse(arguments[0])
    return run_command(arguments[0], arguments[1:])


def _refuse(name: str) -> int:
    near = difflib.get_close_matches(name, commands(), n=1)
    meant = f" Did you mean '{near[0]}'?" if near else ''
    print(f"lazy-vos: no sub-command '{name}'.{meant}\n\n{overview()}", file=sys.stderr)
    return 2


def run_command(name: str, arguments: Sequence[str]) -> int:
    """Parse the arguments of one sub-command and run it.

    An error that tells what was wrong with the input becomes one line; LAZY_VOS_TRACEBACK=1
    shows where it came from.
    """
    module = import_module(f'lazy_vos_ros.cli.{name.replace("-", "_")}')
    parser = Parser(
        prog=f'lazy-vos {name}',
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    parsed = parser.parse_args(arguments)
    try:
        prepare_environment(name)
        tune_allocator()
        return int(module.run(parsed))
    except KeyboardInterrupt:
        return 130
    except (ValueError, RuntimeError, OSError) as error:
        if os.environ.get('LAZY_VOS_TRACEBACK'):
            raise
        print(f'lazy-vos {name}: {error}', file=sys.stderr)
        return 1
