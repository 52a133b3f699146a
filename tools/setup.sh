#!/bin/sh
# Sets up this checkout: system packages, .venv, Python packages. Quick and silent when already done.
#   sh tools/setup.sh run     what the program needs
#   sh tools/setup.sh test    also what its tests need (a screen and a sound server of their own)
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-run}

# gcc, the Python headers and PortAudio's: PyAudio has no Linux wheel and is compiled. The rest are the libraries that a
# window, a GL context and sound are opened through.
run_packages="ca-certificates gcc libc6-dev portaudio19-dev libasound2-plugins libgl1 libegl1 libgl1-mesa-dri libglx-mesa0
  libegl-mesa0 libxrandr2 libxinerama1 libxcursor1 libxi6 libxxf86vm1 libxext6 libxrender1 libx11-xcb1"
test_packages="xvfb xdotool x11-apps imagemagick"

fail() { printf 'setup: %s\n' "$1" >&2; exit 1; }

# --- Python ---------------------------------------------------------------------------------------------------------
python=${PYTHON:-}
if [ -z "$python" ]; then
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 &&
       "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$candidate; break
    fi
  done
  [ -n "$python" ] || fail "Python 3.11 or newer is needed; install it, or name it: PYTHON=/path/to/python3 make setup"
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  fail "$python is not a Python 3.11 or newer; name another: PYTHON=/path/to/python3 make setup"

# A distribution's Python keeps its headers and ensurepip in packages of their own; any other Python brings them along.
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
"$python" -c 'import ensurepip, venv' 2>/dev/null || run_packages="$run_packages python$version-venv"
header=$("$python" -c 'import os, sysconfig; print(os.path.join(sysconfig.get_path("include"), "Python.h"))')
[ -e "$header" ] || run_packages="$run_packages python$version-dev"

# --- system packages ------------------------------------------------------------------------------------------------
wanted=$run_packages
if [ "$purpose" = test ]; then
  wanted="$wanted $test_packages"
  # The tests start a sound server of their own. Where one is installed it is used; pactl and friends come with -utils.
  command -v pulseaudio >/dev/null 2>&1 || wanted="$wanted pulseaudio"
  command -v parec >/dev/null 2>&1 || wanted="$wanted pulseaudio-utils"
  # MIDI ports where the kernel has none: a sound server without a sound card
  command -v jackd >/dev/null 2>&1 || wanted="$wanted jackd2"
fi
if command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
  missing=""
  for package in $wanted; do
    case "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" in
      "install ok installed") ;;
      *) missing="$missing $package" ;;
    esac
  done
  if [ -n "$missing" ]; then
    sudo=""
    if [ "$(id -u)" -ne 0 ]; then
      command -v sudo >/dev/null 2>&1 || fail "these system packages are missing; install them as root:$missing"
      sudo=sudo
    fi
    echo "setup: installing system packages:$missing"
    # --no-remove: on a desktop with another sound server, better to stop than to take it away
    $sudo apt-get update -qq || echo "setup: the package lists could not be refreshed; trying with those at hand" >&2
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-remove $missing \
      >.setup.log 2>&1 || { tail -n 20 .setup.log >&2; fail "apt-get could not install:$missing (see .setup.log)"; }
    rm -f .setup.log
  fi
elif [ ! -e .venv/.setup-done ]; then
  cat >&2 <<'LIST'
setup: no apt here. If something below fails, install with your package manager:
  PortAudio with headers, a C compiler, Python's headers   (macOS: brew install portaudio; Fedora: dnf install
     portaudio-devel gcc python3-devel; Arch: pacman -S portaudio gcc)
  OpenGL 3.3 and EGL libraries   (Fedora: dnf install mesa-libGL mesa-libEGL; Arch: pacman -S mesa)
  for the tests only: pulseaudio, pulseaudio-utils, Xvfb, xdotool, xwd, ImageMagick
LIST
fi

# --- .venv ----------------------------------------------------------------------------------------------------------
# What was installed from: when any of it changes, pip runs again; otherwise it is not even started.
stamp=$(cat pyproject.toml constraints.txt visualizer/__init__.py | cksum)" $version $(pwd)"
if [ -e .venv/.setup-done ] && [ "$(cat .venv/.setup-done)" = "$stamp" ] && .venv/bin/python -c '' 2>/dev/null; then
  exit 0
fi
if ! .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "setup: making .venv with $("$python" --version)"
  rm -rf .venv
  "$python" -m venv .venv || fail "no virtual environment could be made with $python; is its venv module installed?"
fi
echo "setup: installing Python packages (torch is large: this takes a few minutes the first time)"
.venv/bin/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[dev]' ||
  fail "pip could not install the packages pinned in constraints.txt (its message is above)"
# an independent Inception 5h that the tests compare ours with; it asks for packages that the comparison does not need
.venv/bin/python -m pip install --disable-pip-version-check -q --no-deps -c constraints.txt torch-lucent ||
  echo "setup: torch-lucent could not be installed; the tests that compare Inception 5h with it are skipped" >&2
printf '%s' "$stamp" >.venv/.setup-done
