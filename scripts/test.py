# SPDX-License-Identifier: GPL-2.0-or-later
"""Set up what is missing, run test suites, count the results."""

import argparse
import collections
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

import bindings
import doc_commands
import fuzzing
import gcov
import irqtop_suite
import kvm_host
import libvirt_suite
import mutations
import package_suite
import series_suite
import setup_suite
import spin
import vgic_suite
from commands import BUILD, TOP, complaint, contents, output, prepare, run_script

# What the hooks in QEMU's own files may cost, in lines added and removed.
SEAM_LINES = 150

SOAK_ROUNDS = 10

# Files of the package that could not say what their licence is
WITHOUT_COMMENTS = ['debian/changelog', 'debian/qemu-rvic.docs', 'debian/qemu-rvic.manpages',
                    'debian/source/format']

# The newest version of QEMU that the overlay is for
NEWEST = '10.2'

counts = collections.Counter()


def report(name, problem):
    """Count one test; PROBLEM is what is wrong, or nothing."""
    counts['failed' if problem else 'passed'] += 1
    print(f"{'FAIL' if problem else 'ok  '} {name}", flush=True)
    for line in (problem or '').rstrip().splitlines():
        print(f'     | {line}', flush=True)


# ---- Suites that are registered in meson -----------------------------------

def introspect(build, what):
    with open(os.path.join(build, f'meson-info/intro-{what}.json'), encoding='utf-8') as file:
        return json.load(file)


def build_tests(suites, build):
    """Build what suites need; meson itself would build all of QEMU's tests."""
    needed = {target for test in introspect(build, 'tests')
              if suites & {name.rpartition(':')[2] for name in test['suite']}
              for target in test['depends']}
    names = [os.path.relpath(name, os.path.realpath(build))
             for target in introspect(build, 'targets') if target['id'] in needed
             for name in target['filename']]
    return complaint('ninja', '-C', build, *names) if names else ''


def meson_test(suites, build, log, *options, **variables):
    """Run suites of a build; {test program: [(TAP subtest, outcome)]} and the log's name."""
    base = os.path.join(build, 'meson-logs', log)
    for old in glob.glob(glob.escape(base) + '.*'):
        os.remove(old)
    command = [os.path.join(build, 'pyvenv/bin/meson'), 'test', '-C', build, '--no-rebuild',
               *(f'--suite={suite}' for suite in suites), '--logbase', log, *options]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL,
                          env={**os.environ, **variables}) as meson:
        try:
            meson.wait()
        except BaseException:
            # Ended like this it ends its tests.
            meson.terminate()
            raise

    cases = collections.defaultdict(list)
    if os.path.exists(base + '.junit.xml'):
        for case in xml.etree.ElementTree.parse(base + '.junit.xml').iter('testcase'):
            outcome = 'passed'
            for child in case:
                outcome = {'skipped': 'skipped', 'failure': 'failed',
                           'error': 'failed'}.get(child.tag, outcome)
            # "PROJECT.TEST" for a subtest, else "PROJECT".
            cases[case.get('classname').partition('.')[2] or case.get('name')].append(
                (case.get('name'), outcome))
    results = {}
    if os.path.exists(base + '.json'):
        with open(base + '.json', encoding='utf-8') as file:
            for test in map(json.loads, file):
                results[test['name']] = cases[test['name']]
                if test['result'] not in ('OK', 'SKIP', 'EXPECTEDFAIL') and \
                        all(outcome != 'failed' for _, outcome in results[test['name']]):
                    results[test['name']].append(
                        (f"(the test program itself: {test['result']})", 'failed'))
    return results, base + '.txt'


