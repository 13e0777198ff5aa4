import Host
import Mailboxes
import MessageFormat

/// Mail that had no room here and waits at the carrier, while what is behind it comes.
struct DeferredMessages {
  /// So many are passed over without a pause before the carrier is asked less and less.
  private static let haste = 64
  private static let newsCountMax = 1_024
  /// While some wait, `empty` is to come soon: after it they may be tried again.
  private static let waitMilliseconds: UInt32 = 5_000

  /// Those that were told of.
  private var told: Set<MessageID> = []
  /// None lies behind it.
  private var last: UInt64 = 0
  private var count = 0
  /// When they are tried again; `nil`: none was passed over since the mailbox was last begun.
  private var retry: ContinuousClock.Instant?
  private let jitter: Backoff.Jitter
  private var backoff: Backoff

  /// What is behind the one that was just passed over may be asked for at once.
  private var mayHurry = false

  init(jitter: @escaping Backoff.Jitter) {
    self.jitter = jitter
    backoff = Backoff(first: .seconds(5), longest: .seconds(120), jitter: jitter)
  }

  mutating func takeHaste() -> Bool {
    defer { mayHurry = false }
    return mayHurry
  }

  var waitMillisecondsMax: UInt32 { retry == nil ? .max : Self.waitMilliseconds }

  func mayCome(after position: UInt64) -> Bool { position < last }

  mutating func add(_ entry: MailboxEntry, at now: ContinuousClock.Instant) {
    retry = retry ?? now + backoff.next()
    last = max(last, entry.position)
    count += 1
    mayHurry = count <= Self.haste
  }

  /// Each is told of once.
  mutating func isNews(_ id: MessageID) -> Bool {
    if told.count >= Self.newsCountMax { told = [] }
    return told.insert(id).inserted
  }

  /// Another carrier may be there, which counts anew; its mailbox is read from the beginning.
  mutating func connected() { (last, count, retry) = (0, 0, nil) }

  /// Nothing more is there: whether to read from the beginning.
  mutating func mayBeginAgain(at now: ContinuousClock.Instant) -> Bool {
    guard let time = retry else {
      self = DeferredMessages(jitter: jitter)
      return true
    }
    guard time <= now else { return false }
    (count, retry) = (0, nil)
    return true
  }
}
