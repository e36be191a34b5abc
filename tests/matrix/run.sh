#!/usr/bin/env bash
# The versions that .venv does not have: the other ansible-core of the controller, and the oldest Python of the nodes. What this machine has no
# interpreter for is left out, and the last line says so.
set -euo pipefail
cd "$(dirname "$0")/../.."
passed=()
left_out=()
declare -A environment_of  # by version of ansible-core

# interpreter VERSION: its path, in PATH or of a version manager.
interpreter() {
  command -v "python$1" || compgen -G "$(pyenv root 2>/dev/null)/versions/$1.*/bin/python$1" | tail -1 | grep .
}

# environment FOLDER PYTHON REQUIREMENT...: a virtual environment, made anew when one of these changes.
environment() {
  local folder=$1 wanted="${*:2}"
  if [ "$(cat "$folder/.made-of" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$folder"
    "$2" -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "${@:3}" 2> >(grep -v '^WARNING: Location' >&2)
    echo "$wanted" > "$folder/.made-of"
  fi
}

# quietly COMMAND...: its output only when it fails; a warning of Ansible is a failure too.
quietly() {
  echo "$*"
  "$@" > build/matrix/output.txt 2>&1 || { cat build/matrix/output.txt; return 1; }
  ! grep -A 3 WARNING build/matrix/output.txt
}

# modules CORE PYTHON VERSION: modules run for real by the ansible-core of that environment, with that Python on the "node", in a network namespace.
modules() {
  quietly unshare --net "$1/bin/ansible-playbook" -i node, -c local -e "ansible_python_interpreter=$2 matrix_python=$3" tests/matrix/modules.yml
}

# real_nodes CORE: a cluster made and verified.
real_nodes() {
  local lab=other-core
  trap "python molecule/shared/lab.py down --name $lab" EXIT
  python molecule/shared/lab.py up --name "$lab" 2> /dev/null
  quietly "$1/bin/ansible-playbook" -i "build/$lab/inventory.yml" hafirewall.cluster.site
  quietly "$1/bin/ansible-playbook" -i "build/$lab/inventory.yml" -e "verify_directory=$PWD/build/matrix/verify" hafirewall.cluster.verify
  python molecule/shared/lab.py down --name "$lab"
}

# core VERSION PYTHON: the collection on this ansible-core, unless .venv has it: that is what all the other tests run on. Test doubles of nodes do not know
# about either, so their own tests are left to make units, and those on pfSense's have the newest of its generations. Providers of the BSDs, and LAGGs, where
# each test waits for programs, are left to make units and to the oldest Python. So are playbooks on doubles, which reach into ansible-core where it differs;
# those on real nodes follow.
core() {
  local folder=build/matrix/core-$1 python
  if [[ $(.venv/bin/python -c 'import ansible.release as release; print(release.__version__)') = "$1".* ]]; then environment_of[$1]=.venv; return; fi
  if ! python=$(interpreter "$2"); then left_out+=("ansible-core $1 (no Python $2 on this machine)"); return; fi
  echo "== ansible-core $1 on Python $2"
  environment "$folder" "$python" "ansible-core==$1.*" $(grep -E '^(hypothesis|pytest|pytest-xdist) ' tests/requirements.txt | tr -d ' ')
  HAFW_HYPOTHESIS=glance HAFW_PFSENSE=2.9.0-RELEASE "$folder/bin/python" -m pytest -n auto tests/unit \
    --ignore-glob='*/simulators/test_*' --ignore=tests/unit/playbooks --ignore-glob='*/_platforms/*bsd/*' --ignore-glob='*/test_pfsense_lagg.py'
  modules "$folder" "$python" "$2"
  real_nodes "$folder"
  environment_of[$1]=$folder
  passed+=("ansible-core $1 on Python $2")
}

# node VERSION CORE: node code on this Python, with the module_utils that this ansible-core sends to a node, and nothing else of Ansible. Of the
# generations of pfSense, 2.6 is the one that has a Python so old. LAGGs of the BSDs, where each test waits for scripts of a shell, are left to make units.
node() {
  local folder=build/matrix/node-$1 core=${environment_of[$2]:-} python utils
  if [ -z "$core" ]; then left_out+=("node code on Python $1 (ansible-core $2 is the last that supports it, and is left out)"); return; fi
  if ! python=$(interpreter "$1"); then left_out+=("node code on Python $1 (no such Python on this machine)"); return; fi
  echo "== node code on Python $1"
  environment "$folder" "$python" hypothesis pytest pytest-xdist PyYAML
  utils=$("$core/bin/python" -c 'import ansible.module_utils as utils; print(utils.__path__[0])')
  mkdir -p "$folder/ansible"
  touch "$folder/ansible/__init__.py"
  ln -sfn "$utils" "$folder/ansible/module_utils"
  HAFW_HYPOTHESIS=glance HAFW_PFSENSE=2.6.0-RELEASE PYTHONPATH=$folder "$folder/bin/python" -m pytest -n auto \
    tests/unit/plugins/module_utils tests/unit/plugins/modules tests/unit/plugins/test_node_code.py \
    --ignore-glob='*_lagg_way_back.py' --ignore-glob='*_lagg_change.py' --ignore-glob='*/test_freebsd_lagg.py'
  modules "$core" "$python" "$1"
  passed+=("node code on Python $1")
}

core 2.19 3.11
core 2.21 3.12
node 3.8 2.19

[ ${#passed[@]} -gt 0 ] || passed=("nothing beside what .venv has")
joined() { local IFS=';'; sed 's/;/; /g' <<< "$*"; }
echo "make matrix: passed: $(joined "${passed[@]}")${left_out:+. LEFT OUT, not tested: $(joined "${left_out[@]}")}"
