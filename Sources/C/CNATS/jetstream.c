#include "library.h"

#include <stdio.h>
#include <string.h>

enum { answer_milliseconds = 5000 };
#define nanoseconds(milliseconds) ((milliseconds) * 1000000)

static jsOptions answer_in_time(void) {
  jsOptions options;
  cnats_library.jsOptions_Init(&options);
  options.Wait = answer_milliseconds;
  return options;
}

bool cnats_check_answer(
  struct cnats *connection, struct cnats_error *error, natsStatus status, jsErrCode code) {
  char text[cnats_text_size];
  if (status == NATS_TIMEOUT && cnats_take_violation(connection->events, text))
    return cnats_fail(error, cnats_denied, 0, text);
  return cnats_check(error, status, code);
}

// MARK: - Streams

static bool put_stream(
  struct cnats *connection, const struct cnats_stream *stream, bool is_new, struct cnats_error *error) {
  jsStreamConfig wanted;
  cnats_library.jsStreamConfig_Init(&wanted);
  const char *subjects[] = {stream->subject};
  wanted.Name = stream->name;
  wanted.Description = "a mailbox of distro";
  wanted.Subjects = subjects;
  wanted.SubjectsLen = 1;
  wanted.Storage = js_FileStorage;
  wanted.Retention = js_WorkQueuePolicy;
  wanted.Discard = js_DiscardNew;
  wanted.Replicas = stream->replicas;
  wanted.MaxMsgsPerSubject = 1;
  wanted.MaxMsgs = stream->message_count_max;
  wanted.MaxBytes = stream->byte_count_max;
  wanted.Duplicates = nanoseconds(stream->duplicates_milliseconds);
  jsOptions options = answer_in_time();
  jsErrCode code = 0;
  __typeof__(cnats_library.js_AddStream) put = is_new ? cnats_library.js_AddStream : cnats_library.js_UpdateStream;
  natsStatus status = put(NULL, connection->context, &wanted, &options, &code);
  return cnats_check_answer(connection, error, status, code);
}

bool cnats_make_stream(struct cnats *connection, const struct cnats_stream *stream, struct cnats_error *error) {
  return put_stream(connection, stream, true, error);
}

bool cnats_change_stream(struct cnats *connection, const struct cnats_stream *stream, struct cnats_error *error) {
  return put_stream(connection, stream, false, error);
}

static bool is_whole(const jsClusterInfo *cluster, int64_t replicas) {
  if (replicas < 2) return true;
  if (!cluster || !cluster->Leader || cluster->ReplicasLen < replicas - 1) return false;
  for (int i = 0; i < cluster->ReplicasLen; i++)
    if (cluster->Replicas[i]->Offline || !cluster->Replicas[i]->Current) return false;
  return true;
}

bool cnats_look(
  struct cnats *connection, const char *stream, struct cnats_stream_state *state, struct cnats_error *error) {
  jsStreamInfo *found = NULL;
  jsOptions options = answer_in_time();
  jsErrCode code = 0;
  natsStatus status = cnats_library.js_GetStreamInfo(&found, connection->context, stream, &options, &code);
  if (!cnats_check_answer(connection, error, status, code)) return false;
  *state = (struct cnats_stream_state){
    .is_on_disk = found->Config->Storage == js_FileStorage,
    .is_work_queue = found->Config->Retention == js_WorkQueuePolicy,
    .refuses_new = found->Config->Discard == js_DiscardNew,
    .replicas = found->Config->Replicas,
    .subject_count_max = found->Config->MaxMsgsPerSubject,
    .is_whole = is_whole(found->Cluster, found->Config->Replicas),
    .message_count = found->State.Msgs,
  };
  cnats_library.jsStreamInfo_Destroy(found);
  return true;
}

bool cnats_delete_stream(struct cnats *connection, const char *stream, struct cnats_error *error) {
  jsOptions options = answer_in_time();
  jsErrCode code = 0;
  natsStatus status = cnats_library.js_DeleteStream(connection->context, stream, &options, &code);
  return cnats_check_answer(connection, error, status, code);
}

