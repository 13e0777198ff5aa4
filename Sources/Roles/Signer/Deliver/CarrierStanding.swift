import CarrierProtocol
import Mailboxes
import MessageFormat

/// What is known of the carriers: what they moved last, and what kept them from taking something.
struct CarrierStanding {
  /// More faults of single messages than these are forgotten.
  private static let faultCountMax = 10_000

  private enum Subject: Hashable {
    /// Of a carrier's place.
    case connection(String)
    case mailbox(Mailbox, at: String)
    case message(MessageID, Mailbox, at: String)

    var isMessage: Bool { if case .message = self { true } else { false } }
  }

  private struct Known {
    let fault: Delivery.Fault
    let at: ContinuousClock.Instant
    /// Nothing comes of it until something changes elsewhere.
    let isHopeless: Bool
  }

  /// A message on its way out that one would watch.
  struct Transfer {
    let done: UInt64
    let total: UInt64
    let lastStep: ContinuousClock.Instant

    var isRunning: Bool { done < total }
  }

  /// Of each carrier, by its place, whose messages it takes; and the other way round.
  private var mailboxes: [String: Set<Mailbox>] = [:]
  private var carriers: [Mailbox: [String]] = [:]
  private(set) var connected: Set<String> = []
  private(set) var transfers: [String: Transfer] = [:]
  private var known: [Subject: Known] = [:]

  // MARK: - What a waiting thread asks

  /// The carriers that lead to these.
  func places(of answers: Set<Delivery.Awaited>) -> Set<String> {
    Set(answers.flatMap { carriers[$0.recipient] ?? [] })
  }

  /// `begin`: what was found before counts no longer.
  func hasHope(of answer: Delivery.Awaited, since begin: ContinuousClock.Instant?) -> Bool {
    (carriers[answer.recipient] ?? []).contains { place in
      !Self.subjects(of: answer, at: place).contains { subject in
        guard let known = known[subject], known.isHopeless else { return false }
        return begin.map { known.at >= $0 } ?? true
      }
    }
  }

  /// The newest of each carrier.
  func faults(of answers: Set<Delivery.Awaited>) -> [Delivery.Fault] {
    let subjects = answers.flatMap { answer in
      (carriers[answer.recipient] ?? []).flatMap { Self.subjects(of: answer, at: $0) }
    }
    let found = Set(subjects).compactMap { known[$0] }
    return Dictionary(grouping: found, by: \.fault.endpoint)
      .compactMap { $0.value.max { $0.at < $1.at }?.fault }
      .sorted { $0.endpoint < $1.endpoint }
  }

  private static func subjects(of answer: Delivery.Awaited, at place: String) -> [Subject] {
    [
      .connection(place), .mailbox(answer.recipient, at: place),
      .message(answer.message, answer.recipient, at: place),
    ]
  }

  // MARK: - What the carriers tell

  mutating func add(_ place: String, for mailboxes: Set<Mailbox>) {
    self.mailboxes[place] = mailboxes
    for mailbox in mailboxes { carriers[mailbox, default: []].append(place) }
  }

  mutating func note(_ fault: Delivery.Fault, of refusal: RefusedMessage, at place: String) {
    // Over a limit is this message, and others for the same mailbox may fit; all else is the mailbox's.
    let isOfSize = [.overQuota, .overLimit].contains(refusal.reason)
    if known.count >= Self.faultCountMax { known = known.filter { !$0.key.isMessage } }
    let subject: Subject =
      isOfSize
      ? .message(refusal.message, refusal.mailbox, at: place)
      : .mailbox(refusal.mailbox, at: place)
    known[subject] = Known(fault: fault, at: .now, isHopeless: true)
  }

  mutating func change(to state: CarrierState, of place: String) {
    switch state {
    case .connecting: break
    case .connected:
      connected.insert(place)
      known[.connection(place)] = nil
      for mailbox in mailboxes[place] ?? [] { known[.mailbox(mailbox, at: place)] = nil }
    case .failed(let error):
      connected.remove(place)
      transfers[place] = nil
      var isHopeless = false
      if case .notReached(_, .refused) = error { isHopeless = true }
      known[.connection(place)] = Known(
        fault: .init(endpoint: error.endpoint, description: error.reason, hint: error.hint),
        at: .now, isHopeless: isHopeless)
    }
  }

  mutating func end(_ place: String, with error: any Error) {
    connected.remove(place)
    known[.connection(place)] = Known(
      fault: .init(endpoint: place, description: "\(error)", hint: nil), at: .now,
      isHopeless: true)
  }

  mutating func move(_ done: UInt64, of total: UInt64, at place: String) {
    transfers[place] = Transfer(done: done, total: total, lastStep: .now)
  }

  mutating func settle(_ outgoing: WaitingMessage, at place: String) {
    if let last = transfers[place] {
      transfers[place] = Transfer(done: last.total, total: last.total, lastStep: last.lastStep)
    }
    for mailbox in outgoing.mailboxes {
      known[.mailbox(mailbox, at: place)] = nil
      for place in carriers[mailbox] ?? [] {
        known[.message(outgoing.message.id, mailbox, at: place)] = nil
      }
    }
  }
}
