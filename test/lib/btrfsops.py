# SPDX-License-Identifier: GPL-2.0-or-later
"""File operations that Python has no call for: reflinks, holes, preallocation, deduplication."""
import ctypes
import errno
import fcntl
import os
import struct

FICLONERANGE = 0x4020940D
FIDEDUPERANGE = 0xC0189436
FS_IOC_GETFLAGS = 0x80086601
FS_IOC_SETFLAGS = 0x40086602
FS_NOCOW_FL = 0x00800000
KEEP_SIZE = 1
PUNCH_HOLE = 2
ZERO_RANGE = 16

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


def fallocate(path, mode, offset, length):
    """fallocate(2) in all its modes."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if _libc.fallocate(fd, mode, offset, length):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)
    finally:
        os.close(fd)


def reflink(source, source_offset, length, target, target_offset):
    """FICLONERANGE; length 0 means up to the source's end. False if btrfs refuses the range."""
    src = os.open(source, os.O_RDONLY)
    dst = os.open(target, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        fcntl.ioctl(dst, FICLONERANGE,
                    struct.pack("<qQQQ", src, source_offset, length, target_offset))
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EOPNOTSUPP):
            return False
        raise
    finally:
        os.close(src)
        os.close(dst)
    return True


def dedupe(source, source_offset, length, target, target_offset):
    """FIDEDUPERANGE of one range; has no effect where the contents differ."""
    src = os.open(source, os.O_RDONLY)
    dst = os.open(target, os.O_RDWR)
    head = struct.pack("<QQHHI", source_offset, length, 1, 0, 0)
    request = bytearray(head + struct.pack("<qQQiI", dst, target_offset, 0, 0, 0))
    try:
        fcntl.ioctl(src, FIDEDUPERANGE, request)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(src)
        os.close(dst)


def set_nodatacow(path):
    """Creates an empty file without data checksums."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    flags = bytearray(8)
    fcntl.ioctl(fd, FS_IOC_GETFLAGS, flags)
    value = struct.unpack("<Q", flags)[0] | FS_NOCOW_FL
    fcntl.ioctl(fd, FS_IOC_SETFLAGS, struct.pack("<Q", value))
    os.close(fd)


def set_compression(path, algorithm):
    """The btrfs property: data written after this is compressed if that makes it smaller."""
    os.setxattr(path, "btrfs.compression", algorithm.encode(), follow_symlinks=False)


def write_at(path, offset, data):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    done = 0
    while done < len(data):
        done += os.pwrite(fd, data[done:], offset + done)
    os.close(fd)


def sync_file(path):
    """Forces delayed allocation: later writes get an extent of their own."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
