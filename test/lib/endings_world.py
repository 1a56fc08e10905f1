# SPDX-License-Identifier: GPL-2.0-or-later
"""The environment of endings.py's pipelines: directories, wrappers of programs, the host that ssh
reaches, and running a line as a shell does for a terminal."""
import contextlib
import fcntl
import os
import select
import shlex
import shutil
import signal
import subprocess
import termios
import time

SENDCP = os.environ["SENDCP"]
WORK = os.path.join(os.environ["FIX"], "work")
# Names that need quoting.
HERE = os.path.join(WORK, "it's here")
OUT = os.path.join(HERE, "out")
APART = os.path.join(HERE, "apart")
REMOTE = os.path.join(WORK, "remote")
BIN = os.path.join(WORK, "bin")
GATE = os.path.join(WORK, "gate")
STORE = os.path.join(WORK, "store")
# sendcp's own directory.
STATE = os.path.join(WORK, "state")
os.environ["SENDCP_STATE_DIR"] = STATE
RECEIVED = os.path.join(os.environ["FIX"], "received")
HOST = "backup"
SIZES = "--buffer-size 160K --checkpoint-interval 600K"
# A file truncated to its proven part may lose an interval and some batches.
SLACK = 2 << 20


def poll(condition):
    """Waits for an event; bats' time limit applies."""
    while not condition():
        time.sleep(0.005)


def must(command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, **more).stdout


