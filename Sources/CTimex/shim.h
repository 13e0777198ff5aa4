// The kernel's clock discipline (glibc), which Swift's Glibc module leaves out.
#pragma once
#include <sys/timex.h>
