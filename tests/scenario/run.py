#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one scenario: commands, and what must come back.

usage: run.py --vigie PROGRAM [--update] FILE.scenario

    # a comment
    needs data                     skip unless scripts/data has prepared the demo's tables; their folder is $DATA
    needs series                   likewise its real series, $DATA/series
    copy examples                  copies a folder of the source tree into the working folder
    file ref.csv:                  makes a file of the lines that follow, each behind two blanks
      age,country
      41,FR
    bytes bad.csv: a,b\\n1,\\0\\n    makes a file of an escaped string
    $ vigie profile ref.csv        runs in bash, in a new empty folder; `vigie` is the program under test
      a line of standard output    behind two blanks; `…` inside a line is any text, `…` alone any number of lines
    ! a line of standard error     likewise
    = 2                            the exit status; 0 when nothing is said
    @ windows[0].verdict == "ok"   of the JSON document (the last line's) on standard output: == != < <= > >= in
    readme README.md               runs every line `vigie …` of the page's ```sh blocks; each must succeed

Standard output and standard error must be empty where nothing is said of them (`@` is saying). A failure with status 2
or 3 must always explain itself in one to three lines of standard error. Status 77: skipped.
"""
import argparse
import json
import operator
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT = 600
COMPARE = {"==": operator.eq, "!=": operator.ne, "<=": operator.le, ">=": operator.ge, "<": operator.lt,
           ">": operator.gt, "in": lambda a, b: a in b}
CRASH = re.compile(r"AddressSanitizer|ThreadSanitizer|runtime error:|terminate called|Assertion .* failed")


class Command:
    def __init__(self, line, text):
        self.line, self.text = line, text
        self.out, self.err, self.json, self.status = [], [], [], 0


def parse(path):
    """A list of (kind, …) steps."""
    steps, lines, i = [], path.read_text().splitlines(), 0
    while i < len(lines):
        line, i = lines[i], i + 1
        here = f"{path.name}:{i}"
        command = steps[-1][1] if steps and steps[-1][0] == "run" else None
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("$ "):
            steps.append(("run", Command(i, line[2:])))
        elif line.startswith("file ") and line.endswith(":"):
            text = []
            while i < len(lines) and (lines[i].startswith("  ") or not lines[i].strip()):
                text.append(lines[i][2:])
                i += 1
            while text and not text[-1]:
                text.pop()
            steps.append(("write", line[5:-1], ("\n".join(text) + "\n").encode()))
        elif line.startswith("bytes "):
            name, _, text = line[6:].partition(": ")
            steps.append(("write", name, text.encode("latin-1").decode("unicode_escape").encode("latin-1")))
        elif line.startswith(("needs ", "copy ", "readme ")):
            steps.append(tuple(line.split(maxsplit=1)))
        elif command and line.startswith("  "):
            command.out.append(line[2:])
        elif command and line.startswith("! "):
            command.err.append(line[2:])
        elif command and line.startswith("= "):
            command.status = int(line[2:])
        elif command and line.startswith("@ "):
            command.json.append(line[2:])
        else:
            sys.exit(f"{here}: not understood: {line}")
    return steps


def matches(expected, got):
    """Whether the lines are as expected; `…` is any text in a line, and any number of lines when alone."""
    pattern = ""
    for line in expected:
        pattern += r"(?:[^\n]*\n)*" if line == "…" else ".*".join(re.escape(p) for p in line.split("…")) + r"\n"
    return re.fullmatch(pattern, got if got.endswith("\n") or not got else got + "\n") is not None


def look_up(document, path):
    for name, index in re.findall(r"([A-Za-z_][\w]*)|\[([^\]]+)\]", path):
        if name:
            document = document[name]
        elif re.fullmatch(r"-?\d+", index):
            document = document[int(index)]
        else:  # [column=age]: the first element whose member has that text
            key, _, value = index.partition("=")
            document = next(e for e in document if str(e.get(key)) == value)
    return len(document) if path.endswith("#") else document


def check_json(claim, out):
    path, name, value = re.fullmatch(r"(\S+) (==|!=|<=|>=|<|>|in) (.*)", claim).groups()
    got = look_up(json.loads(out.strip().splitlines()[-1] if out.lstrip()[:1] != "{" or "\n{" in out else out), path)
    return None if COMPARE[name](got, json.loads(value)) else f"{claim}: it is {json.dumps(got)}"


def run(command, folder, env):
    """What is wrong with it: a list of texts."""
    done = subprocess.run(["bash", "-c", command.text], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=TIMEOUT)
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    wrong = []
    if done.returncode != command.status:
        wrong.append(f"status {done.returncode}, expected {command.status}")
    if not command.json and not matches(command.out, out):
        wrong.append("standard output is not as expected")
    if not matches(command.err, err):
        wrong.append("standard error is not as expected")
    if command.status in (2, 3) and not 1 <= len(err.splitlines()) <= 3:
        wrong.append(f"a failure takes one to three lines of standard error, not {len(err.splitlines())}")
    if CRASH.search(err) or done.returncode < 0 or done.returncode > 125:
        wrong.append("it crashed")
    for claim in command.json:
        try:
            problem = check_json(claim, out)
        except (ValueError, KeyError, IndexError, TypeError, StopIteration, AttributeError) as e:
            problem = f"{claim}: {type(e).__name__}: {e}"
        if problem:
            wrong.append(problem)
    if wrong:
        wrong += ["  " + x for x in out.splitlines()[:40]] + ["! " + x for x in err.splitlines()[:40]]
    return wrong, (done.returncode, out, err)


def readme_commands(page):
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.S):
        for line in block.splitlines():
            if line.startswith("vigie "):
                yield line
            elif line.startswith("scripts/") and not os.access(ROOT / line.split()[0], os.X_OK):
                sys.exit(f"{page.name}: {line}: there is no such script")


def update(path, said):
    """Writes what came back into the scenario, in place of what was expected and wrong; for reading before a commit."""
    lines, out, replacing = path.read_text().splitlines(), [], False
    for number, line in enumerate(lines, 1):
        if number in said:
            status, stdout, stderr = said[number]
            out.append(line)
            out += ["  " + x for x in stdout.splitlines()] + ["! " + x for x in stderr.splitlines()]
            out += [f"= {status}"] if status else []
            replacing = True
        elif not (replacing and line[:2] in ("  ", "! ", "= ")):
            replacing = False
            out.append(line)
    path.write_text("\n".join(out) + "\n")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--vigie", required=True)
    ap.add_argument("--update", action="store_true", help="write what came back into the file")
    ap.add_argument("scenario", type=pathlib.Path)
    args = ap.parse_args()
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    data = os.environ.get("VIGIE_DATA") or os.path.join(cache, "vigie", "data")
    failures, commands, said = 0, 0, {}
    with tempfile.TemporaryDirectory(prefix="vigie-scenario-") as top:
        folder, programs, home = (pathlib.Path(top) / n for n in ("work", "bin", "home"))
        for made in (folder, programs, home):
            made.mkdir()
        (programs / "vigie").symlink_to(pathlib.Path(args.vigie).resolve())
        env = {"PATH": f"{programs}:{os.environ.get('PATH', '/usr/bin:/bin')}", "HOME": str(home), "TZ": "UTC",
               "LC_ALL": "C.UTF-8", "COLUMNS": "80", "NO_COLOR": "1", "SOURCE": str(ROOT), "DATA": data}
        env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        for step in parse(args.scenario):
            if step[0] == "needs":
                needed = {"data": "reference.csv", "series": "series"}.get(step[1])
                if not needed:
                    sys.exit(f"{args.scenario.name}: needs what? {step[1]}")
                if not os.path.exists(os.path.join(data, needed)):
                    print(f"skipped: {needed} is not there (scripts/data makes it)")
                    return 77
            elif step[0] == "copy":
                shutil.copytree(ROOT / step[1], folder, dirs_exist_ok=True)
            elif step[0] == "write":
                (folder / step[1]).parent.mkdir(parents=True, exist_ok=True)
                (folder / step[1]).write_bytes(step[2])
            else:
                todo = [step[1]]
                if step[0] == "readme":
                    todo = [Command(0, line) for line in readme_commands(ROOT / step[1])]
                    for command in todo:
                        command.out = command.err = ["…"]
                for command in todo:
                    commands += 1
                    wrong, came = run(command, folder, env)
                    if wrong:
                        failures += 1
                        said[command.line] = came
                        print(f"{args.scenario.name}:{command.line}: $ {command.text}")
                        print("\n".join("    " + w for w in wrong))
    if args.update and said:
        update(args.scenario, said)
    print(f"{args.scenario.name}: {commands - failures} of {commands} commands as expected")
    return 1 if failures or not commands else 0


if __name__ == "__main__":
    sys.exit(main())
