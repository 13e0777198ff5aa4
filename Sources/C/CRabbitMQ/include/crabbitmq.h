// librabbitmq (Debian: librabbitmq-dev), linked statically, for what a carrier does: one connection, one channel that
// publishes with confirms, one that consumes. What AMQP 0-9-1 keeps in unions, macros and variable arrays stays here.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { crabbitmq_text_size = 256 };

enum crabbitmq_fault {
  // The name is unknown, or nothing answers there.
  crabbitmq_unreachable = 1,
  // The certificate is not one of our authorities', or for another name; `ca_file` cannot be read.
  crabbitmq_tls,
  // User, password or virtual host.
  crabbitmq_login,
  // The broker has ended channel or connection; `code` is AMQP's.
  crabbitmq_closed_by_broker,
  // The line has ended, or is silent.
  crabbitmq_line,
  crabbitmq_memory,
};

struct crabbitmq_error {
  enum crabbitmq_fault fault;
  int code;
  char text[crabbitmq_text_size];
};

// All pointers are read during the call alone.
struct crabbitmq_address {
  const char *host;
  int port;
  const char *virtual_host;
  const char *user;
  const char *password;
  bool is_secured;
  // Authorities in PEM form; NULL: the system's.
  const char *ca_file;
  int heartbeat_seconds;
  int timeout_seconds;
  // A message with more bytes is delivered without them.
  size_t byte_count_max;
};

struct crabbitmq_queue {
  const char *name;
  // Where rejected messages go.
  const char *dead_name;
};

enum crabbitmq_kind {
  crabbitmq_confirmed = 1,
  crabbitmq_refused,
  // Of `number`; the broker confirms it none the less. `code` is AMQP's.
  crabbitmq_returned,
  crabbitmq_delivery,
  crabbitmq_blocked,
};

struct crabbitmq_event {
  enum crabbitmq_kind kind;
  // Of a publication, or of a delivery.
  uint64_t number;
  bool includes_earlier;
  int code;
  // Until the next call; NULL: more than `byte_count_max`.
  const unsigned char *bytes;
  size_t count;
  char text[crabbitmq_text_size];
};

struct crabbitmq;

// NULL: not connected. The password is not kept.
struct crabbitmq *crabbitmq_open(const struct crabbitmq_address *address, struct crabbitmq_error *error);

// Waits for the broker's word where `is_orderly`. Frees all.
void crabbitmq_close(struct crabbitmq *connection, bool is_orderly);

int crabbitmq_descriptor(const struct crabbitmq *connection);

// All of these: false with `error` where it failed. After that the connection can only be closed, but for `examine`.

// A durable quorum queue, made where it is missing; code 406: there is another one. What it rejects goes to `dead_name`.
bool crabbitmq_declare(struct crabbitmq *connection, const struct crabbitmq_queue *queue, struct crabbitmq_error *error);

// Where rejected messages go: the newest 1,000, 16 MiB at most, for a week.
bool crabbitmq_declare_dead(struct crabbitmq *connection, const char *dead_name, struct crabbitmq_error *error);

// Whether there is such a queue (`code` 404: none), and how many messages wait in it.
bool crabbitmq_examine(struct crabbitmq *connection, const char *queue, uint32_t *count, struct crabbitmq_error *error);

bool crabbitmq_delete(struct crabbitmq *connection, const char *queue, struct crabbitmq_error *error);

bool crabbitmq_purge(struct crabbitmq *connection, const char *queue, struct crabbitmq_error *error);

// Confirms from here on, number 1 first.
bool crabbitmq_begin_publishing(struct crabbitmq *connection, struct crabbitmq_error *error);

// Persistent and mandatory. `milliseconds`: how long it may wait in the queue; 0: for ever.
bool crabbitmq_publish(
  struct crabbitmq *connection, const char *queue, uint64_t number, const unsigned char *bytes, size_t count,
  uint64_t milliseconds, struct crabbitmq_error *error);

bool crabbitmq_consume(
  struct crabbitmq *connection, const char *queue, uint16_t prefetch, struct crabbitmq_error *error);

// What was delivered and not acknowledged is in the queue again.
bool crabbitmq_cancel(struct crabbitmq *connection, struct crabbitmq_error *error);

bool crabbitmq_acknowledge(struct crabbitmq *connection, uint64_t delivery, struct crabbitmq_error *error);

bool crabbitmq_reject(struct crabbitmq *connection, uint64_t delivery, struct crabbitmq_error *error);

// 1: an event; 0: nothing more for now; -1: `error`. Sends heartbeats that are due.
int crabbitmq_next(struct crabbitmq *connection, struct crabbitmq_event *event, struct crabbitmq_error *error);
