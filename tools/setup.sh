#!/bin/sh
# Sets up this checkout: system packages, a virtual environment, Python packages. Quick and silent when already done.
#   sh tools/setup.sh run      what the program and its performer's extras need
#   sh tools/setup.sh dev      also linters and the packages of the tests
#   sh tools/setup.sh test     also the screen and the sound server of the tests
#   sh tools/setup.sh oldest   as test, in .venv-oldest, with the oldest versions that pyproject.toml allows
#   TORCH=cpu|cuda             which build of torch, on Linux; without it: the CUDA build where an NVIDIA driver is loaded
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-run}
cpu_index=https://download.pytorch.org/whl/cpu

fail() { printf 'setup: %s\n' "$1" >&2; exit "${2:-1}"; }

# Runs a command with its output in .setup.log; if it fails, its last lines are shown. logged WAY-OUT COMMAND ARGUMENT...
logged() {
  way_out=$1; shift
  "$@" >>.setup.log 2>&1 || { tail -n 20 .setup.log >&2; fail "$way_out (all of the output: .setup.log)"; }
}

case "${TORCH-}" in
  "" | cpu) ;;
  cuda) [ "$(uname -s)" = Linux ] || fail "TORCH=cuda: torch has a CUDA build for Linux only; leave TORCH out" 2 ;;
  *) fail "TORCH=$TORCH is neither cpu nor cuda; name one of them or leave TORCH out" 2 ;;
esac
case $purpose in
  run) extras=gig venv=.venv ;;
  dev | test) extras=dev venv=.venv ;;
  oldest) extras=dev venv=.venv-oldest ;;
  *) fail "$purpose is not one of: run, dev, test, oldest" 2 ;;
esac

# gcc, the Python headers and PortAudio's: PyAudio has no Linux wheel and is compiled. The rest are the libraries that a
# window, a GL context and sound are opened through.
run_packages="ca-certificates gcc libc6-dev portaudio19-dev libasound2-plugins libgl1 libegl1 libgl1-mesa-dri libglx-mesa0
  libegl-mesa0 libxrandr2 libxinerama1 libxcursor1 libxi6 libxxf86vm1 libxext6 libxrender1 libx11-xcb1"
# moderngl and glcontext have Linux wheels for x86_64 only
[ "$(uname -m)" = x86_64 ] || run_packages="$run_packages g++ libx11-dev"
test_packages="xvfb xdotool x11-apps imagemagick pipewire pipewire-bin pipewire-pulse wireplumber dbus weston
  glslang-tools"

# --- Python ---------------------------------------------------------------------------------------------------------
is_new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
python=${PYTHON:-}
if [ -z "$python" ]; then
  if "$venv/bin/python" -c "import pip; $is_new_enough" 2>/dev/null; then
    python=$venv/bin/python
  else
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
      if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c "$is_new_enough" 2>/dev/null; then
        python=$candidate; break
      fi
    done
  fi
  [ -n "$python" ] || fail "Python 3.11 or newer is needed; install it, or name it: PYTHON=/path/to/python3 make setup"
fi
"$python" -c "$is_new_enough" 2>/dev/null ||
  fail "$python is not a Python 3.11 or newer; name another: PYTHON=/path/to/python3 make setup"

# A distribution's Python keeps its headers and ensurepip in packages of their own; any other Python brings them along.
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
"$python" -c 'import ensurepip, venv' 2>/dev/null || run_packages="$run_packages python$version-venv"
header=$("$python" -c 'import os, sysconfig; print(os.path.join(sysconfig.get_path("include"), "Python.h"))')
[ -e "$header" ] || run_packages="$run_packages python$version-dev"

# --- system packages ------------------------------------------------------------------------------------------------
wanted=$run_packages
if [ "$purpose" = test ] || [ "$purpose" = oldest ]; then
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
    $sudo apt-get update -qq >.setup.log 2>&1 ||
      echo "setup: the package lists could not be refreshed; trying with those at hand" >&2
    logged "apt-get could not install:$missing" $sudo env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends --no-remove $missing
  fi
elif [ ! -e "$venv" ]; then
  cat >&2 <<'LIST'
setup: no apt here. If something below fails, install with your package manager:
  PortAudio with headers, a C compiler, Python's headers   (macOS: brew install portaudio; Fedora: dnf install
     portaudio-devel gcc python3-devel; Arch: pacman -S portaudio gcc)
  OpenGL 3.3 and EGL libraries   (Fedora: dnf install mesa-libGL mesa-libEGL; Arch: pacman -S mesa)
  for the tests only: pulseaudio, pulseaudio-utils, Xvfb, xdotool, xwd, ImageMagick, glslangValidator
