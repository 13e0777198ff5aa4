import CNATS

/// A stream as a mailbox needs it: a work queue in files that refuses what is over its limits, with one message a subject.
package struct NATSStream: Sendable {
  package let name: String
  /// What it keeps, with wildcards.
  package let subject: String
  package let replicas: Int
  /// `nil`: no limit.
  package var messageCountMax: Int?
  package var byteCountMax: Int?
  /// What is published again within so long is stored once.
  package var duplicates: Duration

  package init(name: String, subject: String, replicas: Int, duplicates: Duration) {
    (self.name, self.subject, self.replicas) = (name, subject, replicas)
    self.duplicates = duplicates
  }
}

/// What a stream is that is there.
package struct NATSStreamState: Sendable, Equatable {
  package let isOnDisk: Bool
  package let isWorkQueue: Bool
  package let refusesNew: Bool
  package let replicas: Int
  /// `-1`: no limit.
  package let subjectCountMax: Int
  /// Whether all its copies are there, and newest.
  package let isWhole: Bool
  package let messageCount: UInt64
}

/// What a consumer is that is there.
package struct NATSConsumerState: Sendable, Equatable {
  /// Delivered and not acknowledged.
  package let pendingCount: Int
  /// How many of these it has at most; 0: it is not one that is pulled from, with explicit acknowledgement.
  package let windowMax: Int
  /// The number of its last delivery, and that of its message in the stream.
  package let delivery: UInt64
  package let delivered: UInt64
  /// All up to this number in the stream are acknowledged.
  package let acknowledged: UInt64
}

extension NATSConnection {
  package func make(_ stream: NATSStream) throws(NATSError) {
    try unsafe put(stream, by: cnats_make_stream)
  }

  /// The same with other limits.
  package func change(_ stream: NATSStream) throws(NATSError) {
    try unsafe put(stream, by: cnats_change_stream)
  }

  private func put(
    _ stream: NATSStream,
    by call: (OpaquePointer, UnsafePointer<cnats_stream>, UnsafeMutablePointer<cnats_error>) -> Bool
  ) throws(NATSError) {
    try unsafe calling { handle, error in
      unsafe Self.withCStrings([stream.name, stream.subject]) { texts in
        var wanted = unsafe cnats_stream(
          name: texts[0], subject: texts[1], replicas: Int64(stream.replicas),
          message_count_max: Int64(stream.messageCountMax ?? -1),
          byte_count_max: Int64(stream.byteCountMax ?? -1),
          duplicates_milliseconds: Int64(stream.duplicates / .milliseconds(1)))
        return unsafe call(handle, &wanted, error)
      }
    }
  }

  /// `nil`: the stream does not exist.
  package func stream(_ name: String) throws(NATSError) -> NATSStreamState? {
    var state = cnats_stream_state()
    do {
      try unsafe calling { handle, error in
        unsafe name.withCString { unsafe cnats_look(handle, $0, &state, error) }
      }
    } catch {
      guard error.isMissingStream else { throw error }
      return nil
    }
    return NATSStreamState(
      isOnDisk: state.is_on_disk, isWorkQueue: state.is_work_queue, refusesNew: state.refuses_new,
      replicas: Int(state.replicas), subjectCountMax: Int(state.subject_count_max),
      isWhole: state.is_whole, messageCount: state.message_count)
  }

  package func deleteStream(_ name: String) throws(NATSError) {
    try unsafe calling { handle, error in
      unsafe name.withCString { unsafe cnats_delete_stream(handle, $0, error) }
    }
  }

  package func purge(_ name: String) throws(NATSError) {
    try unsafe calling { handle, error in
      unsafe name.withCString { unsafe cnats_purge(handle, $0, error) }
    }
  }

  /// Whether there is a stream for `subject`, also one that is not to be reached now.
  package func isKept(_ subject: String) throws(NATSError) -> Bool {
    var isKept = false
    try unsafe calling { handle, error in
      unsafe subject.withCString { unsafe cnats_is_kept(handle, $0, &isKept, error) }
    }
    return isKept
  }

  /// A durable one that is pulled from. What is not acknowledged within `patience` is delivered again.
  package func makeConsumer(
    _ name: String, of stream: String, windowMax: Int, patience: Duration
  ) throws(NATSError) {
    try unsafe calling { handle, error in
      unsafe Self.withCStrings([stream, name]) { texts in
        unsafe cnats_make_consumer(
          handle, texts[0], texts[1], Int64(windowMax), Int64(patience / .milliseconds(1)), error)
      }
    }
  }

  /// `nil`: the consumer does not exist.
  package func consumer(
    _ name: String, of stream: String
  ) throws(NATSError) -> NATSConsumerState? {
    var state = cnats_consumer_state()
    do {
      try unsafe calling { handle, error in
        unsafe Self.withCStrings([stream, name]) { texts in
          unsafe cnats_look_at_consumer(handle, texts[0], texts[1], &state, error)
        }
      }
    } catch {
      guard error.isMissingConsumer else { throw error }
      return nil
    }
    return NATSConsumerState(
      pendingCount: Int(state.pending_count), windowMax: Int(state.window_max),
      delivery: state.delivery, delivered: state.delivered, acknowledged: state.acknowledged)
  }

  /// Does nothing if it does not exist.
  package func deleteConsumer(_ name: String, of stream: String) throws(NATSError) {
    do {
      try unsafe calling { handle, error in
        unsafe Self.withCStrings([stream, name]) { texts in
          unsafe cnats_delete_consumer(handle, texts[0], texts[1], error)
        }
      }
    } catch {
      guard error.isMissingConsumer else { throw error }
    }
  }

  /// `confirmed` or `rejected` follows, with `number`; within `patience`.
  package func publish(
    _ bytes: [UInt8], to subject: String, of stream: String, named identifier: String,
    as number: UInt64, patience: Duration
  ) throws(NATSError) {
    try unsafe calling { handle, error in
      unsafe Self.withCStrings([stream, subject, identifier]) { texts in
        unsafe cnats_publish(
          handle, texts[0], texts[1], texts[2], number, bytes, bytes.count,
          Int64(patience / .milliseconds(1)), error)
      }
    }
  }
}
