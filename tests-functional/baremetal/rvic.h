/*
 * rVIC and rVID as a guest sees them: docs/specs/arm-rvic.rst
 *
 * The numbers are written down once more here, so that the tests do not
 * agree with a mistake in the device models' header.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef BAREMETAL_RVIC_H
#define BAREMETAL_RVIC_H

#define SMCCC_VERSION           0x80000000
#define SMCCC_ARCH_FEATURES     0x80000001

/* Services of the hypervisor's vendor: who that is, first word of the answer */
#define VENDOR_UID              0x8600ff01
#define VENDOR_UID_KVM          0xb66fb428

#define RVID_BASE               0xc5000100
#define RVID_VERSION            0xc5000100
#define RVID_MAP                0xc5000101
#define RVID_UNMAP              0xc5000102

#define RVIC_BASE               0xc5000200
#define RVIC_VERSION            0xc5000200
#define RVIC_INFO               0xc5000201
#define RVIC_ENABLE             0xc5000202
#define RVIC_DISABLE            0xc5000203
#define RVIC_SET_MASKED         0xc5000204
#define RVIC_CLEAR_MASKED       0xc5000205
#define RVIC_IS_PENDING         0xc5000206
#define RVIC_SIGNAL             0xc5000207
#define RVIC_CLEAR_PENDING      0xc5000208
#define RVIC_ACKNOWLEDGE        0xc5000209
#define RVIC_RESAMPLE           0xc500020a

#define RVIC_SUCCESS            0
#define RVIC_ERROR_PARAMETER(n) (1 | (n) << 8)
#define RVIC_INVALID_CPU(n)     (2 | (n) << 8)
#define RVIC_DISABLED           3
#define RVIC_NO_INTERRUPTS      4

#define NOT_SUPPORTED           UINT64_MAX

/* The virt board's, with the default numbers of interrupts */
#define RVIC_TRUSTED            32
#define RVIC_UNTRUSTED          992
#define RVID_FIRST_MSI          256
#define RVID_DOORBELL           0x08020000
#define INTID_VIRTUAL_TIMER     27
#define INTID_PHYSICAL_TIMER    30
#define INPUT_UART              1

#endif
