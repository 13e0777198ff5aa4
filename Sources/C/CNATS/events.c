#include "library.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// More than a window of each direction: nothing was asked for beyond it.
enum { event_count_max = 8192, generation_bits = 20 };

struct node {
  struct cnats_event event;
  natsMsg *message;
  struct node *next;
};

struct cnats_events {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  bool is_rung;
  // What the owner looks at.
  struct node *current;
  struct node *first;
  struct node *last;
  size_t count;
  // Of the connection, 0: none.
  uint64_t number;
  uint64_t generation;
  struct cnats_events *next;
};

// libnats may call back after a connection was closed: callbacks are given a number in place of a pointer, and find
// nothing where it is gone.
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static struct cnats_events *registered;
static uint64_t last_number;

struct cnats_events *cnats_events_new(void) {
  struct cnats_events *events = calloc(1, sizeof *events);
  if (!events) return NULL;
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&events->mutex, NULL);
  pthread_cond_init(&events->changed, &attributes);
  pthread_condattr_destroy(&attributes);
  pthread_mutex_lock(&registry);
  events->next = registered;
  registered = events;
  pthread_mutex_unlock(&registry);
  return events;
}

static void free_node(struct node *node) {
  if (node && node->message) cnats_library.natsMsg_Destroy(node->message);
  free(node);
}

void cnats_events_free(struct cnats_events *events) {
  cnats_end_events(events);
  pthread_mutex_lock(&registry);
  struct cnats_events **place = &registered;
  while (*place != events) place = &(*place)->next;
  *place = events->next;
  pthread_mutex_unlock(&registry);
  pthread_cond_destroy(&events->changed);
  pthread_mutex_destroy(&events->mutex);
  free(events);
}

// MARK: - The owner's side

void cnats_ring(struct cnats_events *events) {
  pthread_mutex_lock(&events->mutex);
  events->is_rung = true;
  pthread_cond_broadcast(&events->changed);
  pthread_mutex_unlock(&events->mutex);
}

// Until there is an event, where `needs_event`; until it is rung, or then. The mutex is held.
static void wait_until_changed(struct cnats_events *events, bool needs_event, int64_t milliseconds) {
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += milliseconds / 1000;
  end.tv_nsec += milliseconds % 1000 * 1000000;
  if (end.tv_nsec >= 1000000000) end.tv_sec++, end.tv_nsec -= 1000000000;
  while (!events->is_rung && !(needs_event && events->first))
    if (pthread_cond_timedwait(&events->changed, &events->mutex, &end)) break;
}

void cnats_wait(struct cnats_events *events, int64_t milliseconds) {
  pthread_mutex_lock(&events->mutex);
  wait_until_changed(events, false, milliseconds);
  events->is_rung = false;
  pthread_mutex_unlock(&events->mutex);
}

bool cnats_next(struct cnats *connection, int64_t milliseconds, struct cnats_event *event) {
  struct cnats_events *events = connection->events;
  pthread_mutex_lock(&events->mutex);
  struct node *done = events->current;
  if (!events->first && milliseconds > 0) {
    wait_until_changed(events, true, milliseconds);
    events->is_rung = false;
  }
  struct node *node = events->current = events->first;
  if (node) {
    events->first = node->next;
    if (!events->first) events->last = NULL;
    events->count--;
  }
  pthread_mutex_unlock(&events->mutex);
  free_node(done);
  if (!node) return false;
  if (node->event.kind == cnats_delivery && node->event.count > connection->byte_count_max) node->event.bytes = NULL;
  *event = node->event;
  return true;
}

static void drop_all(struct cnats_events *events, bool only_deliveries) {
  struct node **place = &events->first;
  events->last = NULL;
  while (*place) {
    struct node *node = *place;
    bool stays = only_deliveries && node->event.kind != cnats_delivery && node->event.kind != cnats_status;
    if (stays) {
      events->last = node;
      place = &node->next;
    } else {
      *place = node->next;
      events->count--;
      free_node(node);
    }
  }
}

bool cnats_take_violation(struct cnats_events *events, char text[cnats_text_size]) {
  pthread_mutex_lock(&events->mutex);
  struct node **place = &events->first, *before = NULL;
  while (*place && (*place)->event.kind != cnats_violation) before = *place, place = &before->next;
  struct node *found = *place;
  if (found) {
    *place = found->next;
    if (events->last == found) events->last = before;
    events->count--;
    memcpy(text, found->event.text, cnats_text_size);
  }
  pthread_mutex_unlock(&events->mutex);
  free_node(found);
  return found;
}

uint64_t cnats_begin_events(struct cnats_events *events) {
  pthread_mutex_lock(&registry);
  pthread_mutex_lock(&events->mutex);
  uint64_t number = events->number = ++last_number;
  pthread_mutex_unlock(&events->mutex);
  pthread_mutex_unlock(&registry);
  return number;
}

void cnats_end_events(struct cnats_events *events) {
  pthread_mutex_lock(&registry);
  pthread_mutex_lock(&events->mutex);
  events->number = 0;
  drop_all(events, false);
  free_node(events->current);
  events->current = NULL;
  pthread_mutex_unlock(&events->mutex);
  pthread_mutex_unlock(&registry);
}

