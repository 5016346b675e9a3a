# SPDX-License-Identifier: GPL-2.0-or-later
"""
Coverage-guided fuzzing of what a guest can do: QEMU's fuzzer with a target of
our own, tests-fuzz/guided/. For scripts/test.py; and for scripts/fuzz --guided
SECONDS, which puts what it finds into the corpus.
"""

import os
import re
import subprocess
import sys
import tempfile

from commands import BUILD, TOP

FUZZ_BUILD = os.path.join(BUILD, '../build-fuzzing')
FUZZER = os.path.join(FUZZ_BUILD, 'qemu-fuzz-aarch64')
CRASHES = os.path.join(FUZZ_BUILD, 'crashes')
CORPUS = os.path.join(TOP, 'tests-fuzz/guided/corpus')

# How long the suite looks for more
SECONDS = 60
CORES = len(os.sched_getaffinity(0))

# Longer inputs do nothing that short ones do not, and take longer.
LENGTH = 256

# The edges that the corpus passes through at least. Far fewer are left if hw-intc/ is not
# instrumented, and then nothing guides the fuzzer.
MIN_EDGES = 500


def read_corpus():
    """The inputs that are in the repository: a line of hexadecimal digits for each."""
    with open(CORPUS, encoding='utf-8') as file:
        return [bytes.fromhex(line) for line in file if not line.startswith('#')]


def write_corpus(inputs):
    with open(CORPUS, encoding='utf-8') as file:
        comments = [line for line in file if line.startswith('#')]
    with open(CORPUS, 'w', encoding='utf-8') as file:
        file.writelines(comments)
        file.writelines(f'{data.hex()}\n' for data in sorted(inputs, key=lambda i: (len(i), i)))


def unpack_corpus(folder):
    os.mkdir(folder)
    for number, data in enumerate(read_corpus()):
        with open(os.path.join(folder, f'{number:03}'), 'wb') as file:
            file.write(data)


def environment():
    return {**os.environ,
            # Leaks: QEMU does not free all of a machine at its end.
            'ASAN_OPTIONS': 'detect_leaks=0',
            'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1'}


def start(output, *arguments):
    """A running fuzzer, with what it says in the file OUTPUT."""
    os.makedirs(CRASHES, exist_ok=True)
    with open(output, 'w', encoding='utf-8') as file:
        return subprocess.Popen(
            [FUZZER, '--fuzz-target=rvic-guest', f'-artifact_prefix={CRASHES}/',
             f'-max_len={LENGTH}', '-timeout=120', '-detect_leaks=0', *arguments],
            cwd=FUZZ_BUILD, env=environment(), stdin=subprocess.DEVNULL, stdout=file,
            stderr=subprocess.STDOUT)


def finish(fuzzer, output):
    """(what is wrong, all that was said) when a fuzzer has come to its end."""
    status = fuzzer.wait()
    with open(output, encoding='utf-8', errors='replace') as file:
        said = file.read()
    if not status:
        return '', said
    # Without the lines on its progress
    problem = '\n'.join(line for line in said.splitlines() if not re.match(r'#\d+\t', line))
    crash = re.search(r'Test unit written to (\S+)', said)
    if crash:
        problem += ('\nto see it step by step: QTEST_LOG=1 '
                    f'{FUZZER} --fuzz-target=rvic-guest {crash[1]}')
    return problem or f'exit status {status}', said


def figure(name, said):
    """The last number that the fuzzer gives this name."""
    found = re.findall(name + r':\s+(\d+)', said)
    return int(found[-1]) if found else 0


def replay(folder):
    """What is wrong when the corpus is replayed."""
    output = os.path.join(folder, 'replay')
    problem, said = finish(start(output, '-runs=0', os.path.join(folder, 'corpus')), output)
    edges = figure(' cov', said)
    if not problem and edges < MIN_EDGES:
        problem = f'only {edges} edges seen, {MIN_EDGES} expected: is hw-intc/ instrumented?'
    return problem


def fuzz(folder, seconds):
    """Go on from the corpus, on all cores; what is wrong, and the figures of it."""
    corpus = os.path.join(folder, 'corpus')
    outputs = [os.path.join(folder, f'output-{core}') for core in range(CORES)]
    # They look now and then into the folder for what the others have found.
    fuzzers = [start(output, f'-max_total_time={seconds}', '-reload=10', '-print_final_stats=1',
                     corpus) for output in outputs]
    results = [finish(fuzzer, output) for fuzzer, output in zip(fuzzers, outputs)]
    problem = '\n'.join(problem for problem, _ in results if problem)
    runs = sum(figure('stat::number_of_executed_units', said) for _, said in results)
    seeds = ' '.join(str(figure('INFO: Seed', said)) for _, said in results)
    edges, features = (max(figure(name, said) for _, said in results) for name in (' cov', ' ft'))
    return problem, (f'{runs} inputs in {seconds} s on {CORES} cores, {edges} edges, '
                     f'{features} features, seeds {seeds}')


def checks():
    """(name, what is wrong) of each test."""
    with tempfile.TemporaryDirectory(prefix='rvic-fuzz-') as folder:
        unpack_corpus(os.path.join(folder, 'corpus'))
        yield 'corpus', replay(folder)
        problem, figures = fuzz(folder, SECONDS)
        print(f'     {figures}', flush=True)
        yield 'fuzz', problem


def merge(folder):
    """The known inputs, and of FOLDER's corpus those that reach what none of them did."""
    merged, output = os.path.join(folder, 'merged'), os.path.join(folder, 'merge')
    unpack_corpus(merged)
    problem, _ = finish(start(output, '-merge=1', '-use_counters=0', merged,
                              os.path.join(folder, 'corpus')), output)
    if problem:
        sys.exit(problem)
    inputs = []
    for name in os.listdir(merged):
        with open(os.path.join(merged, name), 'rb') as file:
            inputs.append(file.read())
    return inputs


def main():
    with tempfile.TemporaryDirectory(prefix='rvic-fuzz-') as folder:
        unpack_corpus(os.path.join(folder, 'corpus'))
        problem, figures = fuzz(folder, int(sys.argv[1]))
        print(figures)
        if problem:
            sys.exit(problem)
        inputs = merge(folder)
        write_corpus(inputs)
        print(f'{CORPUS}: {len(inputs)} inputs, {sum(map(len, inputs))} bytes')


if __name__ == '__main__':
    main()