LIST
fi

# --- the virtual environment ----------------------------------------------------------------------------------------
# What was installed from: when any of it changes, pip runs again; otherwise it is not even started.
stamp=$(cat pyproject.toml constraints.txt visualizer/__init__.py tools/setup.sh tools/oldest.py | cksum)" $version $(pwd)"
torch=$(cat "$venv/.torch" 2>/dev/null || true)
if [ "$(cat "$venv/.setup-$extras" 2>/dev/null)" = "$stamp" ] && [ "${TORCH:-$torch}" = "$torch" ] &&
   "$venv/bin/python" -c '' 2>/dev/null; then
  exit 0
fi
: >.setup.log
if ! "$venv/bin/python" -c "import pip, sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
  echo "setup: making $venv with $("$python" --version)"
  rm -rf "$venv"
  torch=
  logged "no virtual environment could be made with $python; is its venv module installed?" "$python" -m venv "$venv"
fi
pip() {  # pip COMMAND ARGUMENT...
  logged "pip could not install the packages; check the network and the free disk space (df -h .), then run the same again" \
    env PIP_PROGRESS_BAR=off "$venv/bin/python" -m pip --disable-pip-version-check "$@"
}
pins=constraints.txt
if [ "$purpose" = oldest ]; then
  pins=$venv/oldest.txt
  "$python" tools/oldest.py >"$pins"
fi

# --- torch ----------------------------------------------------------------------------------------------------------
# On Linux the package index has the CUDA build, about 3 GB of downloads with what it needs. The CPU build, 200 MB, is on
# an index of its own, and only torch itself is taken from there. Elsewhere there is one build for each machine.
release=$(sed -n 's/^torch==//p' constraints.txt)
installed=$("$venv/bin/python" -c 'from importlib.metadata import version; print(version("torch"))' 2>/dev/null || true)
if [ -n "${TORCH-}" ]; then
  torch=$TORCH why="TORCH=$TORCH"
elif [ -n "$torch" ]; then
  why="as before; TORCH=cpu or TORCH=cuda changes it"
elif [ -e /proc/driver/nvidia/version ] || nvidia-smi -L >/dev/null 2>&1; then
  torch=cuda why="an NVIDIA driver is loaded; TORCH=cpu chooses the CPU build"
else
  torch=cpu why="no NVIDIA driver is loaded; TORCH=cuda chooses the CUDA build"
fi
if [ "$(uname -s)" != Linux ]; then
  :
elif [ "$torch" = cuda ]; then
  echo "setup: torch $release, CUDA build ($why)"
  case $installed in
    "$release" | "$release"+cu*) ;;
    *) pip install --no-deps "torch===$release" ;;  # three =: not the CPU build, whose version is $release+cpu
  esac
elif [ "$torch" = cpu ]; then
  if [ "$installed" != "$release+cpu" ] &&
     ! "$venv/bin/python" -m pip index versions torch --index-url "$cpu_index" --retries 0 --timeout 5 2>>.setup.log |
       grep -q "^Available versions:.*[ ]$release+cpu\(,\|\$\)"; then
    [ -z "${TORCH-}" ] || fail "TORCH=cpu: $cpu_index does not answer, or has no torch $release for Python $version; leave TORCH out"
    torch=default
    echo "setup: torch $release, default build: $cpu_index has no CPU build for Python $version or does not answer;" \
      "this may download 3 GB"
  else
    echo "setup: torch $release, CPU build ($why)"
    [ "$installed" = "$release+cpu" ] || pip install --no-deps --index-url "$cpu_index" "torch==$release+cpu"
  fi
fi

echo "setup: installing Python packages (some minutes the first time; .setup.log shows the progress)"
pip uninstall -y visualizer  # the name of this distribution until November 2026
pip install -c "$pins" -e ".[$extras]"
if [ "$extras" = dev ]; then
  # an independent Inception 5h that the tests compare ours with; it asks for packages that the comparison does not need
  pip install --no-deps -c "$pins" torch-lucent
  printf '%s' "$stamp" >"$venv/.setup-gig"
fi
echo "$torch" >"$venv/.torch"
printf '%s' "$stamp" >"$venv/.setup-$extras"
