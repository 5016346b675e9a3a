# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts/test.py and the modules of its suites share: places, commands, files."""

import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, 'build')


def output(*command, **options):
    """(exit status, stdout and stderr) of a command in the checkout."""
    options = {'cwd': TOP, 'errors': 'replace', **options}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)
    return done.returncode, done.stdout


def complaint(*command, **options):
    """What a command prints if it fails."""
    status, text = output(*command, **options)
    return (text or f'exit status {status}') if status else ''


def contents(name):
    with open(os.path.join(TOP, name), encoding='utf-8', errors='replace') as file:
        return file.read()


class NoFigure(Exception):
    """gnuplot did not draw it."""


def draw(script, path):
    """Have gnuplot draw a figure, which may become a part of the documentation."""
    done = subprocess.run(['gnuplot'], input=script, capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout:
        raise NoFigure(f'--plot: gnuplot failed:\n{done.stderr}')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(done.stdout.replace(
            '\n', '\n<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n', 1))


def run_script(name, *arguments):
    """Whether one of the scripts, which shows what it does, succeeds."""
    return subprocess.run([os.path.join(TOP, 'scripts', name), *arguments],
                          check=False).returncode == 0


def prepare(name, *arguments):
    """The same; without it there is no going on."""
    if not run_script(name, *arguments):
        sys.exit(1)
