# SPDX-License-Identifier: GPL-2.0-or-later
"""
Checks of the device tree bindings for scripts/test: linux/bindings itself, and
the trees that QEMU generates. What QEMU's own nodes get wrong, they get wrong
with a GIC too, so each tree is compared with its twin that has a GIC.
"""

import collections
import concurrent.futures
import glob
import os
import re
import shlex
import subprocess
import tempfile

from commands import BUILD, TOP

TOOLS = os.path.join(BUILD, 'dt-schema/bin')
BINDINGS = os.path.join(BUILD, 'dt-schema/bindings')
QEMU = os.path.join(BUILD, 'qemu-system-aarch64')
SCHEMAS = os.path.join(BUILD, 'dt-schema/schemas.json')

# Those of dtc's checks that are off unless asked for.
DTC_CHECKS = ['-Winterrupt_provider', '-Wnode_name_chars_strict',
              '-Wproperty_name_chars_strict', '-Wunique_unit_address_if_enabled']

# A combination of options; TWIN is added to the machine options for a GIC.
Tree = collections.namedtuple('Tree', 'options machine type twin',
                              defaults=('', '', 'virt', ''))
TREES = {
    'one-vcpu': Tree(),
    'vcpus-4': Tree('-smp 4'),
    'vcpus-512': Tree('-smp 512'),
    'threads': Tree('-smp 16,sockets=2,clusters=2,cores=2,threads=2'),
    'numa': Tree('-smp 4 -m 256M -numa node,cpus=0-1,memdev=a -numa node,cpus=2-3,memdev=b'
                 ' -object memory-backend-ram,id=a,size=128M'
                 ' -object memory-backend-ram,id=b,size=128M'),
    'nested': Tree('-smp 4', ',virtualization=on'),
    'no-pmu': Tree('-cpu cortex-a53,pmu=off'),
    'kernel': Tree('-kernel build/guest/Image -initrd build/guest/initramfs.cpio.gz -append x'),
    'two-uarts': Tree('-serial null -serial null'),
    'smmu': Tree('-smp 2', ',iommu=smmuv3'),
    'virtio-iommu': Tree('-device virtio-iommu-pci'),
    'no-msis': Tree('-global arm-rvic.num-untrusted=256', twin=',its=off'),
    'most-untrusted': Tree('-global arm-rvic.num-untrusted=2016'),
    'few-msis': Tree('-global arm-rvic.num-trusted=64 -global arm-rvic.num-untrusted=288'),
    'platform-device': Tree('-device uefi-vars-sysbus'),
    'low-memory': Tree('', ',highmem=off'),
    'memory-hotplug': Tree('-m 256M,slots=2,maxmem=1G', ',nvdimm=on'),
    'random-seeds': Tree('', ',dtb-randomness=on'),
    'virt-9.0': Tree('-smp 2', type='virt-9.0'),
    'oldest-virt': Tree('-smp 2', type='oldest'),
}

