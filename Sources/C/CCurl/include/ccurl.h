// libcurl's SMTP (Debian: libcurl4), loaded at first use: a machine that sends no mail needs none of it.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// All pointers are read during the call alone; NULL where there is nothing to say.
struct ccurl_mail {
  const char *url;
  const char *from;
  const char *to;
  const char *user;
  const char *password;
  // Authorities in PEM form, in place of the system's.
  const char *certificates;
  // With `smtp:`, whether the connection must become TLS before anything else is said.
  bool needs_starttls;
  long connect_milliseconds;
  long milliseconds;
  // `NULL`: no mail is sent; the login alone is tried.
  const unsigned char *bytes;
  size_t count;
  // Not zero: the transfer ends. Looked at once a second at least.
  const int *is_stopped;
};

enum { ccurl_error_size = 256 };

// What ccurl_send says besides libcurl's own codes (libcurl-errors(3)).
enum { ccurl_not_loaded = -1 };

// Whether there is a libcurl that can be used; `error` says why not.
bool ccurl_load(char error[ccurl_error_size]);

// 0, or one of libcurl's codes. `response`: the last code that the server said, 0: none.
int ccurl_send(const struct ccurl_mail *mail, char error[ccurl_error_size], long *response);

void ccurl_stop(int *is_stopped);
