package import GitModel
package import Mailboxes
package import MessageFormat

/// Why a checkout may not be what its signers want it to be, though nothing has been refused.
package enum Staleness: Hashable, Sendable, CustomStringConvertible {
  /// No heartbeat has come for longer than the newest one said to wait.
  case expired(since: Timestamp)
  /// The newest heartbeat names another revision, which no message has led to or away from.
  case elsewhere(newest: ObjectID)
  /// Not one heartbeat has come, for longer than `stale-after-seconds`.
  case silent(since: Timestamp)

  /// For metrics and scripts; never changes.
  package var name: String {
    switch self {
    case .expired: "heartbeat-expired"
    case .elsewhere: "behind"
    case .silent: "no-heartbeat"
    }
  }

  package var description: String {
    switch self {
    case .expired: "the newest heartbeat has expired: nothing is heard of the signer"
    case .elsewhere(let newest): "the newest revision is \(newest.abbreviated)"
    case .silent: "no heartbeat has ever come"
    }
  }
}

/// What there is to say of a checkout in one word, for people and scripts; never changes.
package enum Freshness: String, Sendable {
  case fresh
  /// Not one heartbeat has come: nobody knows, and it is not yet time to worry, or none is expected.
  case unheard
  case stale
}

/// What is known of one checkout: a line of `distro status`.
package struct CheckoutStatus: Sendable {
  package struct Heard: Sendable {
    package let sequence: UInt64
    package let revision: ObjectID
    package let createdAt: Timestamp
    package let expiresAt: Timestamp
  }

  package struct LastRefusal: Sendable {
    package let name: String
    package let detail: String
    package let at: Timestamp
  }

  package let settings: CheckoutSettings
  /// `nil`: there is no checkout, or none that can be read.
  package let revision: ObjectID?
  package let heartbeat: Heard?
  package let lastRefusal: LastRefusal?
  package let staleness: Staleness?
  /// When it would become stale if nothing came.
  package let staleAt: Timestamp?

  package var freshness: Freshness {
    if staleness != nil { return .stale }
    return heartbeat == nil ? .unheard : .fresh
  }

  init(_ settings: CheckoutSettings, inbox: Inbox, now: Timestamp) throws {
    let stream = settings.stream
    self.settings = settings
    revision = try Checkout.revision(of: settings)
    let heard = try Self.newestHeartbeat(of: settings, inbox, revision, now: now)
    heartbeat = heard.map {
      Heard(
        sequence: $0.sequence, revision: $0.revision, createdAt: $0.createdAt,
        expiresAt: $0.expiresAt)
    }
    lastRefusal = try inbox.lastRefusal(of: stream).map {
      LastRefusal(name: $0.name, detail: $0.detail, at: $0.at)
    }
    guard let heard else {
      let end = try settings.staleAfterSeconds.flatMap { seconds in
        try inbox.watchedSince(stream).map { $0.adding(milliseconds: 1_000 * seconds) }
      }
      staleAt = end
      staleness = if let end, end <= now { .silent(since: end) } else { nil }
      return
    }
    staleAt = heard.expiresAt
    guard heard.expiresAt > now else {
      staleness = .expired(since: heard.expiresAt)
      return
    }
    // A message that is younger than the heartbeat knows better.
    let applied = try inbox.lastApplied(of: stream, by: heard.signer)
    let isAhead =
      if let applied { applied.sequence > heard.sequence && applied.revision == revision } else {
        false
      }
    staleness = revision == heard.revision || isAhead ? nil : .elsewhere(newest: heard.revision)
  }
}

extension CheckoutStatus {
  /// Of whom it has its revision from, while that one is at work: another signer may not have it yet.
  private static func newestHeartbeat(
    of settings: CheckoutSettings, _ inbox: Inbox, _ revision: ObjectID?, now: Timestamp
  ) throws -> Inbox.Heard? {
    let stream = settings.stream
    if let sender = try revision.flatMap({ try inbox.sender(of: $0, on: stream) }),
      settings.signers.contains(sender),
      let heard = try inbox.heard(of: stream, by: [sender]), heard.expiresAt > now
    {
      return heard
    }
    return try inbox.heard(of: stream, by: settings.signers)
  }
}

/// What an applier knows of its checkouts, and how many messages it has still to handle.
package struct ApplierStatus: Sendable {
  package let checkouts: [CheckoutStatus]
  package let waitingCount: Int

  package var isStale: Bool { checkouts.contains { $0.staleness != nil } }

  package init(_ settings: ApplierSettings, store: MailboxStore, now: Timestamp) throws {
    try self.init(
      settings, Inbox(store: store, mailbox: settings.identity.public.mailbox), now: now)
  }

  init(_ settings: ApplierSettings, _ inbox: Inbox, now: Timestamp) throws {
    checkouts = try settings.checkouts.map { try CheckoutStatus($0, inbox: inbox, now: now) }
    waitingCount = try inbox.count()
  }
}