# What in the tree of four vCPUs is broken, and what must be complained about:
# node, property in it, what takes its place, and what the complaint mentions.
Broken = collections.namedtuple('Broken', 'node property instead mentions')
RVIC, RVID = 'interrupt-controller', 'interrupt-controller@8020000'
BROKEN = {
    'rvic-other-compatible': Broken(RVIC, 'compatible', 'compatible = "arm,rvik";',
                                    ['/interrupt-controller:', 'arm,rvik']),
    'rvic-no-cells': Broken(RVIC, '#interrupt-cells', '',
                            ['/interrupt-controller:', "Missing '#interrupt-cells'"]),
    'rvic-three-cells': Broken(RVIC, '#interrupt-cells', '#interrupt-cells = <3>;',
                               ['(arm,rvic)', '#interrupt-cells', '2 was expected']),
    'rvic-no-parent': Broken(RVIC, 'interrupt-parent', '',
                             ['(arm,rvic)', "'interrupt-parent' is a required"]),
    'rvic-with-msis': Broken(RVIC, 'interrupt-controller', 'interrupt-controller; msi-controller;',
                             ['(arm,rvic)', 'msi-controller']),
    'rvid-three-cells': Broken(RVID, '#interrupt-cells', '#interrupt-cells = <3>;',
                               ['(arm,rvid)', '#interrupt-cells', '1 was expected']),
    'rvid-no-address-cells': Broken(RVID, '#address-cells', '',
                                    ['(arm,rvid)', "'#address-cells' is a required"]),
    'rvid-no-parent': Broken(RVID, 'interrupt-parent', '',
                             ['(arm,rvid)', "'interrupt-parent' is a required"]),
    'rvid-no-doorbell': Broken(RVID, 'reg', '', ['(arm,rvid)', "'reg' is a dependency"]),
    'rvid-no-msi-range': Broken(RVID, 'msi-range', '',
                                ['(arm,rvid)', "'msi-range' is a dependency"]),
    'rvid-long-msi-range': Broken(RVID, 'msi-range', 'msi-range = <256 736 1>;',
                                  ['(arm,rvid)', 'msi-range', 'too long']),
    'rvid-not-msi-controller': Broken(RVID, 'msi-controller', '',
                                      ['(arm,rvid)', "'msi-controller' is a dependency"]),
    'gic-specifier': Broken('pl011@9000000', 'interrupts', 'interrupts = <0 1 4>;',
                            ['pl011@9000000', 'interrupts', 'too long']),
    'timer-at-rvid': Broken('timer', 'interrupt-parent', '',
                            ['timer', 'interrupts', 'too long']),
    'pmu-one-cell': Broken('pmu', 'interrupts', 'interrupts = <23>;',
                           ['interrupts_property', '/pmu']),
    'gic-interrupt-map': Broken('pcie@10000000', 'interrupt-map',
                                'interrupt-map = <0 0 0 1 0x8006 0 0 0 3 4>;',
                                ['interrupt_map', '/pcie@10000000']),
}


