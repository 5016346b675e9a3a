# SPDX-License-Identifier: GPL-2.0-or-later
"""
Checks of rVIC with libvirt for scripts/test: real daemons, domains that
scripts/libvirt-xml prints, and what a user of virsh does with them. Started as a
program, in scripts/libvirt's namespaces, this module makes the checks.
"""

import contextlib
import glob
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import traceback
import xml.etree.ElementTree as ET

from commands import TOP, contents, output

QEMU = '/usr/bin/qemu-system-aarch64'
PAGE = 'docs/system/arm/virt-rvic-libvirt.rst'
FLEET_PAGE = 'docs/system/arm/virt-rvic-fleet.rst'
QEMU_NAMESPACE = '{http://libvirt.org/schemas/domain/qemu/1.0}'
PROMPT = '~ # '

# In seconds; a guest boots in three when nothing else runs.
PATIENCE = 120


class Failed(Exception):
    """What is wrong."""


def expect(condition, problem):
    if not condition:
        raise Failed(str(problem))


def until(condition, problem):
    """Wait until CONDITION() is true."""
    end = time.monotonic() + PATIENCE
    while not condition():
        expect(time.monotonic() < end, problem() if callable(problem) else problem)
        time.sleep(0.1)


def virsh(*words, host=None, fails=False):
    """What virsh says; FAILS: that it has to, and why is what matters."""
    command = ['virsh', '-q', *(['-c', host] if host else []), *words]
    # Not in the checkout, but where the guest's files are
    status, text = output(*command, cwd=os.getcwd())
    expect((status != 0) == fails, f"{' '.join(command)}: status {status}: {text}")
    return text.strip()


def libvirt_xml(*words, fails=False):
    command = [os.path.join(TOP, 'scripts/libvirt-xml'), *words]
    status, text = output(*command, cwd=os.getcwd())
    expect((status != 0) == fails, f"{' '.join(command)}: status {status}: {text}")
    return text


class Domain:
    """A domain of one of the two daemons."""

    def __init__(self, name, *options, change=lambda text: text):
        self.name = name
        self.host = None
        self.terminal = None
        self.defined = False
        self.xml = change(libvirt_xml('--name', name, '--emulator', QEMU, '--vcpus', '2',
                                      '--memory', '512M', '--kernel', 'Image', *options))
        with open(f'{name}.xml', 'w', encoding='utf-8') as file:
            file.write(self.xml)

    def __enter__(self):
        self.virsh('define', f'{self.name}.xml', '--validate', named=False)
        self.defined = True
        return self

    def __exit__(self, *_exception):
        if self.terminal:
            self.terminal.close()
        for command in ('destroy', 'managedsave-remove'):
            output('virsh', *(['-c', self.host] if self.host else []), command, self.name)
        output('virsh', 'undefine', '--snapshots-metadata', self.name)

    def virsh(self, command, *words, named=True, **options):
        return virsh(command, *([self.name] if named else []), *words, host=self.host, **options)

    def state(self, reason=False):
        return self.virsh('domstate', *(['--reason'] if reason else []))

    def monitor(self, command):
        """The answer to a command of the human monitor"""
        return self.virsh('qemu-monitor-command', '--hmp', command)

    def qmp(self, command, **arguments):
        text = self.virsh('qemu-monitor-command', json.dumps(
            {'execute': command, 'arguments': arguments}))
        return json.loads(text)['return']

    def acknowledged(self):
        """How many interrupts each vCPU has acknowledged"""
        return [int(number) for number in re.findall(
            r'^ CPU \d+ .*acknowledged (\d+)', self.monitor('info pic'), re.M)]

    def pid(self):
        # Only the other host's socket is where that host does not see it.
        folder = '/run/libvirt' if not self.host else os.path.dirname(self.host.split('=')[1])
        return int(contents(f'{folder}/qemu/{self.name}.pid'))

    def log(self):
        return contents(f'/var/log/libvirt/qemu/{self.name}.log')

    def start(self):
        """Boot it, up to the shell on its console."""
        self.virsh('start')
        self.connect('This is a shell in the guest')

    def start_again(self):
        output('virsh', 'destroy', self.name)
        self.start()

    def connect(self, text=''):
        """Open the console."""
        # Only here, where it is certain that scripts/libvirt has installed it
        import pexpect  # pylint: disable=import-outside-toplevel
        if self.terminal:
            self.terminal.close()
        command = ['-q', *(['-c', self.host] if self.host else []), 'console', '--force', self.name]
        self.terminal = pexpect.spawn('virsh', command, timeout=PATIENCE, encoding='utf-8',
                                      codec_errors='replace')
        try:
            if text:
                self.terminal.expect_exact(text)
            else:
                # There is nothing to see before a key is pressed.
                time.sleep(0.5)
                self.terminal.send('\r')
            self.terminal.expect_exact(PROMPT)
        except pexpect.ExceptionPexpect:
            raise Failed(f'console: no prompt, but {self.terminal.before[-2000:]!r}') from None

    def type(self, command):
        """What a command says that is typed at the console"""
        import pexpect  # pylint: disable=import-outside-toplevel
        # What is typed comes back, and is not to be taken for what it leads to.
        self.terminal.send(f'{command}; echo "<"done">"\r')
        try:
            self.terminal.expect_exact('<done>')
            text = self.terminal.before
            self.terminal.expect_exact(PROMPT)
        except pexpect.ExceptionPexpect:
            raise Failed(f'{command}: no end, but {self.terminal.before[-2000:]!r}') from None
        return text.partition('\n')[2].replace('\r', '').strip()


