# SPDX-License-Identifier: GPL-2.0-or-later
"""
Checks of scripts/irqtop for scripts/test: what it shows of VMs whose state is known, since
no vCPU runs and each call is the test's; of a Linux guest with a known load; its live view
on a real terminal; and what becomes of it when something is wrong.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from commands import BUILD, TOP

# pexpect, pyte and QEMU's own packages are imported where they are used: scripts/test
# installs and unpacks them only after it has read this.

IRQTOP = os.path.join(TOP, 'scripts/irqtop')
QEMU = os.path.join(BUILD, 'qemu-system-aarch64')
QEMU_PYTHON = os.path.join(os.path.dirname(os.path.realpath(BUILD)), 'python')

# Bounds all waiting, in seconds
PATIENCE = 60

# Requests of the disk in a second, which is throttled to that; each is one MSI.
DISK_RATE = 200

# Hypercalls
UNMASK, SIGNAL, ACKNOWLEDGE, ENABLE, DISABLE, MAP = (
    0xc5000205, 0xc5000207, 0xc5000209, 0xc5000202, 0xc5000203, 0xc5000101)
DOORBELL = 0x08020000


class Problem(Exception):
    """What is wrong."""


def expect(condition, *said):
    if not condition:
        raise Problem('\n'.join(map(str, said)))


def equal(got, wanted, what):
    expect(got == wanted, f'{what}: {got}, expected {wanted}')


def wait_for(condition, what):
    """Until CONDITION() is true; return it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise Problem(f'waited {PATIENCE} s for {what}')


def irqtop(*arguments, program=IRQTOP, **options):
    """(exit status, stdout, stderr)"""
    done = subprocess.run([*program.split(' '), *arguments], capture_output=True, text=True,
                          check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL, **options)
    return done.returncode, done.stdout, done.stderr


def view(*arguments, **options):
    """What one look with --json says."""
    status, out, err = irqtop('--once', '--json', *arguments, **options)
    expect(status == 0 and not err, f'status {status}: {err}')
    return json.loads(out)


def complaint_of(pattern, *arguments, status=1, **options):
    """The one line on stderr that wrong ARGUMENTS lead to."""
    got, out, err = irqtop(*arguments, **options)
    expect(got == status and not out and err.count('\n') == 1 and re.search(pattern, err),
           f"{' '.join(arguments)}: status {got}, expected {status} and one line '{pattern}':",
           out + err)


# ---- VMs --------------------------------------------------------------------

class Vm:
    """A QEMU with a QMP socket for irqtop, and one for the test."""

    def __init__(self, folder, *arguments, machine='virt,irqchip=rvic', console=False):
        self.folder = tempfile.mkdtemp(dir=folder)
        self.address = 'unix:' + self.path('qmp')
        command = [QEMU, '-machine', machine, '-cpu', 'max', '-display', 'none', '-nodefaults',
                   '-name', 'test vm']
        for name in 'qmp', 'control':
            command += ['-qmp', f'unix:{self.path(name)},server=on,wait=off']
        if console:
            command += ['-serial', f'unix:{self.path("console")},server=on,wait=off']
        with open(self.path('log'), 'w', encoding='utf-8') as log:
            self.process = subprocess.Popen([*command, *arguments], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        self.control = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def __enter__(self):
        from qemu.qmp.legacy import QEMUMonitorProtocol  # pylint: disable=C0415,E0401
        try:
            wait_for(lambda: os.path.exists(self.path('control')) or self.process.poll() is not
                     None, "QEMU's socket")
            with open(self.path('log'), encoding='utf-8') as log:
                expect(self.process.poll() is None, 'QEMU has ended:', log.read())
            self.control = QEMUMonitorProtocol(self.path('control'))
            self.control.connect()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception):
        if self.control:
            with contextlib.suppress(Exception):
                self.control.close()
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(PATIENCE)

    def cmd(self, name, **arguments):
        return self.control.cmd(name, **arguments)

    def hmp(self, line):
        return self.cmd('human-monitor-command', **{'command-line': line})

    def statistics(self):
        """What "info irq" counts: (by INTID, by input)."""
        tables = re.split(r'IRQ statistics for arm-rvi([cd]):', self.hmp('info irq'))
        found = {kind: {int(number): int(count)
                        for number, count in re.findall(r'(\d+): (\d+)', text)}
                 for kind, text in zip(tables[1::2], tables[2::2])}
        return found['c'], found['d']


