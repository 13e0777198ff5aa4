#include "library.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// A server that is silent for two of them is gone. What cannot be written for so long ends the connection.
enum { ping_milliseconds = 10000, pings_max = 2, write_milliseconds = 10000 };
enum { abandoned_count_max = 8 };

// An attempt to connect has a thread of its own: libnats waits for the end of a TLS handshake as long as the system does,
// and who connects must come back.
struct attempt {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  bool is_over;
  bool is_abandoned;
  natsOptions *options;
  natsConnection *connection;
  struct cnats_error error;
};

static int abandoned_count;

static void free_attempt(struct attempt *attempt) {
  if (attempt->connection) {
    cnats_library.natsConnection_Close(attempt->connection);
    cnats_library.natsConnection_Destroy(attempt->connection);
  }
  cnats_library.natsOptions_Destroy(attempt->options);
  pthread_cond_destroy(&attempt->changed);
  pthread_mutex_destroy(&attempt->mutex);
  free(attempt);
}

static void *connect(void *argument) {
  struct attempt *attempt = argument;
  natsConnection *connection = NULL;
  struct cnats_error error = {0};
  cnats_check(&error, cnats_library.natsConnection_Connect(&connection, attempt->options), 0);
  cnats_library.nats_ReleaseThreadMemory();
  pthread_mutex_lock(&attempt->mutex);
  attempt->connection = connection;
  attempt->error = error;
  attempt->is_over = true;
  bool is_abandoned = attempt->is_abandoned;
  pthread_cond_broadcast(&attempt->changed);
  pthread_mutex_unlock(&attempt->mutex);
  if (is_abandoned) {
    free_attempt(attempt);
    __atomic_sub_fetch(&abandoned_count, 1, __ATOMIC_RELAXED);
  }
  return NULL;
}

// Whether it was over in time; otherwise its thread frees it.
static bool wait_for(struct attempt *attempt, int64_t milliseconds) {
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += milliseconds / 1000;
  pthread_mutex_lock(&attempt->mutex);
  while (!attempt->is_over)
    if (pthread_cond_timedwait(&attempt->changed, &attempt->mutex, &end)) break;
  bool is_over = attempt->is_over;
  if (!is_over) {
    attempt->is_abandoned = true;
    __atomic_add_fetch(&abandoned_count, 1, __ATOMIC_RELAXED);
  }
  pthread_mutex_unlock(&attempt->mutex);
  return is_over;
}

// Takes the options.
static natsConnection *connect_in_time(natsOptions *options, int64_t milliseconds, struct cnats_error *error) {
  struct attempt *attempt = calloc(1, sizeof *attempt);
  if (!attempt) {
    cnats_library.natsOptions_Destroy(options);
    return NULL;
  }
  attempt->options = options;
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&attempt->changed, &attributes);
  pthread_condattr_destroy(&attributes);
  pthread_mutex_init(&attempt->mutex, NULL);
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  bool is_busy = __atomic_load_n(&abandoned_count, __ATOMIC_RELAXED) >= abandoned_count_max;
  bool is_begun = !is_busy && !pthread_create(&thread, &detached, connect, attempt);
  pthread_attr_destroy(&detached);
  natsConnection *connection = NULL;
  if (is_begun && !wait_for(attempt, milliseconds)) {
    cnats_fail(error, cnats_unreachable, 0, "no answer in time");
    return NULL;
  }
  if (is_busy) cnats_fail(error, cnats_unreachable, 0, "earlier attempts have not ended yet");
  if (is_begun) *error = attempt->error;
  connection = attempt->connection;
  attempt->connection = NULL;
  free_attempt(attempt);
  return connection;
}

