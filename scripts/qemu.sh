# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # sourced behind lib.sh, used by others
#
# How Debian's source package of QEMU becomes a tree with this repository in it,
# and what it is configured with: what setup and the Debian package share. The
# functions expect the tree in $tree.

# install_meson: QEMU wants a newer one than Debian 12 has.
install_meson() {
    if [ "$(debian_release)" != debian-12 ]; then
        packages meson python3-pycotap
        return
    fi
    local version
    version=$(dpkg-query -W -f '${Version}' meson 2>/dev/null || true)
    if dpkg --compare-versions "${version:-0}" lt 1.5 || [ -n "$(missing python3-pycotap)" ]; then
        may_install meson python3-pycotap
        private_apt backports '' 'deb MIRROR bookworm main' 'deb MIRROR bookworm-backports main'
        step "reading bookworm-backports' package lists" apt-backports \
            apt-get "${apt_options[@]}" -q update
        step 'installing meson' apt-meson apt_install "${apt_options[@]}" -q -y \
            --no-install-recommends -t bookworm-backports install meson python3-pycotap
    fi
}

# unpack_debian DIR DSC: the source package, as Debian patches it, in a new DIR.
# Its checksums have been compared.
unpack_debian() {
    dpkg-source --no-check --no-copy -x "$2" "$1"
}

# patch_tree: exactly patches/ and patches/fixes/ on it
patch_tree() {
    local patches=("$top"/patches/*.patch "$top"/patches/fixes/*.patch)
    local stamp=$tree/.rvic-series series
    series=$(cd "$top/patches" && sha256sum -- *.patch fixes/*.patch)
    [ "$series" != "$(cat "$stamp" 2>/dev/null || true)" ] || return 0
    apply_series "$tree" "QEMU $(cat "$tree/VERSION")" "${patches[@]}"
    printf '%s\n' "$series" >"$stamp"
}

# Only the virt board: every other one that would be on by default is off.
device_configuration() {
    echo CONFIG_ARM_VIRT=y
    awk '/^config / { name = $2; on = tcg = 0 }
         /default y/ { on = 1 }
         /default y if|depends on/ && /TCG/ { tcg = 1 }
         on && tcg && name !~ /^(ARM_VIRT|ARM_V7M)$/ {
             print "CONFIG_" name "=n"
             on = 0
         }' "$tree/hw/arm/Kconfig"
}

# What configure reads of it
devices=configs/devices/aarch64-softmmu/rvic.mak

# Option ROMs and the like, as Debian 12 and 13 have them
firmware=(/usr/share/qemu /usr/share/seabios /usr/lib/ipxe/qemu)

# What all builds have
common_options=(
    --python=/usr/bin/python3
    --target-list=aarch64-softmmu --with-devices-aarch64=rvic
    --disable-download --disable-install-blobs --without-default-features
    --firmwarepath="$(IFS=: && echo "${firmware[*]}")"
    --enable-system --enable-fdt=system --enable-slirp
    --enable-vhost-user --enable-vhost-kernel --enable-vhost-net
    --enable-trace-backends=log
)

# What all have but the one for an emulated host
usual_features=(
    --enable-tcg --enable-pixman --enable-vnc --enable-attr --enable-cap-ng --enable-virtfs
    --enable-vhost-vdpa --enable-seccomp --enable-linux-aio --enable-linux-io-uring --enable-zstd
)
[ "$(uname -m)" != aarch64 ] || usual_features+=(--enable-kvm)
