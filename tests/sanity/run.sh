#!/usr/bin/env bash
# ansible-test sanity, without ignores, on a copy of the tracked files: it refuses to run outside .../ansible_collections/NAMESPACE/NAME,
# and a link does not help. It wants to download get-pip; ensurepip of the interpreter at hand does the same without the internet.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
python=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
export HOME=$root/build/sanity/home
copy=$root/build/sanity/ansible_collections/hafirewall/cluster
rm -rf "$copy" && mkdir -p "$copy" "$HOME/.ansible/test/cache"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do [ -e "$file" ] && printf '%s\0' "$file"; done \
  | tar --null -T - -cf - | tar -xf - -C "$copy"
for version in 24_2 25_2; do
  printf 'import ensurepip\nensurepip.bootstrap()\n' > "$HOME/.ansible/test/cache/get_pip_$version.py"
done
cd "$copy"
git init -q . && git add -A
unset ANSIBLE_COLLECTIONS_PATH ANSIBLE_CONFIG
exec ansible-test sanity --venv --python "$python" --color no "$@"