class StillVm(Vm):
    """No vCPU runs: the test makes all calls, by QEMU's protocol for tests."""

    def __init__(self, folder, *arguments, cpus=3):
        path = os.path.join(tempfile.mkdtemp(dir=folder), 'qtest')
        super().__init__(folder, '-accel', 'qtest', '-smp', str(cpus), '-m', '64M', '-qtest',
                         f'unix:{path},server=on,wait=off', *arguments)
        self.qtest = path
        self.file = None

    def __enter__(self):
        super().__enter__()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.qtest)
            connection.settimeout(PATIENCE)
            self.file = connection.makefile('rw', encoding='utf-8')
        return self

    def __exit__(self, *exception):
        if self.file:
            self.file.close()
        super().__exit__(*exception)

    def ask(self, *words):
        self.file.write(' '.join(map(str, words)) + '\n')
        self.file.flush()
        while True:
            answer = self.file.readline().split()
            # Levels of lines are told in between.
            if answer[:1] != ['IRQ']:
                expect(answer[:1] == ['OK'], f'qtest: {words}: {answer}')
                return answer[1:]

    def call(self, cpu, function, x1=0, x2=0, x3=0):
        x0, value = (int(word, 0) for word in self.ask('rvic_call', cpu, function, x1, x2, x3)[:2])
        expect(x0 == 0, f'{function:#x}({x1}, {x2}, {x3}): status {x0:#x}')
        return value

    def line(self, device, number, level):
        self.ask('set_irq_in', f'/machine/{device}', 'unnamed-gpio-in', number, level)

    def msi(self, number):
        self.ask('writel', DOORBELL, number)

    def enable(self, cpu):
        self.call(cpu, ENABLE)

    def unmask(self, cpu, intid):
        self.call(0, UNMASK, cpu, intid)

    def signal(self, cpu, intid):
        self.call(0, SIGNAL, cpu, intid)

    def examples(self):
        """One of each: what is expected of it is in the checks."""
        # A timer that is delivered, and one of its IPIs that nobody lets through
        self.enable(0)
        self.unmask(0, 27)
        self.line('rvic', 27 - 16, 1)
        self.signal(0, 3)
        # An input that is delivered, one that is held back, an MSI that is being handled
        self.enable(1)
        self.call(0, MAP, 5, 1, 40)
        self.call(0, MAP, 6, 1, 41)
        self.call(0, MAP, 300, 1, 50)
        self.unmask(1, 50)
        self.msi(300)
        equal(self.call(1, ACKNOWLEDGE), 50, 'acknowledged INTID')
        self.unmask(1, 40)
        self.line('rvid', 5, 1)
        self.line('rvid', 6, 1)
        # A vCPU that was disabled meanwhile, and an MSI that nobody takes
        self.enable(2)
        self.unmask(2, 60)
        self.signal(2, 60)
        self.call(2, DISABLE)
        self.msi(301)


class LinuxVm(Vm):
    """A guest under Linux, with a disk behind PCI that is throttled, and one that is not."""

    def __init__(self, folder):
        images = []
        for name in 'pci.img', 'mmio.img':
            images.append(os.path.join(folder, name))
            with open(images[-1], 'wb') as image:
                image.truncate(64 << 20)
        super().__init__(
            folder, '-smp', '4', '-m', '512M', '-kernel', os.path.join(BUILD, 'guest/Image'),
            '-initrd', os.path.join(BUILD, 'guest/initramfs.cpio.gz'),
            '-append', 'console=ttyAMA0 quiet',
            '-drive', f'if=none,id=d0,format=raw,file={images[0]},'
            f'throttling.iops-total={DISK_RATE}',
            '-device', 'virtio-blk-pci,drive=d0,id=disk0,addr=5',
            '-drive', f'if=none,id=d1,format=raw,file={images[1]}',
            '-device', 'virtio-blk-device,drive=d1,id=disk1', console=True)
        self.console = None
        self.text = ''

    def __enter__(self):
        super().__enter__()
        try:
            self.console = socket.socket(socket.AF_UNIX)
            self.console.connect(self.path('console'))
            self.console.settimeout(PATIENCE)
            # What is typed before the shell is there is lost.
            self.receive('# ')
            self.run('dmesg -n 1')
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        if self.console:
            self.console.close()
        super().__exit__(*exception)

    def receive(self, pattern):
        """Until the guest prints what matches; return the match."""
        while True:
            match = re.search(pattern, self.text, re.S)
            if match:
                self.text = self.text[match.end():]
                return match
            try:
                more = self.console.recv(65536)
            except TimeoutError:
                more = b''
            expect(more, f'no {pattern!r} from the guest:', self.text)
            self.text += more.decode(errors='replace')

    def run(self, line):
        """What a line of shell prints in the guest."""
        # The marks look different in the echo of what is typed.
        self.console.sendall(f"echo '@'BEGIN; {line}; echo '@'END\n".encode())
        return self.receive(r'@BEGIN\r?\n(.*?)@END\r?\n')[1].replace('\r', '')

    def interrupts(self):
        """/proc/interrupts: from a line's first and last word to the counts of the vCPUs."""
        lines = [line.split() for line in self.run('cat /proc/interrupts').splitlines()]
        return {f'{words[0]} {words[-1]}': [int(word) for word in words[1:5]]
                for words in lines if len(words) > 5}


# ---- What it shows of known states ------------------------------------------

def pick(seen, cpu, intid):
    """An INTID of a view."""
    return next(entry for entry in seen['cpus'][cpu]['intids'] if entry['intid'] == intid)


