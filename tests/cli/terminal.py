"""A terminal for tests: the program in a pane of tmux, keys sent to it, and what stands on the screen."""

import os
import shutil
import subprocess
import tempfile
import time

PATIENCE = int(os.environ.get("PATIENCE", "60"))  # seconds until what does not happen is a failure


class Terminal:
    """A shell in a pane that is `width` by `height`, in `folder`."""

    def __init__(self, folder, width=80, height=24, **environment):
        self.sockets = tempfile.mkdtemp(prefix="refheap-tmux-")
        self.socket = os.path.join(self.sockets, "socket")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("TMUX", "NO_COLOR", "COLUMNS", "LINES"))}
        self.environment = {**clean, "LC_ALL": "C.UTF-8", "PS1": "$ ", "ENV": "", "SHELL": "/bin/sh", **environment}
        # What ncurses keeps until the end, whoever asks for it back.
        with open(os.path.join(self.sockets, "leaks"), "w") as f:
            f.write("leak:libtinfo\nleak:libncursesw\n")
        self.environment["LSAN_OPTIONS"] = "print_suppressions=0:suppressions=" + f.name
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), "-c", folder, "/bin/sh")
        self.pane = self.ask("pane_pid")
        self.until(lambda s: "$" in s[0])

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-u", "-S", self.socket, *words], env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=PATIENCE)
        if done.returncode:
            raise AssertionError("tmux %s: %s" % (words, done.stderr.decode()))
        return done.stdout.decode("utf-8", "replace")

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], stderr=subprocess.DEVNULL, timeout=PATIENCE)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def screen(self, *options):
        """The lines on the screen, without the blanks at their ends."""
        return [line.rstrip() for line in self.tmux("capture-pane", "-p", *options).split("\n")[:-1]]

    def ask(self, what):
        """A variable of the pane: alternate_on, cursor_flag, pane_title."""
        return self.tmux("display-message", "-p", "#{%s}" % what).strip()

    def keys(self, *keys):
        """Presses keys: names as tmux has them (Enter, BSpace, Up, C-c) or single characters."""
        self.tmux("send-keys", *keys)

    def type(self, text):
        # To tmux, a semicolon at the end of a word ends the command.
        self.tmux("send-keys", "-l", text[:-1] + "\\;" if text.endswith(";") else text)

    def resize(self, width, height):
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def asleep(self):
        """What tells one sleep of the program in the foreground from another; None while it runs."""
        try:
            with open("/proc/%s/stat" % self.pane) as f:
                group = f.read().rpartition(")")[2].split()[5]
            with open("/proc/%s/status" % group) as f:
                status = f.read()
        except OSError:
            return None
        switches = [line for line in status.split("\n") if "ctxt_switches" in line]
        return (group, *switches) if "\nState:\tS" in status else None

    def settled(self):
        """The lines of a screen that is drawn to its end, None while it is being drawn: a program that slept before and
        after writes nothing in between, and what it wrote before, tmux has read by the time it answers twice alike."""
        before = self.asleep()
        lines = self.screen()
        return lines if before and lines == self.screen() and before == self.asleep() else None

    def until(self, what):
        """Waits until something holds for the lines of the screen, drawn to its end; returns them. A program that works on
        behind its screen is believed when it holds for two seconds."""
        end = time.monotonic() + PATIENCE
        since = None
        while True:
            lines = self.screen()
            now = time.monotonic()
            if what(lines):
                since = since or now
                drawn = lines if now - since > 2 else self.settled()
                if drawn and what(drawn):
                    return drawn
            else:
                since = None
            if now > end:
                raise AssertionError("not shown in %d s:\n%s" % (PATIENCE, "\n".join(lines)))
            time.sleep(0.02)

    def until_text(self, text):
        return self.until(lambda lines: any(text in line for line in lines))
