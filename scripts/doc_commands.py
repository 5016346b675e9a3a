# SPDX-License-Identifier: GPL-2.0-or-later
"""
Runs the commands of README.rst, linux/README.rst and docs/ as they are there, for
scripts/test.

Blocks of the language shell are commands for a shell, lines behind "(qemu) " in any other
block commands for QEMU's monitor. PAGES says for each what runs it.
"""

import collections
import glob
import os
import re
import shutil
import tempfile
import textwrap
import time

import package_suite
from commands import BUILD, TOP, contents, output

# What the guest and the emulated host show when they are up; busybox asks the terminal
# behind its prompt where the cursor is
GUEST = 'This is a shell in the guest'
PROMPT = r'# (\x1b\[6n)?$'

# Whom git knows
SOMEBODY = {f'GIT_{role}_{what}': value for role in ('AUTHOR', 'COMMITTER')
            for what, value in [('NAME', 'Somebody'), ('EMAIL', 'somebody@example.org')]}

# In seconds. Guests and hosts are up after a few; what builds may take long.
USUAL = 120
LONG = 7200

Block = collections.namedtuple('Block', 'line text')


def parse(page):
    """A page as docutils understands it, with what only Sphinx knows left out."""
    import docutils.core
    import docutils.nodes
    from docutils.parsers.rst import Directive, directives, roles

    class Nothing(Directive):
        """A directive of Sphinx."""
        has_content = True
        optional_arguments = 1
        final_argument_whitespace = True
        option_spec = {'maxdepth': directives.unchanged}

        def run(self):
            return []

    directives.register_directive('toctree', Nothing)
    for role in 'doc', 'ref':
        roles.register_generic_role(role, docutils.nodes.literal)
    return docutils.core.publish_doctree(contents(page), source_path=page)


def blocks(page):
    """The blocks of commands in a page."""
    from docutils.nodes import literal_block
    for node in parse(page).findall(literal_block):
        shell = 'shell' in node['classes']
        if shell or node.astext().startswith('(qemu) '):
            yield Block(node.line, node.astext())


class Failed(Exception):
    """A command did not do what it is there for."""


