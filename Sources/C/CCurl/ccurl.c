#include "ccurl.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// libcurl's functions by their names: the declarations of curl.h are used as types, its symbols are not linked.
static struct {
  __typeof__(&curl_global_init) global_init;
  __typeof__(&curl_easy_init) init;
  CURLcode (*setopt)(CURL *, CURLoption, ...);
  CURLcode (*getinfo)(CURL *, CURLINFO, ...);
  __typeof__(&curl_easy_perform) perform;
  __typeof__(&curl_easy_cleanup) cleanup;
  __typeof__(&curl_easy_strerror) strerror;
  __typeof__(&curl_slist_append) append;
  __typeof__(&curl_slist_free_all) free_all;
} library;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char load_error[ccurl_error_size];

static void load(void) {
  // The second one is what Debian's git brings along.
  void *handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (!handle) handle = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    snprintf(load_error, sizeof load_error, "libcurl.so.4 is not installed");
    return;
  }
  const struct { const char *name; void **place; } functions[] = {
    {"curl_global_init", (void **)&library.global_init},
    {"curl_easy_init", (void **)&library.init},
    {"curl_easy_setopt", (void **)&library.setopt},
    {"curl_easy_getinfo", (void **)&library.getinfo},
    {"curl_easy_perform", (void **)&library.perform},
    {"curl_easy_cleanup", (void **)&library.cleanup},
    {"curl_easy_strerror", (void **)&library.strerror},
    {"curl_slist_append", (void **)&library.append},
    {"curl_slist_free_all", (void **)&library.free_all},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    *functions[i].place = dlsym(handle, functions[i].name);
    if (!*functions[i].place) {
      snprintf(load_error, sizeof load_error, "libcurl.so.4 has no %s", functions[i].name);
      return;
    }
  }
  if (library.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    snprintf(load_error, sizeof load_error, "libcurl.so.4 does not start");
}

bool ccurl_load(char error[ccurl_error_size]) {
  pthread_once(&once, load);
  memcpy(error, load_error, ccurl_error_size);
  return load_error[0] == 0;
}

struct source {
  const unsigned char *bytes;
  size_t count;
};

static size_t next(char *place, size_t size, size_t number, void *context) {
  struct source *source = context;
  size_t count = size * number < source->count ? size * number : source->count;
  memcpy(place, source->bytes, count);
  source->bytes += count;
  source->count -= count;
  return count;
}

static size_t drop(char *place, size_t size, size_t number, void *context) {
  (void)place, (void)context;
  return size * number;
}

static int look(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
  (void)a, (void)b, (void)c, (void)d;
  return __atomic_load_n((const int *)context, __ATOMIC_ACQUIRE);
}

void ccurl_stop(int *is_stopped) { __atomic_store_n(is_stopped, 1, __ATOMIC_RELEASE); }

int ccurl_send(const struct ccurl_mail *mail, char error[ccurl_error_size], long *response) {
  *response = 0;
  if (!ccurl_load(error)) return ccurl_not_loaded;
  error[0] = 0;
  CURL *curl = library.init();
  if (!curl) return CURLE_OUT_OF_MEMORY;
  struct source source = {mail->bytes, mail->count};
  struct curl_slist *recipients = NULL;
  CURLcode code = CURLE_OK;
#define SET(option, value) \
  if (code == CURLE_OK) code = library.setopt(curl, option, value)
  SET(CURLOPT_URL, mail->url);
  SET(CURLOPT_ERRORBUFFER, error);
  // Signals belong to the program.
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_CONNECTTIMEOUT_MS, mail->connect_milliseconds);
  SET(CURLOPT_TIMEOUT_MS, mail->milliseconds);
  SET(CURLOPT_PROXY, "");
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_USE_SSL, (long)(mail->needs_starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_WRITEFUNCTION, drop);
  SET(CURLOPT_NOPROGRESS, 0L);
  SET(CURLOPT_XFERINFOFUNCTION, look);
  SET(CURLOPT_XFERINFODATA, mail->is_stopped);
  if (mail->certificates) SET(CURLOPT_CAINFO, mail->certificates);
  if (mail->user) SET(CURLOPT_USERNAME, mail->user);
  if (mail->password) SET(CURLOPT_PASSWORD, mail->password);
  if (mail->bytes) {
    recipients = library.append(NULL, mail->to);
    if (!recipients && code == CURLE_OK) code = CURLE_OUT_OF_MEMORY;
    SET(CURLOPT_MAIL_FROM, mail->from);
    SET(CURLOPT_MAIL_RCPT, recipients);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, next);
    SET(CURLOPT_READDATA, &source);
  } else {
    SET(CURLOPT_CUSTOMREQUEST, "NOOP");
    SET(CURLOPT_NOBODY, 1L);
  }
#undef SET
  if (code == CURLE_OK) code = library.perform(curl);
  library.getinfo(curl, CURLINFO_RESPONSE_CODE, response);
  if (code != CURLE_OK && !error[0])
    snprintf(error, ccurl_error_size, "%s", library.strerror(code));
  library.cleanup(curl);
  library.free_all(recipients);
  return code;
}
