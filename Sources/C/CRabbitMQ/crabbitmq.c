#include "crabbitmq.h"

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { publishing_channel = 1, first_channel = 2, last_channel = 1000, frame_size = 131072 };
// Longer than a stalled line is waited for: a broker whose memory or disk is short stops reading.
enum { stall_milliseconds = 20000 };
// Brokers count deliveries, and drop what was delivered too often; a break of the line is no fault of a message's.
enum { delivery_limit = 1000000 };
enum { dead_message_count = 1000, dead_byte_count = 16 << 20, dead_milliseconds = 7 * 24 * 3600 * 1000 };

// Of a message that comes in frames.
struct content {
  enum crabbitmq_kind kind;
  uint64_t number;
  int code;
  uint64_t size;
  uint64_t filled;
  unsigned char *bytes;
};

struct crabbitmq {
  amqp_connection_state_t state;
  amqp_channel_t consuming;
  amqp_channel_t last;
  size_t byte_count_max;
  struct content returned;
  struct content delivered;
};

// MARK: - Errors

static bool fail(struct crabbitmq_error *error, enum crabbitmq_fault fault, int code, const char *text, size_t count) {
  error->fault = fault;
  error->code = code;
  if (count >= sizeof error->text) count = sizeof error->text - 1;
  memcpy(error->text, text, count);
  error->text[count] = 0;
  return false;
}

static bool fail_status(struct crabbitmq_error *error, int status, enum crabbitmq_fault fault) {
  const char *text = amqp_error_string2(status);
  if (status <= AMQP_STATUS_SSL_ERROR) fault = crabbitmq_tls;
  return fail(error, fault, 0, text, strlen(text));
}

static bool fail_closed(struct crabbitmq_error *error, enum crabbitmq_fault fault, int code, amqp_bytes_t text) {
  return fail(error, fault, code, text.bytes ? text.bytes : "", text.bytes ? text.len : 0);
}

// Of what a synchronous call has led to; `channel`: its.
static bool check(
  struct crabbitmq *connection, amqp_channel_t channel, amqp_rpc_reply_t reply, enum crabbitmq_fault fault,
  struct crabbitmq_error *error) {
  switch (reply.reply_type) {
  case AMQP_RESPONSE_NORMAL: return true;
  case AMQP_RESPONSE_LIBRARY_EXCEPTION:
    return fail_status(error, reply.library_error, crabbitmq_line);
  case AMQP_RESPONSE_SERVER_EXCEPTION:
    if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
      amqp_channel_close_t *close = reply.reply.decoded;
      fail_closed(error, fault, close->reply_code, close->reply_text);
      amqp_channel_close_ok_t ok = {0};
      amqp_send_method(connection->state, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
      return false;
    }
    if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
      amqp_connection_close_t *close = reply.reply.decoded;
      return fail_closed(error, fault, close->reply_code, close->reply_text);
    }
    break;
  default: break;
  }
  return fail(error, crabbitmq_line, 0, "an answer that AMQP does not have", 33);
}

static bool check_last(struct crabbitmq *connection, amqp_channel_t channel, struct crabbitmq_error *error) {
  return check(connection, channel, amqp_get_rpc_reply(connection->state), crabbitmq_closed_by_broker, error);
}

static bool check_sent(int status, struct crabbitmq_error *error) {
  return status == AMQP_STATUS_OK || fail_status(error, status, crabbitmq_line);
}

// MARK: - The connection

static amqp_table_entry_t entry(const char *key, amqp_field_value_kind_t kind) {
  amqp_table_entry_t entry = {.key = amqp_cstring_bytes(key)};
  entry.value.kind = kind;
  return entry;
}

static amqp_table_entry_t text_entry(const char *key, const char *value) {
  amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_UTF8);
  made.value.value.bytes = amqp_cstring_bytes(value);
  return made;
}

static amqp_table_entry_t number_entry(const char *key, int64_t value) {
  amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_I64);
  made.value.value.i64 = value;
  return made;
}