def run_meson(suite, build=BUILD, guest='guest', options=(), **variables):
    """Run a suite of a build of the QEMU tree; each TAP subtest counts."""
    problem = build_tests({suite}, build)
    if problem:
        report(f'{suite}: building it', problem)
        return
    host = variables.get('RVIC_KVM_HOST', '').removeprefix('kvm-host')
    results, log = meson_test([suite], build, suite + guest.removeprefix('guest') + host,
                              '--print-errorlogs', *options,
                              RVIC_GUEST=os.path.join(BUILD, guest), **variables)
    for name, cases in results.items():
        counts.update(outcome for _, outcome in cases)
        failed = [case for case, outcome in cases if outcome == 'failed']
        for case in failed:
            print(f'FAIL {name}: {case}')
        if failed:
            print(f'     its output is in {log}')
    if not any(results.values()):
        report(suite, 'no test ran: see above')


def run_sanitizers():
    """The tests without Linux: memory errors and undefined behaviour, lines executed."""
    prepare('setup', '--tests', '--sanitizers')
    build = os.path.join(os.path.dirname(os.path.realpath(BUILD)), 'build-sanitizers')
    # Not to stderr, which tests look at: ASan warns there of QEMU's coroutines.
    base = os.path.join(build, 'meson-logs', 'sanitizers')
    for old in glob.glob(glob.escape(base) + '.*'):
        os.remove(old)
    gcov.forget(build)
    # Of the fuzzers less than usual.
    for suite, steps in ('rvic-qtest', 50000), ('rvic-baremetal', 0), ('rvic-fuzz', 5000000):
        run_meson(suite, build, RVIC_FUZZ_STEPS=str(steps),
                  # Leaks: QEMU does not free all of a machine at its end.
                  ASAN_OPTIONS=f'detect_leaks=0:log_path={base}',
                  UBSAN_OPTIONS=f'halt_on_error=1:print_stacktrace=1:log_path={base}')
    texts = map(contents, glob.glob(glob.escape(base) + '.*'))
    report('sanitizers/reports', '\n'.join(
        text for text in texts if re.search('ERROR: AddressSanitizer|runtime error:', text)))
    run_checks('coverage', gcov.checks(build))


def run_checks(suite, checks):
    """Count what CHECKS yields: (name, problem) of each test."""
    for name, problem in checks:
        report(f'{suite}/{name}', problem)


def run_fuzz_guided():
    """The inputs that are known to lead everywhere, and a minute of new ones."""
    prepare('setup', '--tests', '--fuzzing')
    run_checks('fuzz-guided', fuzzing.checks())


def run_kernel(suite, **options):
    """Run a suite with the guest that scripts/guest makes with these options, in its order."""
    guest = '-'.join(['guest', *options.values()])
    if not run_script('guest', *(f'--{name}={value}' for name, value in options.items())):
        report(f'{suite}: {guest}', 'it could not be built: see above')
        return
    usual, other = (os.path.join(BUILD, name, '.config') for name in ('guest', guest))
    if os.path.exists(usual) and contents(usual) == contents(other):
        report(f'{suite}: {guest}', 'it is the usual guest')
        return
    run_meson(suite, guest=guest, RVIC_PAGES=options.get('pages', '4k'))


def run_kernels():
    """All with the newest kernel; with the usual one another page size."""
    run_kernel('rvic-boot', linux='newest')
    run_kernel('rvic-kernel', pages='64k')