def check_states(vm):
    """Each state of INTID, vCPU and input is what the calls made it."""
    seen = view(vm.address, '--interval', '0')
    wanted = {
        # (vCPU, INTID): name, inputs, masked, pending, high, deliverable, count
        (0, 3): ('IPI 3', [], True, True, False, False, 0),
        (0, 27): ('virt-timer', [], False, True, True, True, 0),
        (1, 40): ('input 5 PCI INTC', [5], False, True, True, True, 0),
        (1, 41): ('input 6 PCI INTD', [6], True, True, True, False, 0),
        (1, 50): ('MSI 300', [300], True, False, False, False, 1),
        (2, 60): (None, [], False, True, False, False, 0),
    }
    keys = 'name', 'inputs', 'masked', 'pending', 'high', 'deliverable', 'count'
    equal({(cpu['cpu'], entry['intid']): tuple(entry[key] for key in keys)
           for cpu in seen['cpus'] for entry in cpu['intids']}, wanted, 'INTIDs')
    equal([entry['kind'] for cpu in seen['cpus'] for entry in cpu['intids']],
          ['ipi', 'line', 'device', 'device', 'device', 'device'], 'kinds')
    keys = 'mpidr', 'enabled', 'irq', 'powered_off', 'count', 'rate', 'stuck'
    equal([tuple(cpu[key] for key in keys) for cpu in seen['cpus']],
          [(0, True, True, False, 0, None, None), (1, True, True, True, 1, None, None),
           (2, False, False, True, 0, None, None)], 'vCPUs')
    keys = 'input', 'kind', 'device', 'high', 'count', 'rate', 'cpu', 'intid'
    equal([tuple(entry[key] for key in keys) for entry in seen['inputs']],
          [(5, 'wired', 'PCI INTC', True, 1, None, 1, 40),
           (6, 'wired', 'PCI INTD', True, 1, None, 1, 41),
           (300, 'msi', None, None, 1, None, 1, 50),
           (301, 'msi', None, None, 1, None, None, None)], 'inputs')
    equal(seen['controller'], {
        'type': 'arm-rvic', 'version': '0.3', 'in_kernel': False, 'cpus': 3, 'trusted': 32,
        'untrusted': 992, 'wired': 256}, 'controller')
    equal((seen['schema'], seen['elapsed'], seen['vm']['name']), (1, None, 'test vm'), 'the rest')


def check_stuck(vm):
    """What waits, and was not delivered within an interval, is stuck; nothing else is."""
    seen = view(vm.address, '--interval', '0.2')
    equal({(cpu['cpu'], entry['intid']) for cpu in seen['cpus'] for entry in cpu['intids']
           if entry['stuck']}, {(0, 3), (1, 41), (2, 60)}, 'stuck INTIDs')
    # The IRQ of two vCPUs is high, and they do not acknowledge.
    equal([cpu['stuck'] for cpu in seen['cpus']], [True, True, False], 'stuck vCPUs')
    equal({entry['rate'] for cpu in seen['cpus'] for entry in cpu['intids']}, {0}, 'rates')
    expect(0.2 <= seen['elapsed'] < 5, f"elapsed: {seen['elapsed']}")
    # A VM that is paused cannot help it.
    vm.cmd('stop')
    seen = view(vm.address, '--interval', '0.1')
    vm.cmd('cont')
    equal({entry['stuck'] for cpu in seen['cpus'] for entry in [cpu, *cpu['intids']]}, {False},
          'whether something is stuck in a VM that is paused')


def check_text(vm):
    """The same as text, with the choices that options make."""
    status, out, err = irqtop('--once', '--interval', '0.1', vm.address)
    expect(status == 0 and not err, err)
    for line in ['test vm: running, 3 vCPU(s), 0.1 s, QEMU ',
                 'interrupts 0.0/s, inputs 0.0/s, IRQ high 2, disabled 1, stuck 5',
                 '   0 +0x0 +0.0 +0 enabled +high stuck$',
                 '   2 +0x2 +0.0 +0 disabled +low +powered off$',
                 '   0    27 +0.0 +0 +- +yes +high +yes virt-timer$',
                 '   1    41 +0.0 +0 +yes +yes +high +stuck input 6 PCI INTD$',
                 '   2    60 +0.0 +0 +- +yes +- +stuck no input$',
                 '    6 wired +0.0 +1 high +vCPU 1 INTID 41 +PCI INTD$']:
        expect(re.search('^' + line.replace('(s)', r'\(s\)'), out, re.M), f'no line {line!r}:', out)
    # What nothing happens to is left out, unless it is asked for.
    expect('MSI' not in out, 'idle lines are shown:', out)
    _, out, _ = irqtop('--once', '--interval', '0.1', '--idle', vm.address)
    expect(re.search('^  301 MSI +0.0 +1 - +unmapped$', out, re.M), 'no idle line:', out)
    _, out, _ = irqtop('--once', '--interval', '0', '--cpus', '1-2', '--sort', 'intid', vm.address)
    equal(re.findall(r'^ +(\d+) +(\d+) +-', out, re.M), [('1', '40'), ('1', '41'), ('1', '50'),
                                                        ('2', '60')], 'chosen vCPUs')


def check_agrees(vm):
    """Nothing is told that info pic and info irq do not tell, and nothing is missing."""
    seen = view(vm.address, '--interval', '0')
    said = vm.hmp('info pic')
    shown, cpu = set(), None
    for line in said.splitlines():
        match = re.match(r' CPU (\d+) ', line)
        cpu = int(match[1]) if match else cpu
        match = re.match(r'  INTID +(\d+) (\w+)( pending)?( high)?( deliverable)?,', line)
        if match:
            shown.add((cpu, int(match[1]), match[2] == 'masked', *map(bool, match.groups()[2:])))
    equal({(cpu['cpu'], entry['intid'], *(entry[key] for key in (
        'masked', 'pending', 'high', 'deliverable'))) for cpu in seen['cpus']
        for entry in cpu['intids'] if entry['pending'] or entry['high']}, shown, 'INTIDs')
    intids, inputs = vm.statistics()
    sums = {}
    for cpu in seen['cpus']:
        for entry in cpu['intids']:
            sums[entry['intid']] = sums.get(entry['intid'], 0) + entry['count']
    equal({intid: count for intid, count in sums.items() if count}, intids, 'counts of INTIDs')
    equal({entry['input']: entry['count'] for entry in seen['inputs'] if entry['count']}, inputs,
          'counts of inputs')


