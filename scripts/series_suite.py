# SPDX-License-Identifier: GPL-2.0-or-later
"""
Checks of scripts/export-series for scripts/test: the patches apply with git am to trees
as they are upstream, checkpatch has nothing to say, and what is built from them works.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import tempfile

from commands import BUILD, TOP, complaint, contents, output

SCRIPT = os.path.join(TOP, 'scripts/export-series')
TREE = os.path.dirname(os.path.realpath(BUILD))
# QEMU with the series, beside the trees of other builds, so that it goes when they do
SERIES = os.path.join(TREE, 'series')
LINUX = os.path.join(BUILD, 'linux')

# Whoever runs the tests: without a configuration, and with one, of which nothing must
# come into the patches.
NAMES = {'GIT_AUTHOR_NAME': 'Series Tester', 'GIT_AUTHOR_EMAIL': 'tester@example.org'}
ENV = {**os.environ, **NAMES, 'GIT_CONFIG_GLOBAL': os.devnull, 'GIT_CONFIG_NOSYSTEM': '1',
       'GIT_COMMITTER_NAME': 'Series Tester', 'GIT_COMMITTER_EMAIL': 'tester@example.org'}

# What is only in the overlay
LEFTOVERS = re.compile(r'overlay|hw-intc|hw-arm|target-arm-|tests-(qtest|functional|fuzz|kvm|spin)'
                       r'|rvic/(hw|target|tests|docs)|rvic_compat|_VERSION_CODE|QEMU_VERSION')


def patches(folder):
    return sorted(glob.glob(os.path.join(glob.escape(folder), '0*.patch')))[1:]


def export(folder, *options, script=SCRIPT, env=None):
    return complaint(script, *options, folder, env=env or ENV)


def git(tree, *arguments):
    return complaint('git', *arguments, cwd=tree, env=ENV)


# ---- The script itself -----------------------------------------------------

def copy_checkout(folder):
    """A checkout with the files of this one, and nothing of its git configuration."""
    _, names = output('git', 'ls-files', '-co', '--exclude-standard')
    for name in names.splitlines():
        if os.path.isfile(os.path.join(TOP, name)):
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            shutil.copy2(os.path.join(TOP, name), os.path.join(folder, name))
    return git(folder, 'init', '-q')


# What goes wrong in a copy of the checkout: file, what is added to it, error
FAULTS = {
    'new-folder': ('hw-net/rvic_new.c', '', 'hw-net/rvic_new.c: no rule in'),
    'new-file': ('hw-intc/rvic_new.c', '', 'adds hw/intc/rvic_new.c'),
    'new-page': ('docs/system/arm/new.rst', '', 'adds docs/system/arm/new.rst'),
    'new-driver': ('linux/rvic.c', '', 'linux/rvic.c: no rule in'),
    'old-path': ('hw-intc/rvic_core.c', '/* as target-arm-hvf/ */\n', 'means nothing in QEMU'),
    'script': ('docs/specs/arm-rvic.rst', '\nSee ``scripts/run``.\n', 'scripts/run'),
    'hook': ('patches/0009-new.patch', '--- a/hw/arm/Kconfig\n+++ b/hw/arm/Kconfig\n'
             '@@ -1,2 +1,3 @@\n config ARM_VIRT\n+    # new\n     bool\n',
             'no patch of scripts/series/qemu makes'),
    'patch': ('scripts/series/qemu/99-new', 'x: y\n\nz\n---\nhw/arm/none.c\n',
              'no file of the series is called so'),
    'hunk': ('scripts/series/qemu/99-new', 'x: y\n\nz\n---\nhw/arm/virt.c: nothing\n',
             'has no change that matches'),
    'empty': ('scripts/series/qemu/99-new', 'x: y\n\nz\n---\n', 'nothing is in the patch'),
}


def check_errors(folder):
    """Each is one line that says what is wrong, and nothing is written."""
    checkout, out = os.path.join(folder, 'checkout'), os.path.join(folder, 'patches')
    problem = copy_checkout(checkout)
    script = os.path.join(checkout, 'scripts/export-series')
    nobody = {name: value for name, value in ENV.items() if name not in NAMES}
    cases = [('nobody', [], nobody, 'git does not know who you are'),
             ('no-tree', ['--tree', folder], ENV, 'is not a QEMU source tree'),
             ('no-linux', ['--linux', '--tree', folder], ENV, 'is not a Linux source tree')]
    for name, options, env, wanted in cases:
        status, text = output(script, *(options or ['--tree', TREE]), out, env=env)
        if status != 1 or wanted not in text or len(text.splitlines()) != 1:
            problem += f'{name}: status {status}: {text}\n'
    for name, (file, more, wanted) in FAULTS.items():
        path = os.path.join(checkout, file)
        old = contents(path) if os.path.exists(path) else None
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'a', encoding='utf-8') as target:
            target.write(more)
        options = ['--linux', '--tree', LINUX] if file.startswith('linux/') else ['--tree', TREE]
        status, text = output(script, *options, out, env=ENV)
        if status != 1 or wanted not in text or len(text.splitlines()) != 1:
            problem += f'{name}: status {status}: {text}\n'
        os.remove(path)
        if old is not None:
            with open(path, 'w', encoding='utf-8') as target:
                target.write(old)
    # Patches of somebody else are not touched, its own former ones are.
    others = os.path.join(folder, 'others')
    os.mkdir(others)
    with open(os.path.join(others, '0001-mine.patch'), 'w', encoding='utf-8') as file:
        file.write('mine')
    status, text = output(script, '--tree', TREE, others, env=ENV)
    if status != 1 or 'somebody else, such as 0001-mine.patch' not in text or \
            os.listdir(others) != ['0001-mine.patch']:
        problem += f'others: status {status}: {text}{os.listdir(others)}\n'
    if not problem:
        problem = export(out, '--tree', TREE, script=script)
        with open(os.path.join(out, '0099-former.patch'), 'w', encoding='utf-8') as file:
            file.write('former')
        with open(os.path.join(out, '.export-series'), 'a', encoding='utf-8') as file:
            file.write('0099-former.patch\n')
        problem = problem or export(out, '--tree', TREE, script=script)
        if os.path.exists(os.path.join(out, '0099-former.patch')):
            problem += 'a former patch is left\n'
    return problem


def check_text(folder, again):
    """Twice the same, by who exports it, and without paths of the overlay."""
    problem = ''
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), '*.patch'))):
        text = contents(path)
        name = os.path.basename(path)
        if contents(os.path.join(again, name)) != text:
            problem += f'{name} is not the same the second time\n'
        if '\nFrom: Series Tester <tester@example.org>\n' not in text:
            problem += f'{name} is not from who exports it\n'
        if not name.startswith('0000') and \
                text.count('\nSigned-off-by: Series Tester <tester@example.org>\n') != 1:
            problem += f'{name} is not signed off by who exports it\n'
        for line in text.splitlines():
            if re.match(r'\+(?!\+\+ b/)', line) and LEFTOVERS.search(line):
                problem += f'{name}: {line}\n'
    return problem


# ---- QEMU ------------------------------------------------------------------

def make_tree():
    """QEMU's source as it is upstream, in a repository: commit "base"."""
    if os.path.isdir(os.path.join(SERIES, '.git')):
        return git(SERIES, 'worktree', 'prune')
    shutil.rmtree(SERIES, ignore_errors=True)
    new = SERIES + '.new'
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(TREE, new, symlinks=True, ignore=lambda folder, names: [
        name for name in names if folder == TREE and re.fullmatch(
            r'build.*|unpatched|series.*|rvic|\.rvic-.*|\.git', name)])
    for root, _, names in os.walk(new):
        for path in (os.path.join(root, name) for name in names):
            # What patches/ add is a link into the overlay.
            if os.path.islink(path) and 'rvic/' in os.readlink(path):
                os.remove(path)
    shutil.copytree(os.path.join(TREE, '.rvic-pristine'), new, dirs_exist_ok=True)
    problem = git(new, 'init', '-q') or git(new, 'add', '-A', '-f') or \
        git(new, 'commit', '-q', '-m', 'base') or git(new, 'tag', 'base')
    if not problem:
        os.rename(new, SERIES)
    return problem


