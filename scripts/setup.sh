#!/usr/bin/env bash
# Makes .venv with the pinned packages, or sees at once that there is nothing to do. `make` calls it; it also runs alone.
# It takes uv where that is installed, else venv and pip. To choose yourself:
#     PYTHON=python3.12 scripts/setup.sh      this Python (3.11 to 3.14)
#     NO_UV=1 scripts/setup.sh                venv and pip although uv is installed
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=.venv
python=$venv/bin/python
stamp=$venv/.installed    # what was installed, word for word; written last, so an interrupted installation leaves none
busy=$venv/.installing    # there while packages are being installed: found at the start, it tells of an interruption

say() { printf '%s\n' "$*" >&2; }
die() { say "setup: $1"; shift; for line in "$@"; do say "    $line"; done; exit 1; }

# Prints what the stamp must say. Fails where .venv has no working Python.
wanted() {
    "$python" -I -S -c 'import sys; print("# Python %d.%d" % sys.version_info[:2])' 2>/dev/null &&
        cat requirements*.txt constraints.txt
}
up_to_date() { [ ! -e "$busy" ] && [ -e "$stamp" ] && wanted | cmp -s - "$stamp"; }

if up_to_date; then exit 0; fi

# One installation at a time, where the machine can tell: a second one waits, and then finds the work done.
if command -v flock >/dev/null; then
    exec 9<scripts/setup.sh
    flock -n 9 || { say "setup: waiting for another installation into $venv ..."; flock 9; }
    if up_to_date; then exit 0; fi
fi

trap 'say; die "interrupted. The next try starts afresh."' INT TERM

# --- find Python -------------------------------------------------------------------------------------------------------

# Sets base (a Python 3.11 to 3.14), pip (yes, no: whether it can make environments with pip) and found (the versions seen).
base='' pip=no found=''
find_python() {
    local names answer name version fit path
    names=(python3.11 python3 python3.12 python3.13 python3.14 python)  # 3.11 first: the versions were tested with it
    if [ -n "${PYTHON:-}" ]; then names=("$PYTHON"); fi
    for name in "${names[@]}"; do
        answer=$("$name" -I -c 'import sys
try:
    import ensurepip, venv
    fit = "pip"
except ImportError:
    fit = "bare"
if not (3, 11) <= sys.version_info < (3, 15):
    fit = "wrong"
print("%d.%d" % sys.version_info[:2], fit, sys.executable)' 2>/dev/null) || continue
        read -r version fit path <<<"$answer"
        case " $found " in *" $version "*) ;; *) found+="${found:+ }$version" ;; esac
        if [ "$fit" = pip ]; then base=$path pip=yes; return; fi
        if [ "$fit" = bare ] && [ -z "$base" ]; then base=$path; fi
    done
}

no_python() {
    local what="Python 3.11, 3.12, 3.13 or 3.14 is needed; found here: ${found:-none}"
    if [ -n "${PYTHON:-}" ]; then
        die "PYTHON=$PYTHON: Python 3.11, 3.12, 3.13 or 3.14 is needed; this is ${found:-not a Python 3 that runs}"
    elif command -v apt-get >/dev/null && [ -z "$found" ]; then
        die "$what" "On Debian and Ubuntu:  sudo apt install python3 python3-venv"
    elif command -v apt-get >/dev/null; then
        die "$what" "On Debian and Ubuntu:  sudo apt install python3.11 python3.11-venv" \
            "                  or:  sudo apt install python3.12 python3.12-venv" \
            "Where apt has neither, install uv (https://docs.astral.sh/uv/), which brings a Python along."
    elif [ "$(uname)" = Darwin ]; then
        die "$what" "On a Mac:  brew install python@3.12   (or take it from https://www.python.org/downloads/)"
    fi
    die "$what" "Install one with the system's package manager or from https://www.python.org/downloads/"
}

no_venv() {
    local version
    version=$("$base" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    die "Python $version ($base) cannot make an environment: it lacks venv's part ensurepip." \
        "On Debian and Ubuntu:  sudo apt install python3-venv" \
        "or, where that is not enough:  sudo apt install python$version-venv" \
        "Then run the same command again."
}

# --- make the environment and install ----------------------------------------------------------------------------------

remove() { rm -rf "$venv" || die "$venv cannot be removed (see above)."; }

# An environment that can be built upon: not left behind by an interruption, its Python (and pip) working.
usable() {
    [ ! -e "$busy" ] || { say "setup: the last installation did not finish; starting afresh"; return 1; }
    "$python" -I -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null || return 1
    [ "$1" = uv ] || "$python" -I -m pip --version >/dev/null 2>&1
}

# Whether a failed installation left every package whole (both installers write RECORD last).
whole() {
    local package
    for package in "$venv"/lib/python*/site-packages/*.dist-info; do [ -e "$package/RECORD" ] || return 1; done
}

find_python
if [ -z "${NO_UV:-}" ] && command -v uv >/dev/null; then by=uv; else by=pip; fi

if [ ! -d "$venv" ] || ! usable $by; then
    if [ $by = uv ]; then
        remove
        uv venv -q --python "${base:-${PYTHON:-3.11}}" "$venv" || no_python
    else
        if [ -z "$base" ]; then no_python; fi
        if [ $pip = no ]; then no_venv; fi
        remove
        if ! answer=$("$base" -I -m venv "$venv" 2>&1); then
            rm -rf "$venv"
            case $answer in *ensurepip*) no_venv ;; esac
            die "$base cannot make an environment:" "$answer"
        fi
    fi
fi

say "setup: installing the packages into $venv with $by; the first time takes minutes (3 GB to download, 7 GB on disk)"
: >"$busy"
rm -f "$stamp"
quiet=-qq                          # errors only ...
if [ -t 1 ]; then quiet=; fi       # ... but a person sees what is going on
if [ $by = uv ]; then
    uv pip install ${quiet:+-q} --python "$python" --compile-bytecode -r requirements-dev.txt -c constraints.txt && ok=yes || ok=no
else
    # --use-pep517: pip before 23.1 else builds old packages in an old way, with warnings.
    PIP_DISABLE_PIP_VERSION_CHECK=1 "$python" -m pip install $quiet --use-pep517 -r requirements-dev.txt -c constraints.txt &&
        ok=yes || ok=no
fi
if [ "$ok" = no ]; then
    if whole; then rm -f "$busy"; fi
    if [ $by = uv ]; then hint="To try with pip instead:  NO_UV=1 make setup"; else hint="Then run the same command again."; fi
    die "the packages could not be installed (see above)." \
        "Is there a connection, and are 12 GB free on the disk?" "$hint"
fi

wanted >"$stamp.new"
mv "$stamp.new" "$stamp"
rm -f "$busy"
say "setup: $venv is ready"
if ! command -v make >/dev/null; then
    say "setup: make is missing (on Debian and Ubuntu: sudo apt install make); without it, start with  $python app.py"
fi
