// sync_file_range(2), which the Glibc module leaves out: it is declared for _GNU_SOURCE alone.
#pragma once
#include <linux/fs.h>

int sync_file_range(int descriptor, long long offset, long long count, unsigned int flags);