class User:
    """Somebody who goes through a page and types what is there."""

    def __init__(self, folder):
        """FOLDER: an empty one, in which QEMU and a guest will be at hand."""
        self.folder = folder
        self.path = f"{BUILD}:{folder}/bin:{os.environ['PATH']}"
        self.children = []
        self.machine = None
        self.host = None
        self.host_command = None
        # As it is called where it is installed
        os.mkdir(os.path.join(folder, 'bin'))
        os.symlink(os.path.join(TOP, 'scripts/irqtop'), os.path.join(folder, 'bin/rvic-irqtop'))
        os.symlink(os.path.join(BUILD, 'qemu-system-aarch64'),
                   os.path.join(folder, 'bin/qemu-system-aarch64-rvic'))
        guest = os.path.join(BUILD, 'guest')
        for name in 'Image', 'initramfs.cpio.gz':
            os.symlink(os.path.join(guest, name), os.path.join(folder, name))

    def spawn(self, text, folder, timeout=USUAL):
        """A command of a shell on a terminal of its own."""
        import pexpect
        child = pexpect.spawn('/bin/bash', ['-ec', text], cwd=folder, timeout=timeout,
                              encoding='utf-8', codec_errors='replace', dimensions=(50, 200),
                              env={**os.environ, **SOMEBODY, 'PATH': self.path, 'RVIC': TOP})
        self.children.append(child)
        return child

    def expect(self, child, pattern, timeout=-1):
        """Wait until the child has written PATTERN, which may be its end."""
        import pexpect
        try:
            return child.expect(pattern, timeout)
        except pexpect.ExceptionPexpect as error:
            raise Failed(f'no {pattern!r} ({type(error).__name__}) in:\n'
                         + '\n'.join(child.before.splitlines()[-40:])) from error

    def end(self, child, status=0):
        """The child ends by itself."""
        import pexpect
        self.expect(child, pexpect.EOF)
        text = child.before
        child.close()
        if child.exitstatus != status:
            raise Failed(f'exit status {child.exitstatus}, signal {child.signalstatus}:\n{text}')
        return text

    def close(self):
        for child in self.children:
            child.close(force=True)

    # ---- Ways to run a block; each gets the block's text -------------------

    def command(self, text):
        """In the checkout, to its end."""
        return self.end(self.spawn(text, TOP, 900))

    def long(self, text):
        """The same, for as long as it may take."""
        return self.end(self.spawn(text, TOP, LONG))

    def here(self, text):
        """In the folder with the guest, to its end."""
        return self.end(self.spawn(text, self.folder))

    def guest(self, text, folder=None):
        """QEMU with a guest that has the terminal."""
        child = self.spawn(text, folder or self.folder)
        self.expect(child, GUEST)
        child.sendcontrol('a')
        child.send('x')
        self.end(child)

    def start_guest(self, text):
        """QEMU with a guest that goes on while other commands are run."""
        self.expect(self.spawn(text, self.folder), GUEST)

    def guest_of_checkout(self, text):
        self.guest(text, TOP)

    def guest_on_disk(self, text):
        """The same with disk.img, a disk with a Linux system."""
        shutil.copy(os.path.join(BUILD, 'guest/disk.img'), self.folder)
        self.guest(text)

    def start_machine(self, text):
        """QEMU with its monitor on the terminal; its guest writes to guest.log."""
        self.machine = self.spawn(text, self.folder)
        self.expect(self.machine, r'\(qemu\) ')
        self.wait_for_guest()

    def wait_for_guest(self):
        """Ask until the guest is up."""
        for _ in range(USUAL * 2):
            if GUEST in open(os.path.join(self.folder, 'guest.log'), errors='replace').read():
                return
            self.monitor_command('info status')
            time.sleep(0.5)
        raise Failed('the guest does not boot')

    def resume_machine(self, text):
        """The same from a saved state: the guest does not boot again, and runs."""
        self.machine = self.spawn(text, self.folder)
        self.expect(self.machine, r'\(qemu\) ')
        before = self.acknowledged()
        for _ in range(20):
            if self.acknowledged() > before:
                self.machine.sendline('quit')
                self.end(self.machine)
                self.machine = None
                return
            time.sleep(0.5)
        raise Failed('no interrupt arrives any more')

    def acknowledged(self):
        return sum(map(int, re.findall(r'acknowledged (\d+)', self.monitor_command('info pic'))))

    def monitor_command(self, line):
        """What the machine's monitor answers."""
        import pexpect
        self.machine.sendline(line)
        if line == 'quit':
            self.expect(self.machine, pexpect.EOF)
            return ''
        self.expect(self.machine, r'\(qemu\) ')
        # Behind the echo, in which each character comes with its line
        return re.sub(r'\x1b\[[0-9;]*[A-Z]', '', self.machine.before).partition('\n')[2]

    def monitor(self, text):
        """
        Commands for the monitor, of the machine that runs or of a new one. An answer that is
        a value has to be the page's, another one has to begin as the page's does.
        """
        if not self.machine:
            self.start_machine('qemu-system-aarch64 -machine virt,irqchip=rvic -cpu max -smp 2 '
                               '-m 1G -kernel Image -initrd initramfs.cpio.gz '
                               '-append "console=ttyAMA0" -display none '
                               '-serial file:guest.log -monitor stdio -D trace.log')
        for part in re.split(r'^\(qemu\) ', text, flags=re.M)[1:]:
            line, _, wanted = part.partition('\n')
            found = self.monitor_command(line)
            if re.search(r'^(Error|unknown command|.*not found)', found, re.M):
                raise Failed(f'(qemu) {line}\n{found}')
            if wanted and found.splitlines()[:1] != wanted.splitlines()[:1]:
                raise Failed(f'(qemu) {line}\n{found}\nbut the page has\n{wanted}')
            if line == 'quit':
                self.machine = None

    # ---- In an emulated KVM host -------------------------------------------

    def start_host(self, text):
        """A shell in the host; what follows is typed there."""
        if self.host and self.host_command == text:
            return
        self.end_host()
        self.host_command = text
        self.host = self.spawn(text, TOP, 300)
        self.expect(self.host, PROMPT)
        self.in_host(f'cd {os.path.join(BUILD, "guest")}; PATH={BUILD}:$PATH')

    def in_host(self, text, status=0):
        """What a command there says, to its end."""
        if not self.host:
            self.start_host('scripts/kvm-host --shell')
        # One line, since the shell would show a prompt for each.
        self.host.sendline(text.replace('\\\n', ' ').replace('\n', '; ') + '; echo "status=$?"')
        self.expect(self.host, r'\r\nstatus=(\d+)')
        said, found = self.host.before, int(self.host.match[1])
        self.expect(self.host, PROMPT)
        if found != status:
            raise Failed(f'exit status {found}:\n{said}')
        return said

    def guest_in_host(self, text):
        """QEMU there with a guest that has the terminal."""
        self.in_host('true')
        self.host.sendline(text.replace('\\\n', ' '))
        self.expect(self.host, GUEST, 300)
        self.host.sendcontrol('a')
        self.host.send('x')
        self.expect(self.host, PROMPT)

    def guest_in_host_checkout(self, text):
        self.in_host(f'cd {TOP}')
        self.guest_in_host(text)
        self.in_host(f'cd {os.path.join(BUILD, "guest")}')

    def machine_in_host(self, text):
        """QEMU there with its monitor on the terminal."""
        self.in_host('true')
        self.host.sendline(text.replace('\\\n', ' '))
        self.expect(self.host, r'\(qemu\) ')
        self.machine = self.host

    def monitor_in_host(self, text):
        """Its monitor, which is left at the block's end."""
        self.monitor(text)
        self.host.sendline('quit')
        self.expect(self.host, PROMPT)
        self.machine = None

    def end_host(self, _=''):
        """The shell's end is the host's."""
        if self.host:
            self.host.sendcontrol('d')
            self.end(self.host)
            self.host = None