static amqp_table_entry_t true_entry(const char *key) {
  amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_BOOLEAN);
  made.value.value.boolean = 1;
  return made;
}

static amqp_socket_t *new_socket(
  struct crabbitmq *connection, const struct crabbitmq_address *address, struct crabbitmq_error *error) {
  if (!address->is_secured) return amqp_tcp_socket_new(connection->state);
  amqp_socket_t *socket = amqp_ssl_socket_new(connection->state);
  if (!socket) return NULL;
  amqp_ssl_socket_set_verify_peer(socket, 1);
  amqp_ssl_socket_set_verify_hostname(socket, 1);
  int status = amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
  if (status == AMQP_STATUS_OK && address->ca_file)
    status = amqp_ssl_socket_set_cacert(socket, address->ca_file);
  if (status == AMQP_STATUS_OK && !address->ca_file &&
      SSL_CTX_set_default_verify_paths(amqp_ssl_socket_get_context(socket)) != 1)
    status = AMQP_STATUS_SSL_ERROR;
  if (status == AMQP_STATUS_OK) return socket;
  fail_status(error, status, crabbitmq_tls);
  if (address->ca_file)
    snprintf(error->text, sizeof error->text, "%s: no certificates can be read from it", address->ca_file);
  return NULL;
}

static bool connect_and_login(
  struct crabbitmq *connection, const struct crabbitmq_address *address, struct crabbitmq_error *error) {
  fail(error, crabbitmq_memory, 0, "out of memory", 13);
  connection->state = amqp_new_connection();
  if (!connection->state) return false;
  amqp_socket_t *socket = new_socket(connection, address, error);
  if (!socket) return false;
  struct timeval timeout = {.tv_sec = address->timeout_seconds};
  amqp_set_handshake_timeout(connection->state, &timeout);
  amqp_set_rpc_timeout(connection->state, &timeout);
  int status = amqp_socket_open_noblock(socket, address->host, address->port, &timeout);
  if (status != AMQP_STATUS_OK) return fail_status(error, status, crabbitmq_unreachable);
  unsigned stall = stall_milliseconds;
  setsockopt(amqp_get_sockfd(connection->state), IPPROTO_TCP, TCP_USER_TIMEOUT, &stall, sizeof stall);
  amqp_table_entry_t capabilities[] = {
    true_entry("connection.blocked"), true_entry("consumer_cancel_notify"), true_entry("publisher_confirms"),
    true_entry("basic.nack"), true_entry("authentication_failure_close"),
  };
  amqp_table_entry_t properties[] = {text_entry("product", "distro"), entry("capabilities", AMQP_FIELD_KIND_TABLE)};
  properties[1].value.value.table = (amqp_table_t){sizeof capabilities / sizeof *capabilities, capabilities};
  amqp_table_t table = {sizeof properties / sizeof *properties, properties};
  amqp_rpc_reply_t reply = amqp_login_with_properties(
    connection->state, address->virtual_host, last_channel, frame_size, address->heartbeat_seconds, &table,
    AMQP_SASL_METHOD_PLAIN, address->user, address->password);
  return check(connection, 0, reply, crabbitmq_login, error);
}

struct crabbitmq *crabbitmq_open(const struct crabbitmq_address *address, struct crabbitmq_error *error) {
  struct crabbitmq *connection = calloc(1, sizeof *connection);
  if (!connection) return NULL;
  connection->byte_count_max = address->byte_count_max;
  connection->last = first_channel - 1;
  connection->delivered.bytes = malloc(address->byte_count_max + 1);
  if (connection->delivered.bytes && connect_and_login(connection, address, error)) return connection;
  crabbitmq_close(connection, false);
  return NULL;
}