static natsStatus set_options(natsOptions *options, const struct cnats_address *address, void *closure) {
  natsStatus status = NATS_OK;
#define SET(call) if (status == NATS_OK) status = cnats_library.call
  SET(natsOptions_SetURL(options, address->url));
  SET(natsOptions_SetName(options, "distro"));
  SET(natsOptions_SetTimeout(options, address->timeout_milliseconds));
  // Who connects again is the caller, to a server of its choice, with credentials that are read again.
  SET(natsOptions_SetAllowReconnect(options, false));
  SET(natsOptions_SetIgnoreDiscoveredServers(options, true));
  SET(natsOptions_SetPingInterval(options, ping_milliseconds));
  SET(natsOptions_SetMaxPingsOut(options, pings_max));
  SET(natsOptions_SetWriteDeadline(options, write_milliseconds));
  SET(natsOptions_SetErrorHandler(options, cnats_on_error, closure));
  SET(natsOptions_SetClosedCB(options, cnats_on_close, closure));
  if (address->inbox_prefix) SET(natsOptions_SetCustomInboxPrefix(options, address->inbox_prefix));
  // Without a name libnats takes any certificate of a known authority. A server may ask for TLS where we do not.
  SET(natsOptions_SetExpectedHostname(options, address->host));
  if (address->is_secured) SET(natsOptions_SetSecure(options, true));
  if (address->ca_file) SET(natsOptions_LoadCATrustedCertificates(options, address->ca_file));
  if (address->credentials_file)
    SET(natsOptions_SetUserCredentialsFromFiles(options, address->credentials_file, NULL));
  if (address->user) SET(natsOptions_SetUserInfo(options, address->user, address->password));
#undef SET
  return status;
}

struct cnats *cnats_open(
  const struct cnats_address *address, struct cnats_events *events, struct cnats_error *error) {
  if (!cnats_load(error)) return NULL;
  cnats_fail(error, cnats_memory, 0, "out of memory");
  struct cnats *made = calloc(1, sizeof *made);
  natsOptions *options = NULL;
  if (!made || cnats_library.natsOptions_Create(&options) != NATS_OK) {
    free(made);
    return NULL;
  }
  made->events = events;
  made->byte_count_max = address->byte_count_max;
  made->number = cnats_begin_events(events);
  void *closure = (void *)(uintptr_t)made->number;
  natsStatus status = set_options(options, address, closure);
  if (status == NATS_OK) {
    made->connection = connect_in_time(options, 3 * address->timeout_milliseconds, error);
  } else {
    cnats_check(error, status, 0);
    cnats_library.natsOptions_Destroy(options);
  }
  jsOptions answers;
  cnats_library.jsOptions_Init(&answers);
  answers.PublishAsync.AckHandler = cnats_on_confirm;
  answers.PublishAsync.AckHandlerClosure = closure;
  if (made->connection &&
      cnats_check(error, cnats_library.natsConnection_JetStream(&made->context, made->connection, &answers), 0))
    return made;
  cnats_close(made, false);
  return NULL;
}

void cnats_close(struct cnats *connection, bool is_orderly) {
  cnats_end_events(connection->events);
  if (connection->connection) {
    if (is_orderly) cnats_library.natsConnection_FlushTimeout(connection->connection, 2000);
    cnats_library.natsConnection_Close(connection->connection);
    cnats_library.natsSubscription_Destroy(connection->subscription);
    cnats_library.jsCtx_Destroy(connection->context);
    cnats_library.natsConnection_Destroy(connection->connection);
    cnats_library.nats_ReleaseThreadMemory();
  }
  free(connection);
}

int64_t cnats_payload_max(const struct cnats *connection) {
  return cnats_library.natsConnection_GetMaxPayload(connection->connection);
}

bool cnats_flush(struct cnats *connection, int64_t milliseconds, struct cnats_error *error) {
  return cnats_check(error, cnats_library.natsConnection_FlushTimeout(connection->connection, milliseconds), 0);
}

bool cnats_listen(struct cnats *connection, const char *inbox, struct cnats_error *error) {
  cnats_end_listening(connection);
  void *closure = cnats_begin_listening(connection->events);
  natsStatus status = cnats_library.natsConnection_Subscribe(
    &connection->subscription, connection->connection, inbox, cnats_on_message, closure);
  if (status == NATS_OK)
    status = cnats_library.natsSubscription_SetPendingLimits(connection->subscription, -1, -1);
  return cnats_check(error, status, 0);
}

void cnats_end_listening(struct cnats *connection) {
  if (!connection->subscription) return;
  cnats_library.natsSubscription_Destroy(connection->subscription);
  connection->subscription = NULL;
  cnats_begin_listening(connection->events);
}

bool cnats_ask(
  struct cnats *connection, const char *subject, const char *inbox, const char *text, struct cnats_error *error) {
  natsStatus status =
    cnats_library.natsConnection_PublishRequestString(connection->connection, subject, inbox, text);
  return cnats_check(error, status, 0);
}

bool cnats_say(struct cnats *connection, const char *subject, const char *text, struct cnats_error *error) {
  return cnats_check(
    error, cnats_library.natsConnection_PublishString(connection->connection, subject, text), 0);
}