def script(name, text):
    path = os.path.join(BIN, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/bash\n" + text)
    os.chmod(path, 0o755)


def make_sendcp():
    # Its process id and messages are kept apart from those of the rest of the pipeline.
    script("sendcp", """
echo $$ >"${ENDINGS_PID:-/dev/null}"
if [ -n "${WRITEGATE_AT:-}" ]; then
	export LD_PRELOAD=%s ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"
fi
exec %s "$@" 2>"${ENDINGS_STDERR:-/dev/stderr}"
""" % (shlex.quote(os.path.join(os.environ["TOOLS"], "writegate.so")), shlex.quote(SENDCP)))


def make_ssh():
    """ssh to an sshd that it starts itself: no port, no network."""
    for key in ("host", "user"):
        must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(WORK, key)])
    os.mkdir(os.path.join(WORK, "sshd"))
    with open(os.path.join(WORK, "sshd_config"), "w", encoding="utf-8") as f:
        f.write("HostKey %s/host\nAuthorizedKeysFile %s/user.pub\nPermitRootLogin yes\n"
                "StrictModes no\nUsePAM no\nPidFile none\nLogLevel ERROR\n"
                "SetEnv PATH=%s:/usr/sbin:/usr/bin:/sbin:/bin\n" % (WORK, WORK, BIN))
    # Processes of another host get no signal from the terminal here. sshd needs a directory in
    # /run; a private one in a mount namespace would keep the mounts of all concurrent tests busy.
    script("sshd", """
echo >{work}/sshd/$$
exec setsid {sshd} -i -f {work}/sshd_config 2>>{work}/sshd.log
""".format(work=WORK, sshd=shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin")))
    with open(os.path.join(WORK, "ssh_config"), "w", encoding="utf-8") as f:
        f.write("Host %s\n ProxyCommand %s/sshd\n User root\n IdentityFile %s/user\n"
                " IdentitiesOnly yes\n StrictHostKeyChecking no\n"
                " UserKnownHostsFile /dev/null\n LogLevel ERROR\n" % (HOST, BIN, WORK))
    script("ssh", "exec %s -F %s/ssh_config \"$@\"\n" % (shutil.which("ssh"), WORK))


def make_age():
    must(["age-keygen", "-o", os.path.join(WORK, "age.key")], stderr=subprocess.DEVNULL)


def prepare():
    for directory in (OUT, APART, REMOTE, BIN, GATE, STORE, STATE):
        os.makedirs(directory)
    for fifo in ("reached", "go"):
        os.mkfifo(os.path.join(GATE, fifo))
    make_sendcp()
    make_ssh()
    make_age()


def processes():
    for name in os.listdir("/proc"):
        if name.isdigit():
            yield int(name)


def links(pid):
    """A process's open files; none if it is gone."""
    try:
        for fd in os.listdir("/proc/%d/fd" % pid):
            with contextlib.suppress(OSError):
                yield os.readlink("/proc/%d/fd/%s" % (pid, fd))
    except OSError:
        return


def stat_words(pid):
    """(name, state, session), or None if the process is gone."""
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as f:
            name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
    except (FileNotFoundError, ProcessLookupError):
        return None
    words = rest.split()
    return name, words[0], int(words[3])


def tasks(pid):
    """The states of a process's threads; none if it is gone."""
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/stat" % (pid, task), encoding="utf-8") as f:
                yield f.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return


def waiting(pid):
    """Has a reader of a pipe processed everything it got?"""
    try:
        pipe = os.open("/proc/%d/fd/0" % pid, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return True
    count = bytearray(4)
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    os.close(pipe)
    return not any(count) and all(state == "S" for state in tasks(pid))


def writers(path):
    return [pid for pid in processes() if path in links(pid)]


def remote_ended():
    """Have all processes that sshd started ended?"""
    if not os.listdir(REMOTE):
        return True
    directory = os.path.join(WORK, "sshd")
    for pid in os.listdir(directory):
        if os.path.exists("/proc/" + pid):
            return False
        os.unlink(os.path.join(directory, pid))
    return not any(link.startswith(REMOTE) for pid in processes() for link in links(pid))


def restore_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


class Result:
    """The result of a line: sendcp's exit status (None: bash was killed too), its messages, and
    whether the rest of the pipeline succeeded."""

    def __init__(self, status, messages, rest=True):
        self.status = status
        self.messages = messages
        self.rest = rest

    def __str__(self):
        return "exit %s%s\n    %s" % (self.status, "" if self.rest else ", its reader failed",
                                      "\n    ".join(self.messages))


def open_empty(fifo):
    """A killed process's last threads may have kept the FIFO, and what was in it."""
    fd = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while os.read(fd, 100):
            pass
    return fd


class Line:
    """A line that runs in its own session, and so its own process group; bash waits for all of
    it."""

    def __init__(self, text, at=None, stop=True, watch=None, environment=None):
        self.messages = os.path.join(WORK, "messages")
        self.status = os.path.join(WORK, "status")
        for path in (self.messages, self.status):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        self.reached = self.go = None
        environment = dict(os.environ, **(environment or {}), ENDINGS_STDERR=self.messages,
                           ENDINGS_PID=os.path.join(WORK, "pid"),
                           PATH=BIN + ":" + os.environ["PATH"])
        if at is not None:
            environment.update(self.gate(at, stop, watch))
        # As with cron, stdout goes to a file that is not the stream's.
        with open(os.path.join(WORK, "printed"), "wb") as printed:
            self.process = subprocess.Popen(
                ["bash", "-c", "trap : INT TERM HUP\n%s\necho ${PIPESTATUS[*]} >%s" %
                 (text, shlex.quote(self.status))], cwd=HERE, env=environment,
                stdin=subprocess.DEVNULL, stdout=printed,
                stderr=open(os.path.join(WORK, "others"), "wb"), start_new_session=True,
                preexec_fn=restore_signals)

    def gate(self, at, stop, watch):
        # Opened for reading and writing, so that neither side blocks.
        self.reached = open_empty(os.path.join(GATE, "reached"))
        self.go = open_empty(os.path.join(GATE, "go"))
        variables = {"WRITEGATE_AT": str(at), "WRITEGATE_REACHED": os.path.join(GATE, "reached")}
        if stop:
            variables["WRITEGATE_GO"] = os.path.join(GATE, "go")
        if watch:
            variables["WRITEGATE_FILE"] = watch
        return variables

    def wait_reached(self):
        """Whether sendcp reached the byte where it is to be interrupted."""
        ended = os.pidfd_open(self.process.pid)
        ready, _, _ = select.select([self.reached, ended], [], [])
        os.close(ended)
        return self.reached in ready

    def let_go(self):
        os.write(self.go, b"!")

    def sendcp(self):
        with open(os.path.join(WORK, "pid"), encoding="ascii") as f:
            return int(f.read())

    def reader(self, name):
        for pid in processes():
            words = stat_words(pid)
            if words and words[0] == name and words[2] == self.process.pid:
                return pid
        raise LookupError("no reader: " + name)

    def kill(self):
        """Leaves no process when a test ends early."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def session_ended(self):
        states = [stat_words(pid) for pid in processes()]
        return not any(s and s[2] == self.process.pid and s[1] not in "ZX" for s in states)

    def wait(self):
        self.process.wait()
        poll(self.session_ended)
        for fd in (self.reached, self.go):
            if fd is not None:
                # A FIFO loses its data when all have closed it.
                os.close(fd)
        status = read(self.status)
        messages = (read(self.messages) or b"").decode(errors="replace").splitlines()
        codes = [int(word) for word in status.split()] if status else [None]
        return Result(codes[0], messages, not any(codes[1:]))


def run_line(text, environment=None):
    return Line(text, environment=environment).wait()


def run_literally(command):
    """Exactly as in the message, in a plain shell."""
    messages = os.path.join(WORK, "messages")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(messages)
    environment = dict(os.environ, ENDINGS_STDERR=messages, ENDINGS_PID=os.path.join(WORK, "pid"),
                       PATH=BIN + ":" + os.environ["PATH"])
    done = subprocess.run(["sh", "-c", command], cwd=WORK, env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, preexec_fn=restore_signals)
    lines = (read(messages) or done.stderr).decode(errors="replace").splitlines()
    return Result(done.returncode, lines)


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


class Directories:
    """The files that a line left, restored for each way to resume."""

    def __init__(self):
        self.saved = {}

    @staticmethod
    def names():
        return [os.path.join(directory, name) for directory in (OUT, APART, REMOTE, STATE)
                for name in os.listdir(directory)]

    def clear(self):
        for path in self.names():
            os.unlink(path)

    def save(self):
        # Links in the state directory only serve to list what they lead to.
        self.saved = {path: read(path) for path in self.names() if not os.path.islink(path)}

    def size(self, path):
        return len(self.saved.get(path, b""))

    def restore(self):
        self.clear()
        for path, data in self.saved.items():
            write(path, data)


def empty(directory):
    """Removes all files in the directory; returns their total size."""
    size = 0
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        size += os.path.getsize(path)
        os.unlink(path)
    return size


@contextlib.contextmanager
def mounted(target, size=None):
    """@target is a filesystem of its own: one of that size, or one that can be unmounted and
    mounted again."""
    empty(target)
    if size:
        must(["mount", "-t", "tmpfs", "-o", "size=%d" % size, "tmpfs", target])
    else:
        must(["mount", "-t", "tmpfs", "tmpfs", STORE])
        must(["mount", "--bind", STORE, target])
    try:
        yield
    finally:
        for directory in (target, STORE):
            subprocess.run(["umount", directory], check=False, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def filled(target, left):
    """@target has at most @left bytes free."""
    path = os.path.join(target, "filler")
    free = os.statvfs(target)
    with open(path, "wb") as f:
        os.posix_fallocate(f.fileno(), 0, free.f_bavail * free.f_frsize - left)
    try:
        yield
    finally:
        os.unlink(path)


def forget_received(snapshot):
    path = os.path.join(RECEIVED, os.path.basename(snapshot))
    if os.path.exists(path):
        must(["btrfs", "-q", "subvolume", "delete", path])