# ---- XML -------------------------------------------------------------------

VARIANTS = {
    'disk': ['--disk', 'guest.qcow2'],
    'initrd': ['--initrd', 'initramfs.cpio.gz', '--network', 'none', '--append', 'a="<&>" b'],
    'raw': ['--disk', 'guest.raw', '--disk', 'guest.qcow2', '--network', 'default',
            '--uuid', '12345678-1234-4234-9234-123456789abc', '--vcpus', '512', '--memory', '2G'],
    'kvm': ['--accel', 'kvm', '--pmu', 'armv8_cortex_a72', '--qmp', '/run/a socket', '--', '-d',
            'guest_errors', '-global', 'arm-rvic-common.num-untrusted=2016'],
}


def check_xml():
    """What is printed is valid and means what was asked for."""
    with open('guest.raw', 'wb'):
        pass
    for name, words in VARIANTS.items():
        text = libvirt_xml('--kernel', 'Image', '--emulator', QEMU, *words)
        with open('variant.xml', 'w', encoding='utf-8') as file:
            file.write(text)
        status, said = output('virt-xml-validate', 'variant.xml', 'domain', cwd=os.getcwd())
        expect(not status, f'{name}: {said}{text}')
        root = ET.fromstring(text)
        arguments = [arg.get('value') for arg in root.iter(f'{QEMU_NAMESPACE}arg')]
        expect(arguments[:2] == ['-machine', 'irqchip=rvic'], f'{name}: {text}')
        if name == 'kvm':
            expect(arguments[2:] == ['-accel', 'kvm,pmu=armv8_cortex_a72', '-qmp',
                                     'unix:/run/a socket,server=on,wait=off', *words[7:]]
                   and root.get('type') == 'kvm', text)
        if name == 'initrd':
            expect(root.findtext('os/cmdline') == 'a="<&>" b'
                   and root.findtext('os/initrd') == os.path.abspath('initramfs.cpio.gz')
                   and not root.findall('devices/interface'), text)
        if name == 'raw':
            expect([(disk.find('driver').get('type'), disk.find('target').get('dev'))
                    for disk in root.iter('disk')] == [('raw', 'vda'), ('qcow2', 'vdb')]
                   and root.find('devices/interface/source').get('network') == 'default'
                   and (root.findtext('vcpu'), root.findtext('memory')) == ('512', '2097152'), text)