def run_kvm(kernel='', suite='rvic-kvm'):
    """On this machine's KVM, else in an emulated host with that kernel."""
    real = kvm_host.usable()
    if real and kernel:
        counts['skipped'] += 1
        print('skip kvm/kernel: this machine has its own KVM, with its own kernel')
        return
    if not run_script('setup', '--tests', '--kvm') or not (
            real or run_script('kvm-host', *(['--kernel', kernel] if kernel else []))):
        report('kvm/setup', 'the KVM host could not be made: see above')
        return
    if not real and not kernel and not run_script('kvm-host', '--kernel', 'newest'):
        report('kvm/newest', 'tests that need the newest kernel will fail: see above')
    logs = os.path.join(glob.escape(os.path.join(BUILD, 'tests/functional/aarch64')), 'test_kvm_*')
    for old in glob.glob(logs):
        shutil.rmtree(old)
    # Threads of emulated CPUs that have to wait for each other's are very slow, and so
    # are vCPUs.
    at_once = max(1, (os.cpu_count() or 1) // kvm_host.Options().cpus)
    run_meson(suite, options=[f'--num-processes={at_once}'],
              RVIC_KVM_HOST='-'.join(filter(None, ['kvm-host', kernel])))
    report('kvm/logs', '' if glob.glob(os.path.join(logs, 'base.log')) else
           'no log of a test has come out of the emulated host')
    if not kernel:
        report('kvm/run', check_run_with_kvm())


def check_run_with_kvm():
    """scripts/run boots the guest with KVM, and returns what that says."""
    status, text = output(os.path.join(TOP, 'scripts/run'), '--accel', 'kvm', '--exec',
                          "dmesg | grep -c 'KVM: hypervisor services';"
                          ' grep -c rvic /proc/interrupts; exit 3')
    return '' if status == 3 and re.search(r'^1\n[1-9]\d*$', text, re.M) else \
        f'status {status}: {text}'


def run_vgic():
    """Guests in emulated hosts, also where there is a real one."""
    prepare('setup', '--tests', '--kvm')
    prepare('guest')
    prepare('kvm-host')
    run_checks('vgic', vgic_suite.checks())


def run_soak():
    """What depends on timing or on chance, again and again."""
    for _ in range(SOAK_ROUNDS):
        run_meson('rvic-qtest')
        run_meson('rvic-boot')


# ---- Style -----------------------------------------------------------------

class NoFiles(Exception):
    """git does not tell which files are the repository's, or has none of a kind."""


def files(*patterns):
    """The repository's files, with those that are not committed yet."""
    status, names = output('git', 'ls-files', '-co', '--exclude-standard', '--', *patterns)
    if status or not names:
        raise NoFiles(names or f"there is no {' '.join(patterns)}")
    return [name for name in names.splitlines() if os.path.isfile(os.path.join(TOP, name))]


def checkpatch(script, names, *options):
    """What a checkpatch.pl of the build directory has to say about files."""
    script = os.path.join(BUILD, script)
    if not os.path.exists(script):
        return f'there is no {script}'
    said = [line for name in names
            for line in output('perl', script, '--no-tree', '--terse', '--quiet',
                               *options, '-f', name)[1].splitlines()]
    # QEMU's allows GLib's assertions below tests/, where ours are not.
    return '\n'.join(line for line in said if not line.startswith('total: ') and not (
        line.startswith('tests-qtest/') and 'Use g_assert or g_assert_not_reached' in line))


def without_anchor(patch, pristine):
    """
    The hunks of PATCH that none of their own lines of context places: with one
    line of context on each side, one of them has to be unique in its file.
    """
    bad = []
    for part in re.split(r'^diff --git ', patch, flags=re.M)[1:]:
        old = re.search(r'^--- a/(.*)$', part, re.M)
        if not old:
            continue    # a file that the patch adds
        name = old[1]
        with open(os.path.join(pristine, name), encoding='utf-8') as file:
            lines = collections.Counter(file.read().splitlines())
        for hunk in re.split(r'^(?=@@ )', part, flags=re.M)[1:]:
            if not any(lines[line[1:]] == 1 for line in hunk.splitlines()[1:] if line[:1] in ' -'):
                bad.append(f'{name}: {hunk.splitlines()[0]}')
    return bad


def check_against_qemu(suite, build):
    """What depends on the version of QEMU that BUILD is of."""
    tree = os.path.dirname(os.path.realpath(build))
    report(f'{suite}/checkpatch', checkpatch(
        os.path.join(tree, 'scripts/checkpatch.pl'),
        files('hw-*.[ch]', 'target-*.[ch]', 'tests-*.[chS]')))
    report(f'{suite}/anchors', '\n'.join(
        line for name in files('patches/*.patch') for line in without_anchor(
            contents(name), os.path.join(tree, '.rvic-pristine'))))


def run_style():
    try:
        check_style()
    except NoFiles as error:
        report('style', str(error))


def check_style():
    scripts = files('scripts', '.ci')
    shell = [name for name in scripts + files('debian') if re.match(r'#!.*\b(ba)?sh\b', contents(name))
             or name.endswith('.sh')]
    report('style/shellcheck', complaint('shellcheck', '-x', '-P', 'scripts', *shell))

    # A patch is part of the file that it changes; some of debian/ have no comments.
    report('style/licence-lines', '\n'.join(
        f'{name}: no SPDX-License-Identifier in its first lines' for name in files()
        if not name.endswith('.patch') and name not in WITHOUT_COMMENTS
        and 'SPDX-License-Identifier: GPL-2.0-'
            + ('only' if name.startswith('linux/') else 'or-later')
        not in '\n'.join(contents(name).splitlines()[:20])))

    # The name of libvirt's XML namespace looks like an address.
    report('style/addresses', '\n'.join(
        f'{name}: contains an address; a mirror is asked for at run time' for name in scripts
        if re.search(r'\w://\w', contents(name).replace('http://libvirt.org/schemas/', ''))))

    # Those of docs/ are Sphinx's: see the suite docs.
    report('style/rst', ''.join(
        output('/usr/bin/python3', '-m', 'docutils', '--report=1', name, os.devnull)[1]
        for name in files('*.rst') if not name.startswith('docs/')))
    check_against_qemu('style', BUILD)
    report('style/checkpatch-linux', checkpatch(
        'linux/scripts/checkpatch.pl', files('linux/*.[ch]'), '--strict',
        # In Linux' own tree no file is for several versions.
        '--ignore', 'LINUX_VERSION_CODE,CONSTANT_COMPARISON'))

    report('style/sparse', complaint('scripts/guest', '--sparse'))

    # What mends QEMU is not what opens it.
    status, text = output('git', 'apply', '--numstat', *files(':(glob)patches/*.patch'))
    lines = sum(int(number) for line in text.splitlines() for number in line.split()[:2]) \
        if status == 0 else 0
    report('style/seams', text if status else
           f'{lines} lines of QEMU changed, {SEAM_LINES} allowed' if lines > SEAM_LINES else '')


def run_bindings():
    prepare('dt-schema')
    run_checks('bindings', bindings.checks())


def run_docs(long=False):
    """The manual builds, and the commands in it do what they are there for."""
    prepare('setup', '--tests', '--kvm')
    prepare('kvm-host', *(['--kernel', 'newest'] if long else []))
    run_checks('docs-long' if long else 'docs', doc_commands.checks(long))


# ---- Set-up ----------------------------------------------------------------

def run_libvirt():
    reason = libvirt_suite.unavailable()
    if reason:
        counts['skipped'] += 1
        print(f'skip libvirt: {reason}')
        return
    prepare('libvirt', '--prepare')
    run_checks('libvirt', libvirt_suite.checks())


def listing(folder):
    """What would show that a tree was changed."""
    return sorted((path, info.st_size, info.st_mtime_ns, info.st_mode)
                  for root, dirs, names in os.walk(folder) for path in
                  [os.path.join(root, name) for name in dirs + names]
                  for info in [os.lstat(path)])


def run_foreign(suite='foreign', build=BUILD):
    """A copy of the checkout builds a QEMU tree that was given, and leaves it alone."""
    with tempfile.TemporaryDirectory(prefix='rvic-test-') as folder:
        tree, copy = os.path.join(folder, 'qemu'), os.path.join(folder, 'checkout')
        source = os.path.dirname(os.path.realpath(build))
        shutil.copytree(source, tree, symlinks=True, ignore=shutil.ignore_patterns(
            'build', 'build-sanitizers', 'build-fuzzing', 'build-kvm', 'unpatched', 'series',
            'rvic', '.rvic-*'))
        shutil.copytree(os.path.join(source, '.rvic-pristine'), tree, dirs_exist_ok=True)
        for name in files():
            os.makedirs(os.path.dirname(os.path.join(copy, name)), exist_ok=True)
            shutil.copy2(os.path.join(TOP, name), os.path.join(copy, name))
        before = listing(tree)
        problem = complaint(os.path.join(copy, 'scripts/setup'), '--qemu', tree) or complaint(
            os.path.join(copy, 'build/qemu-system-aarch64'), '--version')
        report(f'{suite}/build', problem)
        _, text = output(os.path.join(copy, 'scripts/setup'), '--qemu', tree)
        report(f'{suite}/again', text if 'copying' in text or 'configuring' in text else '')
        report(f'{suite}/unchanged', '' if listing(tree) == before else 'the given tree changed')
        built = os.path.dirname(os.path.realpath(os.path.join(copy, 'build')))
        if os.path.basename(built).startswith('qemu-'):
            shutil.rmtree(built)


# ---- The format of saved machines ------------------------------------------

VMSTATE = 'tests-qtest/data/vmstate.json'
VMSTATE_ADVICE = f'''Machines saved before would no longer load, or new ones not in older
versions: add a subsection that is only sent when it is needed, or raise version_id and keep
loading the former one. A change that is meant is one to {VMSTATE}, too.'''


def array_sizes(value, path=''):
    """Numbers of elements in a dump, which QEMU's checker does not look at."""
    if isinstance(value, dict):
        path = '/'.join(filter(None, [path, value.get('field') or value.get('name')]))
        if 'num' in value:
            yield f"{path}[{value['num']}]"
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from array_sizes(item, path)


def check_vmstate(suite, build):
    """What BUILD saves is what it was, by QEMU's own checker, in both directions."""
    checker = os.path.join(os.path.dirname(os.path.realpath(build)),
                           'scripts/vmstate-static-checker.py')
    stored = json.loads(contents(VMSTATE))
    del stored['comment']
    with tempfile.TemporaryDirectory(prefix='rvic-test-') as folder:
        old, new = (os.path.join(folder, name) for name in ('old', 'new'))
        problem = complaint(os.path.join(build, 'qemu-system-aarch64'),
                            '-machine', 'virt,irqchip=rvic', '-dump-vmstate', new)
        if not problem:
            dump = json.loads(contents(new))
            now = {name: dump[name] for name in dump if name.startswith('arm-rvi')}
            for name, value in ((old, stored), (new, now)):
                with open(name, 'w', encoding='utf-8') as file:
                    json.dump(value, file)
            for title, source, target in [('old to new', old, new), ('new to old', new, old)]:
                said = complaint('/usr/bin/python3', checker, '-s', source, '-d', target)
                problem += ''.join(f'{title}: {line}\n' for line in said.splitlines())
            for size in sorted(set(array_sizes(stored)) ^ set(array_sizes(now))):
                problem += f'array: {size}\n'
    report(f'{suite}/saved-state', problem and f'{problem}{VMSTATE_ADVICE}')


# ---- QEMU's own tests ------------------------------------------------------

OWN_SUITES = ['qtest-aarch64', 'unit']


def run_qemu_own():
    """Each of QEMU's tests does what it does without the overlay and its patches."""
    prepare('setup', '--tests', '--unpatched')
    tree = os.path.dirname(os.path.realpath(BUILD))
    outcomes, logs = [], []
    for title, build in (('patched', BUILD),
                         ('unpatched', os.path.join(tree, 'unpatched/build'))):
        problem = build_tests(set(OWN_SUITES), build)
        if problem:
            report(f'qemu-own: building the {title} tests', problem)
            return
        # A test that is slow for the load of the machine is no difference.
        results, log = meson_test(OWN_SUITES, build, 'qemu-own', '--timeout-multiplier=10',
                                  '--quiet')
        outcomes.append({(name, case): outcome for name, cases in results.items()
                         for case, outcome in cases})
        logs.append(log)
    compare_outcomes(*outcomes, logs)


def compare_outcomes(patched, unpatched, logs):
    if not patched:
        report('qemu-own', 'no test ran: see above')
    for name, case in sorted(patched.keys() | unpatched.keys()):
        ours, theirs = (outcome.get((name, case), 'missing') for outcome in (patched, unpatched))
        if ours != theirs:
            report(f'{name}: {case}', f'{ours} with the patches, {theirs} without; see\n'
                   + '\n'.join(logs))
            continue
        counts['skipped' if ours == 'skipped' else 'passed'] += 1
        if ours == 'failed':
            print(f'same {name}: {case}: fails without the patches, too')
    tally = collections.Counter(unpatched.values())
    print(f"without the patches: {len({name for name, _ in unpatched})} tests, {tally['passed']} "
          f"subtests passed, {tally['failed']} failed, {tally['skipped']} skipped")


# ---- Another version of QEMU -----------------------------------------------

def run_newest_qemu():
    """
    qtest and boot with the newest supported QEMU, beside the one of build/; KVM's part compiles.
    """
    build = os.path.join(TOP, 'build-' + NEWEST)
    if not run_script('setup', '--tests', '--kvm', '--qemu', NEWEST,
                      '--build', os.path.basename(build)):
        report(f'qemu-{NEWEST}/setup', 'scripts/setup failed: see above')
        return
    status, text = output(os.path.join(build, 'qemu-system-aarch64'), '--version')
    report(f'qemu-{NEWEST}/version', '' if not status and f'version {NEWEST}.' in text else text)
    check_against_qemu('qemu-' + NEWEST, build)
    check_vmstate('qemu-' + NEWEST, build)
    run_meson('rvic-qtest', build)
    run_meson('rvic-boot', build)
    run_foreign(f'qemu-{NEWEST}/foreign', build)


# ---- Patches for QEMU and Linux --------------------------------------------

def run_series():
    """What scripts/export-series writes, and that QEMU with it is the same program."""
    run_checks('series', series_suite.qemu_checks())
    build = os.path.join(series_suite.SERIES, 'build')
    if os.path.exists(os.path.join(build, 'qemu-system-aarch64')):
        check_vmstate('series', build)
        run_meson('rvic-qtest', build)
        run_meson('rvic-kernel', build)
    run_checks('series', series_suite.linux_checks())


# ---- All -------------------------------------------------------------------

Suite = collections.namedtuple('Suite', 'about run guest long')
SUITES = {
    'style': Suite('shellcheck, checkpatch, licence lines, size of the patches',
                   run_style, True, False),
    'setup': Suite("set-up's own behaviour: patches, downloads, arguments",
                   lambda: run_checks('setup', setup_suite.checks()), False, False),
    'bindings': Suite('device tree: binding schemas, and the trees that QEMU generates',
                      run_bindings, True, False),
    'fuzz': Suite('random sequences: the state machines and a model do the same',
                  lambda: run_meson('rvic-fuzz'), False, False),
    'mutations': Suite('faults planted in the state machines are found by that',
                       lambda: run_checks('mutations', mutations.checks(os.path.realpath(BUILD))),
                       False, False),
    'spin': Suite('a model of the protocol between device and drivers, checked with spin',
                  lambda: run_checks('spin', spin.usual()), False, False),
    'vmstate': Suite('the format of saved machines is what it was',
                     lambda: check_vmstate('vmstate', BUILD), False, False),
    'qtest': Suite('the device models, most without a running vCPU',
                   lambda: run_meson('rvic-qtest'), False, False),
    'boot': Suite('Linux boots and uses its devices',
                  lambda: run_meson('rvic-boot'), True, False),
    'boot-newest': Suite("less of that with the newest Linux of Debian's backports",
                         lambda: run_kernel('rvic-kernel', linux='newest'), False, False),
    'libvirt': Suite('domains of libvirt, and what one does with them',
                     run_libvirt, True, False),
    'kvm': Suite('guests on KVM, in an emulated arm64 machine where there is no real one',
                 run_kvm, True, False),
    'irqtop': Suite('scripts/irqtop: what it shows, its screen, what may go wrong',
                    lambda: run_checks('irqtop', irqtop_suite.checks()), True, False),
    'vgic': Suite("KVM's vGIC on the virtual CPU interfaces of GICv2 and GICv3", run_vgic, True,
                  False),
    'docs': Suite('the manual, and the commands in it', run_docs, True, False),
    'package': Suite('the Debian package in a Debian of its own, drivers in a Linux tree',
                     lambda: run_checks('package', package_suite.checks()), True, False),
    'series': Suite('patches for QEMU and Linux: they apply, and what is built of them works',
                    run_series, True, False),
    'docs-long': Suite('commands of the manual that take long', lambda: run_docs(True),
                       True, True),
    'series-bisect': Suite('each of the patches builds',
                           lambda: run_checks('series-bisect', series_suite.bisect_checks()),
                           False, True),
    'kvm-newest': Suite("the same with the newest host kernel of Debian's backports",
                        lambda: run_kvm('newest'), True, True),
    'kvm-long': Suite('more of that, with larger numbers',
                      lambda: run_kvm(suite='rvic-kvm-long'), True, True),
    f'qemu-{NEWEST}': Suite(f'qtest and boot with QEMU {NEWEST}', run_newest_qemu, True, True),
    'spin-long': Suite('more of the model', lambda: run_checks('spin', spin.long()), False, True),
    'kernels': Suite('boot with the newest Linux, and with 64 KiB pages',
                     run_kernels, False, True),
    'foreign': Suite('scripts/setup --qemu with a tree that was given',
                     run_foreign, False, True),
    'sanitizers': Suite('qtest, bare-metal guests and fuzz with ASan and UBSan; line coverage',
                        run_sanitizers, False, True),
    'qemu-own': Suite("QEMU's own tests for aarch64, compared with QEMU without the patches",
                      run_qemu_own, False, True),
    'fuzz-guided': Suite('coverage-guided fuzzing of what a guest can do',
                         run_fuzz_guided, False, True),
    'soak': Suite(f'qtest and boot, {SOAK_ROUNDS} times', run_soak, True, True),
}


def main():
    parser = argparse.ArgumentParser(prog='scripts/test', description=__doc__, allow_abbrev=False)
    parser.add_argument('suites', nargs='*', metavar='SUITE',
                        help='what to run (default: all but the long ones)')
    parser.add_argument('--list', action='store_true', help='show the suites')
    parser.add_argument('--all', action='store_true', help='run the long ones too')
    args = parser.parse_args()
    for name in args.suites:
        if name not in SUITES:
            parser.error(f"unknown suite '{name}': one of {' '.join(SUITES)}")
    if args.list:
        for name, suite in SUITES.items():
            print(f"{name:13} {suite.about}{' (long)' if suite.long else ''}")
        return 0

    names = args.suites or [name for name, suite in SUITES.items() if args.all or not suite.long]
    prepare('setup', '--tests')
    if any(SUITES[name].guest for name in names):
        prepare('guest')
    for name in names:
        print(f'== {name}: {SUITES[name].about}', flush=True)
        start = time.monotonic()
        SUITES[name].run()
        print(f'{name}: {time.monotonic() - start:.0f} s', flush=True)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts['failed'] else 0


def interrupted(signum, _frame):
    sys.exit(128 + signum)


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, interrupted)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
