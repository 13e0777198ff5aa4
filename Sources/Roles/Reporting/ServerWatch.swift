import MessageFormat
import Synchronization

/// Which servers cannot be used; people are told of those that stay so.
final class ServerWatch: Sendable {
  /// One failed try may be chance, however long ago it was.
  private static let failureCountMin = 2
  private static let failingMax: Duration = .seconds(60)

  private struct Failing {
    var count = 0
    let since = ContinuousClock.now
  }

  private struct Word {
    let server: Server
    let failure: String?
  }

  private let state: ReportingState
  private let routes: [NoticeRoute]
  private let now: @Sendable () -> Timestamp
  private let onNews: @Sendable () -> Void
  /// People are told of what fails for longer.
  private let patience: Duration
  private let failing = Mutex<[Server: Failing]>([:])
  private let posted = Mutex<[Word]>([])

  init(
    state: ReportingState, settings: ReportingSettings, now: @escaping @Sendable () -> Timestamp,
    onNews: @escaping @Sendable () -> Void
  ) {
    (self.state, routes, self.now, self.onNews) = (state, settings.notices, now, onNews)
    patience = min(Self.failingMax, .seconds(settings.staleSeconds))
  }

  /// A word of a thread that must not wait for our database: `settle` takes it in.
  func post(_ server: Server, failure: String?) {
    posted.withLock { $0.append(Word(server: server, failure: failure)) }
  }

  func settle() throws {
    let words = posted.withLock { words in
      defer { words = [] }
      return words
    }
    for word in words { try note(word.server, failure: word.failure) }
  }

  /// `nil`: it works. Returns whether this is another word than the last one.
  @discardableResult
  func note(_ server: Server, failure: String?) throws -> Bool {
    let isTold = failing.withLock { failing -> Bool in
      guard failure != nil else {
        failing[server] = nil
        return false
      }
      var its = failing[server] ?? Failing()
      its.count += 1
      failing[server] = its
      return its.count >= Self.failureCountMin && .now - its.since >= patience
    }
    let event = NoticeEvent(
      failure == nil ? .recovered : .hostUnreachable, host: server.name, reason: failure,
      time: now())
    let before = try state.note(server, failure: failure, isTold: isTold, event, for: routes)
    onNews()
    return before?.failure != failure
  }
}
