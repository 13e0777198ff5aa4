// libnats (Debian: libnats3.4), loaded at first use: a machine that does not use NATS needs none of it. What a carrier
// does: one connection that publishes into JetStream and reads one consumer. libnats calls back on threads of its own;
// what it says waits here in one queue until the connection's owner takes it.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { cnats_text_size = 256 };

enum cnats_fault {
  cnats_not_loaded = 1,
  // The name is unknown, or nothing answers there.
  cnats_unreachable,
  // The certificate is not of our authorities, or is for another name; `ca_file` cannot be read.
  cnats_tls,
  // Credentials, user or password.
  cnats_login,
  // The user may not do that.
  cnats_denied,
  // JetStream refuses; `code` is its own (jsErrCode), 0: there is no JetStream.
  cnats_refusal,
  // The connection has ended, or is silent.
  cnats_line,
  cnats_memory,
};

struct cnats_error {
  enum cnats_fault fault;
  int code;
  char text[cnats_text_size];
};

// Whether there is a libnats that can be used.
bool cnats_load(struct cnats_error *error);

// MARK: - Events

enum cnats_kind {
  // Of publication `number`: it is stored.
  cnats_confirmed = 1,
  // Of publication `number`: `code` is jsErrCode, or one of `cnats_reason`.
  cnats_rejected,
  // A message of the consumer, with `reply` to acknowledge it by.
  cnats_delivery,
  // What the server says of a pull: `code` is 100 (heartbeat), 404, 408, 409 or 503.
  cnats_status,
  // The user may not publish or subscribe to what `text` names.
  cnats_violation,
  // The connection has ended.
  cnats_closed,
};

// No stream has the subject; no confirm within `wait_milliseconds`.
enum cnats_reason { cnats_no_responder = 1, cnats_no_confirm, cnats_other_reason };

struct cnats_event {
  enum cnats_kind kind;
  uint64_t number;
  int code;
  // Of a delivery, until the next call. `bytes` is NULL where there are more than `byte_count_max`.
  const unsigned char *bytes;
  size_t count;
  const char *reply;
  char text[cnats_text_size];
};

// Where what libnats says waits, with a bell that ends waits. From any thread; NULL: no memory.
struct cnats_events;
struct cnats_events *cnats_events_new(void);
void cnats_events_free(struct cnats_events *events);
void cnats_ring(struct cnats_events *events);
// Returns when it was rung, or then.
void cnats_wait(struct cnats_events *events, int64_t milliseconds);

// MARK: - The connection

// All pointers are read during the call alone, but those of secrets by libnats until the connection is closed.
struct cnats_address {
  const char *url;
  // Whose certificate it must be.
  const char *host;
  bool is_secured;
  // Authorities in PEM form, besides the system's; NULL: these alone.
  const char *ca_file;
  // NULL: none.
  const char *credentials_file;
  const char *user;
  const char *password;
  // Of all subjects that answers come to.
  const char *inbox_prefix;
  int64_t timeout_milliseconds;
  // A message with more bytes is delivered without them.
  size_t byte_count_max;
};

struct cnats;

// NULL: not connected. One connection at a time for `events`.
struct cnats *cnats_open(
  const struct cnats_address *address, struct cnats_events *events, struct cnats_error *error);

// What was said before reaches the server where `is_orderly`. Frees all.
void cnats_close(struct cnats *connection, bool is_orderly);

int64_t cnats_payload_max(const struct cnats *connection);

// Whether there is an event; waits for one so long, or until it is rung.
bool cnats_next(struct cnats *connection, int64_t milliseconds, struct cnats_event *event);

// All of these: false with `error` where it failed.

// The server has what was said before.
bool cnats_flush(struct cnats *connection, int64_t milliseconds, struct cnats_error *error);

// MARK: - JetStream

struct cnats_stream {
  const char *name;
  const char *subject;
  int64_t replicas;
  // -1: no limit.
  int64_t message_count_max;
  int64_t byte_count_max;
  int64_t duplicates_milliseconds;
};

struct cnats_stream_state {
  bool is_on_disk;
  bool is_work_queue;
  // What is over a limit is refused; otherwise the oldest is dropped.
  bool refuses_new;
  int64_t replicas;
  int64_t subject_count_max;
  // Whether every copy is there.
  bool is_whole;
  uint64_t message_count;
};

// What JetStream says of a stream or a consumer that is not there.
enum { cnats_no_stream = 10059, cnats_no_consumer = 10014 };

// A work queue in files that refuses what is over its limits, with one message a subject.
bool cnats_make_stream(struct cnats *connection, const struct cnats_stream *stream, struct cnats_error *error);

// The same with other limits.
bool cnats_change_stream(struct cnats *connection, const struct cnats_stream *stream, struct cnats_error *error);

bool cnats_look(
  struct cnats *connection, const char *stream, struct cnats_stream_state *state, struct cnats_error *error);

bool cnats_delete_stream(struct cnats *connection, const char *stream, struct cnats_error *error);

bool cnats_purge(struct cnats *connection, const char *stream, struct cnats_error *error);

// Whether a stream has the subject.
bool cnats_is_kept(struct cnats *connection, const char *subject, bool *is_kept, struct cnats_error *error);

// A durable consumer that is pulled from, with explicit acknowledgement.
bool cnats_make_consumer(
  struct cnats *connection, const char *stream, const char *consumer, int64_t window, int64_t wait_milliseconds,
  struct cnats_error *error);

struct cnats_consumer_state {
  // Delivered and not acknowledged, and how many of these it has at most (0: it is no such consumer).
  int64_t pending_count;
  int64_t window_max;
  // The last delivery: its own number, and that of its message in the stream.
  uint64_t delivery;
  uint64_t delivered;
  // All up to this number in the stream are acknowledged.
  uint64_t acknowledged;
};

bool cnats_look_at_consumer(
  struct cnats *connection, const char *stream, const char *consumer, struct cnats_consumer_state *state,
  struct cnats_error *error);

bool cnats_delete_consumer(
  struct cnats *connection, const char *stream, const char *consumer, struct cnats_error *error);

// `confirmed` or `rejected` follows with that number. `identifier`: what is published again under it is stored once.
bool cnats_publish(
  struct cnats *connection, const char *stream, const char *subject, const char *identifier, uint64_t number,
  const unsigned char *bytes, size_t count, int64_t wait_milliseconds, struct cnats_error *error);

// What comes to `inbox` are events from now on; of an earlier one none is.
bool cnats_listen(struct cnats *connection, const char *inbox, struct cnats_error *error);

void cnats_end_listening(struct cnats *connection);

// Asks for `text` at `subject`; what is sent in answer comes to `inbox`.
bool cnats_ask(
  struct cnats *connection, const char *subject, const char *inbox, const char *text, struct cnats_error *error);

// Without an answer.
bool cnats_say(struct cnats *connection, const char *subject, const char *text, struct cnats_error *error);
