# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What setup, guest and dt-schema share: places, messages, steps that show
# progress, packages, verified downloads, patch series. Sourced, not run.

set -eu -o pipefail

self=$(basename "$0")
# shellcheck disable=SC2034 # for those who source this
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
home=~ # also where $HOME is not set
cache=${RVIC_CACHE:-${XDG_CACHE_HOME:-$home/.cache}/qemu-rvic}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The Debian release whose QEMU and Linux sources are used, on any system.
source_suite=trixie

say() {
    printf '%s: %s\n' "$self" "$*" >&2
}

die() {
    say "error: $*"
    exit 1
}

case $cache in
*[[:space:]:]*)
    die "QEMU cannot be built in '$cache': set RVIC_CACHE to a path without spaces and colons" ;;
esac
mkdir -p "$cache"/{apt,dl,log,tmp}
cache=$(cd "$cache" && pwd -P)

# A user's git configuration must change neither patches nor diffs.
git() {
    env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE \
        GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git "$@"
}

# Two checkouts, and a tree made anew, share the objects of files that are the
# same: the paths of the trees are taken out of what ccache compares.
export CCACHE_DIR=$cache/ccache
mkdir -p "$CCACHE_DIR"
printf '%s\n' "base_dir = $cache" 'hash_dir = false' 'max_size = 3G' >"$CCACHE_DIR/ccache.conf"

job=
scratch=
cleanup() {
    if [ -n "$job" ]; then
        kill -- "-$job" 2>/dev/null || true
        wait "$job" 2>/dev/null || true
    fi
    [ -z "$scratch" ] || rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# One at a time: all checkouts share the cache folder.
lock() {
    exec 9>"$cache/lock"
    flock -n 9 || { say "waiting for another run that uses $cache"; flock 9; }
}

# new_scratch: an empty folder in $scratch, on the cache's file system
new_scratch() {
    [ -z "$scratch" ] || rm -rf "$scratch"
    scratch=$(mktemp -d "$cache/tmp/$self.XXXXXX")
}

# step TITLE LOG COMMAND...: runs COMMAND with its output in log/LOG.log.
# A step that takes time shows what it does; one that fails shows why.
step() {
    local title=$1 log=$cache/log/$2.log rc=0 start=$SECONDS shown=0 now line interval=15
    shift 2
    [ ! -t 2 ] || interval=1
    # A process group of its own, so that all of it can be ended at once.
    set -m
    "$@" >"$log" 2>&1 </dev/null 9>&- &
    job=$!
    set +m
    while kill -0 "$job" 2>/dev/null; do
        sleep 0.1
        now=$((SECONDS - start))
        if [ $((now - shown)) -ge "$interval" ]; then
            shown=$now
            line=$(tail -n 1 "$log" | tr -cd '[:print:]')
            if [ -t 2 ]; then
                printf '\r%s: %s: %d s  %s\e[K' "$self" "$title" "$now" "${line:0:50}" >&2
            else
                say "$title: $now s  ${line:0:60}"
            fi
        fi
    done
    wait "$job" || rc=$?
    job=
    [ "$shown" = 0 ] || [ ! -t 2 ] || printf '\r\e[K' >&2
    if [ "$rc" != 0 ]; then
        say "$title: failed; $log ends with:"
        tail -n 40 "$log" | sed 's/^/  | /' >&2
        exit 1
    fi
    now=$((SECONDS - start))
    [ "$now" -lt 2 ] || say "$title: done in $now s"
}

# ---- Debian packages -------------------------------------------------------

# as_root COMMAND...: with what the user is allowed to do
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

debian_release() {
    # shellcheck source=/dev/null
    (. /etc/os-release && echo "${ID:-}-${VERSION_ID:-}")
}

# missing PACKAGE...: those that are not installed
missing() {
    local have
    have=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null || true)"
    for package; do
        case $have in *" installed:$package "*) ;; *) echo "$package" ;; esac
    done
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@"
}

