import GRDB
import GitModel
import Mailboxes
import MessageFormat
import Sodium

// What goes into a slot of its own, where the next word replaces it: uncollected answers do not pile up.
extension Answer {
  /// One report on all streams of a heartbeat.
  func answer(_ answered: AnsweredHeartbeat, at moment: Moment) throws {
    let opened = answered.heartbeat.opened
    let heartbeat = opened.heartbeat
    // What lay in the inbox for long says less.
    let waited =
      moment.wall.milliseconds - min(moment.wall, opened.stored.receivedAt).milliseconds
    let received = moment.subtracting(milliseconds: waited)
    let time = now()
    let slot = try inbox.reportSlot(of: heartbeat.part, for: heartbeat.signer)
    let reports = try reports(on: answered, slot: slot, at: time)
    try store.commit(reports, at: time) { database in
      try Inbox.recordSlot(slot, of: heartbeat.part, for: heartbeat.signer, in: database)
      try Inbox.recordHeartbeat(
        heartbeat, of: answered.streams.map(\.stream.heard), received: received, in: database)
      for stream in answered.told {
        try Self.record(stream.standing, of: stream.name, at: time, in: database)
      }
      for stray in answered.heartbeat.strays {
        try Inbox.recordStray(stray, at: time, in: database)
      }
      try Self.remove(opened.stored, in: database)
    }
    try store.removeFile(of: opened.stored)
  }

  /// None where nothing can be said yet.
  private func reports(
    on answered: AnsweredHeartbeat, slot: Slot, at time: Timestamp
  ) throws -> [MessageWriter] {
    let opened = answered.heartbeat.opened
    let streams = answered.told
    guard !streams.isEmpty,
      let signer = trustedSigners.first(where: { $0.mailbox == opened.heartbeat.signer })
    else { return [] }
    let report = Report(
      applier: identity.public.mailbox, signer: signer.mailbox, counter: opened.heartbeat.counter,
      receivedAt: opened.stored.receivedAt, finishedAt: time, streams: streams)
    return [try seal(report, for: signer, slot: slot)]
  }

  private static func record(
    _ standing: Report.Standing, of stream: StreamName, at time: Timestamp, in database: Database
  ) throws {
    if case .blocked(let reason, let detail, _) = standing {
      try Inbox.recordBlock(reason, detail: detail, of: stream, at: time, in: database)
    } else {
      try Inbox.clearBlock(of: stream, in: database)
    }
  }

  /// Takes a message out of the inbox without a word; a heartbeat that came twice is not worth one.
  func drop(_ stored: StoredMessage, _ reason: Refused) throws {
    let time = now()
    try store.commit([], at: time) { database in
      if reason.refusal != .replayed { try Inbox.recordStray(reason, at: time, in: database) }
      try Self.remove(stored, in: database)
    }
    try store.removeFile(of: stored)
  }

  /// The message stays where it is.
  func block(
    _ fault: CheckoutFault, of settings: CheckoutSettings, revision: ObjectID?
  ) throws {
    guard let message = fault.message else {
      let time = now()
      return try store.commit([], at: time) { database in
        try Inbox.recordBlock(
          fault.blockReason, detail: fault.detail, of: settings.stream, at: time, in: database)
      }
    }
    try sayBlocked(fault, revision: revision, to: message)
  }

  /// The message goes: there is no room to keep it.
  func decline(_ routed: RoutedMessage, _ fault: CheckoutFault, revision: ObjectID?) throws {
    let stored = routed.opened.stored
    try sayBlocked(fault, revision: revision, to: MessageReference(routed.opened)) { database in
      try Self.remove(stored, in: database)
    }
    try store.removeFile(of: stored)
  }

  private func sayBlocked(
    _ fault: CheckoutFault, revision: ObjectID?, to message: MessageReference,
    also: (Database) throws -> Void = { _ in }
  ) throws {
    let time = now()
    let slot = try inbox.answerSlot(of: message.stream, for: message.signer)
    var receipts: [MessageWriter] = []
    if let signer = trustedSigners.first(where: { $0.mailbox == message.signer }) {
      let receipt = Receipt(
        applier: identity.public.mailbox, signer: signer.mailbox, messageID: message.id,
        subject: Receipt.Subject(stream: message.stream, sequence: message.sequence),
        outcome: .blocked(fault.blockReason, detail: fault.detail), revision: revision,
        receivedAt: message.receivedAt, finishedAt: time)
      receipts.append(try seal(receipt, for: signer, slot: slot))
    }
    try store.commit(receipts, at: time) { database in
      try Inbox.recordSlot(slot, of: message.stream, for: message.signer, in: database)
      try Inbox.recordBlock(
        fault.blockReason, detail: fault.detail, of: message.stream, at: time, in: database)
      try also(database)
    }
  }
}
