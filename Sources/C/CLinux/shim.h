// What the Glibc module leaves out: glibc declares these for _GNU_SOURCE alone.
#pragma once
#include <linux/fs.h>
#include <sys/timex.h>

// sync_file_range(2)
int sync_file_range(int descriptor, long long offset, long long count, unsigned int flags);