# packages NAME...: installs what is missing
packages() {
    local need
    mapfile -t need < <(missing "$@")
    [ ${#need[@]} -gt 0 ] || return 0
    may_install "${need[@]}"
    step 'reading package lists' apt-update apt_install -q update
    step "installing ${#need[@]} packages" apt-install \
        apt_install -q -y --no-install-recommends install "${need[@]}"
}

# may_install PACKAGE...: asks for a password here, before a step hides it
may_install() {
    case $(debian_release) in
    debian-12 | debian-13) ;;
    *) die "this is not Debian 12 or 13: install what corresponds to: $*" ;;
    esac
    say "packages to install: $*"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "installing packages needs root or sudo: $*"
        sudo -v || die "installing packages needs root: $*"
    fi
}

# The address of Debian's archive, as the system's own APT knows it.
debian_mirror() {
    # shellcheck disable=SC2016 # APT replaces it
    apt-get indextargets 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' \
        --format '$(REPO_URI)' | head -n 1
}

# private_apt NAME ARCHITECTURES LINE...: sets apt_options to a configuration
# that reads only the given sources (MIRROR stands for the archive's address)
# and leaves the system's own lists alone.
private_apt() {
    local dir=$cache/apt/$1 mirror arch options
    options=(-o "APT::Architectures::=$(dpkg --print-architecture)")
    for arch in $2; do options+=(-o "APT::Architectures::=$arch"); done
    arch=${2:+ arch=${2// /,}}
    shift 2
    mirror=$(debian_mirror)
    if [ -z "$mirror" ]; then
        may_install '(nothing: only the package lists are read)'
        step 'reading package lists' apt-update apt_install -q update
        mirror=$(debian_mirror)
    fi
    [ -n "$mirror" ] || die "APT is not configured for Debian's archive"
    [ -e "$keyring" ] || die "$keyring is missing: install debian-archive-keyring"
    mkdir -p "$dir"/{lists,cache}
    printf '%s\n' "$@" | sed "s|MIRROR|[signed-by=$keyring$arch] $mirror|" >"$dir/sources.list"
    apt_options=(
        "${options[@]}"
        -o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
        -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache::pkgcache="
        -o "Dir::Cache::srcpkgcache=" -o APT::Sandbox::User=root
        -o Acquire::Languages=none
    )
}

# ---- Downloads -------------------------------------------------------------

# have NAME: the files of that download are there and undamaged
have() {
    [ -e "$cache/dl/$1.sha256" ] &&
        (cd "$cache/dl" && sha256sum --check --status "$1.sha256" 2>/dev/null)
}

# record NAME FILE...: APT has verified these; remember their checksums
record() {
    local name=$1
    shift
    (cd "$cache/dl" && sha256sum -- "$@" >"$name.sha256.new" &&
        mv "$name.sha256.new" "$name.sha256")
}

# recorded NAME SUFFIX: the path of the download's file that ends so
recorded() {
    awk -v dir="$cache/dl/" -v end="$2" \
        'index($2, end) == length($2) - length(end) + 1 { print dir $2 }' \
        "$cache/dl/$1.sha256"
}

# debian_sources SUITE: apt_options for the suite that has the sources. Of the
# usual one's backports APT takes only what the suite itself does not have.
debian_sources() {
    local lines=("deb-src MIRROR $1 main" "deb MIRROR $1 main")
    [ "$1" != "$source_suite" ] || lines+=("deb MIRROR $1-backports main")
    private_apt "sources-$1" arm64 "${lines[@]}"
    step "reading $1's package lists" apt-sources apt-get "${apt_options[@]}" -q update
}

# fetch_source NAME VERSION SUITE: the newest source package of that version
# series, known as NAME-VERSION from then on
fetch_source() {
    local name=$1 series=$2 suite=$3 versions version
    ! have "$name-$series" || return 0
    debian_sources "$suite"
    versions=$(apt-cache "${apt_options[@]}" showsrc --only-source "$name" |
        sed -n 's/^Version: //p' | sort -V)
    version=$(sed -E 's/^([0-9]+:)?(.*)/\2 &/' <<<"$versions" |
        awk -v start="$series." 'index($1, start) == 1 { print $2 }' | tail -n 1)
    [ -n "$version" ] || die "Debian $suite no longer has $name $series" \
        "(but ${versions//$'\n'/, }): see --help for --$name DIR"
    (cd "$cache/dl" && step "downloading $name $version" "fetch-$name" \
        apt-get "${apt_options[@]}" -q source --download-only --only-source "$name=$version")
    version=${version#*:}
    # shellcheck disable=SC2046 # names of source packages have no spaces
    record "$name-$series" $(cd "$cache/dl" && sed -n '/^Checksums-Sha256:/,/^[^ ]/s/^ [^ ]* [^ ]* //p' \
        "${name}_$version.dsc") "${name}_$version.dsc"
}

# fetch_binary NAME PACKAGE: the newest binary package, not installed
fetch_binary() {
    local name=$1 package=$2 file
    ! have "$name" || return 0
    [ -n "${apt_options:-}" ] || debian_sources "$source_suite"
    file=$(apt-get "${apt_options[@]}" --print-uris download "$package" | cut -d ' ' -f 2)
    [ -n "$file" ] || die "$source_suite has no $package"
    (cd "$cache/dl" && step "downloading $package" "fetch-$name" \
        apt-get "${apt_options[@]}" -q download "$package")
    record "$name" "$file"
}

# ---- Programs for arm64 ----------------------------------------------------

# make_sysroot: sets sysroot to a folder with arm64 packages of this system's
# release, to build for and to run in an emulated arm64 machine. Only the
# folder knows of them: dpkg does not.
make_sysroot() {
    local name suite dir
    # shellcheck source=/dev/null
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    name=sysroot-$suite
    dir=$cache/dl/$name
    if ! have "$name"; then
        private_apt "$name" arm64 "deb MIRROR $suite main"
        # A machine of its own, on which nothing is installed yet
        : >"$cache/apt/$name/status"
        apt_options+=(
            -o APT::Architecture=arm64 -o "Dir::State::status=$cache/apt/$name/status"
            -o "Dir::Cache::archives=$dir"
        )
        step "reading $suite's package lists for arm64" apt-sysroot \
            apt-get "${apt_options[@]}" -q update
        rm -rf "$dir"
        mkdir -p "$dir/partial"
        step 'downloading packages for arm64' fetch-sysroot \
            apt-get "${apt_options[@]}" -q -y --no-install-recommends --download-only install \
            libc6-dev libglib2.0-dev libfdt-dev libslirp-dev zlib1g-dev python3 e2fsprogs
        # shellcheck disable=SC2046 # names of packages have no spaces
        record "$name" $(cd "$cache/dl" && echo "$name"/*.deb)
    fi
    # The 1 stands for how it is unpacked.
    sysroot=$cache/$name-$( (echo 1 && cat "$cache/dl/$name.sha256") | sha256sum | cut -c 1-10)
    [ ! -e "$sysroot" ] || return 0
    new_scratch
    step 'unpacking packages for arm64' unpack-sysroot unpack_sysroot "$scratch/sysroot" "$name"
    rm -rf "$cache/$name"-*
    mv "$scratch/sysroot" "$sysroot"
}

# unpack_sysroot DIR NAME
unpack_sysroot() {
    local folder package
    # As on a system that is installed, these are one with those of /usr.
    for folder in bin lib sbin; do
        mkdir -p "$1/usr/$folder"
        ln -s "usr/$folder" "$1/$folder"
    done
    while read -r _ package; do
        dpkg-deb --fsys-tarfile "$cache/dl/$package" |
            tar -C "$1" --keep-directory-symlink --no-same-owner -xf -
    done <"$cache/dl/$2.sha256"
    cat >"$1/pkg-config" <<'END'
#!/bin/sh
# The libraries that are in this folder
PKG_CONFIG_SYSROOT_DIR=$(dirname "$0")
PKG_CONFIG_LIBDIR=$PKG_CONFIG_SYSROOT_DIR/usr/lib/aarch64-linux-gnu/pkgconfig
export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR
exec pkg-config "$@"
END
    chmod +x "$1/pkg-config"
}

# ---- Patches ---------------------------------------------------------------

# hunk_headings: "FILE: HEADING" for each hunk of the patch or diff on stdin.
# Without parameters, whose types are not the same in all versions.
hunk_headings() {
    awk '/^\+\+\+ / { file = $2; sub(/^b\//, "", file) }
         /^@@ / { sub(/^@@ [^@]* @@ ?/, ""); sub(/\(.*/, ""); print file ": " $0 }'
}

# hunk_context: how many lines are around the changes of the patch on stdin
hunk_context() {
    awk '/^@@ / { lines = 0; leading = 1 }
         leading && /^ / { if (++lines > most) most = lines }
         /^[-+]/ { leading = 0 }
         END { print most + 0 }'
}

# apply_series TREE TITLE PATCH...: makes TREE's files what the pristine ones
# are with exactly these patches on them, and writes only files that differ
# from what is there. All or nothing. A patch may add a file or a link. One of
# fixes/ that TREE has already is not needed.
#
# Little context lets a hunk land in another function than it was made
# for, so each must come out under the heading that its patch has.
apply_series() {
    local tree=$1 title=$2 pristine=$1/.rvic-pristine
    local patch name file files said before after added=()
    shift 2
    mkdir -p "$pristine"
    for patch; do
        files=$(git apply --numstat "$patch" | cut -f 3) || die "$patch: not a patch"
        said=$(git apply --summary "$patch" | sed -n 's/^ create mode [0-7]* //p')
        for file in $files; do
            if grep -qxF "$file" <<<"$said"; then
                added+=("$file")
                continue
            fi
            [ ! -e "$pristine/$file" ] || continue
            [ -e "$tree/$file" ] ||
                die "$(basename "$patch") does not apply to $title: it has no $file"
            mkdir -p "$(dirname "$pristine/$file")"
            # Whole or not at all: it is trusted from now on.
            cp -p "$tree/$file" "$pristine/.new"
            mv "$pristine/.new" "$pristine/$file"
        done
    done

    new_scratch
    cp -a "$pristine/." "$scratch"
    # It says which of git's patterns find the headings.
    [ ! -e "$tree/.gitattributes" ] || cp "$tree/.gitattributes" "$scratch"
    git -C "$scratch" init -q
    git -C "$scratch" add -A -f
    before=$(git -C "$scratch" write-tree)
    for patch; do
        name=$(basename "$(dirname "$patch")")/$(basename "$patch")
        [[ $name != fixes/* ]] ||
            ! git -C "$scratch" apply --check --reverse "$patch" 2>/dev/null || continue
        said=$(git -C "$scratch" apply --index --whitespace=nowarn "$patch" 2>&1) ||
            die "$name does not apply to $title: ${said//$'\n'/; }"
        after=$(git -C "$scratch" write-tree)
        said=$(diff <(hunk_headings <"$patch") \
            <(git -C "$scratch" diff "-U$(hunk_context <"$patch")" --no-renames \
                "$before" "$after" | hunk_headings) |
            sed -n 's/^< /expected "/p; s/^> /found "/p' | sed 's/$/"/') || true
        [ -z "$said" ] ||
            die "$name lands elsewhere in $title: ${said//$'\n'/, }"
        before=$after
    done

    (cd "$pristine" && find . -type f; printf '%s\n' "${added[@]}") | while read -r file; do
        [ -n "$file" ] || continue
        if [ -L "$scratch/$file" ]; then
            ln -sfn "$(readlink "$scratch/$file")" "$tree/$file"
            continue
        fi
        cmp -s "$scratch/$file" "$tree/$file" && continue
        cp -p "$scratch/$file" "$tree/$file.rvic-new"
        touch "$tree/$file.rvic-new" # what depends on it must be rebuilt
        mv "$tree/$file.rvic-new" "$tree/$file"
    done
}