def check_in_kernel(vm):
    """Of an rVIC in KVM, which "info irq" is all there is of, it says so and shows that."""
    import irqtop_model as model  # pylint: disable=import-outside-toplevel
    text = vm.hmp('info irq').replace('for arm-rv', 'for kvm-arm-rv')
    inputs = model.parse_irq_statistics(text)
    _, counts = vm.statistics()
    expect(counts, 'no input has a count')
    equal({entry['input']: entry['signalled'] for entry in inputs}, counts, 'inputs')
    machine = model.Machine('kvm', '10.0', 'kvm-arm-rvic', '0.3', 32, 992, 256, 3, {},
                            {5: 'PCI INTC'})
    old = model.Sample(0, 0, 'running', True, None, [], {})
    new = model.Sample(2, 2, 'running', True, None, inputs, {})
    seen = model.view(machine, old, new)
    equal(seen['cpus'], None, 'vCPUs')
    equal(seen['controller']['in_kernel'], True, 'in_kernel')
    equal([(entry['input'], entry['rate']) for entry in seen['inputs']],
          [(number, count / 2) for number, count in counts.items()], 'rates')
    text = '\n'.join(line for _, line in model.lines(seen))
    expect('The rVIC is in KVM' in text and 'unmapped' not in text, text)


def check_delivered(vm):
    """What was delivered in between is not stuck, nor is its vCPU, nor a timer's mere level."""
    import irqtop_model as model  # pylint: disable=import-outside-toplevel
    import irqtop_qmp as qmp      # pylint: disable=import-outside-toplevel
    with contextlib.closing(qmp.Socket(vm.address, PATIENCE)) as connection:
        looked = qmp.Vm(connection)
        first = looked.sample()
        vm.unmask(1, 41)
        equal(sorted([vm.call(1, ACKNOWLEDGE), vm.call(1, ACKNOWLEDGE)]), [40, 41], 'acknowledged')
        vm.unmask(1, 40)
        seen = model.view(looked.machine, first, looked.sample())
        equal(vm.call(0, ACKNOWLEDGE), 27, 'acknowledged timer')
        timer = pick(model.view(looked.machine, looked.sample(), looked.sample()), 0, 27)
    equal((timer['masked'], timer['high'], timer['stuck']), (True, True, False),
          'state of the timer')
    equal({(cpu['cpu'], entry['intid']) for cpu in seen['cpus'] for entry in cpu['intids']
           if entry['stuck']}, {(0, 3), (2, 60)}, 'stuck INTIDs')
    equal([cpu['stuck'] for cpu in seen['cpus']], [True, False, False], 'stuck vCPUs')


# ---- What it shows over time ------------------------------------------------

class Stream:
    """irqtop --json, which prints an object after each interval."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([IRQTOP, '--json', *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.process.kill()
        self.process.communicate()

    def next(self):
        line = self.process.stdout.readline()
        expect(line, 'it has ended:', self.process.stderr.read() if not line else '')
        return json.loads(line)

    def until(self, condition, what):
        """The next view for which CONDITION is true."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            seen = self.next()
            if condition(seen):
                return seen
        raise Problem(f'waited {PATIENCE} s for {what}')

    def end(self):
        """(exit status, stderr), when it has ended by itself"""
        _, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, err


def rates_of(seen):
    return [entry['rate'] for cpu in seen['cpus'] for entry in [cpu, *cpu['intids']]] + [
        entry['rate'] for entry in seen['inputs']]


def check_changes(vm):
    """A call, reset, a snapshot: each is in the next view; no rate is ever negative."""
    with Stream('--interval', '0.2', vm.address) as stream:
        stream.next()
        for _ in range(3):
            vm.msi(301)
        seen = stream.until(lambda seen: next(entry for entry in seen['inputs'] if entry[
            'input'] == 301)['rate'], 'a rate of MSI 301')
        total = sum(entry['rate'] * seen['elapsed'] for entry in seen['inputs'])
        expect(0 < total < 3.1, f'MSIs in an interval: {total}')
        vm.hmp('savevm one')
        equal(vm.call(0, ACKNOWLEDGE), 27, 'acknowledged INTID')
        vm.unmask(0, 3)
        stream.until(lambda seen: pick(seen, 0, 3)['deliverable'], 'INTID 3 to be deliverable')
        seen = stream.next()
        equal((pick(seen, 0, 3)['stuck'], pick(seen, 0, 27)['count']), (False, 1), 'after that')
        vm.hmp('loadvm one')
        seen = stream.until(lambda seen: pick(seen, 0, 3)['masked'], 'the snapshot')
        # QEMU has counted on.
        equal(pick(seen, 0, 27)['count'], 1, 'count after the snapshot was loaded')
        vm.cmd('system_reset')
        seen = stream.until(lambda seen: not any(cpu['irq'] for cpu in seen['cpus']), 'the reset')
        expect(not any(entry['pending'] or not entry['masked'] for cpu in seen['cpus']
                       for entry in cpu['intids']), 'something survived the reset:', seen)
        # Stopped for a while, it does not make up for looks that it has missed.
        stream.process.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        stream.process.send_signal(signal.SIGCONT)
        stream.until(lambda seen: seen['elapsed'] > 1, 'the view after a stop')
        elapsed = [stream.next()['elapsed'] for _ in range(4)]
        expect(min(elapsed) > 0.05, f'seconds between views after a stop: {elapsed}')
        rates = rates_of(seen)
        for _ in range(5):
            rates += rates_of(stream.next())
        expect(min(rates) == 0, f'rates: {rates}')
        vm.cmd('quit')
        status, err = stream.end()
        expect(status == 0 and err == 'irqtop: the VM has ended (host-qmp-quit)\n',
               f'at the end of the VM: status {status}, {err}')


