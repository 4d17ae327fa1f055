#!/bin/sh
# Make .venv hold what is wanted, and nothing when it already does.
#   sh scripts/venv.sh run    what the product needs (requirements.lock)
#   sh scripts/venv.sh dev    that, and what tests and checks need (requirements-dev.lock, a superset)
# A stamp file in .venv remembers the checksum of lock, pyproject.toml and interpreter, so that a second call
# takes no time. Several calls at once wait for each other. VMH_PYTHON chooses another interpreter.
set -eu
cd "$(dirname "$0")/.."
want=${1:-run}
venv=.venv

say() { printf '%s\n' "vmh_sync: $*" >&2; }
stop() { say "$*"; exit 1; }

case $want in
    run) lock=requirements.lock ;;
    dev) lock=requirements-dev.lock ;;
    *) stop "usage: sh scripts/venv.sh run|dev" ;;
esac

# One at a time: flock is part of every Debian (util-linux). Without it we go on unguarded.
if [ -z "${VMH_VENV_LOCKED:-}" ] && command -v flock >/dev/null 2>&1; then
    [ -w . ] || stop "this folder is not writable for you; clone the repository into a folder of your own"
    VMH_VENV_LOCKED=1 exec flock .venv.lock sh scripts/venv.sh "$want"
fi

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${VMH_PYTHON:-}" ]; then
        fits "$VMH_PYTHON" || stop "VMH_PYTHON=$VMH_PYTHON is not a Python from 3.11 to 3.13"
        printf '%s' "$VMH_PYTHON"
        return
    fi
    for candidate in python3.11 python3 python3.12 python3.13; do
        if fits "$candidate"; then printf '%s' "$candidate"; return; fi
    done
    stop "no Python from 3.11 to 3.13 found. On Debian 12, as root: apt-get install python3 python3-venv"
}

# Where the checkout lies belongs to the sum: see moved() below.
checksum() {
    {
        cat "$1" pyproject.toml
        pwd -P
        "$venv/bin/python" -c 'import sys; print(sys.version, sys.base_prefix)'
    } | sha256sum | cut -d ' ' -f 1
}

fresh() {
    [ -x "$venv/bin/python" ] && "$venv/bin/python" -c '' 2>/dev/null || return 1
    [ "$(cat "$venv/stamp.dev" 2>/dev/null)" = "$(checksum requirements-dev.lock)" ] && return 0
    [ "$want" = run ] && [ "$(cat "$venv/stamp.run" 2>/dev/null)" = "$(checksum requirements.lock)" ]
}

fresh && exit 0

# Programs in .venv/bin name the interpreter by its full path: after a move they start the old one, or none.
moved() { [ -e "$venv/place" ] && [ "$(cat "$venv/place")" != "$(pwd -P)" ]; }
if [ -e "$venv" ] && { moved || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; }; then
    say "$venv is broken or was moved; making it anew"
    rm -rf "$venv"
fi
if [ ! -e "$venv" ]; then
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null \
        || stop "$python has no venv module. On Debian 12, as root: apt-get install python3-venv"
    say "step 1 of 3: making $venv with $("$python" --version)"
    "$python" -m venv "$venv" || { rm -rf "$venv"; stop "could not make $venv (disk full? folder not writable?)"; }
    pwd -P > "$venv/place"
fi

rm -f "$venv/stamp.run" "$venv/stamp.dev" "$venv/failed"
log=$venv/install.log
began=$(date +%s)
passed() { printf '%s s' "$(($(date +%s) - began))"; }
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --no-input "$@"; }

# pip is silent for minutes, or tells everything: a line for every 25 packages lies in between. All of it goes to $log.
tell() {
    seen=0
    while IFS= read -r line; do
        printf '%s\n' "$line" >> "$log"
        case $line in
            Collecting* | Processing* | 'Requirement already'*)
                seen=$((seen + 1))
                [ $((seen % 25)) -ne 0 ] || say "  $seen of $total fetched, $(passed)"
                ;;
            'Installing collected'*) say "  all fetched, unpacking them (half a minute or two), $(passed)" ;;
        esac
    done
}

total=$(grep -c '^[A-Za-z0-9].*==' "$lock")
: > "$log"
say "step 2 of 3: installing the $total packages of $lock (1 to 5 minutes, once)"
# --no-deps: the lock is complete; what it does not name must not come in.
{ pip install --progress-bar off --no-deps --require-hashes -r "$lock" 2>&1 || : > "$venv/failed"; } | tell
if [ -e "$venv/failed" ]; then
    tail -n 15 "$log" >&2
    stop "could not install $lock; pip's message above says why (no network? a proxy? PIP_INDEX_URL?), all of it: $log"
fi
say "step 3 of 3: installing vmh_sync itself, $(passed)"
pip install --quiet --no-deps --no-build-isolation --editable . || stop "could not install vmh_sync itself"
# Written last and moved into place: an interrupted installation leaves no stamp.
checksum "$lock" > "$venv/stamp.new"
mv "$venv/stamp.new" "$venv/stamp.$want"
say "$venv is ready, $(passed); the next call starts at once"
