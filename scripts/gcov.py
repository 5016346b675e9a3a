# SPDX-License-Identifier: GPL-2.0-or-later
"""
Which lines of the device models the tests have executed in a build with gcov.
For scripts/test.py.
"""

import collections
import glob
import json
import os
import re
import subprocess

from commands import TOP

# What no test executes, and why
EXPLAINED = 'tests-qtest/not-executed'

# Of all lines of the device models together, in percent
WANTED = 95


def forget(build):
    """Start anew: processes add to what is there."""
    for name in glob.glob(f'{glob.escape(build)}/**/*.gcda', recursive=True):
        os.remove(name)


def measure(build):
    """From file to line to how often it was executed; raises ValueError."""
    done = subprocess.run(['gcovr', '--root', TOP, '--filter', r'(.*/)?hw-\w+/\w+[.]c$',
                           '--json', '-', build],
                          cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise ValueError(done.stderr or f'gcovr: exit status {done.returncode}')
    # QEMU's tree has the files below a link, so their paths are not always below TOP.
    return {'/'.join(file['file'].split('/')[-2:]): {
                line['line_number']: line['count'] for line in file['lines']
                if not line.get('gcovr/noncode')}
            for file in json.loads(done.stdout)['files']}


def explained():
    """The lines for which there is a reason, as FILE FUNCTION: TEXT."""
    with open(os.path.join(TOP, EXPLAINED), encoding='utf-8') as file:
        return collections.Counter(line.strip() for line in file
                                   if line.strip() and not line.startswith('#'))


def missing(name, counts):
    """(number, FILE FUNCTION: TEXT) of the lines that were not executed."""
    function = ''
    with open(os.path.join(TOP, name), encoding='utf-8') as file:
        for number, line in enumerate(file, 1):
            start = re.match(r'\w.*?(\w+)\(', line)
            function = start[1] if start else function
            if counts.get(number) == 0:
                yield number, f'{name} {function}: {line.strip()}'


def share(counts):
    """How many of how many lines were executed, in words, and in percent."""
    executed, lines = sum(map(bool, counts)), len(counts)
    percent = 100 * executed / lines if lines else 0
    return f'{executed:4} of {lines:4} lines, {percent:5.1f} %', percent


def checks(build):
    """(name, what is wrong) of each test; shows the figures."""
    try:
        files = dict(sorted(measure(build).items()))
    except ValueError as error:
        yield 'measure', str(error)
        return
    for name, counts in files.items():
        print(f'     {name:30} {share(counts.values())[0]}')
    devices = {name: counts for name, counts in files.items() if name.startswith('hw-intc/')}
    text, percent = share([count for counts in devices.values() for count in counts.values()])
    print(f"     {'hw-intc/':30} {text}", flush=True)
    yield 'hw-intc', '' if percent >= WANTED else f'{text}: {WANTED} % wanted'

    excuses, problems = explained(), []
    for name, counts in devices.items():
        for number, entry in missing(name, counts):
            if excuses[entry]:
                excuses[entry] -= 1
            else:
                problems.append(f'line {number} is not executed: {entry}')
    problems += [f'{EXPLAINED}: there is no such line, or it is executed: {entry}'
                 for entry in excuses.elements()]
    yield 'explained', '\n'.join(problems)
