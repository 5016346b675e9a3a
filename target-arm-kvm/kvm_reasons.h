/*
 * What errors of KVM mean
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_KVM_REASONS_H
#define TARGET_ARM_KVM_REASONS_H

/** What an errno means for an ioctl; a list of these ends with an empty one */
typedef struct KVMReason {
    int err;
    const char *why;
} KVMReason;

/**
 * kvm_arm_reason: an error in words
 * @err: a positive errno
 * @reasons: what is known of it
 *
 * Returns: the text of the list, else that of strerror()
 */
static inline const char *kvm_arm_reason(int err, const KVMReason *reasons)
{
    for (; reasons->err; reasons++) {
        if (reasons->err == err) {
            return reasons->why;
        }
    }
    return strerror(err);
}

#endif