# ---- What runs which block -------------------------------------------------

def terminal(user, text):
    """A script that ends with a shell in the guest."""
    child = user.spawn(text, TOP, 600)
    user.expect(child, GUEST)
    user.expect(child, PROMPT)
    child.sendline('poweroff')
    user.end(child)


def shell_of_host(user, text):
    """A shell in a host, which is left at once."""
    child = user.spawn(text, TOP, 600)
    user.expect(child, PROMPT)
    child.sendline('echo $((6 * 7))')
    user.expect(child, '42')
    # Until it edits the next line, the terminal would take Ctrl-D for itself.
    user.expect(child, PROMPT)
    child.sendcontrol('d')
    user.end(child)


def irqtop(user, text):
    """A view on a terminal, which ends with q."""
    child = user.spawn(text, user.folder)
    user.expect(child, 'q quit')
    child.send('q')
    user.end(child)


def main_job(_user, text):
    """It is what .ci/run runs: here it would run itself."""
    if not re.search(rf'^phase {re.escape(text)}\b', contents('.ci/run'), re.M):
        raise Failed(f'.ci/run does not run {text}')


def fails(message):
    """It ends with an error, which this machine cannot help."""
    def run(user, text):
        said = user.in_host(text, status=1)
        if message not in said:
            raise Failed(f'no {message!r} in:\n{said}')
    return run


def test_has(name, text):
    """What it takes is only to be had in a test, which has to have TEXT."""
    def run(_user, _text):
        if text not in contents(name):
            raise Failed(f'{name} has no {text}')
    return run


def figures(user, text):
    """What it draws is in the repository already, but for where graphviz places it."""
    names = [name for name in glob.glob(os.path.join(TOP, 'docs/**/*.svg'), recursive=True)
             if os.path.exists(name.removesuffix('.svg') + '.dot')]
    before = {name: contents(name) for name in names}
    try:
        user.command(text)
        words = {name: [re.findall('<(?:text|title)[^>]*>([^<]*)<', picture)
                        for picture in (before[name], contents(name))] for name in names}
    finally:
        for name in names:
            with open(name, 'w', encoding='utf-8') as file:
                file.write(before[name])
    for name, (old, new) in words.items():
        if not old or old != new:
            raise Failed(f'{name} is not what its source says: draw it with {text}')


