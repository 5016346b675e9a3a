/*
 * Names of QEMU 10.2, for QEMU 10.0
 *
 * The overlay is written for the newest version that it supports. Only what
 * cannot be said in a way that all versions understand is here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef RVIC_COMPAT_H
#define RVIC_COMPAT_H

#if QEMU_VERSION_MAJOR == 10 && QEMU_VERSION_MINOR == 0
typedef struct CharBackend CharFrontend;
/* The last argument of TypeInfo.class_init points to this */
typedef void RVICClassData;
#define RVIC_ID_AA64DFR0(isar) ((isar)->id_aa64dfr0)
#else
typedef const void RVICClassData;
#define RVIC_ID_AA64DFR0(isar) ((isar)->idregs[ID_AA64DFR0_EL1_IDX])
#endif

#endif