bool cnats_purge(struct cnats *connection, const char *stream, struct cnats_error *error) {
  jsOptions options = answer_in_time();
  jsErrCode code = 0;
  natsStatus status = cnats_library.js_PurgeStream(connection->context, stream, &options, &code);
  return cnats_check_answer(connection, error, status, code);
}

bool cnats_is_kept(struct cnats *connection, const char *subject, bool *is_kept, struct cnats_error *error) {
  jsStreamNamesList *names = NULL;
  jsOptions options = answer_in_time();
  options.Wait = 2000;
  options.Stream.Info.SubjectsFilter = subject;
  jsErrCode code = 0;
  natsStatus status = cnats_library.js_StreamNames(&names, connection->context, &options, &code);
  *is_kept = status == NATS_OK;
  if (status == NATS_NOT_FOUND) return true;
  if (!cnats_check_answer(connection, error, status, code)) return false;
  cnats_library.jsStreamNamesList_Destroy(names);
  return true;
}

// MARK: - The consumer

bool cnats_make_consumer(
  struct cnats *connection, const char *stream, const char *consumer, int64_t window, int64_t wait_milliseconds,
  struct cnats_error *error) {
  jsConsumerConfig wanted;
  cnats_library.jsConsumerConfig_Init(&wanted);
  wanted.Durable = consumer;
  wanted.DeliverPolicy = js_DeliverAll;
  wanted.AckPolicy = js_AckExplicit;
  wanted.AckWait = nanoseconds(wait_milliseconds);
  wanted.MaxAckPending = window;
  wanted.MaxDeliver = -1;
  jsOptions options = answer_in_time();
  jsErrCode code = 0;
  natsStatus status =
    cnats_library.js_AddConsumer(NULL, connection->context, stream, &wanted, &options, &code);
  return cnats_check_answer(connection, error, status, code);
}

bool cnats_look_at_consumer(
  struct cnats *connection, const char *stream, const char *consumer, struct cnats_consumer_state *state,
  struct cnats_error *error) {
  jsConsumerInfo *found = NULL;
  jsOptions options = answer_in_time();
  jsErrCode code = 0;
  natsStatus status =
    cnats_library.js_GetConsumerInfo(&found, connection->context, stream, consumer, &options, &code);
  if (!cnats_check_answer(connection, error, status, code)) return false;
  bool is_ours = found->Config->AckPolicy == js_AckExplicit && !found->Config->DeliverSubject;
  *state = (struct cnats_consumer_state){
    .pending_count = found->NumAckPending,
    .window_max = is_ours ? found->Config->MaxAckPending : 0,
    .delivery = found->Delivered.Consumer,
    .delivered = found->Delivered.Stream,
    .acknowledged = found->AckFloor.Stream,
  };
  cnats_library.jsConsumerInfo_Destroy(found);
  return true;
}

bool cnats_delete_consumer(
  struct cnats *connection, const char *stream, const char *consumer, struct cnats_error *error) {
  jsOptions options = answer_in_time();
  jsErrCode code = 0;
  natsStatus status =
    cnats_library.js_DeleteConsumer(connection->context, stream, consumer, &options, &code);
  return cnats_check_answer(connection, error, status, code);
}

// MARK: - Out

bool cnats_publish(
  struct cnats *connection, const char *stream, const char *subject, const char *identifier, uint64_t number,
  const unsigned char *bytes, size_t count, int64_t wait_milliseconds, struct cnats_error *error) {
  char answer[24];
  snprintf(answer, sizeof answer, "%llu", (unsigned long long)number);
  natsMsg *message = NULL;
  natsStatus status =
    cnats_library.natsMsg_Create(&message, subject, answer, (const char *)bytes, (int)count);
  jsPubOptions options;
  cnats_library.jsPubOptions_Init(&options);
  options.MsgId = identifier;
  options.ExpectStream = stream;
  options.MaxWait = wait_milliseconds;
  if (status == NATS_OK)
    status = cnats_library.js_PublishMsgAsync(connection->context, &message, &options);
  // Of a message that was handed over, this is nothing.
  cnats_library.natsMsg_Destroy(message);
  return cnats_check(error, status, 0);
}