def check_another_qemu(vm):
    """Counts that went back are those of a VM that was started anew: no rates."""
    import irqtop_model as model  # pylint: disable=import-outside-toplevel
    import irqtop_qmp as qmp      # pylint: disable=import-outside-toplevel
    with contextlib.closing(qmp.Socket(vm.address, PATIENCE)) as connection:
        looked = qmp.Vm(connection)
        first = looked.sample()
        vm.msi(301)
        second = looked.sample()
    for old, new, wanted in (first, second, False), (second, first, True):
        # As far as it matters, the second one came a second later.
        old.clock, new.clock = 1, 2
        seen = model.view(looked.machine, old, new)
        equal((set(rates_of(seen)) == {None}, seen['elapsed'] is None), (wanted, wanted),
              'whether there are no rates')


# ---- A guest under Linux ----------------------------------------------------

def check_linux_rates(vm):
    """A disk that does so many requests in a second has so many interrupts in a second."""
    vm.run('dd if=/dev/vdb of=/dev/null bs=4k iflag=direct 2>/dev/null & sleep 1')
    seen = view(vm.address, '--interval', '3')
    vm.run('kill $!; wait')
    disk = [entry for entry in seen['inputs'] if entry['device'] == 'disk0 00:05.0']
    rate = sum(entry['rate'] for entry in disk)
    expect(DISK_RATE * 0.9 < rate < DISK_RATE * 1.1, f'rate of the disk: {rate}: {disk}')
    busy = max(disk, key=lambda entry: entry['rate'])
    intid = pick(seen, busy['cpu'], busy['intid'])
    expect(abs(intid['rate'] - busy['rate']) < DISK_RATE * 0.1 and intid['name'] ==
           f"MSI {busy['input']} disk0 00:05.0", f'its INTID: {intid}')
    for cpu in seen['cpus']:
        total = sum(entry['rate'] for entry in cpu['intids'])
        expect(abs(total - cpu['rate']) < 0.1, f"vCPU {cpu['cpu']}: {cpu['rate']}, sum {total}")


def check_linux_counts(vm):
    """The counts grow as those of the guest's /proc/interrupts do."""
    before, guest_before = view(vm.address, '--interval', '0'), vm.interrupts()
    vm.run('dd if=/dev/vda of=/dev/null bs=4k count=500 iflag=direct 2>/dev/null;'
           ' dd if=/dev/vdb of=/dev/null bs=4k count=50 iflag=direct 2>/dev/null;'
           ' for cpu in 0 1 2 3; do taskset -c $cpu dd if=/dev/zero bs=4k count=200 2>/dev/null |'
           ' taskset -c $(((cpu + 1) % 4)) cat >/dev/null; done')
    guest_after, after = vm.interrupts(), view(vm.address, '--interval', '0')

    def grown(kind, name):
        """By vCPU, for INTIDs whose NAME matches."""
        return [sum(entry['count'] * sign for seen, sign in ((after, 1), (before, -1))
                    for entry in seen['cpus'][cpu]['intids']
                    if entry['kind'] == kind and re.search(name, entry['name'] or ''))
                for cpu in range(4)]

    def guest_grown(name):
        return [sum(counts[cpu] * sign for table, sign in ((guest_after, 1), (guest_before, -1))
                    for line, counts in table.items() if re.search(name, line))
                for cpu in range(4)]

    equal(grown('device', 'input.* disk1'), guest_grown(' virtio0$'), 'wired disk')
    equal(grown('device', 'MSI.* disk0'), guest_grown(' virtio1-req'), 'disk with MSIs')
    expect(sum(grown('device', 'disk1')) >= 500 and sum(grown('device', 'disk0')) >= 50,
           'the disks had no interrupts')
    # The guest looked after us and before us, and is not idle between.
    for what, ours, guests in (('timer', grown('line', 'virt-timer'), guest_grown(' arch_timer$')),
                               ('IPIs', grown('ipi', '^IPI'), guest_grown('^IPI'))):
        expect(sum(guests) > 20, f'{what}: {guests}')
        for mine, theirs in zip(ours, guests):
            expect(theirs <= mine <= theirs * 1.5 + 200, f'{what}: {ours}, the guest: {guests}')


def check_linux_stopped(vm):
    """A VM that is paused has that status, keeps its counts, and agrees with info pic."""
    with Stream('--interval', '0.3', vm.address) as stream:
        stream.next()
        vm.cmd('stop')
        stream.until(lambda seen: seen['vm'] == {**seen['vm'], 'status': 'paused',
                                                 'running': False}, 'the status')
        seen = stream.next()
        expect(set(rates_of(seen)) == {0} and not any(
            entry['stuck'] for cpu in seen['cpus'] for entry in [cpu, *cpu['intids']]),
            'a VM that is paused has rates, or something that is stuck', seen)
    check_agrees(vm)
    vm.cmd('cont')


