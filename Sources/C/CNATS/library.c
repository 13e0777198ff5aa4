#include "library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct cnats_library cnats_library;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char load_error[cnats_text_size];

static void load(void) {
  void *handle = dlopen("libnats.so.3.4", RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    snprintf(load_error, sizeof load_error, "libnats.so.3.4 is not installed");
    return;
  }
  const struct { const char *name; void **place; } functions[] = {
#define X(name) {#name, (void **)&cnats_library.name},
    CNATS_FUNCTIONS(X)
#undef X
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    *functions[i].place = dlsym(handle, functions[i].name);
    if (!*functions[i].place) {
      snprintf(load_error, sizeof load_error, "libnats.so.3.4 has no %s", functions[i].name);
      return;
    }
  }
  if (cnats_library.nats_Open(-1) != NATS_OK)
    snprintf(load_error, sizeof load_error, "libnats.so.3.4 does not start");
}

bool cnats_load(struct cnats_error *error) {
  pthread_once(&once, load);
  return load_error[0] == 0 || cnats_fail(error, cnats_not_loaded, 0, load_error);
}

bool cnats_fail(struct cnats_error *error, enum cnats_fault fault, int code, const char *text) {
  error->fault = fault;
  error->code = code;
  snprintf(error->text, sizeof error->text, "%s", text);
  return false;
}

static enum cnats_fault fault_of(natsStatus status) {
  switch (status) {
  case NATS_NO_SERVER:
  case NATS_IO_ERROR:
  case NATS_ADDRESS_MISSING: return cnats_unreachable;
  case NATS_SSL_ERROR:
  case NATS_SECURE_CONNECTION_WANTED:
  case NATS_SECURE_CONNECTION_REQUIRED: return cnats_tls;
  case NATS_CONNECTION_AUTH_FAILED: return cnats_login;
  case NATS_NOT_PERMITTED: return cnats_denied;
  case NATS_NO_RESPONDERS: return cnats_refusal;
  case NATS_NO_MEMORY: return cnats_memory;
  default: return cnats_line;
  }
}

bool cnats_check(struct cnats_error *error, natsStatus status, jsErrCode code) {
  if (status == NATS_OK) return true;
  natsStatus last = NATS_OK;
  const char *text = cnats_library.nats_GetLastError(&last);
  if (!text || !text[0] || last != status) text = cnats_library.natsStatus_GetText(status);
  // "(file.c:123): " is libnats' own affair.
  const char *place = text[0] == '(' ? strstr(text, "): ") : NULL;
  if (place) text = place + 3;
  return cnats_fail(error, code ? cnats_refusal : fault_of(status), code, text);
}