def replay(user, text):
    """The page has the file that is replayed, which succeeds without a fault."""
    page = contents('docs/devel/testing/arm-rvic.rst')
    sequence = re.search(r'^  config .*\n(  .*\n)*', page, re.M)[0]
    name = os.path.join(user.folder, 'rvic-fuzz-7.txt')
    with open(name, 'w', encoding='utf-8') as file:
        file.write(textwrap.dedent(sequence))
    for line in text.splitlines():
        user.end(user.spawn(os.path.join(TOP, line), user.folder))


def hosts(user, text):
    """A line each: to its end, or with a shell."""
    for line in text.splitlines():
        if '--shell' in line:
            shell_of_host(user, line)
        else:
            user.end(user.spawn(line, TOP, 600))


def guest_in_pmu_host(user, text):
    """A guest in a host with several PMUs."""
    user.start_host('scripts/kvm-host --hetero --shell')
    user.guest_in_host(text)


def pmu_in_host(user, text):
    """The choice of the block before, while a machine has it."""
    user.machine_in_host('qemu-system-aarch64 -accel kvm,pmu=armv8_cortex_a72 -machine virt '
                         '-cpu host -S -display none -monitor stdio')
    user.monitor_in_host(text)


def kernel_tree(user, text):
    """In a Linux tree without our files."""
    tree = os.path.join(user.folder, 'linux')
    if not os.path.exists(tree):
        package_suite.linux_tree(user.folder)
    user.end(user.spawn(text, tree, LONG))


def validate(user, text):
    """A device tree of QEMU's."""
    user.here('qemu-system-aarch64 -machine virt,irqchip=rvic,dumpdtb=my.dtb -cpu max')
    user.here(text)


def inline_commands(page):
    """Commands of our scripts within the text: (line of text, words)."""
    from docutils.nodes import literal
    for node in parse(page).findall(literal):
        text = node.astext()
        if re.match(r'scripts/[a-z-]+ -', text):
            yield text, text.split()


# What else blocks may be in; none of these is typed
LANGUAGES = {'shell', 'json', 'xml', 'python', 'yaml', 'sh'}
PROGRAM = re.compile(r'(build/)?qemu-|virsh |scripts/|rvic-|apt|sudo |git |make |\$ ')


def check_escaped(page):
    """No block is a command that this does not see: in another language, or in none."""
    from docutils.nodes import literal_block
    for node in parse(page).findall(literal_block):
        languages = set(node['classes']) - {'code'}
        if languages - LANGUAGES or (not languages and PROGRAM.match(node.astext())):
            yield f'{node.line}: should be of the language shell: {node.astext()}\n'


def check_inline(page):
    """Scripts and options within the text are there."""
    problems = list(check_escaped(page))
    for text, words in inline_commands(page):
        said = output(os.path.join(TOP, words[0]), '--help')[1]
        problems += [f'{text}: {words[0]} --help has no {word}' for word in words[1:]
                     if word.startswith('--') and word.partition('=')[0] not in said]
    return '\n'.join(problems)


# ---- What runs which block -------------------------------------------------