def apply_series(tree, folder):
    """git am, as whoever gets the patches does it."""
    return git(tree, 'am', '-q', '--empty=drop',
               *sorted(glob.glob(os.path.join(glob.escape(folder), '*.patch'))))


def check_patches(tree, folder, *options):
    """The tree's own checkpatch.pl, with warnings. In a repository Linux' wants more packages."""
    return ''.join(
        f'{os.path.basename(patch)}: {line}\n' for patch in patches(folder)
        for line in output('perl', 'scripts/checkpatch.pl', '--terse', *options, patch,
                           cwd=tree)[1].splitlines()
        if not re.match('total: 0 errors, 0 warnings', line))


def build(tree, folder, suites):
    """Build QEMU, and the tests of suites, as far as there are any."""
    folder = os.path.join(tree, folder)
    problem = complaint('ninja', '-C', folder, 'qemu-system-aarch64', 'qemu-img')
    if problem or not suites:
        return problem[-4000:]
    with open(os.path.join(folder, 'meson-info/intro-tests.json'), encoding='utf-8') as file:
        needed = {target for test in json.load(file) for target in test['depends']
                  if suites & {name.rpartition(':')[2] for name in test['suite']}}
    with open(os.path.join(folder, 'meson-info/intro-targets.json'), encoding='utf-8') as file:
        names = [os.path.relpath(name, folder) for target in json.load(file)
                 if target['id'] in needed for name in target['filename']]
    return complaint('ninja', '-C', folder, *names)[-4000:] if names else ''