void crabbitmq_close(struct crabbitmq *connection, bool is_orderly) {
  if (connection->state) {
    struct timeval timeout = {.tv_sec = 2};
    amqp_set_rpc_timeout(connection->state, &timeout);
    if (is_orderly) amqp_connection_close(connection->state, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(connection->state);
  }
  free(connection->delivered.bytes);
  free(connection);
}

int crabbitmq_descriptor(const struct crabbitmq *connection) { return amqp_get_sockfd(connection->state); }

// MARK: - Queues

// Another number each time: what an ended channel still brings is no later one's.
static amqp_channel_t open_channel(struct crabbitmq *connection, struct crabbitmq_error *error) {
  amqp_channel_t channel = connection->last == last_channel ? first_channel : connection->last + 1;
  connection->last = channel;
  amqp_channel_open(connection->state, channel);
  return check_last(connection, channel, error) ? channel : 0;
}

static bool end_channel(struct crabbitmq *connection, amqp_channel_t channel, struct crabbitmq_error *error) {
  return check(
    connection, channel, amqp_channel_close(connection->state, channel, AMQP_REPLY_SUCCESS),
    crabbitmq_closed_by_broker, error);
}

static bool declare(
  struct crabbitmq *connection, const char *name, amqp_table_entry_t *arguments, int count,
  struct crabbitmq_error *error) {
  amqp_channel_t channel = open_channel(connection, error);
  if (!channel) return false;
  amqp_table_t table = {count, arguments};
  amqp_queue_declare(connection->state, channel, amqp_cstring_bytes(name), 0, 1, 0, 0, table);
  return check_last(connection, channel, error) && end_channel(connection, channel, error);
}

bool crabbitmq_declare_dead(struct crabbitmq *connection, const char *dead_name, struct crabbitmq_error *error) {
  amqp_table_entry_t arguments[] = {
    text_entry("x-queue-type", "quorum"), text_entry("x-overflow", "drop-head"),
    number_entry("x-max-length", dead_message_count), number_entry("x-max-length-bytes", dead_byte_count),
    number_entry("x-message-ttl", dead_milliseconds),
  };
  return declare(connection, dead_name, arguments, sizeof arguments / sizeof *arguments, error);
}

bool crabbitmq_declare(
  struct crabbitmq *connection, const struct crabbitmq_queue *queue, struct crabbitmq_error *error) {
  amqp_table_entry_t arguments[] = {
    text_entry("x-queue-type", "quorum"), text_entry("x-dead-letter-exchange", ""),
    text_entry("x-dead-letter-routing-key", queue->dead_name), number_entry("x-delivery-limit", delivery_limit),
  };
  return declare(connection, queue->name, arguments, sizeof arguments / sizeof *arguments, error);
}

bool crabbitmq_examine(
  struct crabbitmq *connection, const char *queue, uint32_t *count, struct crabbitmq_error *error) {
  // The channel that consumes hears of what was delivered before it hears of the number.
  amqp_channel_t channel = connection->consuming;
  if (!channel) channel = open_channel(connection, error);
  if (!channel) return false;
  amqp_queue_declare_ok_t *ok = amqp_queue_declare(
    connection->state, channel, amqp_cstring_bytes(queue), 1, 0, 0, 0, amqp_empty_table);
  if (!check_last(connection, channel, error)) return false;
  *count = ok->message_count;
  return channel == connection->consuming || end_channel(connection, channel, error);
}

bool crabbitmq_delete(struct crabbitmq *connection, const char *queue, struct crabbitmq_error *error) {
  amqp_channel_t channel = open_channel(connection, error);
  if (!channel) return false;
  amqp_queue_delete(connection->state, channel, amqp_cstring_bytes(queue), 0, 0);
  return check_last(connection, channel, error) && end_channel(connection, channel, error);
}

bool crabbitmq_purge(struct crabbitmq *connection, const char *queue, struct crabbitmq_error *error) {
  amqp_channel_t channel = open_channel(connection, error);
  if (!channel) return false;
  amqp_queue_purge(connection->state, channel, amqp_cstring_bytes(queue));
  return check_last(connection, channel, error) && end_channel(connection, channel, error);
}

// MARK: - Out

bool crabbitmq_begin_publishing(struct crabbitmq *connection, struct crabbitmq_error *error) {
  amqp_channel_open(connection->state, publishing_channel);
  if (!check_last(connection, publishing_channel, error)) return false;
  amqp_confirm_select(connection->state, publishing_channel);
  return check_last(connection, publishing_channel, error);
}

bool crabbitmq_publish(
  struct crabbitmq *connection, const char *queue, uint64_t number, const unsigned char *bytes, size_t count,
  uint64_t milliseconds, struct crabbitmq_error *error) {
  char name[24], lifetime[24];
  snprintf(name, sizeof name, "%llu", (unsigned long long)number);
  snprintf(lifetime, sizeof lifetime, "%llu", (unsigned long long)milliseconds);
  amqp_basic_properties_t properties = {
    ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG |
              (milliseconds ? AMQP_BASIC_EXPIRATION_FLAG : 0),
    .delivery_mode = AMQP_DELIVERY_PERSISTENT,
    .message_id = amqp_cstring_bytes(name),
    .expiration = amqp_cstring_bytes(lifetime),
  };
  amqp_bytes_t body = {count, (void *)bytes};
  return check_sent(
    amqp_basic_publish(
      connection->state, publishing_channel, amqp_empty_bytes, amqp_cstring_bytes(queue), 1, 0, &properties, body),
    error);
}

// MARK: - In

bool crabbitmq_consume(
  struct crabbitmq *connection, const char *queue, uint16_t prefetch, struct crabbitmq_error *error) {
  amqp_channel_t channel = open_channel(connection, error);
  if (!channel) return false;
  connection->consuming = channel;
  connection->delivered.kind = 0;
  amqp_basic_qos(connection->state, channel, 0, prefetch, 0);
  if (!check_last(connection, channel, error)) return false;
  amqp_basic_consume(
    connection->state, channel, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
  return check_last(connection, channel, error);
}

bool crabbitmq_cancel(struct crabbitmq *connection, struct crabbitmq_error *error) {
  amqp_channel_t channel = connection->consuming;
  connection->consuming = 0;
  return !channel || end_channel(connection, channel, error);
}

bool crabbitmq_acknowledge(struct crabbitmq *connection, uint64_t delivery, struct crabbitmq_error *error) {
  return check_sent(amqp_basic_ack(connection->state, connection->consuming, delivery, 0), error);
}

bool crabbitmq_reject(struct crabbitmq *connection, uint64_t delivery, struct crabbitmq_error *error) {
  return check_sent(amqp_basic_reject(connection->state, connection->consuming, delivery, 0), error);
}

// MARK: - What happens

// The content that a frame of this channel belongs to; NULL: none that we wait for.
static struct content *content_of(struct crabbitmq *connection, amqp_channel_t channel) {
  if (channel == publishing_channel && connection->returned.kind) return &connection->returned;
  if (channel == connection->consuming && connection->delivered.kind) return &connection->delivered;
  return NULL;
}

static int finish(struct crabbitmq *connection, struct content *content, struct crabbitmq_event *event) {
  if (content->filled < content->size) return 0;
  bool is_kept = content->bytes && content->size <= connection->byte_count_max;
  *event = (struct crabbitmq_event){
    .kind = content->kind, .number = content->number, .code = content->code,
    .bytes = is_kept ? content->bytes : NULL, .count = is_kept ? content->size : 0,
  };
  content->kind = 0;
  return 1;
}

static int take_header(
  struct crabbitmq *connection, const amqp_frame_t *frame, struct content *content, struct crabbitmq_event *event) {
  content->size = frame->payload.properties.body_size;
  content->filled = 0;
  const amqp_basic_properties_t *properties = frame->payload.properties.decoded;
  if (content->kind == crabbitmq_returned && properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) {
    char name[24] = {0};
    size_t count = properties->message_id.len;
    memcpy(name, properties->message_id.bytes, count < sizeof name - 1 ? count : sizeof name - 1);
    content->number = strtoull(name, NULL, 10);
  }
  return finish(connection, content, event);
}

static int take_body(
  struct crabbitmq *connection, amqp_bytes_t bytes, struct content *content, struct crabbitmq_event *event) {
  if (content->bytes && content->size <= connection->byte_count_max && bytes.len <= content->size - content->filled)
    memcpy(content->bytes + content->filled, bytes.bytes, bytes.len);
  content->filled += bytes.len;
  return finish(connection, content, event);
}

static int take_method(
  struct crabbitmq *connection, const amqp_frame_t *frame, struct crabbitmq_event *event,
  struct crabbitmq_error *error) {
  amqp_method_t method = frame->payload.method;
  bool is_ours = frame->channel == publishing_channel || frame->channel == connection->consuming;
  switch (method.id) {
  case AMQP_BASIC_DELIVER_METHOD: {
    amqp_basic_deliver_t *deliver = method.decoded;
    if (!is_ours) return 0;
    connection->delivered.kind = crabbitmq_delivery;
    connection->delivered.number = deliver->delivery_tag;
    return 0;
  }
  case AMQP_BASIC_RETURN_METHOD: {
    amqp_basic_return_t *returned = method.decoded;
    connection->returned = (struct content){.kind = crabbitmq_returned, .code = returned->reply_code};
    return 0;
  }
  case AMQP_BASIC_ACK_METHOD: {
    amqp_basic_ack_t *ack = method.decoded;
    *event = (struct crabbitmq_event){
      .kind = crabbitmq_confirmed, .number = ack->delivery_tag, .includes_earlier = ack->multiple};
    return 1;
  }
  case AMQP_BASIC_NACK_METHOD: {
    amqp_basic_nack_t *nack = method.decoded;
    *event = (struct crabbitmq_event){
      .kind = crabbitmq_refused, .number = nack->delivery_tag, .includes_earlier = nack->multiple};
    return 1;
  }
  case AMQP_BASIC_CANCEL_METHOD:
    if (!is_ours) return 0;
    fail(error, crabbitmq_closed_by_broker, 404, "our queue was deleted", 21);
    return -1;
  case AMQP_CONNECTION_BLOCKED_METHOD: {
    amqp_connection_blocked_t *blocked = method.decoded;
    *event = (struct crabbitmq_event){.kind = crabbitmq_blocked};
    size_t count = blocked->reason.len < sizeof event->text ? blocked->reason.len : sizeof event->text - 1;
    memcpy(event->text, blocked->reason.bytes, count);
    return 1;
  }
  case AMQP_CHANNEL_CLOSE_METHOD: {
    amqp_channel_close_t *close = method.decoded;
    if (!is_ours) return 0;
    fail_closed(error, crabbitmq_closed_by_broker, close->reply_code, close->reply_text);
    return -1;
  }
  case AMQP_CONNECTION_CLOSE_METHOD: {
    amqp_connection_close_t *close = method.decoded;
    fail_closed(error, crabbitmq_closed_by_broker, close->reply_code, close->reply_text);
    return -1;
  }
  default: return 0;
  }
}

int crabbitmq_next(struct crabbitmq *connection, struct crabbitmq_event *event, struct crabbitmq_error *error) {
  for (;;) {
    // All of the last frame was copied.
    amqp_maybe_release_buffers(connection->state);
    struct timeval none = {0};
    amqp_frame_t frame;
    int status = amqp_simple_wait_frame_noblock(connection->state, &frame, &none);
    if (status == AMQP_STATUS_TIMEOUT) return 0;
    if (status != AMQP_STATUS_OK) {
      fail_status(error, status, crabbitmq_line);
      return -1;
    }
    int result = 0;
    struct content *content = content_of(connection, frame.channel);
    if (frame.frame_type == AMQP_FRAME_METHOD) result = take_method(connection, &frame, event, error);
    else if (content && frame.frame_type == AMQP_FRAME_HEADER) result = take_header(connection, &frame, content, event);
    else if (content && frame.frame_type == AMQP_FRAME_BODY)
      result = take_body(connection, frame.payload.body_fragment, content, event);
    if (result) return result;
  }
}
