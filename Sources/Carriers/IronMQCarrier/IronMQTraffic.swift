import BrokerCarrier
import Host
import IronMQ
import MessageFormat
import Synchronization

/// What the carrier's thread and those of the requests have between them: what is to be published, what has come, what is
/// to be deleted. No request is made here.
final class IronMQTraffic: Sendable {
  /// A message that is reserved for us.
  struct Held {
    var message: ReservedMessage
    var since: ContinuousClock.Instant
    /// Its reservation has ended: it comes again, and this one can be left alone.
    var isLost = false
    /// It is on one of the lists below.
    var isSettled = false
    /// It is given back, and no later one is to be reserved before that.
    var isReleased = false
  }

  struct State {
    var isClosed = false
    var failure: (any Error)?
    var events: [BrokerEvent] = []

    // Out: in their order.
    var publications: [Publication] = []

    // In.
    var isConsuming = false
    var prefetch = 0
    var lastNumber: UInt64 = 0
    var held: [UInt64: Held] = [:]
    /// What a delivery consists of: one message, or its parts.
    var deliveries: [DeliveryTag: [UInt64]] = [:]
    var assembly = PieceAssembly()
    /// Since when reservations have brought nothing.
    var emptySince: ContinuousClock.Instant?

    // To be told to IronMQ.
    var finished: [UInt64] = []
    var rejected: [UInt64] = []
    var released: [UInt64] = []
    var prefersRenewal = false
  }

  let state = Mutex(State())
  /// The carrier's loop waits for it.
  let bell: Bell
  let publishing = Bell()
  let receiving = Bell()
  let settling = Bell()

  init(_ bell: Bell) { self.bell = bell }

  func ringAll() {
    for bell in [bell, publishing, receiving, settling] { bell.ring() }
  }

  /// The connection is over; the first reason counts. `false`: it was closed before.
  @discardableResult
  func fail(_ error: any Error) -> Bool {
    let isNews = state.withLock { state in
      guard !state.isClosed else { return false }
      state.failure = state.failure ?? error
      return true
    }
    ringAll()
    return isNews
  }

  /// Nothing is published or received any more. `givingBack`: everything that is not acknowledged.
  func close(givingBack: Bool) {
    state.withLock { state in
      state.isClosed = true
      state.publications = []
      state.giveBack()
      if !givingBack { (state.finished, state.rejected, state.released) = ([], [], []) }
    }
    ringAll()
  }

  /// What is reserved for us still, in the order in which it came.
  var leftovers: [ReservedMessage] {
    state.withLock { state in
      state.held.filter { !$0.value.isLost }.sorted { $0.key < $1.key }.map(\.value.message)
    }
  }

  var failure: (any Error)? { state.withLock { $0.failure } }

  /// What happened next.
  func nextEvent() throws -> BrokerEvent? {
    let (event, error) = state.withLock { state -> (BrokerEvent?, (any Error)?) in
      // Confirms that came before the failure count.
      guard state.events.isEmpty else { return (state.events.removeFirst(), nil) }
      return (nil, state.failure)
    }
    if case .delivery = event { receiving.ring() }
    if let error { throw error }
    return event
  }

  // MARK: - Our queue

  func consume(prefetch: Int) {
    state.withLock { ($0.isConsuming, $0.prefetch) = (true, prefetch) }
    receiving.ring()
  }

  func cancel() {
    state.withLock { state in
      state.isConsuming = false
      state.giveBack()
    }
    settling.ring()
  }

  func acknowledge(_ tags: [DeliveryTag]) {
    state.withLock { state in
      for tag in tags { state.settle(state.deliveries.removeValue(forKey: tag), \.finished) }
    }
    settling.ring()
    receiving.ring()
  }

  func reject(_ tags: [DeliveryTag]) {
    state.withLock { state in
      for tag in tags { state.settle(state.deliveries.removeValue(forKey: tag), \.rejected) }
    }
    settling.ring()
    receiving.ring()
  }
}

extension IronMQTraffic.State {
  mutating func settle(_ numbers: [UInt64]?, _ list: WritableKeyPath<Self, [UInt64]>) {
    for number in numbers ?? [] {
      guard held[number]?.isSettled == false else { continue }
      held[number]?.isSettled = true
      self[keyPath: list].append(number)
    }
  }

  /// All that was delivered and not acknowledged.
  fileprivate mutating func giveBack() {
    let numbers = (deliveries.values.flatMap { $0 } + assembly.keys).sorted()
    settle(numbers, \.released)
    for number in numbers { held[number]?.isReleased = true }
    (deliveries, assembly) = ([:], PieceAssembly())
    events.removeAll { if case .delivery = $0 { true } else { false } }
  }
}
