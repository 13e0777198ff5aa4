package import GitModel
package import Mailboxes
package import MessageFormat

/// What is known of one checkout: a line of `distro status`.
package struct CheckoutStatus: Sendable {
  package struct Heard: Sendable {
    package let sequence: UInt64
    package let revision: ObjectID
    package let createdAt: Timestamp
    /// By the applier's own clock.
    package let expiresAt: Timestamp
  }

  package struct LastRefusal: Sendable {
    package let name: String
    package let detail: String
    package let at: Timestamp
  }

  /// What keeps the applier from the checkout.
  package struct Block: Sendable {
    package let reason: BlockReason
    package let detail: String
    package let since: Timestamp
  }

  package let settings: CheckoutSettings
  /// `nil`: there is no checkout, or none that can be read.
  package let revision: ObjectID?
  package let heartbeat: Heard?
  package let lastRefusal: LastRefusal?
  package let block: Block?
  package let staleness: Staleness?
  /// When it would become stale if nothing came.
  package let staleAt: Timestamp?
  /// How long until then; `nil`: it will not, or is already.
  let remainingMilliseconds: UInt64?

  package var freshness: Freshness {
    if staleness != nil { return .stale }
    return heartbeat == nil ? .unheard : .fresh
  }

  init(
    _ settings: CheckoutSettings, inbox: Inbox, now: Moment, finding: CheckoutFinding = .unknown
  ) throws {
    self.settings = settings
    let stream = settings.stream
    revision =
      switch finding {
      case .unknown: try Checkout.revision(of: settings)
      case .at(let found): found
      }
    lastRefusal = try inbox.lastRefusal(of: stream).map {
      LastRefusal(name: $0.name, detail: $0.detail, at: $0.at)
    }
    block = try inbox.block(of: stream).map {
      Block(reason: $0.reason, detail: $0.detail, since: $0.since)
    }
    let heard = try Self.newestHeartbeat(of: settings, inbox, revision, now: now)
    heartbeat = heard.map {
      Heard(
        sequence: $0.sequence, revision: $0.revision, createdAt: $0.createdAt,
        expiresAt: $0.expiresAt)
    }
    let end =
      try heard.map { End(now, $0.remainingMilliseconds(at: now), $0.expiresAt) }
      ?? Self.silentEnd(of: settings, inbox, now)
    staleAt = end?.at
    if let end, end.remaining == 0 {
      staleness = heard == nil ? .silent(since: end.at) : .expired(since: end.at)
      remainingMilliseconds = nil
      return
    }
    remainingMilliseconds = end?.remaining
    let found = revision
    staleness = try heard.flatMap { try Self.difference(of: found, to: $0, settings, inbox) }
  }

  private struct End {
    let remaining: UInt64
    let at: Timestamp

    init(_ now: Moment, _ remaining: UInt64?, _ past: Timestamp) {
      self.remaining = remaining ?? 0
      at = self.remaining > 0 ? now.wall.adding(milliseconds: self.remaining) : past
    }
  }

  /// Until when a stream of which nothing was heard may be silent; `nil`: for ever.
  private static func silentEnd(
    of settings: CheckoutSettings, _ inbox: Inbox, _ now: Moment
  ) throws -> End? {
    guard let seconds = settings.staleAfterSeconds,
      let watched = try inbox.watched(settings.stream),
      let age = now.milliseconds(since: watched.moment)
    else { return nil }
    let limit = 1_000 * seconds
    return End(now, limit - min(limit, age), watched.since.adding(milliseconds: limit))
  }

  /// Of whom it has its revision from, while that one is at work: another signer may not have it yet.
  private static func newestHeartbeat(
    of settings: CheckoutSettings, _ inbox: Inbox, _ revision: ObjectID?, now: Moment
  ) throws -> HeartbeatRecord? {
    let stream = settings.stream
    if let sender = try revision.flatMap({ try inbox.sender(of: $0, on: stream) }),
      settings.signers.contains(sender),
      let heard = try inbox.heard(of: stream, by: [sender]), heard.isAlive(at: now)
    {
      return heard
    }
    let heard = try inbox.heard(of: stream, by: settings.signers)
    // One that was received at a time that cannot be says nothing.
    return heard?.remainingMilliseconds(at: now) == nil ? nil : heard
  }

  private static func difference(
    of revision: ObjectID?, to heard: HeartbeatRecord, _ settings: CheckoutSettings,
    _ inbox: Inbox
  ) throws -> Staleness? {
    if revision == heard.revision { return nil }
    if let tree = heard.tree, let revision, Checkout.tree(of: revision, settings) == tree {
      return nil
    }
    // A message that is younger than the heartbeat knows better.
    let applied = try inbox.lastApplied(of: settings.stream, by: heard.signer)
    if let applied, applied.sequence > heard.sequence, applied.revision == revision { return nil }
    return .elsewhere(newest: heard.revision)
  }
}

/// What an applier knows of its checkouts, and how many messages it has still to handle.
package struct ApplierStatus: Sendable {
  /// Messages that belong to no checkout, refused under one name.
  package struct StrayRefusal: Sendable {
    package let name: String
    /// Of the last one.
    package let detail: String
    package let at: Timestamp
    package let count: UInt64

    /// One of the two machines' clocks is wrong.
    package var isAboutClocks: Bool {
      name == Refusal.clockSkew.rawValue || name == Refusal.expired.rawValue
    }
  }

  package let checkouts: [CheckoutStatus]
  package let waitingCount: Int
  package let strayRefusals: [StrayRefusal]

  package var isStale: Bool { checkouts.contains { $0.staleness != nil } }

  /// A person is to look.
  package var needsAttention: Bool { isStale || checkouts.contains { $0.block != nil } }

  package init(_ settings: ApplierSettings, store: MailboxStore, now: Moment) throws {
    let inbox = Inbox(store: store, mailbox: settings.identity.public.mailbox)
    try self.init(
      settings.checkouts.map { try CheckoutStatus($0, inbox: inbox, now: now) }, inbox)
  }

  init(_ checkouts: [CheckoutStatus], _ inbox: Inbox) throws {
    self.checkouts = checkouts
    waitingCount = try inbox.count()
    strayRefusals = try inbox.strayRefusals().map {
      StrayRefusal(name: $0.name, detail: $0.detail, at: $0.at, count: $0.count)
    }
  }
}
