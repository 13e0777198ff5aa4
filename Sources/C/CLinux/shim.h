// What the Glibc module leaves out: glibc declares these for _GNU_SOURCE alone.
#pragma once
#include <linux/fs.h>
#include <sys/timex.h>
#include <sys/types.h>

// sync_file_range(2)
int sync_file_range(int descriptor, long long offset, long long count, unsigned int flags);

// renameat2(2), with RENAME_EXCHANGE and RENAME_NOREPLACE of linux/fs.h
int renameat2(int from, const char *name, int to, const char *newName, unsigned int flags);

// xattr(7)
ssize_t fgetxattr(int descriptor, const char *name, void *value, size_t size);
int fsetxattr(int descriptor, const char *name, const void *value, size_t size, int flags);

// pipe2(2), memfd_create(2)
int pipe2(int ends[2], int flags);
int memfd_create(const char *name, unsigned int flags);
#define DISTRO_MFD_CLOEXEC 1

// fcntl(2)
#define DISTRO_F_SETLEASE 1024
#define DISTRO_F_SETSIG 10
#define DISTRO_O_TMPFILE 020000000