# ---- The live view ----------------------------------------------------------

class Terminal:
    """A terminal that shows what a program does."""

    def __init__(self, *arguments, columns=100, rows=30, term='linux'):
        import pexpect  # pylint: disable=import-outside-toplevel
        import pyte     # pylint: disable=import-outside-toplevel
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.timeout, self.eof = pexpect.TIMEOUT, pexpect.EOF
        # The shell tells how irqtop ended, and in which state it left the terminal.
        self.child = pexpect.spawn('/bin/sh', [
            '-c', 'trap : INT; stty -a >"$1"; shift; "$@"; echo "STATUS $?"; stty -a >"$0";'
            ' sleep 1000',
            *(os.path.join(self.folder(), name) for name in ('after', 'before')),
            IRQTOP, *arguments], dimensions=(rows, columns), timeout=PATIENCE,
            env={**os.environ, 'TERM': term}, preexec_fn=self.listen)

    @staticmethod
    def listen():
        """Who was started in the background, or by nohup, may ignore these."""
        for signum in signal.SIGINT, signal.SIGHUP:
            signal.signal(signum, signal.SIG_DFL)

    def folder(self):
        if not hasattr(self, 'scratch'):
            self.scratch = tempfile.mkdtemp(prefix='rvic-test-')
        return self.scratch

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.child.close(force=True)
        shutil.rmtree(self.scratch)

    def read(self):
        """What has come until now."""
        with contextlib.suppress(self.timeout, self.eof):
            while True:
                self.stream.feed(self.child.read_nonblocking(65536, timeout=0.1))

    def wait(self, pattern, what=''):
        """Until the screen matches; return the match."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.read()
            text = '\n'.join(line.rstrip() for line in self.screen.display)
            match = re.search(pattern, text, re.M)
            if match:
                return match
        raise Problem(f'{what or "the screen"} does not show {pattern!r}:\n{text}')

    def press(self, keys, pattern):
        self.child.send(keys)
        return self.wait(pattern, f'after {keys!r} the screen')

    def resize(self, columns, rows, pattern):
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)
        self.wait(pattern, f'with {columns}x{rows} the screen')

    def pid(self):
        """irqtop's."""
        children = subprocess.run(['ps', '-o', 'pid=', '--ppid', str(self.child.pid)],
                                  capture_output=True, text=True, check=True).stdout.split()
        equal(len(children), 1, 'programs in the terminal')
        return int(children[0])

    def expect_end(self, status):
        """It has ended, and the terminal is what it was."""
        self.wait(f'^STATUS {status}$')
        before, after = (os.path.join(self.scratch, name) for name in ('before', 'after'))
        wait_for(lambda: os.path.exists(after) and os.path.getsize(after), 'stty')
        with open(before, encoding='utf-8') as old, open(after, encoding='utf-8') as new:
            # Its size is ours.
            strip = [re.sub(r'rows.*;', '', file.read()) for file in (old, new)]
        equal(strip[1], strip[0], 'the state of the terminal')
        expect('Traceback' not in '\n'.join(self.screen.display), *self.screen.display)


def check_screen_keys(vm):
    """What each key does."""
    with Terminal(vm.address) as terminal:
        terminal.wait(r'^test vm: running, 3 vCPU\(s\), 1\.\d s, QEMU 10')
        terminal.wait(r'^interrupts 0\.0/s, inputs 0\.0/s, IRQ high 2, disabled 1, stuck 5$')
        terminal.wait(r'^   1    41       0\.0          0    yes     yes  high       stuck input 6')
        terminal.wait(r'^q quit .*\Z')
        terminal.press('i', r'with idle(.|\n)* 301 MSI ')
        terminal.press('i', r'^sorted by rate, every 1 s\n(?!(.|\n)*301 MSI)')
        terminal.press('s', r'^sorted by total(.|\n)* 1 .*\n +0 .*\n +2 0x|^sorted by total')
        terminal.press('s', '^sorted by vcpu')
        terminal.press('s', r'^sorted by intid(.|\n)*   0     3 (.|\n)*   2    60')
        terminal.press('s', '^sorted by rate')
        terminal.press('+', 'every 2 s')
        terminal.press('+', 'every 5 s')
        terminal.press('---', 'every 0.5 s')
        terminal.press('c', r'^vCPUs to show.*: _$')
        terminal.press('1x\x7f2', r'^vCPUs to show.*: 2_$')
        terminal.press('\n', r'^1 vCPU\(s\) chosen')
        terminal.wait(r'instance  IRQ\n   2 .*\n\n')
        terminal.press('c5-1\n', "^'5-1' is not a vCPU or a range")
        terminal.press('c\n', r'^   0 .*0x0(.|\n)*^sorted|^sorted by rate')
        terminal.press('p', '^DISPLAY PAUSED')
        vm.msi(301)
        terminal.press('p', r'^sorted by rate(.|\n)* 301 MSI ')
        terminal.press('q', '^STATUS 0$')
        terminal.expect_end(0)


