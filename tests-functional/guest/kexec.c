/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kexec [-p] KERNEL COMMAND-LINE: starts another kernel. With -p it is only
 * loaded, for the day when this one panics.
 */

#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int crash = argc > 1 && !strcmp(argv[1], "-p");
    unsigned long flags = KEXEC_FILE_NO_INITRAMFS;
    int fd;

    if (argc != 3 + crash) {
        fprintf(stderr, "usage: kexec [-p] KERNEL COMMAND-LINE\n");
        return 2;
    }
    argv += crash;
    if (crash) {
        flags |= KEXEC_FILE_ON_CRASH;
    }

    fd = open(argv[1], O_RDONLY);
    if (fd < 0) {
        perror(argv[1]);
        return 1;
    }
    if (syscall(SYS_kexec_file_load, fd, -1, strlen(argv[2]) + 1, argv[2],
                flags)) {
        perror("kexec_file_load");
        return 1;
    }
    if (crash) {
        return 0;
    }
    syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
            LINUX_REBOOT_CMD_KEXEC, NULL);
    perror("reboot");
    return 1;
}
