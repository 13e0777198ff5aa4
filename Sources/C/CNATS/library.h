// What the files of this target have in common.
#pragma once
#include "cnats.h"

#include <nats/nats.h>

// Declarations of nats.h are used as types; its symbols are not linked.
#define CNATS_FUNCTIONS(X) \
  X(nats_Open) X(nats_GetLastError) X(nats_ReleaseThreadMemory) X(natsStatus_GetText) \
  X(natsOptions_Create) X(natsOptions_Destroy) X(natsOptions_SetURL) X(natsOptions_SetName) \
  X(natsOptions_SetTimeout) X(natsOptions_SetSecure) X(natsOptions_SetExpectedHostname) \
  X(natsOptions_LoadCATrustedCertificates) X(natsOptions_SetAllowReconnect) \
  X(natsOptions_SetIgnoreDiscoveredServers) X(natsOptions_SetErrorHandler) X(natsOptions_SetClosedCB) \
  X(natsOptions_SetUserInfo) X(natsOptions_SetUserCredentialsFromFiles) X(natsOptions_SetCustomInboxPrefix) \
  X(natsOptions_SetPingInterval) X(natsOptions_SetMaxPingsOut) X(natsOptions_SetWriteDeadline) \
  X(natsConnection_Connect) X(natsConnection_Close) X(natsConnection_Destroy) X(natsConnection_FlushTimeout) \
  X(natsConnection_GetMaxPayload) X(natsConnection_GetLastError) X(natsConnection_Subscribe) \
  X(natsConnection_PublishString) X(natsConnection_PublishRequestString) X(natsConnection_JetStream) \
  X(natsSubscription_Destroy) X(natsSubscription_SetPendingLimits) \
  X(natsMsg_Create) X(natsMsg_Destroy) X(natsMsg_GetData) X(natsMsg_GetDataLength) X(natsMsg_GetReply) \
  X(natsMsgHeader_Get) X(jsCtx_Destroy) X(jsOptions_Init) X(jsPubOptions_Init) X(jsStreamConfig_Init) \
  X(jsConsumerConfig_Init) X(js_AddStream) X(js_UpdateStream) X(js_GetStreamInfo) X(js_DeleteStream) \
  X(js_PurgeStream) X(js_StreamNames) X(jsStreamInfo_Destroy) X(jsStreamNamesList_Destroy) X(js_AddConsumer) \
  X(js_GetConsumerInfo) X(js_DeleteConsumer) X(jsConsumerInfo_Destroy) X(js_PublishMsgAsync)

struct cnats_library {
#define X(name) __typeof__(&name) name;
  CNATS_FUNCTIONS(X)
#undef X
};

// Filled by `cnats_load`.
extern struct cnats_library cnats_library;

struct cnats {
  natsConnection *connection;
  jsCtx *context;
  natsSubscription *subscription;
  struct cnats_events *events;
  uint64_t number;
  size_t byte_count_max;
};

bool cnats_fail(struct cnats_error *error, enum cnats_fault fault, int code, const char *text);

// Of what a call has led to.
bool cnats_check(struct cnats_error *error, natsStatus status, jsErrCode code);

// The same of a question to JetStream: one that the user may not ask is never answered.
bool cnats_check_answer(
  struct cnats *connection, struct cnats_error *error, natsStatus status, jsErrCode code);

// Takes what the server has said against the user's rights, if anything.
bool cnats_take_violation(struct cnats_events *events, char text[cnats_text_size]);

// A connection's number by which callbacks find its events, and never another one's.
uint64_t cnats_begin_events(struct cnats_events *events);
// Nothing more comes, and nothing waits.
void cnats_end_events(struct cnats_events *events);
// Deliveries of an earlier subscription are none any more. Returns what the next one's callbacks are given.
void *cnats_begin_listening(struct cnats_events *events);

void cnats_on_message(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *closure);
void cnats_on_confirm(jsCtx *context, natsMsg *message, jsPubAck *confirm, jsPubAckErr *failure, void *closure);
void cnats_on_error(natsConnection *connection, natsSubscription *subscription, natsStatus status, void *closure);
void cnats_on_close(natsConnection *connection, void *closure);
