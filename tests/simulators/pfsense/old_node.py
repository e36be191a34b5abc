# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand-in of a pfSense node without Python: files and programs under a directory that say what tests/fixtures/pfsense-handwritten has of a release.

The shell and awk are real ones of this machine; all other programs only say what was written for them.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Sequence

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw.conversation import command, script

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "pfsense-handwritten"
RELEASES = ("2.0.3", "2.1.5", "2.3.5", "2.4.5-p1")
WORD = "0123456789abcdef0123456789abcdef"
CONFIG = "cf/conf/config.xml"
_TELL = '#!/bin/sh\nIFS=_\nfile="${0%/bin/*}/told/${0##*/}_$*"\n[ -r "$file" ] || { echo "${0##*/}: not known" >&2; exit 1; }\ncat "$file"\n'
_SYSCTL = "#!/bin/sh\ngrep \"^$1: \" \"${0%/bin/*}/told/sysctl\" || { echo \"sysctl: unknown oid '$1'\" >&2; exit 1; }\n"


class OldNode:
    """One node.

    Attributes:
        root: its files.
        awk: the machine's program that is awk there: ``mawk``, ``original-awk`` or ``busybox``.
    """

    def __init__(self, root: Path, release: str, awk: str = "mawk") -> None:
        self.root, self.awk = root, awk
        for folder in ("etc", "cf/conf", "told", "bin"):
            (root / folder).mkdir(parents=True)
        (root / CONFIG).write_bytes((FIXTURES / f"{release}.xml").read_bytes())
        for name, text in re.findall(r"^== (\S+)\n(.*?)(?=^== |\Z)", (FIXTURES / f"{release}.txt").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            (root / (name[1:] if name.startswith("/") else f"told/{name}")).write_text(text, encoding="utf-8")
        for program in ("ifconfig", "netstat", "pfctl"):
            self.program(program, _TELL)
        self.program("sysctl", _SYSCTL)
        self.program("date", "#!/bin/sh\necho 1790000000\n")
        for name, real in (("cat", "cat"), ("grep", "grep"), ("awk", awk)):
            (root / "bin" / name).symlink_to(shutil.which(real) or f"/no/{real}")

    def program(self, name: str, text: str) -> None:
        """Put a program there."""
        path = self.root / "bin" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def config(self, old: str, new: str) -> None:
        """Change the configuration."""
        text = (self.root / CONFIG).read_text(encoding="utf-8")
        assert old in text
        (self.root / CONFIG).write_text(text.replace(old, new), encoding="utf-8")

    def without(self, path: str) -> None:
        """Take a file away."""
        (self.root / path).unlink()

    def run(self, shell: Sequence[str] = (), wrapped: int = 0) -> bytes:
        """What the command prints, run by sh itself, or by another shell that finds it so many times wrapped into a sh."""
        arguments = str(self.root), str(self.root / "bin")
        line = command(WORD, *arguments)
        for _time in range(wrapped):
            line = "/bin/sh -c " + shlex.quote(line + " && sleep 0")
        argv = [*shell, line] if shell else ["/bin/sh", "-c", script(WORD, *arguments)]
        return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.root, timeout=60, check=False).stdout