MISTAKES = [
    ([], '--kernel is missing'),
    (['--kernel', 'Imag'], "there is no kernel 'Imag'"),
    (['--kernel', 'Image', '--vcpus', '513'], "'513' is not a number between 1 and 512"),
    (['--kernel', 'Image', '--vcpus', 'x'], "'x' is not a number between 1 and 512"),
    (['--kernel', 'Image', '--memory', '1024'], "'1024' is not a size such as 512M or 2G"),
    (['--kernel', 'Image', '--memory', '1M'], "'1M' is not between 64M and 4T"),
    (['--kernel', 'Image', '--memory', '99999999T'], "'99999999T' is not between 64M and 4T"),
    (['--kernel', 'Image', '--disk', 'nothing'], "there is no disk 'nothing'"),
    (['--kernel', 'Image', '--disk', 'a\x01b'], 'XML cannot have control characters'),
    (['--kernel', 'Image', '--qmp', '/a\x01b'], 'XML cannot have control characters'),
    (['--kernel', 'Image', '--emulator', 'guest.qcow2'], "guest.qcow2' is not a program"),
    (['--kernel', 'Image', '--name', 'a/b'], "'a/b' is not a name"),
    (['--kernel', 'Image', '--uuid', '12'], "'12' is not a UUID"),
    (['--kernel', 'Image', '--qmp', 'x'], "'x' is not an absolute path"),
    (['--kernel', 'Image', '--qmp', '/' + 107 * 'x'], 'is longer than 107 bytes'),
    (['--kernel', 'Image', '--pmu', 'x'], '--pmu needs --accel kvm'),
    (['--kernel', 'Image', '--accel', 'kvm', '--pmu', 'a,b'], "'a,b' is not the name of a PMU"),
    (['--kernel', 'Image', '--append', 'a\tb'], 'XML cannot have control characters'),
    (['--kernel', 'Image', '--accel', 'xen'], "invalid choice: 'xen'"),
    (['--kernel', 'Image', 'x'], 'unrecognized arguments: x'),
]


def check_mistakes():
    """One line each"""
    for words, wanted in MISTAKES:
        text = libvirt_xml(*words, fails=True)
        expect(text.startswith('libvirt-xml: error: ') and wanted in text and text.count('\n') == 1,
               f'{words}: {text}')


# ---- A domain's life -------------------------------------------------------

def check_capabilities():
    """libvirt finds out what our QEMU can do."""
    root = ET.fromstring(virsh('domcapabilities', '--arch', 'aarch64', '--virttype', 'qemu',
                               '--emulatorbin', QEMU, '--machine', 'virt'))
    maximum = root.find("cpu/mode[@name='maximum']")
    models = {model.text for model in root.iter('model')}
    expect(root.findtext('path') == QEMU and root.findtext('machine').startswith('virt-')
           and maximum.get('supported') == 'yes' and 'cortex-a72' in models,
           ET.tostring(root, encoding='unicode'))


