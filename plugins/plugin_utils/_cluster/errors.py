# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with an intent, collected so that everything is said at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or worth a warning.

    Attributes:
        path: where in the intent, as ``hafirewall_cluster.virtual_ips[1].id``.
        host: inventory name of the node that it concerns; None for the whole cluster.
        problem: what is wrong.
        remedy: what to do.
    """

    path: str
    host: str | None
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = self.path if self.host is None else f"{self.path} ({self.host})"
        return f"{where}: {self.problem}; {self.remedy}"

    def as_dict(self) -> dict[str, str | None]:
        """The same for a task's result."""
        return {"path": self.path, "host": self.host, "problem": self.problem, "remedy": self.remedy}


class IntentError(Exception):
    """The intent cannot become a plan. All reasons are in ``problems``, one a line in the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass
class Findings:
    """Collects errors and warnings while an intent is read and judged."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def at(self, host: str | None = None) -> Scope:
        """Where findings about one node (or, without a host, about the whole cluster) go."""
        return Scope(self, host)


@dataclass(frozen=True)
class Scope:
    """Findings about one node or about the whole cluster."""

    findings: Findings
    host: str | None

    def refuse(self, path: str, problem: str, remedy: str) -> None:
        """Note an error."""
        self.findings.errors.append(Problem(path, self.host, problem, remedy))

    def warn(self, path: str, problem: str, remedy: str) -> None:
        """Note something that is legal but that a person should know."""
        self.findings.warnings.append(Problem(path, self.host, problem, remedy))
