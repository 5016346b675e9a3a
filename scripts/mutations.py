# SPDX-License-Identifier: GPL-2.0-or-later
"""
Plants the faults of tests-fuzz/mutations one by one in copies of the state
machines, for scripts/test: the fuzzer has to find each of them.
"""

import collections
import concurrent.futures
import os
import re
import shlex
import shutil

from commands import TOP, output

LIST = os.path.join(TOP, 'tests-fuzz/mutations')
SOURCES = os.path.join(TOP, 'hw-intc')
FUZZER = 'rvic/tests-fuzz/rvic-fuzz'

# Each has to be found within so many steps.
STEPS = 1000000

# A failure needs few steps, unless it is that an INTID was passed over: with 64
# INTIDs, 65 have to be acknowledged meanwhile, signalled and unmasked again.
SHORT, LONG = 20, 400

Mutation = collections.namedtuple('Mutation', 'name file function old new')


def mutations():
    """The list."""
    with open(LIST, encoding='utf-8') as file:
        text = re.sub('^#.*\n', '', file.read(), flags=re.M)
    for entry in re.split('^@', text, flags=re.M)[1:]:
        match = re.fullmatch(r' (\S+) (\S+) (\S+)\n-(.+)\n\+(.*)\n\s*', entry)
        if not match:
            raise ValueError(f'not an entry: @{entry}')
        yield Mutation(*match.groups())


def plant(mutation):
    """The text of the file with the fault in it."""
    with open(os.path.join(SOURCES, mutation.file), encoding='utf-8') as file:
        text = file.read()
    body = re.search(rf'^\w[^\n;]*\b{mutation.function}\([^;{{]*\)\n{{\n.*?^}}\n', text,
                     re.M | re.S)
    if not body or body[0].count(mutation.old) != 1:
        raise ValueError(f'not once in {mutation.function}() of {mutation.file}: {mutation.old}')
    return (text[:body.start()] + body[0].replace(mutation.old, mutation.new)
            + text[body.end():])


def find(mutation, build, folder, commands):
    """What came of it in a few words, and what is wrong."""
    os.makedirs(folder)
    source, fuzzer = os.path.join(folder, mutation.file), os.path.join(folder, 'rvic-fuzz')
    with open(source, 'w', encoding='utf-8') as file:
        file.write(plant(mutation))
    # The build's own commands, with another source, object and program.
    compiling = next(line for line in commands if f'/{mutation.file} ' in line + ' '
                     and f' -o {FUZZER}.p/' in line)
    words = shlex.split(compiling)
    old_object = words[words.index('-o') + 1]
    old_source = words[words.index('-c') + 1]
    new = {old_object: source + '.o', old_source: source, old_object + '.d': source + '.d',
           FUZZER: fuzzer}
    for command in ([new.get(word, word) for word in words] + ['-w', '-iquote', SOURCES],
                    [new.get(word, word) for word in shlex.split(commands[-1])]):
        status, text = output(*command, cwd=build)
        if status:
            return '', f'it cannot be built: {text}'

    status, text = output(fuzzer, '--seed', '1', '--steps', str(STEPS), '--output', folder,
                          cwd=build)
    after = re.search('^# failed after ([0-9]+) steps$', text, re.M)
    minimised = re.search('^# ([0-9]+) steps of it are in (.*)$', text, re.M)
    if not after:
        return '', f'not found within {STEPS} steps, exit status {status}'
    if not minimised:
        return '', text
    about = f'{after[1]} steps, minimised to {minimised[1]}'
    if int(minimised[1]) > (LONG if 'passed over' in text else SHORT):
        return about, f'minimised to {minimised[1]} steps only: {minimised[2]}'
    for program, wanted in (fuzzer, 1), (os.path.join(build, FUZZER), 0):
        status, text = output(program, '--replay', minimised[2], cwd=build)
        # A fault may also crash it.
        if (status != 0) != (wanted != 0):
            return about, f'{program} --replay {minimised[2]}: {text}'
    return about, ''


def checks(build):
    """Yield each fault's name, with what came of it, and what is wrong."""
    folder = os.path.join(build, 'rvic/tests-fuzz/mutations')
    shutil.rmtree(folder, ignore_errors=True)
    status, text = output('ninja', FUZZER, cwd=build)
    if status:
        yield 'the fuzzer', text
        return
    commands = output('ninja', '-t', 'commands', FUZZER, cwd=build)[1].splitlines()
    try:
        todo = list(mutations())
    except ValueError as error:
        yield 'the list', str(error)
        return

    def try_one(mutation):
        try:
            return find(mutation, build, os.path.join(folder, mutation.name), commands)
        except ValueError as error:
            return '', str(error)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutation, (about, problem) in zip(todo, pool.map(try_one, todo)):
            yield f'{mutation.name}: {about}' if about else mutation.name, problem
