// libgit2 (Debian: libgit2-dev). Only what Swift cannot call itself: variadic functions.
#pragma once
#include <git2.h>

// git_libgit2_opts, once for each type that its options take.
static inline int git_libgit2_set_size(int option, size_t value) {
  return git_libgit2_opts(option, value);
}
static inline int git_libgit2_set_flag(int option, int value) {
  return git_libgit2_opts(option, value);
}
static inline int git_libgit2_set_names(int option, const char **names, size_t count) {
  return git_libgit2_opts(option, names, count);
}