def check_screen_sizes(vm):
    """It fits into what there is, scrolls, and says when that is too small."""
    with Terminal(vm.address) as terminal:
        terminal.wait('^vCPU INTID')
        terminal.resize(60, 9, r'^vCPU    MPIDR.*\n(.*\n){4}q quit')
        terminal.press('\t', r'every 1 s\nvCPU INTID')
        terminal.press('\x1b[B', r'every 1 s\n   [012] +\d+ ')
        terminal.press('\x1b[4~', r'^ +6 wired.*\nq quit')
        terminal.press('\x1b[1~', r'every 1 s\nvCPU    MPIDR')
        terminal.resize(30, 5, '^too small: 40x7')
        terminal.resize(1, 1, '^t?$')
        terminal.resize(120, 40, r'^vCPU INTID(.|\n)*^q quit')
        terminal.press('q', '^STATUS 0$')
        terminal.expect_end(0)


def check_screen_ends(vm):
    """However it ends, the terminal is as before."""
    for signum, status in (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130):
        with Terminal(vm.address) as terminal:
            terminal.wait('^vCPU INTID')
            os.kill(terminal.pid(), signum)
            terminal.expect_end(status)
    with Terminal(vm.address) as terminal:
        terminal.wait('^vCPU INTID')
        terminal.press('\x03', '^STATUS 130$')
        terminal.expect_end(130)


def check_screen_colours(vm):
    """What is stuck is red where there are colours, and stands out where there are none."""
    for term, wanted in ('linux', lambda cell: cell.fg == 'red'), (
            'vt100', lambda cell: cell.fg == 'default' and cell.reverse):
        with Terminal(vm.address, term=term) as terminal:
            terminal.wait(' stuck input 6')
            row = next(number for number, line in enumerate(terminal.screen.display)
                       if 'stuck input 6' in line)
            expect(wanted(terminal.screen.buffer[row][60]),
                   f'{term}: {terminal.screen.buffer[row][60]}')
    for term, pattern in ('dumb', 'cannot move its cursor'), ('no-such', 'TERM names no terminal'):
        with Terminal(vm.address, term=term) as terminal:
            terminal.wait(f'irqtop: error: .*{pattern}')
            terminal.expect_end(1)


def check_screen_vm(vm):
    """Paused, hanging and gone VMs; the last one is its end."""
    with Terminal(vm.address, '--interval', '0.2') as terminal:
        terminal.wait('^test vm: running')
        vm.cmd('stop')
        terminal.wait('^test vm: paused')
        vm.cmd('cont')
        terminal.wait('^test vm: running')
        vm.process.send_signal(signal.SIGSTOP)
        terminal.wait('^QEMU HAS NOT ANSWERED FOR 3 s')
        # Keys are obeyed nevertheless.
        terminal.press('s', 'sorted by total')
        vm.process.send_signal(signal.SIGCONT)
        terminal.wait('^sorted by total')
        vm.process.send_signal(signal.SIGSTOP)
        terminal.wait('^QEMU HAS NOT ANSWERED FOR 3 s')
        terminal.press('q', '^STATUS 0$')
        terminal.expect_end(0)
        vm.process.send_signal(signal.SIGCONT)
    with Terminal(vm.address) as terminal:
        terminal.wait('^test vm: running')
        # In the midst of an answer, not between two
        vm.process.send_signal(signal.SIGSTOP)
        terminal.wait('^QEMU HAS NOT ANSWERED FOR 3 s')
        vm.process.kill()
        terminal.wait('irqtop: the VM has ended')
        terminal.expect_end(0)


# ---- What goes wrong --------------------------------------------------------

def check_arguments(folder):
    """One line each."""
    missing = os.path.join(folder, 'missing')
    plain = os.path.join(folder, 'plain')
    with open(plain, 'w', encoding='utf-8'):
        pass
    for pattern, *arguments in [
            ('give either a QMP socket or --domain', '--once'),
            ('give either a QMP socket or --domain', '--once', missing, '--domain', 'x'),
            ('--connect goes with --domain', '--once', missing, '--connect', 'x'),
            (': there is no such socket', '--once', 'unix:' + missing),
            (': this is no socket', '--once', plain),
            ("'foo' is no QMP socket: give unix:PATH or HOST:PORT", '--once', 'foo'),
            ("'localhost:70000' is no QMP socket", '--once', 'localhost:70000'),
            ('this is no terminal: use --once', missing),
            ("--interval: '-1' is not a number", '--once', '--interval=-1', missing),
            ("--interval: 'nan' is not a number", '--once', '--interval=nan', missing),
            ('--interval: less than 0.1 s goes only with --once', '--json', '--interval=0',
             missing),
            ("--cpus: '3-1' is not a vCPU or a range", '--once', '--cpus', '3-1', missing),
            ("--sort: invalid choice: 'x'", '--once', '--sort', 'x', missing),
            ('unrecognized arguments: --nonsense', '--nonsense', missing)]:
        complaint_of('^irqtop: error: .*' + pattern, *arguments)
    complaint_of('there is no virsh: install libvirt-clients', '--once', '--domain', 'x',
                 env={**os.environ, 'PATH': folder})
    status, out, _ = irqtop('--help')
    expect(status == 0 and '--domain NAME' in out, out)


def check_connections(folder):
    """Sockets that are not what they should be."""
    with socket.socket(socket.AF_UNIX) as silent:
        path = os.path.join(folder, 'closed')
        silent.bind(path)
        complaint_of('connection refused', '--once', path)
    with socket.socket() as server:
        server.bind(('localhost', 0))
        server.listen()
        complaint_of('no greeting within 5 s', '--once', f'localhost:{server.getsockname()[1]}')
    with Vm(folder, '-S', '-monitor', f'unix:{folder}/monitor,server=on,wait=off',
            machine='virt') as vm:
        complaint_of('test vm has a GIC: irqtop is for VMs with irqchip=rvic', '--once',
                     vm.address)
        complaint_of("this is no QMP: is it QEMU's monitor", '--once', f'{folder}/monitor')
    with Vm(folder, '-S', machine='none') as vm:
        complaint_of('test vm has no rVIC', '--once', vm.address)