@contextlib.contextmanager
def echo_server():
    """A server that the guest reaches as 10.0.2.2; yields the port."""
    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b'heard ' + connection.recv(100))
    with socket.create_server(('127.0.0.1', 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def check_boot(domain):
    """Linux on a virtio disk, with a network card; the console, and what interrupts say"""
    expect(domain.type('echo $((6 * 7))') == '42', 'the console computes wrongly')
    expect(re.match(r'/dev/(root|vda) / ext4', domain.type('grep " / " /proc/mounts')),
           'no root file system on the disk')
    before = domain.type("grep -c . /proc/interrupts; grep virtio /proc/interrupts")
    with echo_server() as port:
        said = domain.type(f'echo me | nc 10.0.2.2 {port}')
    expect(said == 'heard me', f'network: {said}')
    after = domain.type("grep -c . /proc/interrupts; grep virtio /proc/interrupts")
    expect(before != after and 'rvid-PCI-MSIX' in after, after)


def check_dominfo(domain):
    text = domain.virsh('dominfo')
    for wanted in ('State: +running', r'CPU\(s\): +2', 'Max memory: +524288 KiB'):
        expect(re.search(wanted, text), text)
    # A warning about gic-version, which libvirt always passes, and no other
    warnings = re.findall('warning: .*', domain.log())
    expect(warnings == ['warning: gic-version has no effect with irqchip=rvic'], domain.log())


def check_info_pic(domain):
    """libvirt's way to QEMU's monitor"""
    text = domain.monitor('info pic')
    counts = domain.acknowledged()
    expect(len(counts) == 2 and min(counts) > 10, text)
    expect(re.search(r'^  input +2\d\d MSI, signalled [1-9]\d* -> CPU \d INTID', text, re.M), text)
    expect(domain.qmp('qom-get', path='/machine', property='irqchip') == 'rvic', 'no rVIC')


def check_sandbox(domain):
    """All this is with libvirt's seccomp filter."""
    expect('-sandbox on,' in domain.log(), domain.log())
    expect(re.search(r'^Seccomp:\s+2$', contents(f'/proc/{domain.pid()}/status'), re.M),
           contents(f'/proc/{domain.pid()}/status'))


def check_irqtop(domain):
    """The domain's interrupts by the socket of --qmp, and by libvirt's own"""
    for way in ['unix:/run/libvirt/watch'], ['--domain', domain.name, '--connect', 'qemu:///system']:
        status, text = output(os.path.join(TOP, 'scripts/irqtop'), '--once', '--json',
                              '--interval', '0.5', *way)
        expect(not status, f'{way}: status {status}: {text}')
        seen = json.loads(text)
        expect(seen['vm']['name'] == domain.name and seen['vm']['running'], text)
        # It is not idle: libvirt's console and virsh make none, but Linux has its timer.
        expect(sum(cpu['count'] for cpu in seen['cpus']) > 100, text)
        expect(any(intid['name'] == 'virt-timer' and intid['count']
                   for cpu in seen['cpus'] for intid in cpu['intids']), text)


def check_suspend(domain):
    """A suspended guest takes no interrupts; a resumed one goes on where it was."""
    domain.type('(while sleep 0.1; do :; done) & x=41')
    domain.virsh('suspend')
    expect(domain.state(True) == 'paused (user)', domain.state(True))
    before = domain.acknowledged()
    time.sleep(1)
    expect(domain.acknowledged() == before, f'{before}, then {domain.acknowledged()}')
    domain.virsh('resume')
    expect(domain.state() == 'running', domain.state())
    until(lambda: sum(domain.acknowledged()) > sum(before) + 10, 'no interrupts after resume')
    expect(domain.type('kill $!; echo $((x + 1))') == '42', 'the shell is not what it was')


def check_vcpupin(domain):
    """The thread of the vCPU is confined."""
    cpus = sorted(os.sched_getaffinity(0))
    for vcpu, cpu in enumerate([cpus[-1], cpus[0]]):
        domain.virsh('vcpupin', str(vcpu), str(cpu), '--live')
    threads = [cpu['thread-id'] for cpu in domain.qmp('query-cpus-fast')]
    found = [sorted(os.sched_getaffinity(thread)) for thread in threads]
    expect(found == [[cpus[-1]], [cpus[0]]], f'{found}\n{domain.virsh("vcpupin")}')
    expect(domain.type('nproc') == '2', 'the guest has lost a CPU')
    domain.virsh('emulatorpin', str(cpus[0]), '--live')
    expect(sorted(os.sched_getaffinity(domain.pid())) == [cpus[0]], domain.virsh('emulatorpin'))
    domain.virsh('emulatorpin', f'{cpus[0]}-{cpus[-1]}', '--live')
    for vcpu in range(2):
        domain.virsh('vcpupin', str(vcpu), f'{cpus[0]}-{cpus[-1]}', '--live')


def check_setvcpus(domain):
    """virt has no CPU hotplug: for the next start only."""
    text = domain.virsh('setvcpus', '1', '--live', fails=True)
    expect('failed to find appropriate hotpluggable vcpus' in text, text)
    domain.virsh('setvcpus', '3', '--config', '--maximum')
    domain.virsh('setvcpus', '3', '--config')
    expect(re.search('maximum +config +3', domain.virsh('vcpucount')), domain.virsh('vcpucount'))


def check_hotplug(domain):
    """A disk comes, and goes."""
    def disks():
        return domain.type('cd /dev; echo vd*; cd')
    with open('second.raw', 'wb') as file:
        file.truncate(1 << 20)
    domain.virsh('attach-disk', os.path.abspath('second.raw'), 'vdb', '--live')
    until(lambda: disks() == 'vda vdb', disks)
    domain.virsh('detach-disk', 'vdb', '--live')
    until(lambda: disks() == 'vda', disks)


def check_no_nmi(domain):
    text = domain.virsh('inject-nmi', fails=True)
    expect('machine does not provide NMIs' in text, text)


def check_setmem(domain):
    """The guest gives memory back."""
    def total():
        return int(domain.type('grep MemTotal /proc/meminfo').split()[1])
    before = total()
    domain.virsh('setmem', '384M', '--live')
    until(lambda: total() < before - 100000, lambda: f'{before} kB, then {total()} kB')
    domain.virsh('setmem', '512M', '--live')
    until(lambda: total() == before, lambda: f'{before} kB, then {total()} kB')


def check_reboot(domain):
    """By the GPIO key, too, and in the same QEMU; and by the reset button, without it"""
    pid = domain.pid()
    for command in 'reboot', 'reset':
        domain.type('x=before')
        domain.virsh(command)
        domain.connect('This is a shell in the guest')
        expect(domain.type('echo "<$x>"') == '<>' and domain.pid() == pid, command)


def check_save(domain):
    """Saved to a file, and restored: the guest does not notice."""
    domain.type('x=before; echo y >/tmp/y')
    domain.virsh('save', 'saved')
    expect(domain.state() == 'shut off', domain.state())
    virsh('restore', 'saved')
    domain.connect()
    said = domain.type('echo $x $(cat /tmp/y)')
    expect(said == 'before y', said)
    before = sum(domain.acknowledged())
    domain.type('sleep 0.5')
    expect(sum(domain.acknowledged()) > before, 'no interrupts after restore')
    domain.virsh('managedsave')
    domain.virsh('start')
    domain.connect()
    said = domain.type('echo $x $(cat /tmp/y)')
    expect(said == 'before y', f'managedsave: {said}')


def check_snapshot(domain):
    """Of memory and disk, both in the disk's file, taken while the guest runs"""
    domain.type('x=before; echo before >/file; sync')
    domain.virsh('snapshot-create-as', 'first')
    domain.type('x=after; echo after >/file; sync')
    expect(domain.virsh('snapshot-list', '--name') == 'first', domain.virsh('snapshot-list'))
    domain.virsh('snapshot-revert', 'first')
    domain.connect()
    said = domain.type('echo $x; cat /file')
    expect(said == 'before\nbefore', said)
    domain.virsh('snapshot-delete', 'first')
    expect(domain.virsh('snapshot-list', '--name') == '', domain.virsh('snapshot-list'))


def check_migration(domain):
    """To the other daemon, and back another way, while the guest works"""
    other = os.environ['OTHER_HOST']
    domain.type('x=before; (i=0; while sleep 0.05; do i=$((i + 1)); echo $i >/tmp/i; done) & :')
    domain.virsh('migrate', '--live', '--persistent', '--undefinesource', other)
    expect(domain.name not in virsh('list', '--all', '--name'), 'it is still there')
    domain.host = other
    expect(domain.state() == 'running', domain.state())
    domain.connect()
    first = domain.type('echo $x; cat /tmp/i')
    domain.type('sleep 0.5')
    second = domain.type('echo $x; cat /tmp/i')
    expect(first.startswith('before\n') and second.startswith('before\n') and
           int(first.split()[1]) < int(second.split()[1]), f'{first}, then {second}')
    # Peer to peer: one daemon talks to the other.
    domain.virsh('migrate', '--live', '--persistent', '--undefinesource', '--p2p',
                 os.environ['THIS_HOST'], '--migrateuri',
                 'unix:///var/lib/libvirt/images/migration.sock')
    domain.host = None
    domain.connect()
    third = domain.type('kill $!; echo $x; cat /tmp/i')
    expect(int(third.split()[1]) > int(second.split()[1]), f'{second}, then {third}')


def check_refused_migration(domain):
    """The guest goes on; the log on the other host has the reason."""
    other = os.environ['OTHER_HOST']
    change = instead("<qemu:arg value='irqchip=rvic'/>",
                     "<qemu:arg value='irqchip=rvic'/><qemu:arg value='-global'/>"
                     "<qemu:arg value='arm-rvic.num-untrusted=512'/>")
    with open('other.xml', 'w', encoding='utf-8') as file:
        file.write(change(domain.virsh('dumpxml', '--migratable')))
    text = domain.virsh('migrate', '--live', '--xml', 'other.xml', other, fails=True)
    expect('load of migration failed: Invalid argument' in text, text)
    root = other.partition('=')[2].removesuffix('/run/libvirt/libvirt-sock')
    log = contents(f'{root}/var/log/libvirt/qemu/{domain.name}.log')
    expect('arm-rvic.num-untrusted is 512 here, but 992 on the source: start both with the same'
           in log, log)
    expect(domain.type('echo $x') == 'before', 'the guest is not what it was')


def check_shutdown(domain):
    """By the GPIO key, to which the guest reacts."""
    domain.virsh('shutdown', '--mode', 'acpi')
    until(lambda: domain.state() == 'shut off', lambda: f'{domain.state()}: {domain.log()}')
    expect(domain.state(True) == 'shut off (shutdown)', domain.state(True))
    domain.start()
    expect(domain.type('nproc') == '3', 'setvcpus has had no effect')
    domain.terminal.send('poweroff\r')
    until(lambda: domain.state() == 'shut off', domain.state)


# ---- Errors ----------------------------------------------------------------

def instead(old, new):
    """A change of the XML"""
    def change(text):
        expect(old in text, f'there is no {old}: {text}')
        return text.replace(old, new)
    return change


# Name, options, change of the XML, virsh's command that fails, what it says at least
ERRORS = [
    ('secure', ['--', '-machine', 'secure=on'], instead('', ''), 'start',
     'irqchip=rvic has no Security extensions: use secure=off or irqchip=gic'),
    ('acpi', [], instead('<cpu', '<features><acpi/></features><cpu'), 'define',
     'ACPI requires UEFI on this architecture'),
    ('acpi-on', ['--', '-machine', 'acpi=on'], instead('', ''), 'start',
     'irqchip=rvic has no ACPI tables: use acpi=off or irqchip=gic'),
    ('untrusted', ['--', '-global', 'arm-rvic.num-untrusted=33'], instead('', ''), 'start',
     'num-untrusted=33: numbers of trusted and untrusted interrupts have to be multiples of 32'),
    ('irqchip', [], instead('irqchip=rvic', 'irqchip=rvik'), 'start', 'Invalid irqchip value'),
    # What a QEMU says that does not know an option
    ('no-rvic', [], instead('irqchip=rvic', 'irqship=rvic'), 'start',
     ".irqship' not found"),
    ('cpu', [], instead('<cpu mode="maximum" />', ''), 'start',
     "irqchip=rvic needs a 64-bit CPU: use another, such as '-cpu max', or irqchip=gic"),
    ('vcpus', [], instead('<vcpu>2', '<vcpu>513'), 'define',
     'Maximum CPUs greater than specified machine type limit 512'),
    ('qmp', ['--qmp', '/nonexistent/socket'], instead('', ''), 'start',
     'Failed to bind socket to /nonexistent/socket'),
]


def check_error(name, options, change, command, wanted):
    """A message of QEMU or libvirt reaches the user of virsh."""
    domain = Domain(f'error-{name}', '--initrd', 'initramfs.cpio.gz', '--network', 'none',
                    *options, change=change)
    if command == 'define':
        text = virsh('define', f'{domain.name}.xml', fails=True)
    else:
        with domain:
            text = domain.virsh('start', fails=True)
    expect(wanted in text and len(text.splitlines()) <= 3, text)


def check_no_kvm():
    """Where there is no KVM for arm64, which is the usual case for this test"""
    if os.uname().machine == 'aarch64' and os.path.exists('/dev/kvm'):
        return
    check_error('kvm', ['--accel', 'kvm'], instead('', ''), 'define',
                f"Emulator '{QEMU}' does not support virt type 'kvm'")


# ---- The pages -------------------------------------------------------------

def blocks(page, language):
    """The code blocks of a page"""
    return [textwrap.dedent(block).strip() for block in re.findall(
        rf'^\.\. code-block:: {language}\n\n((?:(?:  .*)?\n)+)', contents(page), re.M)]


def check_page_xml():
    """The page's XML is what is printed, and means what the page says."""
    wanted = libvirt_xml('--emulator', QEMU, '--kernel', 'Image', '--disk', 'guest.qcow2')
    expect(blocks(PAGE, 'xml')[0] == wanted.strip(), f'the page should have: {wanted}')
    values = []
    for block in blocks(PAGE, 'xml')[1:]:
        pair = re.findall("^<qemu:arg value='(.*)'/>$", block, re.M)
        expect(len(pair) == len(block.splitlines()) == 2, block)
        # There is no KVM here.
        values += [] if pair[0] == '-accel' else pair
    expect('arm-rvic.num-untrusted=2016' in values, values)
    with Domain('fragments', '--initrd', 'initramfs.cpio.gz', '--', *values) as domain:
        domain.start()
        text = domain.monitor('info pic')
        expect('rVIC: 32 trusted, 2016 untrusted INTIDs' in text, text)


# Words of the page's commands, and what has to be in their output
SAID = {
    'virsh define': "Domain 'rvic' defined from rvic.xml",
    'info pic': 'rVIC: 32 trusted, 992 untrusted INTIDs',
    '"irqchip"': '"return": "rvic"',
    'virsh dominfo': 'custom configuration parameters',
    'domcapabilities': '<mode name=\'maximum\' supported=\'yes\'>',
    'domstate': 'paused (user)',
    'snapshot-revert': 'Domain snapshot before deleted',
    'migrate': "Domain 'rvic' destroyed",
}


def check_page_commands():
    """A user does what the page says, one after the other."""
    class Page(Domain):
        def __exit__(self, *exception):
            super().__exit__(*exception)
            output('virsh', '-c', os.environ['OTHER_HOST'], 'destroy', self.name)
    domain = Page('rvic')
    with open('rvic.xml', 'w', encoding='utf-8') as file:
        file.write(blocks(PAGE, 'xml')[0])
    with domain:
        virsh('undefine', 'rvic')
        done = blocks(PAGE, 'shell')
        expect(len(done) > 5, 'there are no commands')
        for block in done:
            status, text = output('bash', '-e', '-c', block, cwd=os.getcwd())
            expect(not status, f'{block}{text}')
            for word, wanted in SAID.items():
                expect(word not in block or wanted in text, f'{block}{text}')
            if 'restore' in block:
                expect(domain.state() == 'running', domain.state())
            if 'virsh start' in block and 'migrate' not in block:
                domain.connect()
            if 'virsh shutdown' in block:
                until(lambda: domain.state() == 'shut off', domain.state)


def as_kubevirt_does(text):
    """A domain as an orchestrator asks for it"""
    root = ET.fromstring(text)
    root.remove(root.find(f'{QEMU_NAMESPACE}commandline'))
    system = root.find('os')
    ET.SubElement(system, 'loader', readonly='yes', type='pflash').text = '/nonexistent/CODE.fd'
    ET.SubElement(system, 'nvram').text = '/nonexistent/VARS.fd'
    features = ET.Element('features')
    ET.SubElement(features, 'acpi')
    ET.SubElement(features, 'gic', version='3')
    root.insert(list(root).index(root.find('cpu')), features)
    return ET.tostring(root, encoding='unicode')


def check_hook():
    """The hook's script makes a domain of KubeVirt one that boots with an rVIC."""
    with open('hook.py', 'w', encoding='utf-8') as file:
        file.write(blocks(FLEET_PAGE, 'python')[0])

    def change(text):
        status, text = output('/usr/bin/python3', 'hook.py', '--vmi', '{}', '--domain',
                              as_kubevirt_does(text), cwd=os.getcwd())
        expect(not status, text)
        return text
    with Domain('hook', '--disk', 'guest.qcow2', change=change) as domain:
        domain.start()
        expect(domain.qmp('qom-get', path='/machine', property='irqchip') == 'rvic', domain.log())
    status, text = output('/usr/bin/python3', 'hook.py', '--vmi', '{}', '--domain',
                          '<domain><os/></domain>', cwd=os.getcwd())
    expect(status and 'rVIC needs a kernel from outside the disk' in text, text)


def check_wrapper():
    """The wrapper makes an rVIC of a domain that does not ask for one."""
    wrapper = '/run/libvirt/qemu-wrapper'
    with open(wrapper, 'w', encoding='utf-8') as file:
        file.write(blocks(FLEET_PAGE, 'sh')[0])
    os.chmod(wrapper, 0o755)

    def change(text):
        root = ET.fromstring(text)
        root.remove(root.find(f'{QEMU_NAMESPACE}commandline'))
        root.find('devices/emulator').text = wrapper
        return ET.tostring(root, encoding='unicode')
    with Domain('wrapper', '--disk', 'guest.qcow2', change=change) as domain:
        domain.start()
        expect(domain.qmp('qom-get', path='/machine', property='irqchip') == 'rvic', domain.log())
        expect('custom-argv' not in domain.log(), domain.log())


# What libvirt's hook prints has no effect on a start, but on a restore.
HOOK = """#!/usr/bin/python3
import sys
text = sys.stdin.read().replace('guest_errors', sys.argv[2] + '_hook')
if sys.argv[2] in ('prepare', 'start'):
    print(text)
if sys.argv[2] == 'restore':
    print(text.replace('restore_hook', 'unimp'))
"""


def check_libvirt_hook():
    """What the page says of it"""
    os.makedirs('/etc/libvirt/hooks', exist_ok=True)
    with open('/etc/libvirt/hooks/qemu', 'w', encoding='utf-8') as file:
        file.write(HOOK)
    os.chmod('/etc/libvirt/hooks/qemu', 0o755)
    os.kill(int(contents('/run/libvirt/libvirtd.pid')), signal.SIGHUP)
    try:
        with Domain('hooked', '--initrd', 'initramfs.cpio.gz',
                    '--', '-d', 'guest_errors') as domain:
            domain.start()
            domain.virsh('save', 'saved')
            virsh('restore', 'saved')
            found = re.findall('^-d (.*) ', domain.log(), re.M)
            expect(found == ['guest_errors', 'unimp'], found)
    finally:
        os.remove('/etc/libvirt/hooks/qemu')
        os.kill(int(contents('/run/libvirt/libvirtd.pid')), signal.SIGHUP)


# ---- All -------------------------------------------------------------------

def attempt(check, *arguments):
    """What is wrong"""
    try:
        check(*arguments)
    except Failed as problem:
        return str(problem) or 'failed'
    except Exception:  # pylint: disable=broad-exception-caught
        # What nobody has thought of is a failure of this check only.
        return traceback.format_exc()
    return ''


LIFE = [check_boot, check_dominfo, check_info_pic, check_sandbox, check_irqtop, check_suspend,
        check_vcpupin, check_setvcpus, check_hotplug, check_no_nmi, check_setmem, check_reboot,
        check_save, check_snapshot, check_migration, check_refused_migration, check_shutdown]
PAGES = [check_page_xml, check_page_commands, check_hook, check_wrapper, check_libvirt_hook]


def name_of(check):
    return check.__name__[6:].replace('_', '-')


def live(domain):
    """One after the other; what fails shall not be the end of the others."""
    problem = attempt(domain.start)
    yield 'start', problem
    for check in LIFE:
        if problem:
            problem = attempt(domain.start_again)
            if problem:
                yield 'start-again', problem
                return
        problem = attempt(check, domain)
        yield name_of(check), problem


def inside():
    """(name, problem) of each check"""
    for check in check_xml, check_mistakes, check_capabilities:
        yield name_of(check), attempt(check)
    with Domain('life', '--disk', 'guest.qcow2', '--qmp', '/run/libvirt/watch') as domain:
        yield from live(domain)
    for check in PAGES:
        yield name_of(check), attempt(check)
    for error in ERRORS:
        yield f'error/{error[0]}', attempt(check_error, *error)
    yield 'error/kvm', attempt(check_no_kvm)


# What a libvirt of the system has, or makes
SYSTEM = ['/etc/libvirt', '/run/libvirt', '/run/*virt*.pid', '/var/cache/libvirt',
          '/var/lib/libvirt', '/var/log/libvirt', '/sys/fs/cgroup/*/machine*',
          '/usr/sbin/*virt*', '/usr/bin/qemu-system-aarch64']


def traces():
    """What would show that the system was touched"""
    return sorted((path, os.lstat(path).st_ino)
                  for pattern in SYSTEM for path in glob.glob(pattern))


def unavailable():
    """Why there can be no check on this machine, or nothing"""
    root = [] if os.geteuid() == 0 else ['sudo', '-n']
    status, text = output(*root, 'unshare', '--mount', '--uts', '--pid', '--fork',
                          '--mount-proc', 'mount', '-t', 'tmpfs', 'tmpfs', '/run')
    return f'there can be no namespaces: {text.strip()}' if status else ''


def checks():
    """(name, what is wrong) of each test, made in scripts/libvirt's namespaces"""
    before = traces()
    command = [os.path.join(TOP, 'scripts/libvirt'), '/usr/bin/python3', '-B',
               os.path.abspath(__file__)]
    with tempfile.TemporaryDirectory(prefix='rvic-test-') as folder:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, 'TMPDIR': folder}) as process:
            # If we end before it does, so does its standard input.
            yield from map(json.loads, process.stdout)
        left = os.listdir(folder)
    yield 'status', f'exit status {process.returncode}' if process.returncode else ''
    after = traces()
    yield 'traces', f'{left}; {before}, then {after}' if left or before != after else ''


def end_with_input():
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == '__main__':
    threading.Thread(target=end_with_input, daemon=True).start()
    try:
        for result in inside():
            print(json.dumps(result), flush=True)
    except KeyboardInterrupt:
        sys.exit(130)