void *cnats_begin_listening(struct cnats_events *events) {
  pthread_mutex_lock(&events->mutex);
  drop_all(events, true);
  uint64_t mask = ((uint64_t)1 << generation_bits) - 1;
  uint64_t generation = events->generation = (events->generation + 1) & mask;
  uint64_t closure = events->number << generation_bits | generation;
  pthread_mutex_unlock(&events->mutex);
  return (void *)(uintptr_t)closure;
}

// MARK: - The side of libnats' threads

// Takes the message. `generation`: of the subscription; -1: any.
static void push(uint64_t number, int64_t generation, const struct cnats_event *event, natsMsg *message) {
  struct node *node = calloc(1, sizeof *node);
  if (node) {
    node->event = *event;
    node->message = message;
  }
  pthread_mutex_lock(&registry);
  struct cnats_events *events = registered;
  while (events && events->number != number) events = events->next;
  if (events) {
    pthread_mutex_lock(&events->mutex);
    bool is_current = generation < 0 || (uint64_t)generation == events->generation;
    if (node && is_current && events->count <= event_count_max) {
      // The last one says that others are missing.
      if (events->count == event_count_max && event->kind != cnats_closed) {
        node->event = (struct cnats_event){.kind = cnats_closed};
        snprintf(node->event.text, cnats_text_size, "more came than was asked for");
      }
      *(events->last ? &events->last->next : &events->first) = node;
      events->last = node;
      events->count++;
      node = NULL, message = NULL;
      pthread_cond_broadcast(&events->changed);
    }
    pthread_mutex_unlock(&events->mutex);
  }
  pthread_mutex_unlock(&registry);
  free(node);
  if (message) cnats_library.natsMsg_Destroy(message);
}

void cnats_on_message(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *closure) {
  (void)connection, (void)subscription;
  uint64_t both = (uint64_t)(uintptr_t)closure;
  struct cnats_event event = {.kind = cnats_delivery};
  event.reply = cnats_library.natsMsg_GetReply(message);
  event.bytes = (const unsigned char *)cnats_library.natsMsg_GetData(message);
  event.count = (size_t)cnats_library.natsMsg_GetDataLength(message);
  // A message that is stored is acknowledged at such a subject; the server's own word has none.
  if (!event.reply || strncmp(event.reply, "$JS.ACK.", 8)) {
    const char *status = NULL, *description = NULL;
    cnats_library.natsMsgHeader_Get(message, "Status", &status);
    cnats_library.natsMsgHeader_Get(message, "Description", &description);
    event = (struct cnats_event){.kind = cnats_status, .code = status ? atoi(status) : 0};
    snprintf(event.text, sizeof event.text, "%s", description ? description : "");
  }
  push(both >> generation_bits, (int64_t)(both & (((uint64_t)1 << generation_bits) - 1)), &event, message);
}

void cnats_on_confirm(jsCtx *context, natsMsg *message, jsPubAck *confirm, jsPubAckErr *failure, void *closure) {
  (void)context;
  // Its own answer subject is the number; libnats publishes it with another one.
  const char *number = cnats_library.natsMsg_GetReply(message);
  // A leader notes a name before the message is stored (NATS 2.9): a duplicate of what has no sequence may never be.
  bool is_stored = confirm && confirm->Sequence > 0;
  struct cnats_event event = {.kind = is_stored ? cnats_confirmed : cnats_rejected, .code = cnats_no_confirm};
  event.number = number ? strtoull(number, NULL, 10) : 0;
  if (failure) {
    event.code = failure->ErrCode ? (int)failure->ErrCode
      : failure->Err == NATS_NO_RESPONDERS ? cnats_no_responder
      : failure->Err == NATS_TIMEOUT ? cnats_no_confirm : cnats_other_reason;
    snprintf(event.text, sizeof event.text, "%s", failure->ErrText ? failure->ErrText : "");
  }
  cnats_library.natsMsg_Destroy(message);
  push((uint64_t)(uintptr_t)closure, -1, &event, NULL);
}

void cnats_on_error(natsConnection *connection, natsSubscription *subscription, natsStatus status, void *closure) {
  (void)connection, (void)subscription;
  natsStatus last = NATS_OK;
  const char *text = cnats_library.nats_GetLastError(&last);
  if (!text || !text[0]) text = cnats_library.natsStatus_GetText(status);
  struct cnats_event event = {.kind = status == NATS_NOT_PERMITTED ? cnats_violation : cnats_closed};
  snprintf(event.text, sizeof event.text, "%s", text);
  push((uint64_t)(uintptr_t)closure, -1, &event, NULL);
}

void cnats_on_close(natsConnection *connection, void *closure) {
  const char *text = NULL;
  natsStatus status = cnats_library.natsConnection_GetLastError(connection, &text);
  if (!text || !text[0]) text = cnats_library.natsStatus_GetText(status);
  struct cnats_event event = {.kind = cnats_closed};
  snprintf(event.text, sizeof event.text, "%s", status == NATS_OK ? "closed" : text);
  push((uint64_t)(uintptr_t)closure, -1, &event, NULL);
}