def check_one_client(vm):
    """Whoever comes second is told why."""
    with Stream(vm.address) as stream:
        stream.next()
        complaint_of('no greeting within 5 s: another client may have this socket', '--once',
                     vm.address)
        stream.next()
    # After that it is free again.
    view(vm.address, '--interval', '0')


def check_pipe(vm):
    """A reader that has seen enough is no error."""
    done = subprocess.run(f'{IRQTOP} --json --interval 0.1 {vm.address} | head -n 2',
                          shell=True, capture_output=True, text=True, timeout=PATIENCE,
                          check=False)
    expect(not done.stderr and len(done.stdout.splitlines()) == 2, done.stderr)
    done = subprocess.run(f'{IRQTOP} --json --once {vm.address} >/dev/full', shell=True,
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    equal((done.returncode, done.stderr), (1, 'irqtop: error: No space left on device\n'),
          'a full disk')
    complaint_of('--cpus: there is no vCPU 77: this VM has 3', '--once', '--cpus', '0,77',
                 vm.address)
    # As QEMU has it
    view(vm.address + ',server=on,wait=off', '--interval', '0')


def check_installed(vm):
    """A copy works where it has QEMU's package, and says what is missing where not."""
    with tempfile.TemporaryDirectory(prefix='rvic-test-') as folder:
        os.chmod(folder, 0o755)
        for name in 'irqtop', 'irqtop_model.py', 'irqtop_qmp.py', 'irqtop_screen.py':
            shutil.copy(os.path.join(TOP, 'scripts', name), folder)
        program = os.path.join(folder, 'irqtop')
        # -I: without what the user has set up
        complaint_of("Python's module qemu is missing: run scripts/setup first", '--once',
                     vm.address, program=program, env={**os.environ, 'PYTHONPATH': ''})
        elsewhere = os.path.join(folder, 'elsewhere')
        shutil.copytree(os.path.join(QEMU_PYTHON, 'qemu'), os.path.join(elsewhere, 'qemu'),
                        ignore=shutil.ignore_patterns('__pycache__'))
        view(vm.address, '--interval', '0', program=program,
             env={**os.environ, 'RVIC_PYTHON': elsewhere})
        os.rename(elsewhere, os.path.join(folder, 'python'))
        view(vm.address, '--interval', '0', program=program)
        if os.geteuid() == 0:
            os.chmod(os.path.dirname(os.path.dirname(vm.path('qmp'))), 0o755)
            os.chmod(vm.folder, 0o755)
            os.chmod(vm.path('qmp'), 0o700)
            complaint_of('permission denied: this takes the user that QEMU runs as', '--once',
                         vm.address, program='setpriv --reuid=65534 --clear-groups ' + program)


def check_end_while_waiting(vm):
    """A VM that ends before the second look leaves nothing to show."""
    process = subprocess.Popen([IRQTOP, '--once', '--interval', '3', vm.address],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    vm.cmd('quit')
    out, err = process.communicate(timeout=PATIENCE)
    equal((process.returncode, out, err),
          (1, '', 'irqtop: error: the VM has ended (host-qmp-quit)\n'), 'status and output')


# ---- All --------------------------------------------------------------------

def outcome(check, *arguments):
    """(name, problem)"""
    try:
        check(*arguments)
        problem = ''
    except Exception as error:  # pylint: disable=broad-except
        problem = str(error) if isinstance(error, Problem) else \
            f'{type(error).__name__}: {error}'
    return check.__name__.removeprefix('check_').replace('_', '-'), problem


def still_checks(folder):
    """On VMs that stand still. The last check of each may be its end."""
    disk = os.path.join(folder, 'snapshots.qcow2')
    subprocess.run([os.path.join(BUILD, 'qemu-img'), 'create', '-q', '-f', 'qcow2', disk, '64M'],
                   check=True)
    for checks in [
            (check_states, check_stuck, check_text, check_agrees, check_in_kernel,
             check_delivered, check_another_qemu, check_one_client, check_pipe, check_installed,
             check_screen_sizes, check_screen_ends, check_screen_colours,
             check_end_while_waiting),
            (check_changes,), (check_screen_keys, check_screen_vm)]:
        with StillVm(folder, '-drive', f'if=none,file={disk}') as vm:
            vm.examples()
            for check in checks:
                yield outcome(check, vm)


def linux_checks(folder):
    with LinuxVm(folder) as vm:
        for check in check_linux_rates, check_linux_counts, check_linux_stopped:
            yield outcome(check, vm)


def checks():
    """Yield (name, problem) of each check."""
    sys.path.insert(0, QEMU_PYTHON)
    with tempfile.TemporaryDirectory(prefix='rvic-test-') as folder:
        yield outcome(check_arguments, folder)
        yield outcome(check_connections, folder)
        for name, part in ('still', still_checks), ('linux', linux_checks):
            try:
                yield from part(folder)
            except Exception as error:  # pylint: disable=broad-except
                yield name, f'{type(error).__name__}: {error}'
