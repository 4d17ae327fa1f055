#!/bin/sh
# Change the pure core in one place after the other and see whether its fast tests notice (mutmut).
#   sh scripts/mutation.sh                         all modules of scripts/mutation.toml
#   sh scripts/mutation.sh 'vmh_sync.sync.merge*'  the mutants whose names match
# Prints the score of each module and the mutants that no test noticed; `show` below says how to look at one.
# It works on copies in .mutation, with mutmut in a venv of its own there, so that neither the sources nor the lock
# files know of it. Results of unchanged functions are kept for the next run; rm -rf .mutation starts anew.
set -eu
cd "$(dirname "$0")/.."
pinned=mutmut==3.8.1
place=.mutation
bin=$place/venv/bin

if [ ! -x "$bin/mutmut" ]; then
    rm -rf "$place/venv"
    .venv/bin/python -m venv "$place/venv"
    # The product's libraries come from .venv; a path file is not followed into another one, so vmh_sync does not.
    .venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
        > "$("$bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/product.pth"
    "$bin/python" -m pip --disable-pip-version-check --no-input install --quiet "$pinned"
fi

rm -rf "$place/vmh_sync" "$place/vmh_sync_tests"
cp -pR vmh_sync vmh_sync_tests "$place"
cp scripts/mutation.toml "$place/pyproject.toml"
cd "$place"
nice -n 10 venv/bin/mutmut run --max-children "${VMH_MUTATION_PROCESSES:-2}" "$@"

# What was not run in this call ("not checked") does not count.
venv/bin/mutmut results --all true | awk '
    NF == 2 && $2 != "not" && $1 ~ /:$/ {
        module = name = $1
        sub(/:$/, "", name); sub(/\.[^.]*$/, "", module)
        if ($2 == "killed" || $2 == "timeout") killed[module]++; else left[++kept] = name " " $2
        seen[module]++
    }
    END {
        for (module in seen) {
            printf "%-32s %4d of %4d  %5.1f %%\n", module, killed[module], seen[module], 100 * killed[module] / seen[module] | "sort"
            all += seen[module]; caught += killed[module]
        }
        close("sort")
        printf "%-32s %4d of %4d  %5.1f %%\n", "all", caught, all, all ? 100 * caught / all : 0
        print "not noticed (.mutation/venv/bin/mutmut show NAME, in .mutation):"
        for (number = 1; number <= kept; number++) print "  " left[number]
    }'
