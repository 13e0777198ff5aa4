// libzstd (Debian: libzstd-dev).
#pragma once
#include <zstd.h>
