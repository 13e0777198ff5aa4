package import TestSupport

/// Queues as IronMQ's documentation of version 3 describes them. Time is an argument; nothing here is a connection.
package struct QueueStore: Sendable {
  package struct Message: Sendable {
    let id: UInt64
    let body: String
    var availableAt: Duration
    let expiresAt: Duration
    var reservation: String?
    /// Until then nobody else gets it.
    var reservedUntil: Duration?
    var reservedCount = 0

    func isReserved(at now: Duration) -> Bool { reservedUntil.map { $0 > now } ?? false }
  }

  package struct Queue: Sendable {
    package internal(set) var messages: [Message] = []
    package internal(set) var timeoutSeconds = 60
    package internal(set) var expirationSeconds = 604_800
    package internal(set) var type = "pull"
    package internal(set) var totalCount = 0
  }

  /// What a documented limit is.
  package enum Limit {
    package static let batch = 1...100
    package static let timeout = 30...86_400
    package static let wait = 0...30
    package static let delay = 0...604_800
    package static let expiration = 60...2_592_000
  }

  package let project: String
  package var token: String
  /// Of the whole request: 64 KB or 256 KB, by the plan.
  package var requestByteCountMax = 65_536
  package var faults = StoreFaults()
  package internal(set) var queues: [String: Queue] = [:]
  private var lastID: UInt64 = 2_605_601_678_238_811_215
  private var reservationCount: UInt64 = 0
  /// Ids are texts and numbers by turns.
  private var answerCount = 0

  package init(project: String, token: String) {
    (self.project, self.token) = (project, token)
  }

  // MARK: - What changes queues

  mutating func put(_ bodies: [(body: String, delay: Int)], into name: String, at now: Duration)
    -> [UInt64]
  {
    guard var queue = queues[name] else { return [] }
    var ids: [UInt64] = []
    for (body, delay) in bodies {
      for copy in 0..<(faults.duplicates ? 2 : 1) {
        lastID += 1
        if copy == 0 { ids.append(lastID) }
        queue.messages.append(
          Message(
            id: lastID, body: body, availableAt: now + .seconds(delay),
            expiresAt: now + .seconds(queue.expirationSeconds)))
      }
    }
    queue.totalCount += bodies.count
    queues[name] = queue
    return ids
  }

  /// What has timed out is back in front; what has expired is gone.
  mutating func settle(_ name: String, at now: Duration) {
    guard var queue = queues[name] else { return }
    queue.messages.removeAll { $0.expiresAt <= now }
    let returned = queue.messages.indices.filter { index in
      queue.messages[index].reservedUntil.map { $0 <= now } ?? false
    }
    let messages = returned.map { index -> Message in
      var message = queue.messages[index]
      message.reservedUntil = nil
      return message
    }
    for index in returned.reversed() { queue.messages.remove(at: index) }
    queue.messages.insert(contentsOf: messages, at: 0)
    queues[name] = queue
  }

  mutating func reserve(
    _ count: Int, from name: String, timeout: Int?, deleting: Bool, at now: Duration
  ) -> [Message] {
    settle(name, at: now)
    guard var queue = queues[name] else { return [] }
    var free = queue.messages.indices.filter {
      queue.messages[$0].reservedUntil == nil && queue.messages[$0].availableAt <= now
    }
    if var generator = faults.reordering {
      free.shuffle(using: &generator)
      faults.reordering = generator
    }
    var taken: [Message] = []
    for index in free.prefix(count) {
      reservationCount += 1
      queue.messages[index].reservation = "5259a40cf166faa7" + String(reservationCount, radix: 16)
      queue.messages[index].reservedUntil = now + .seconds(timeout ?? queue.timeoutSeconds)
      queue.messages[index].reservedCount += 1
      taken.append(queue.messages[index])
    }
    if deleting { queue.messages.removeAll { message in taken.contains { $0.id == message.id } } }
    queues[name] = queue
    return taken
  }

  /// When something of a queue changes by itself.
  func nextChange(of name: String, after now: Duration) -> Duration? {
    (queues[name]?.messages ?? []).flatMap { [$0.reservedUntil, $0.availableAt].compactMap { $0 } }
      .filter { $0 > now }.min()
  }

  /// `nil`: there is no message of that id.
  func index(of id: String, in name: String) -> Int? {
    queues[name]?.messages.firstIndex { "\($0.id)" == id }
  }

  /// A message that is reserved is only its holder's.
  func mayChange(_ index: Int, in name: String, _ reservation: String?, at now: Duration) -> Bool {
    guard let message = queues[name]?.messages[index] else { return false }
    guard message.isReserved(at: now) else { return reservation == nil }
    return message.reservation == reservation
  }

  mutating func touch(_ index: Int, in name: String, seconds: Int, at now: Duration) -> String {
    reservationCount += 1
    let reservation = "5359a40cf166faa7" + String(reservationCount, radix: 16)
    queues[name]?.messages[index].reservation = reservation
    queues[name]?.messages[index].reservedUntil = now + .seconds(seconds)
    return reservation
  }

  mutating func release(_ index: Int, in name: String, delay: Int, at now: Duration) {
    guard var message = queues[name]?.messages.remove(at: index) else { return }
    (message.reservation, message.reservedUntil) = (nil, nil)
    message.availableAt = now + .seconds(delay)
    queues[name]?.messages.insert(message, at: 0)
  }

  // MARK: - Ids

  mutating func beginAnswer() { answerCount += 1 }

  func written(_ id: UInt64) -> String {
    answerCount.isMultiple(of: 2) ? "\(id)" : "\"\(id)\""
  }
}

/// What goes wrong with what is stored.
package struct StoreFaults: Sendable {
  /// Each message is stored twice.
  package var duplicates = false
  /// Reservations bring messages in any order.
  package var reordering: SeededGenerator?
  /// A batch of which one cannot be deleted leaves all, or only that one: the documentation does not say which.
  package var deletesInPart = false

  package init() {}
}