SUITES = {'rvic-fuzz', 'rvic-qtest', 'rvic-boot', 'rvic-kernel'}


def apply_to_qemu(folder):
    """
    Export, and apply it to a clean tree. SERIES becomes what that is then; files that are
    the same as they were are not built again.
    """
    problem = export(folder) or make_tree()
    tree = os.path.join(folder, 'tree')
    problem = problem or git(SERIES, 'worktree', 'add', '-q', '--detach', tree, 'base') or \
        apply_series(tree, folder)
    if not problem:
        _, commit = output('git', 'rev-parse', 'HEAD', cwd=tree)
        problem = git(SERIES, 'checkout', '-q', '-f', '--detach', commit.strip())
    return problem


def configure(*options):
    return complaint(os.path.join(TOP, 'scripts/setup'), '--configure', SERIES, *options)


def qemu_checks():
    """Up to a build with the tests, in SERIES."""
    with tempfile.TemporaryDirectory(prefix='rvic-test-') as folder:
        yield 'errors', check_errors(folder)
        first, second = os.path.join(folder, 'first'), os.path.join(folder, 'second')
        yield 'qemu-am', apply_to_qemu(first)
        yield 'qemu-text', export(second) or check_text(first, second)
        yield 'qemu-checkpatch', check_patches(SERIES, first)
        yield 'qemu-build', configure() or build(SERIES, 'build', SUITES)


def bisect_checks():
    """Each commit builds, for this machine and with KVM."""
    with tempfile.TemporaryDirectory(prefix='rvic-test-') as folder:
        problem = apply_to_qemu(folder)
        yield 'qemu-am', problem
        if problem:
            return
        _, last = output('git', 'rev-parse', 'HEAD', cwd=SERIES)
        _, commits = output('git', 'log', '--reverse', '--format=%h %s', 'base..', cwd=SERIES)
        git(SERIES, 'checkout', '-q', 'base')
        # What was generated for a later commit must not be found by an earlier one.
        for name in 'build', 'build-kvm':
            shutil.rmtree(os.path.join(SERIES, name), ignore_errors=True)
        yield 'configure', configure('--kvm')
        for commit in commits.splitlines():
            problem = git(SERIES, 'checkout', '-q', '-f', commit.split()[0])
            for name in 'build', 'build-kvm':
                if os.path.isdir(os.path.join(SERIES, name)):
                    problem = problem or build(SERIES, name, SUITES if name == 'build' else set())
            yield commit.partition(' ')[2], problem
        git(SERIES, 'checkout', '-q', '-f', last.strip())


