package import GitModel
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
    case .expired: "no heartbeat since the newest one expired"
    case .elsewhere(let newest): "the newest revision is \(newest.abbreviated)"
    case .silent: "no heartbeat has ever come"
    }
  }
}

/// What there is to say of a checkout in one word, for people and scripts; never changes.
package enum Freshness: String, Sendable {
  case fresh
  /// No heartbeat has come yet: the state is unknown, and it is too early to call it stale, or none is expected.
  case unheard
  case stale
}
