# SPDX-License-Identifier: GPL-2.0-or-later
"""
How irqtop talks to a VM: over a QMP socket of its own, or through libvirt, which holds
the one that it has given to QEMU. Looks only: no command changes anything.
"""

import asyncio
import json
import logging
import os
import re
import shlex
import stat
import subprocess
import threading
import time

from qemu.qmp import ConnectError, ExecInterruptedError, ExecuteError, QMPClient, StateError

from irqtop_model import Machine, Sample, parse_irq_statistics

# How long a QMP server may take to greet, in seconds.
GREETING = 5

RVIC, RVID = '/machine/rvic', '/machine/rvid'

# The package logs what it raises as well.
logging.getLogger().addHandler(logging.NullHandler())


class Failure(Exception):
    """The user is to know, in one line."""


class Gone(Exception):
    """The VM has ended, or whoever leads to it; why, if that is known."""


class Refused(Exception):
    """QEMU's answer to one command is an error."""


def command(name, **arguments):
    return {'execute': name, **({'arguments': arguments} if arguments else {})}


def qom_get(path, name):
    return command('qom-get', path=path, property=name)


def qom_list(path):
    return command('qom-list', path=path)


# ---- Connections ------------------------------------------------------------

def parse_address(text):
    """
    What a user or a -qmp option calls a socket, as asyncio wants it.

    :raises Failure: it is none
    """
    # Behind its first comma the option has what only QEMU wants to know.
    if not os.path.exists(text):
        text = re.sub(r',(server|wait|nowait)\b.*', '', text)
    kind, _, rest = text.partition(':')
    if kind == 'unix' and rest:
        return rest
    if '/' in text and kind != 'tcp':
        return text
    host, _, port = (rest if kind == 'tcp' else text).rpartition(':')
    if host and re.fullmatch(r'\d{1,5}', port, re.A) and 0 < int(port) < 65536:
        return host.strip('[]'), int(port)
    # A socket of the current folder has no slash
    if kind != 'tcp' and os.path.exists(text):
        return text
    raise Failure(f"'{text}' is no QMP socket: give unix:PATH or HOST:PORT, as QEMU's -qmp has it")


