/*
 * Bare-metal guest: the devices whose interrupts are under stress
 *
 * The PCI devices are optional: QEMU cannot migrate edu.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "stress.h"

#define UART1           0x09040000
#define INPUT_UART1     8
#define RTC             0x09010000
#define INPUT_RTC       2
#define RTC_DR          0x00
#define RTC_MR          0x04
#define RTC_IMSC        0x10
#define RTC_RIS         0x14
#define GPIO            0x09030000
#define INPUT_GPIO      7
#define GPIO_IS         0x404
#define GPIO_IEV        0x40c
#define GPIO_IE         0x410
#define GPIO_LINE       0x01

#define PCI_CONFIG      0x3f000000  /* with highmem-ecam=off */
#define PCI_MEMORY      0x10000000
#define PCI_SLOTS       32
#define PCI_COMMAND     0x04
#define PCI_BAR         0x10
#define PCI_CAPABILITY  0x34
#define PCI_MSI         0x05
#define PCI_MSI_ENABLE  (1 << 16)
#define PCI_ON          0x06        /* memory, bus master */

#define EDU             0x11e81234
#define EDU_MSI_SLOT    16          /* from here on they use MSIs */
#define EDU_RAISE       0x60
#define EDU_LOWER       0x64
#define E1000           0x100e8086
#define E1000_ICR       0xc0
#define E1000_ICS       0xc8
#define E1000_IMS       0xd0
/* A cause that QEMU's e1000 never raises by itself, unlike its link's */
#define E1000_GPI       0x0800

static struct source *add_source(unsigned input, uint64_t high_address,
                                 uint32_t high_value, uint64_t low_address,
                                 uint32_t low_value)
{
    struct source *s = &sources[num_sources++];

    *s = (struct source) {
        .input = input,
        .high_address = high_address,
        .high_value = high_value,
        .low_address = low_address,
        .low_value = low_value,
    };
    return s;
}

static struct irq *add_irq(unsigned input)
{
    unsigned index = num_irqs++;
    struct irq *irq = &irqs[index];

    irq->input = input;
    irq->cpu = index % CPUS;
    irq->intid = PRIVATE(index, 0);
    use_intid(PRIVATE(index, 0), KIND_IRQ, index);
    use_intid(PRIVATE(index, 1), KIND_IRQ, index);
    return irq;
}

void add_msi(unsigned input, uint64_t kick_address, uint32_t kick_value,
             uint64_t calm_address)
{
    struct irq *irq = add_irq(input);

    irq->kick_address = kick_address;
    irq->kick_value = kick_value;
    irq->calm_address = calm_address;
}

void add_board_lines(void)
{
    /* Sending a character makes its condition true. The host drops it. */
    write32(UART1 + UART_CR, UART_CR_ENABLE);
    write32(UART1 + UART_IMSC, UART_TXI);
    add_irq(INPUT_UART1)->line = add_source(
        INPUT_UART1, UART1 + UART_DR, ' ', UART1 + UART_ICR, UART_TXI);

    /* It was time for an alarm, and stays so: the mask makes the line. */
    do {
        write32(RTC + RTC_MR, read32(RTC + RTC_DR));
    } while (!read32(RTC + RTC_RIS));
    add_irq(INPUT_RTC)->line = add_source(
        INPUT_RTC, RTC + RTC_IMSC, 1, RTC + RTC_IMSC, 0);

    /* The same for a pin that is low, and makes an interrupt if low */
    write32(GPIO + GPIO_IEV, 0);
    write32(GPIO + GPIO_IS, GPIO_LINE);
    add_irq(INPUT_GPIO)->line = add_source(
        INPUT_GPIO, GPIO + GPIO_IE, GPIO_LINE, GPIO + GPIO_IE, 0);
}

/* edu's MSI capability has 64-bit addresses. */
static void enable_msi(uint64_t config, unsigned input)
{
    uint64_t msi = config + (read32(config + PCI_CAPABILITY) & 0xff);

    while ((read32(msi) & 0xff) != PCI_MSI) {
        msi = config + (read32(msi) >> 8 & 0xff);
    }
    write32(msi + 4, RVID_DOORBELL);
    write32(msi + 8, 0);
    write32(msi + 12, input);
    write32(msi, read32(msi) | PCI_MSI_ENABLE);
}

void add_pci_devices(void)
{
    unsigned msis = 0;

    for (unsigned slot = 1; slot < PCI_SLOTS; slot++) {
        uint64_t config = PCI_CONFIG + (slot << 15);
        uint64_t bar = PCI_MEMORY + (slot << 20);
        unsigned input = INPUT_PCI + slot % PINS;
        uint32_t id = read32(config);

        if ((id != EDU && id != E1000) || num_sources == MAX_SOURCES) {
            continue;
        }
        write32(config + PCI_BAR, bar);
        write32(config + PCI_COMMAND, PCI_ON);
        if (id == E1000) {
            write32(bar + E1000_IMS, E1000_GPI);
            add_source(input, bar + E1000_ICS, E1000_GPI,
                       bar + E1000_ICR, E1000_GPI);
        } else if (slot < EDU_MSI_SLOT) {
            add_source(input, bar + EDU_RAISE, 1, bar + EDU_LOWER, 1);
        } else if (msis < DEVICE_MSIS) {
            enable_msi(config, DEVICE_MSI(msis));
            add_msi(DEVICE_MSI(msis), bar + EDU_RAISE, 1, bar + EDU_LOWER);
            msis++;
        }
    }
}
