import Host
import MessageFormat
import Synchronization

/// One knocker at the signer's socket, from hello to the last word. Nothing that it does, or does not, keeps the daemon
/// waiting: what it does not read is held up to a limit, then it is left alone. From any thread.
final class IntakeVisit: Sendable {
  /// A request has come as a whole so soon after hello.
  private static let requestTimeout: Duration = .seconds(30)
  /// A knocker that reads nothing for so long is taken for gone.
  private static let readTimeout: Duration = .seconds(10)
  /// What waits to be read by the knocker.
  private static let pendingByteCountMax = 4 << 20
  private static let pendingByteCountEased = 64 << 10
  /// Of the lines of one push.
  private static let lineByteCountMax = 4 << 20

  private struct Pending {
    var bytes: [UInt8] = []
    var isGone = false
  }

  private let socket: LocalSocket
  private let pending = Mutex(Pending())

  init(_ socket: LocalSocket) { self.socket = socket }

  var user: UInt32? { socket.peerUser }

  /// Nobody is there any more to be told.
  var isGone: Bool { pending.withLock { $0.isGone } || socket.isPeerGone }

  func end() { socket.shutDown() }

  // MARK: - What it asks

  func request() throws(IntakeError) -> PushRequest {
    let end = ContinuousClock.now + Self.requestTimeout
    var reader = IntakeFrame.Reader(byteCountMax: IntakeFrame.questionByteCountMax)
    let question = try IntakeFrame.decode(IntakeQuestion.self, from: next(&reader, by: end))
    guard question.version == IntakeQuestion.version else {
      throw .otherVersion(
        "request", theirs: IntakeQuestion.version, ours: question.version)
    }
    var lines = PushLines()
    guard question.subject == .pushes else { return try question.request(lines) }
    var byteCount = 0
    while true {
      let part = try IntakeFrame.decode([String].self, from: next(&reader, by: end))
      if part.isEmpty { return try question.request(lines) }
      byteCount += part.reduce(0) { $0 + $1.utf8.count }
      guard byteCount <= Self.lineByteCountMax else {
        throw .invalid(
          "the push moves too many branches: over \(Self.lineByteCountMax) bytes; send them with --ref"
        )
      }
      for line in part { lines.add(line) }
    }
  }

  private func next(
    _ reader: inout IntakeFrame.Reader, by end: ContinuousClock.Instant
  ) throws(IntakeError) -> [UInt8] {
    guard let frame = try reader.next(from: socket, by: end) else {
      throw .invalid("was not complete after \(Self.requestTimeout.components.seconds) s")
    }
    return frame
  }

  // MARK: - What it is told

  /// Never waits; a knocker that has too much to read already is left alone.
  func say(_ answer: IntakeAnswer) { say(answer, isDroppable: false) }

  /// Not where the knocker has something to read already.
  func sayIfIdle(_ answer: IntakeAnswer) { say(answer, isDroppable: true) }

  /// Waits until the knocker has read most of what it was told.
  func ease() {
    if pending.withLock({ $0.bytes.count }) > Self.pendingByteCountEased {
      drain(to: Self.pendingByteCountEased)
    }
  }

  /// Waits until it has read, or at least been handed, all.
  func finish() { drain(to: 0) }

  private func say(_ answer: IntakeAnswer, isDroppable: Bool) {
    let frame: [UInt8]
    do throws(IntakeError) {
      frame = try IntakeFrame.encode(answer)
    } catch {
      preconditionFailure("an answer has nothing that JSON cannot say")
    }
    pending.withLock { pending in
      flush(&pending)
      guard !pending.isGone, !isDroppable || pending.bytes.isEmpty else { return }
      guard pending.bytes.count + frame.count <= Self.pendingByteCountMax else {
        pending.isGone = true
        return
      }
      pending.bytes += frame
      flush(&pending)
    }
  }

  private func drain(to count: Int) {
    var last = ContinuousClock.now
    var left = Int.max
    while true {
      let (now, isGone) = pending.withLock { pending in
        flush(&pending)
        return (pending.bytes.count, pending.isGone)
      }
      guard now > count, !isGone else { return }
      if now < left { (left, last) = (now, .now) }
      guard socket.waitUntilWritable(by: last + Self.readTimeout) else {
        return pending.withLock { $0.isGone = true }
      }
    }
  }

  private func flush(_ pending: inout Pending) {
    var sent = 0
    defer { pending.bytes.removeFirst(pending.isGone ? pending.bytes.count : sent) }
    while sent < pending.bytes.count, !pending.isGone {
      do throws(HostError) {
        let count = try socket.send(pending.bytes[sent...])
        guard count > 0 else { return }
        sent += count
      } catch {
        pending.isGone = true
      }
    }
  }
}
