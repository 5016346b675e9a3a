# SPDX-License-Identifier: GPL-2.0-or-later
"""
Checks of the scripts themselves for scripts/test: patch series, downloads, what
wrong arguments lead to. A few start what scripts/fuzz builds.
"""

import os
import shlex
import tempfile

from commands import BUILD, TOP, output

SOURCE = '''static void one(void)
{
    break;
}

static void two(void)
{
    break;
}
'''


class Lab:
    """A small tree, patches for it, and scripts/lib.sh with a cache of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.tree = os.path.join(folder, 'tree')
        self.env = {**os.environ, 'RVIC_CACHE': os.path.join(folder, 'cache')}
        self.write('tree/.gitattributes', '*.c diff=c\n')
        self.write('tree/a.c', SOURCE)
        self.write('tree/b.c', SOURCE)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding='utf-8') as file:
            return file.read()

    def patch(self, name, file, function):
        """A patch with one line of context for a line in FUNCTION."""
        line = SOURCE.splitlines().index(f'static void {function}(void)') + 2
        return self.write(name, f'--- a/{file}\n+++ b/{file}\n'
                          f'@@ -{line},2 +{line},3 @@ static void {function}(void)\n'
                          ' {\n+    hook();\n     break;\n')

    def apply(self, *patches):
        return self.shell('apply_series', self.tree, 'the tree', *patches)

    def shell(self, *words):
        return output('bash', '-c', f'. {shlex.quote(TOP)}/scripts/lib.sh; ' + shlex.join(words),
                      'lab', env=self.env)


def check_series(lab):
    """A series is applied and taken back without touching other files."""
    first = lab.patch('patches/1.patch', 'a.c', 'one')
    second = lab.patch('patches/2.patch', 'b.c', 'two')
    status, text = lab.apply(first, second)
    patched = SOURCE.replace('two(void)\n{\n', 'two(void)\n{\n    hook();\n')
    if status or lab.read('tree/b.c') != patched or lab.read('tree/a.c') == SOURCE:
        return f'the series was not applied: {text}'
    for name in ('a.c', 'b.c'):
        os.utime(os.path.join(lab.tree, name), (1000, 1000))
    status, text = lab.apply(second)
    if status or lab.read('tree/a.c') != SOURCE or lab.read('tree/b.c') != patched:
        return f'a dropped patch was not taken back: {text}'
    if os.stat(os.path.join(lab.tree, 'b.c')).st_mtime != 1000:
        return 'a file that did not change was written'
    if os.stat(os.path.join(lab.tree, 'a.c')).st_mtime == 1000:
        return 'a file that changed kept its time: it would not be rebuilt'
    return ''


def check_drift(lab):
    """A hunk that git applies in the wrong function is refused."""
    patch = lab.patch('patches/0001-hook.patch', 'a.c', 'one')
    drifted = SOURCE.replace('one(void)\n{\n', 'one(void)\n{\n    other();\n')
    lab.write('tree/a.c', drifted)
    status, text = lab.apply(patch)
    wanted = ['patches/0001-hook.patch lands elsewhere', 'expected "a.c: static void one"',
              'found "a.c: static void two"']
    if status != 1 or not all(part in text for part in wanted) or len(text.splitlines()) != 1:
        return f'status {status}: {text}'
    if lab.read('tree/a.c') != drifted:
        return 'the tree was changed'
    # Parameters may have other types, as they have in other versions.
    lab.write('tree/a.c', SOURCE.replace('one(void)', 'one(const void *data)'))
    lab.shell('rm', '-r', os.path.join(lab.tree, '.rvic-pristine'))
    status, text = lab.apply(patch)
    return '' if status == 0 and 'hook' in lab.read('tree/a.c') else f'status {status}: {text}'


def check_no_fit(lab):
    """A patch that does not apply is named, with the file."""
    patch = lab.patch('patches/0001-hook.patch', 'a.c', 'one')
    lab.write('tree/a.c', 'int x;\n')
    status, text = lab.apply(patch)
    good = status == 1 and 'patches/0001-hook.patch does not apply' in text and 'a.c' in text
    if not good or len(text.splitlines()) != 1:
        return f'status {status}: {text}'
    os.remove(os.path.join(lab.tree, 'b.c'))
    status, text = lab.apply(lab.patch('patches/2.patch', 'b.c', 'one'))
    return '' if status == 1 and 'it has no b.c' in text else f'status {status}: {text}'


def check_mended(lab):
    """What a tree has already is not mended again; a hook that it has is refused."""
    mended = SOURCE.replace('one(void)\n{\n', 'one(void)\n{\n    hook();\n')
    lab.write('tree/a.c', mended)
    status, text = lab.apply(lab.patch('patches/fixes/0001-fix.patch', 'a.c', 'one'),
                             lab.patch('patches/fixes/0002-fix.patch', 'b.c', 'one'))
    if status or lab.read('tree/a.c') != mended or lab.read('tree/b.c') != mended:
        return f'status {status}: {text}'
    status, text = lab.apply(lab.patch('patches/0001-hook.patch', 'a.c', 'one'))
    return '' if status == 1 and 'lands elsewhere' in text else f'status {status}: {text}'


def check_download(lab):
    """A damaged download is not used."""
    lab.write('cache/dl/file', 'as it was')
    if lab.shell('record', 'thing', 'file')[0] or lab.shell('have', 'thing')[0]:
        return 'a good download is refused'
    lab.write('cache/dl/file', 'as it is')
    return '' if lab.shell('have', 'thing')[0] else 'a damaged download is used'


def check_step(lab):
    """A failing step ends the script and shows its output."""
    status, text = lab.shell('step', 'a step', 'log', 'sh', '-c', 'echo why; exit 3')
    if status != 1 or 'a step: failed' not in text or '| why' not in text:
        return f'status {status}: {text}'
    return ''


def check_arguments(_lab):
    """Wrong arguments: a non-zero status, and the last line says what is wrong."""
    for words, wanted in [
            (['setup', '--qemu', TOP], 'is not a QEMU source tree'),
            (['setup', '--nonsense'], "unknown argument '--nonsense'"),
            (['setup', '--build', 'docs'], "'docs' is not a name that begins with build"),
            (['setup', '--build'], '--build needs an argument'),
            (['setup', '--configure', TOP], 'is not a QEMU source tree'),
            (['export-series'], 'the following arguments are required: DIR'),
            (['export-series', '--linux', '--tree', TOP, 'x'], 'is not a Linux source tree'),
            (['export-series', '--tree', TOP, 'x'], 'is not a QEMU source tree'),
            (['guest', '--nonsense'], "unknown argument '--nonsense'"),
            (['guest', '--linux'], '--linux needs an argument'),
            (['guest', '--linux', '6.12.1'], "'6.12.1' is not newest or a series"),
            (['guest', '--pages=4'], "'4' is not 4k, 16k or 64k"),
            (['dt-schema', '--nonsense'], "unknown argument '--nonsense'"),
            (['fuzz', '--nonsense'], 'Unknown option --nonsense'),
            (['fuzz', '--cpus=513'], '1 to 512 vCPUs are possible'),
            (['fuzz', '--untrusted=40'], 'are multiples of 32'),
            (['fuzz', '--cpus', '0'], '1 to 512 vCPUs are possible'),
            (['fuzz', '--seed=-1'], 'a seed has 32 bits'),
            (['fuzz', '--output', 'nowhere'], 'there is no such directory'),
            (['fuzz', '--replay', os.path.join(TOP, 'README.rst')], 'not a configuration'),
            (['fuzz', '--qemu', os.path.join(TOP, 'README.rst')], 'not a configuration'),
            (['fuzz', '--qemu=nowhere'], '--qemu needs a file'),
            (['fuzz', '--guided', '0'], '--guided needs a number of seconds'),
            (['run', '--cpus', '0'], '0 is not between 1 and 512'),
            (['run', '--cpus', 'x'], "invalid int value: 'x'"),
            (['run', '--memory', '1 GB'], "'1 GB' is not a size"),
            (['run', '--linux', '../7.3'], "'../7.3' is not newest or a series"),
            (['run', '--pages', '4'], "invalid choice: '4'"),
            (['run', '--irqchip', 'apic'], "invalid choice: 'apic'"),
            (['run', '--accel', 'hvf'], "invalid choice: 'hvf'"),
            (['kvm-host', '--nonsense'], "unknown argument '--nonsense'"),
            (['kvm-host', '--exec'], '--exec needs an argument'),
            (['kvm-host', '--gic', '4'], "unknown argument '--gic=4'"),
            (['package', '--nonsense'], "unknown argument '--nonsense'"),
            (['package', '--output'], '--output needs an argument'),
            (['package', '--output', 'README.rst'], "'README.rst' cannot be made a directory"),
            (['bench-kvm', '--rounds', '0'], '--rounds: 0 is not between 1 and 1000'),
            (['test', 'nonsense'], "unknown suite 'nonsense'")]:
        status, text = output(os.path.join(TOP, 'scripts', words[0]), *words[1:])
        if status == 0 or wanted not in text.splitlines()[-1]:
            return f'{shlex.join(words)}: status {status}: {text}'
    return ''


def check_versions(lab):
    """A tree of another version of QEMU is refused at once, by one line."""
    lab.write('qemu/hw/arm/virt.c', '')
    for version, good in [('10.0.13', True), ('10.2.2', True), ('10.2.0', True), ('9.2.4', False),
                          ('10.1.3', False), ('10.0.50', False), ('10.2.90', False),
                          ('10.20.1', False), ('11.1.2', False), ('110.0.1', False)]:
        tree = os.path.dirname(lab.write('qemu/VERSION', version + '\n'))
        status, text = output(os.path.join(TOP, 'scripts/setup'), '--qemu', tree, env=lab.env)
        wanted = "lacks QEMU's subprojects" if good else \
            f'is QEMU {version}: the overlay is for 10.0.x and 10.2.x'
        if status != 1 or wanted not in text or len(text.splitlines()) != 1:
            return f'QEMU {version}: status {status}: {text}'
    return ''


def check_dry_run(_lab):
    """The command line that is shown means what was asked for."""
    run = os.path.join(TOP, 'scripts/run')
    exec_text = "echo 'a,b' \"$HOME\"\nexit 3"
    status, text = output(run, '--dry-run', '--irqchip', 'gic', '--cpus', '3', '--memory', '2G',
                          '--linux', '7.2', '--pages', '64k', '--exec', exec_text,
                          '--', '-device', 'edu')
    words = shlex.split(text.replace('\\\n', ' '))
    pairs = list(zip(words, words[1:]))
    for pair in [('-machine', 'virt,irqchip=gic,gic-version=3'), ('-smp', '3'), ('-m', '2G'),
                 ('-kernel', os.path.join(BUILD, 'guest-7.2-64k/Image')),
                 ('-fw_cfg', 'name=opt/rvic/exec,string=' + exec_text.replace(',', ',,'))]:
        if pair not in pairs:
            return f'{shlex.join(pair)} is missing: {text}'
    if status or words[-2:] != ['-device', 'edu']:
        return f'status {status}: {text}'
    for kvm, hosts in (True, 0), (False, 1):
        # On a machine with KVM, and on one without
        status, text = output(
            '/usr/bin/python3', '-c', f'import kvm_host, run, sys; kvm_host.usable = lambda: {kvm};'
            " sys.argv += ['--dry-run', '--accel', 'kvm']; sys.exit(run.main())",
            env={**os.environ, 'PYTHONPATH': os.path.join(TOP, 'scripts'),
                 'PYTHONDONTWRITEBYTECODE': '1'})
        good = not status and text.count('virtualization=on') == hosts and \
            text.count('-accel kvm') == 1 and 'virt,irqchip=rvic -cpu' in text.replace(' \\\n   ', '')
        if not good:
            return f'with KVM: {kvm}: status {status}: {text}'
    status, text = output(run, '--dry-run')
    return '' if status == 0 and '-machine virt,irqchip=rvic ' in text.replace('\\', ' ') else text


def checks():
    """(name, what is wrong) of each test."""
    for check in (check_series, check_drift, check_no_fit, check_mended, check_download, check_step,
                  check_arguments, check_versions, check_dry_run):
        with tempfile.TemporaryDirectory(prefix='rvic-test-') as folder:
            yield check.__name__[6:].replace('_', '-'), check(Lab(folder))
