#!/bin/sh
# Make .venv/bin/chromium start a Chromium for the browser tests. Three ways, the first that works:
#   1. one that is installed already,
#   2. Debian's package, when we may install it (root, or sudo without a password),
#   3. Debian's packages unpacked below .venv/chromium, for an ordinary user: apt fetches them, nothing is installed.
# Exit 0: it is there. Exit 1: it is not, and the last lines say what to do.
set -eu
cd "$(dirname "$0")/.."
link=.venv/bin/chromium
tree=$(pwd -P)/.venv/chromium

say() { printf '%s\n' "vmh_sync: $*" >&2; }
works() { [ -x "$1" ] && "$1" --version >/dev/null 2>&1; }

works "$link" && exit 0
rm -f "$link"

use_installed() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        found=$(command -v "$name" 2>/dev/null) || continue
        if works "$found"; then ln -sf "$found" "$link"; return 0; fi
    done
    return 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

install_package() {
    say "installing Debian's chromium for the browser tests"
    # A package list that is there already is used first; only when that fails is it renewed.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1 \
        || { as_root apt-get update -qq >&2 \
            && as_root env DEBIAN_FRONTEND=noninteractive \
                apt-get install -y -qq --no-install-recommends chromium >/dev/null; }
}

unpack_packages() {
    say "unpacking Debian's chromium below .venv/chromium for the browser tests (about 200 MB, once)"
    state=$tree/apt
    rm -rf "$tree"
    mkdir -p "$state/lists/partial" "$state/archives/partial" "$tree/unpacked"
    set -- -qq -o Debug::NoLocking=1 -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state" \
        -o "Dir::Cache::archives=$state/archives" -o "Dir::State::status=/var/lib/dpkg/status"
    apt-get "$@" update >&2 || return 1
    apt-get "$@" install -y --download-only --no-install-recommends chromium >/dev/null || return 1
    for package in "$state"/archives/*.deb; do
        dpkg-deb -x "$package" "$tree/unpacked" || return 1
    done
    rm -rf "$state"
    # Every folder with a shared library, since some libraries find their own parts only through ld.so.conf.
    libraries=$(find "$tree/unpacked/usr/lib" "$tree/unpacked/lib" -maxdepth 3 -name '*.so*' -printf '%h\n' 2>/dev/null \
        | grep -v '/usr/lib/chromium$' | sort -u | tr '\n' ':')
    cat > "$link" <<WRAPPER
#!/bin/sh
export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:-}"
exec "$tree/unpacked/usr/lib/chromium/chromium" "\$@"
WRAPPER
    chmod +x "$link"
    works "$link"
}

use_installed && exit 0
if command -v apt-get >/dev/null 2>&1; then
    if may_install; then
        install_package && use_installed && exit 0
    fi
    unpack_packages && exit 0
fi
rm -f "$link"
say "no Chromium for the browser tests, and it could not be fetched."
say "As root: apt-get install chromium    (any Chromium or Chrome on the PATH will do)"
say "All other tests without it: make test ARGS='-m \"not browser\"'"
exit 1