# ---- Linux -----------------------------------------------------------------

def compile_drivers(tree, objects):
    """Those whose sources are there, in a tree that is configured for them."""
    cross = [] if os.uname().machine == 'aarch64' else ['CROSS_COMPILE=aarch64-linux-gnu-']
    gcc = 'gcc' if not cross else 'aarch64-linux-gnu-gcc'
    make = ['make', '-s', '-C', tree, f'O={objects}', 'ARCH=arm64', *cross, f'CC=ccache {gcc}',
            'HOSTCC=ccache gcc', f'-j{os.cpu_count()}', 'KCFLAGS=-Werror']
    problem = complaint(*make, 'olddefconfig')
    if problem or 'CONFIG_ARM_RVIC=y' not in contents(os.path.join(objects, '.config')):
        return problem or 'CONFIG_ARM_RVIC is lost'
    # The folder as a whole, so that its Makefile decides.
    problem = complaint(*make, 'W=1', 'drivers/irqchip/')
    names = [os.path.basename(name)[:-2] for name in glob.glob(
        os.path.join(glob.escape(tree), 'drivers/irqchip/irq-rvi[cd].c'))]
    return problem or ''.join(
        f'{name}.o was not built\n' for name in names
        if not os.path.exists(os.path.join(objects, 'drivers/irqchip', name + '.o')))


def linux_checks():
    """A tree of which only the files that patches touch are of its own."""
    source = os.path.realpath(LINUX)
    with tempfile.TemporaryDirectory(prefix='rvic-test-') as folder, \
            tempfile.TemporaryDirectory(prefix='series-', dir=os.path.join(
                os.path.dirname(source), 'tmp')) as scratch:
        first, second = os.path.join(folder, 'first'), os.path.join(folder, 'second')
        yield 'linux-export', export(first, '--linux') or export(second, '--linux') or \
            check_text(first, second)
        tree, objects = os.path.join(scratch, 'linux'), os.path.join(scratch, 'objects')
        # By hard links: git and make write new files in the place of old ones.
        subprocess.run(['cp', '-al', source, tree], check=True)
        for name in glob.glob(os.path.join(glob.escape(tree), 'drivers/irqchip/irq-rvi*')):
            os.remove(name)
        pristine = os.path.join(tree, '.rvic-pristine')
        touched = {'MAINTAINERS'}
        for root, _, names in os.walk(pristine):
            for name in names:
                path = os.path.join(root, name)
                touched.add(os.path.relpath(path, pristine))
                os.replace(path, os.path.join(tree, os.path.relpath(path, pristine)))
        problem = git(tree, 'init', '-q') or git(tree, 'add', '-f', *touched) or \
            git(tree, 'commit', '-q', '-m', 'base') or git(tree, 'tag', 'base') or \
            apply_series(tree, first)
        yield 'linux-am', problem
        yield 'linux-checkpatch', check_patches(source, first, '--strict')
        os.makedirs(objects)
        shutil.copy2(os.path.join(BUILD, 'guest/.config'), os.path.join(objects, '.config'))
        _, commits = output('git', 'log', '--reverse', '--format=%h %s', 'base..', cwd=tree)
        for commit in commits.splitlines()[1:]:
            yield 'linux-build: ' + commit.partition(' ')[2], \
                git(tree, 'checkout', '-q', '-f', commit.split()[0]) or \
                compile_drivers(tree, objects)