def run(*command, text=None):
    """What a command prints, which includes the reason if it fails."""
    done = subprocess.run(command, cwd=TOP, input=text or '', stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', check=False)
    status = f'{command[0]}: exit status {done.returncode}\n' if done.returncode else ''
    return done.stdout + status


def tool(name, *arguments, **options):
    return run(os.path.join(TOOLS, name), *arguments, **options)


def validate(dtbs):
    """The schemas' complaints about each tree; by '' what names no tree."""
    last = []
    found = {name: [] for name in dtbs} | {'': last}
    names = {path: name for name, path in dtbs.items()}
    for line in tool('dt-validate', '-m', '-s', SCHEMAS, *names).splitlines():
        path, _, message = line.partition(': ')
        if line.startswith('\t') and last:
            last[-1] += '\n' + line
            continue
        last = found[names.get(path, '')]
        last.append(message if path in names else line)
    return found


def examine(dtbs):
    """The same with dtc's warnings."""
    # There is no source to tell the place in, so dtc names its output.
    warnings = {name: [line.removeprefix('/dev/null: ') for line in tool(
        'dtc', '-I', 'dtb', '-O', 'dtb', '-o', os.devnull, *DTC_CHECKS, path).splitlines()]
                for name, path in dtbs.items()}
    # dt-validate never ends where specifiers have no cells.
    found = validate({name: path for name, path in dtbs.items() if not re.search(
        "Missing '#interrupt-cells'|expected multiple of 0", '\n'.join(warnings[name]))})
    return {name: warnings.get(name, []) + found.get(name, []) for name in ['', *dtbs]}


def excused(complaints):
    """Not what is about interrupt specifiers, whoever gets them wrong."""
    return {line for line in complaints if not re.search(
        r'\binterrupts|\binterrupt-(map|parent)|\bmsi-(map|parent)|'
        r'Warning \((interrupt|msi)', line)}


def oldest_type():
    """The oldest versioned machine type that this QEMU still has."""
    return min(re.findall(r'^virt-[\d.]+', run(QEMU, '-machine', 'help'), re.M),
               key=lambda name: [int(number) for number in name[5:].split('.')])


def dump(tree, irqchip, path):
    """Write a device tree to PATH; what went wrong."""
    twin = tree.twin if irqchip != 'rvic' else ''
    randomness = '' if 'dtb-randomness' in tree.machine else ',dtb-randomness=off'
    machine = oldest_type() if tree.type == 'oldest' else tree.type
    said = run(QEMU, '-nodefaults', '-display', 'none',
               '-cpu', 'max', *shlex.split(tree.options), '-machine',
               f'{machine},irqchip={irqchip}{tree.machine}{twin}{randomness},dumpdtb={path}')
    return '' if os.path.exists(path) else said


def contents(path):
    with open(path, 'rb') as file:
        return file.read()


def check_schemas(folder):
    """Schemas are well-formed; their examples follow them."""
    for source in sorted(glob.glob('*/*.yaml', root_dir=os.path.join(TOP, 'linux/bindings'))):
        name = os.path.basename(source).removesuffix('.yaml')
        placed = os.path.join(BINDINGS, source)
        yield f'schema/{name}', tool('dt-doc-validate', placed) + tool(
            'yamllint', '-f', 'parsable', '-c', os.path.join(BINDINGS, '.yamllint'), placed)

        dts, dtb = (os.path.join(folder, f'{name}.{suffix}') for suffix in ('dts', 'dtb'))
        problem = run('cpp', '-nostdinc', '-undef', '-x', 'assembler-with-cpp',
                      '-I', 'build/linux/include', '-o', dts, '-',
                      text=tool('dt-extract-example', placed))
        # dt-schema puts a node around the example, with the cells that this is about.
        problem += tool('dtc', '-I', 'dts', '-O', 'dtb', '-o', dtb,
                        '-Wno-avoid_unnecessary_addr_size', dts)
        yield f'example/{name}', problem or '\n'.join(sum(validate({name: dtb}).values(), []))


def check_trees(folder):
    """QEMU's trees: no complaint that the twin with a GIC does not deserve."""
    dtbs, twins, problems = {}, {}, {}
    for name, tree in TREES.items():
        paths = [os.path.join(folder, f'{name}.{irqchip}.dtb') for irqchip in ('rvic', 'gic')]
        problems[name] = dump(tree, 'rvic', paths[0]) or dump(
            tree, 'gic,gic-version=3', paths[1])
        if not problems[name]:
            dtbs[name], twins[name] = paths
    with concurrent.futures.ThreadPoolExecutor() as pool:
        found, excuses = pool.map(examine, (dtbs, twins))

    yield 'decoding', '\n'.join(found[''] + excuses[''])
    seen = {}
    for name, problem in problems.items():
        if not problem:
            blob = contents(dtbs[name])
            if (blob.count(b'arm,rvic\0'), blob.count(b'arm,rvid\0')) != (1, 1):
                problem = 'not one node each for rVIC and rVID'
            elif blob in seen:
                problem = f'the same tree as {seen[blob]}: these options do nothing'
            seen[blob] = name
        yield f'tree/{name}', problem or '\n'.join(
            line for line in found[name] if line not in excused(excuses[name]))


def check_broken(folder):
    """A tree that breaks a rule is complained about."""
    good, twin = (os.path.join(folder, f'vcpus-4.{irqchip}.dtb') for irqchip in ('rvic', 'gic'))
    dts = tool('dtc', '-q', '-I', 'dtb', '-O', 'dts', good)
    dtbs, problems = {'twin': twin}, {}
    for name, broken in BROKEN.items():
        text, changes = re.subn(rf'(\n\t{broken.node} {{[^}}]*?\n\t\t){broken.property}( =[^;]*)?;',
                                lambda match, new=broken.instead: match[1] + new, dts)
        dtbs[name] = os.path.join(folder, f'{name}.broken.dtb')
        problems[name] = tool('dtc', '-qq', '-I', 'dts', '-O', 'dtb', '-o', dtbs[name], '-',
                              text=text)
        if changes != 1:
            problems[name] += f'{broken.node} has no {broken.property} to break'
    found = examine(dtbs)
    for name, broken in BROKEN.items():
        new = [line for line in found[''] + found[name] if line not in excused(found['twin'])]
        if not any(all(word in line for word in broken.mentions) for line in new):
            problems[name] += f'no complaint mentions all of {broken.mentions}\n' + '\n'.join(new)
        yield f'broken/{name}', problems[name]


def checks():
    """(name, what is wrong or nothing) of each check"""
    with tempfile.TemporaryDirectory(prefix='rvic-test-') as folder:
        for check in (check_schemas, check_trees, check_broken):
            yield from check(folder)