U = User
# The blocks of each page in their order: a word of it, what runs it, and whether that
# takes long. Later ones find what earlier ones have left behind.
PAGES = {
    'README.rst': [
        ('scripts/run', terminal),
        ('scripts/test', main_job),
        ('qemu-system-aarch64', U.guest_of_checkout),
        # Not on this system
        ('scripts/package', test_has('scripts/package_suite.py', 'apt-get -q -y')),
    ],
    'debian/man/qemu-system-aarch64-rvic.1.rst': [
        ('qemu-system-aarch64-rvic', U.guest),
    ],
    'linux/README.rst': [
        ('Image', kernel_tree, 'long'),
        ('git am', test_has('scripts/series_suite.py', '--empty=drop')),
        ('dt_binding_check', kernel_tree, 'long'),
        ('dt-validate', validate, 'long'),
    ],
    'docs/devel/arm-rvic.rst': [
        ('scripts/test qtest', U.long, 'long'),
        ('scripts/export-series', U.command),
        ('scripts/docs', U.command),
        ('--figures', figures),
    ],
    'docs/devel/arm-rvic-performance.rst': [
        ('scripts/bench', U.long, 'long'),
    ],
    'docs/devel/testing/arm-gic.rst': [
        ('scripts/vgic', U.long, 'long'),
    ],
    'docs/devel/testing/arm-rvic.rst': [
        ('--steps', U.long, 'long'),
        ('--replay', replay),
        ('--hetero', hosts),
        ('RVIC_LONG', U.long, 'long'),
        ('--seed', U.command),
    ],
    'docs/system/arm/virt-rvic.rst': [
        ('-kernel Image -initrd', U.guest),
        ('disk.img', U.guest_on_disk),
        ('virtualization=on', U.guest),
        ('iommu=smmuv3', U.guest),
        ('dumpdtb', U.here),
        ('num-untrusted', U.guest),
        ('info pic', U.monitor),
        ('qom-get', U.monitor),
        ('info irq', U.monitor),
        ('in KVM, out of sight', test_has('tests-kvm/test_kvm_in_kernel.py', 'out of sight')),
        ('-trace', U.guest),
        ('acknowledged 0', U.monitor),
        ('trace-event', U.monitor),
        ('acknowledged 1', U.monitor),
        ('-serial file:guest.log', U.start_machine),
        ('migrate file:', U.monitor),
        ('-incoming', U.resume_machine),
    ],
    # As one goes through the page with libvirt
    'docs/system/arm/virt-rvic-libvirt.rst':
        [('virsh', test_has('scripts/libvirt_suite.py',
                            'PAGES = [check_page_xml, check_page_commands'))] * 7,
    'docs/tools/rvic-irqtop.rst': [
        ('-qmp', U.start_guest),
        ('rvic-irqtop unix:', irqtop),
        ('--once --interval', U.here),
        ('jq', U.here),
        ('timeout', U.here),
        ('--domain', test_has('scripts/libvirt_suite.py', '--domain')),
    ],
    'docs/system/arm/virt-rvic-kvm.rst': [
        ('-kernel Image', U.guest_in_host),
        ('/dev/kvm', U.in_host),
        ('-monitor stdio', U.machine_in_host),
        ('qom-get', U.monitor_in_host),
    ],
    'docs/system/arm/kvm-spe.rst': [
        ('spe=on', fails('SPE')),
    ],
    'docs/system/arm/kvm-pmu.rst': [
        ('-kernel Image', guest_in_pmu_host),
        ('qom-get', pmu_in_host),
        ('--hetero --shell', U.start_host),
        ('grep', U.in_host),
        ('build/qemu-system-aarch64', U.guest_in_host_checkout),
    ],
}


# It includes a page.
MAN_PAGES = {'debian/man/rvic-irqtop.1.rst'}


def checks(long=False):
    """Yield (name, problem) for each block, and for each page as a whole."""
    # On the cache's file system, for the Linux tree
    cache = os.path.dirname(os.path.realpath(os.path.join(BUILD, 'linux')))
    with tempfile.TemporaryDirectory(prefix='docs.', dir=os.path.join(cache, 'tmp')) as folder:
        user = User(folder)
        try:
            pages = output('git', 'ls-files', '-co', '--exclude-standard', '*.rst')[1].split()
            # In the table's order, and what it has not
            for page in [*PAGES, *sorted(set(pages) - set(PAGES) - MAN_PAGES)]:
                yield from check_page(user, page, PAGES.get(page, []), long)
            user.end_host()
        finally:
            user.close()


def check_page(user, page, ways, long):
    found = list(blocks(page))
    if len(found) != len(ways) or not all(
            way[0] in block.text for way, block in zip(ways, found)):
        yield page, 'PAGES of scripts/doc_commands.py has not the blocks of the page:\n' + \
            '\n'.join(f'{block.line}: {block.text}' for block in found)
        return
    if not long:
        yield page, check_inline(page)
    for block, (word, run, *takes_long) in zip(found, ways):
        if bool(takes_long) != long:
            continue
        try:
            run(user, block.text)
            problem = ''
        except Failed as failed:
            problem = str(failed)
        yield f'{page}/{block.line}: {word}', problem