class Socket:
    """A QMP socket that nobody else uses."""

    def __init__(self, address, patience):
        """
        :param address: as in QEMU's -qmp option
        :param patience: how long a command may take, in seconds; None: for ever
        """
        self.patience = patience
        self.reason = None
        # Devices may be other ones than before.
        self.changed = False
        where = parse_address(address)
        # Else it would look like a socket at which nobody listens any more.
        if isinstance(where, str) and os.path.exists(where) and not \
                stat.S_ISSOCK(os.stat(where).st_mode):
            raise Failure(f'{address}: this is no socket')
        # A thread of its own for the package: it goes on whatever ours waits for.
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.client = QMPClient('irqtop')
        try:
            self.await_(asyncio.wait_for(self.client.connect(where), GREETING))
        except asyncio.TimeoutError:
            problem = (f'no greeting within {GREETING} s: another client may have this socket, '
                       'which serves one at a time; or QEMU hangs')
        except ConnectError as error:
            problem = self.explain(error.exc)
        else:
            return
        self.close()
        raise Failure(f'{address}: {problem}')

    def await_(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def close(self):
        """Commands under way, if there are any, end with Gone."""
        try:
            self.await_(self.client.disconnect())
        except Exception:  # pylint: disable=broad-except
            pass    # it tells why the connection was lost
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    @staticmethod
    def explain(error):
        if isinstance(error, FileNotFoundError):
            return 'there is no such socket: is the VM running, with -qmp?'
        if isinstance(error, PermissionError):
            return 'permission denied: this takes the user that QEMU runs as, or root'
        if isinstance(error, ConnectionRefusedError):
            return 'connection refused: nobody listens there any more'
        if isinstance(error, OSError):
            return error.strerror or str(error)
        return "this is no QMP: is it QEMU's monitor for people, or another program's?"

    def execute(self, commands):
        """
        Have QEMU execute commands.

        :return: for each what it returned, or Refused
        :raises Gone: it could not
        :raises Failure: it did not
        """
        return self.await_(self.execute_all(commands))

    async def execute_all(self, commands):
        answers = []
        for message in commands:
            try:
                answers.append(await asyncio.wait_for(
                    self.client.execute(message['execute'], message.get('arguments')),
                    self.patience))
            except ExecuteError as error:
                answers.append(Refused(str(error)))
            except asyncio.TimeoutError:
                raise Failure(f'QEMU has not answered for {self.patience} s') from None
            except (ExecInterruptedError, StateError, OSError, EOFError):
                self.listen()
                raise Gone(self.reason) from None
        self.listen()
        return answers

    def listen(self):
        """Events pile up if nobody takes them; one says why QEMU ended."""
        for event in self.client.events.clear():
            if event['event'] == 'SHUTDOWN':
                self.reason = event['data'].get('reason')
            if event['event'] in ('DEVICE_DELETED', 'RESET'):
                self.changed = True


class Domain:
    """A domain of libvirt, whose daemon passes QMP commands on."""

    def __init__(self, name, uri, patience):
        """
        :param name: name, ID or UUID
        :param uri: the connection, as for virsh --connect; None: virsh's default
        :param patience: how long a command may take, in seconds; None: for ever
        """
        self.name = name
        self.patience = patience
        self.virsh = ['virsh', '--quiet', *(['--connect', uri] if uri else [])]
        self.began = False
        # libvirt does not pass events on.
        self.changed = False

    def close(self):
        """Nothing is open."""

    def execute(self, commands):
        """See Socket."""
        # One virsh for all of them: its start takes longer than what it does.
        text = '; '.join(shlex.join(['qemu-monitor-command', self.name, json.dumps(message)])
                         for message in commands)
        try:
            done = subprocess.run([*self.virsh, text], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, errors='replace', check=False,
                                  timeout=self.patience, env={**os.environ, 'LC_ALL': 'C.UTF-8'},
                                  # Ctrl-C is ours.
                                  start_new_session=True)
        except FileNotFoundError:
            raise Failure('--domain: there is no virsh: install libvirt-clients') from None
        except OSError as error:
            raise Failure(f'virsh: {error.strerror}') from None
        except subprocess.TimeoutExpired:
            raise Failure(f'virsh has not answered for {self.patience} s') from None
        answers = [self.parse(line) for line in done.stdout.splitlines() if line.strip()]
        if len(answers) == len(commands):
            self.began = True
            return answers
        # Each command has said the same.
        said = ', '.join(dict.fromkeys(line.removeprefix('error: ') for line in
                                       done.stderr.splitlines())) or 'it said nothing'
        if self.began and re.search(r'not running|no domain|failed to get domain', said):
            raise Gone(None)
        raise Failure(f'virsh: {said}')

    @staticmethod
    def parse(line):
        try:
            answer = json.loads(line)
            return answer['return'] if 'return' in answer else Refused(answer['error']['desc'])
        except (ValueError, KeyError, TypeError):
            raise Failure(f'virsh: unexpected answer: {line[:60]}') from None


# ---- What is asked ----------------------------------------------------------

def good(answer):
    """An answer that an rVIC cannot refuse."""
    if isinstance(answer, Refused):
        raise Failure(f'QEMU refuses to tell: {answer}')
    return answer


def children(listing):
    """(name, type) of the children that a qom-list has."""
    return [] if isinstance(listing, Refused) else [
        (entry['name'], entry['type'][6:-1]) for entry in listing
        if entry['type'].startswith('child<')]


class Vm:
    """A VM with an rVIC."""

    def __init__(self, connection):
        """
        :raises Failure: it has none
        :raises Gone: it has ended
        """
        self.connection = connection
        self.pci = {}
        self.machine = self.look()

    def look(self):
        """All that does not change."""
        ask = self.connection.execute
        name, version, irqchip, kind = ask([
            command('query-name'), command('query-version'), qom_get('/machine', 'irqchip'),
            qom_get(RVIC, 'type')])
        name, version = good(name).get('name', ''), good(version)['qemu']
        if irqchip == 'gic':
            raise Failure(f"{name or 'this VM'} has a GIC: irqtop is for VMs with irqchip=rvic")
        if isinstance(irqchip, Refused) or isinstance(kind, Refused):
            raise Failure(f"{name or 'this VM'} has no rVIC, but this takes -machine "
                          'virt,irqchip=rvic')
        lines, *numbers = ask([
            qom_get(RVIC, 'lines'), qom_get(RVIC, 'version'), qom_get(RVIC, 'num-trusted'),
            qom_get(RVIC, 'num-untrusted'), qom_get(RVID, 'num-wired'),
            qom_get(RVIC, 'num-cpu')])
        if isinstance(lines, Refused):
            if kind == 'arm-rvic':
                raise Failure("this QEMU's rVIC does not tell enough: it is older than irqtop")
            lines = []
        return Machine(name, f"{version['major']}.{version['minor']}.{version['micro']}", kind,
                       *map(good, numbers), {entry['intid']: entry['name'] for entry in lines},
                       self.find_wires())

    def find_wires(self):
        """The devices at the rVID's wired inputs, by input."""
        ask = self.connection.execute
        parents = ['/machine', '/machine/unattached', '/machine/peripheral',
                   '/machine/peripheral-anon']
        # vCPUs can be many, and have none.
        devices = [(f'{parent}/{name}', kind)
                   for parent, listing in zip(parents, ask([qom_list(path) for path in parents]))
                   for name, kind in children(listing)
                   if kind not in ('container', 'memory-region', 'irq')
                   and not kind.endswith(('-cpu', '-bus', 'arm-rvic', 'arm-rvid'))]
        outputs, buses = [], {}
        for (path, kind), listing in zip(devices, ask([qom_list(path) for path, _ in devices])):
            # While this goes on, a device may be unplugged.
            for entry in [] if isinstance(listing, Refused) else listing:
                if entry['type'] == 'link<irq>' and entry['name'].startswith('sysbus-irq['):
                    outputs.append((path, kind, entry['name']))
                elif entry['type'] == 'child<virtio-mmio-bus>':
                    buses[path] = f"{path}/{entry['name']}"
        wires = {}
        ends = ask([qom_get(path, name) for path, _, name in outputs])
        for (path, kind, name), end in zip(outputs, ends):
            match = re.fullmatch(RVID + r'/unnamed-gpio-in\[(\d+)\]', str(end))
            if match:
                wires[int(match[1])] = path, kind, int(name[11:-1])
        behind = self.find_behind(buses)
        several = {path for path, _, index in wires.values() if index}
        return {number: behind.get(path) or
                (f'PCI INT{"ABCD"[index % 4]}' if kind == 'gpex-pcihost' else
                 f'{kind} {index}' if path in several else kind)
                for number, (path, kind, index) in wires.items()}

    def find_behind(self, buses):
        """The devices behind virtio-mmio, by the transport's path."""
        if not buses:
            return {}
        listings = self.connection.execute([qom_list(bus) for bus in buses.values()])
        found = {path: (bus + '/' + entry['name'], entry['type'][5:-1])
                 for (path, bus), listing in zip(buses.items(), listings)
                 if not isinstance(listing, Refused)
                 for entry in listing if re.match(r'child\[', entry['name'])}
        if not found:
            return {}
        paths = self.connection.execute([qom_get(*link.rsplit('/', 1))
                                         for link, _ in found.values()])
        return {path: self.id_of(str(device)) or kind
                for (path, (_, kind)), device in zip(found.items(), paths)}

    @staticmethod
    def id_of(path):
        """The id that the user has given to a device."""
        match = re.match(r'/machine/peripheral/([^/]+)', path)
        return match and match[1]

    def find_pci(self, buses):
        """The PCI devices by their requester IDs, as the guest has numbered the buses."""
        for bus in buses:
            for device in bus.get('devices', []):
                slot = f"{device['bus']:02x}:{device['slot']:02x}.{device['function']}"
                name = device['qdev_id'] or device['class_info'].get('desc') or 'device'
                requester = device['bus'] << 8 | device['slot'] << 3 | device['function']
                # As a path it comes from one that was not given an id.
                self.pci[requester] = f"{name.rsplit('/', 1)[-1]} {slot}"
                self.find_pci([device.get('pci_bridge') or {}])

    def sample(self):
        """
        A moment of the VM.

        :raises Failure: QEMU does not tell
        :raises Gone: it has ended
        """
        in_kernel = self.machine.in_kernel
        status, *state = map(good, self.connection.execute([
            command('query-status'),
            *([command('x-query-irq')] if in_kernel else
              [qom_get(RVID, 'inputs'), qom_get(RVIC, 'instances')])]))
        # The answer leaves QEMU as soon as the state was looked at.
        clock, now = time.monotonic(), time.time()
        if in_kernel:
            inputs, instances = parse_irq_statistics(state[0]['human-readable-text']), None
        else:
            inputs, instances = state
        if self.connection.changed:
            self.connection.changed = False
            self.pci = {}
        unknown = {entry['requester'] for entry in inputs if 'requester' in entry} - set(self.pci)
        if unknown:
            pci, = self.connection.execute([command('query-pci')])
            self.find_pci([] if isinstance(pci, Refused) else pci)
            for requester in unknown - set(self.pci):
                self.pci[requester] = (f'{requester >> 8:02x}:{requester >> 3 & 31:02x}.'
                                       f'{requester & 7}')
        return Sample(now, clock, status['status'], status['running'], instances, inputs,
                      dict(self.pci))
