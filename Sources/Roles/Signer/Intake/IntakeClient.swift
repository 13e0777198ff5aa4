import Glibc
import Host

/// Asks a running daemon to send, and hears what comes of it.
package struct IntakeClient {
  /// A daemon that has said nothing for so long hangs: it speaks every five seconds.
  private static let silenceMax: Duration = .seconds(30)
  /// A daemon that was there, and went, is started again by the service manager, or reads its configuration again.
  private static let restartTimeout: Duration = .seconds(15)
  private static let restartPause: Duration = .milliseconds(100)
  /// Of the hook's lines in one frame, within the limit of a frame whatever JSON makes of them.
  private static let lineByteCountMax = 8 << 10

  private let path: String

  package init(_ path: String) { self.path = path }

  /// Throws `absent` where no daemon listens; `ended` where one went while it was asked, and did not come back.
  package func ask(
    _ request: PushRequest, report: (IntakeReport) -> Void
  ) throws(IntakeError) -> IntakeResult {
    var lost: ContinuousClock.Instant?
    while true {
      do throws(IntakeError) {
        return try askOnce(request, &lost, report)
      } catch .ended where request.isRepeatable && !isOver(lost) {
        Bell().wait(for: Self.restartPause)
      } catch .absent where lost != nil {
        guard request.isRepeatable, !isOver(lost) else { throw .ended(path) }
        Bell().wait(for: Self.restartPause)
      } catch .ended {
        throw .ended(path)
      }
    }
  }

  private func isOver(_ lost: ContinuousClock.Instant?) -> Bool {
    lost.map { .now - $0 > Self.restartTimeout } ?? false
  }

  /// `lost`: since when a daemon that had taken the request is gone.
  private func askOnce(
    _ request: PushRequest, _ lost: inout ContinuousClock.Instant?,
    _ report: (IntakeReport) -> Void
  ) throws(IntakeError) -> IntakeResult {
    let socket = try connect()
    var reader = IntakeFrame.Reader(byteCountMax: IntakeFrame.answerByteCountMax)
    var isHeard = false
    do throws(IntakeError) {
      while true {
        let answer = try next(&reader, from: socket)
        if let version = answer.hello {
          guard version == IntakeQuestion.version else {
            throw .otherVersion(path, theirs: version, ours: IntakeQuestion.version)
          }
          (isHeard, lost) = (true, nil)
          try say(request, to: socket)
        }
        if let part = answer.report { report(part) }
        if let refusal = answer.refusal { throw .refused(refusal) }
        if let result = answer.result { return result }
      }
    } catch .ended {
      // One that ends before it says hello, again and again, has not come back.
      if isHeard || lost == nil { lost = .now }
      throw .ended(path)
    }
  }

  private func connect() throws(IntakeError) -> LocalSocket {
    do throws(HostError) {
      return try LocalSocket(connectingTo: path, by: .now + Self.silenceMax)
    } catch {
      if error.isMissing { throw .absent(path) }
      if error.isDenied { throw .noRights(path) }
      if error.isTimeout { throw .silent(path) }
      throw .host(error)
    }
  }

  private func next(
    _ reader: inout IntakeFrame.Reader, from socket: LocalSocket
  ) throws(IntakeError) -> IntakeAnswer {
    guard let frame = try reader.next(from: socket, by: .now + Self.silenceMax) else {
      throw .silent(path)
    }
    return try IntakeFrame.decode(IntakeAnswer.self, from: frame)
  }

  // MARK: - What is asked

  private func say(_ request: PushRequest, to socket: LocalSocket) throws(IntakeError) {
    try write(try IntakeFrame.encode(IntakeQuestion(request)), to: socket)
    guard case .pushes(let lines) = request.subject else { return }
    var part: [String] = []
    var byteCount = 0
    for line in lines.lines {
      // No ref is that long; the daemon reports a line that is not a ref.
      let line = String(line.prefix(Self.lineByteCountMax))
      if byteCount + line.utf8.count > Self.lineByteCountMax, !part.isEmpty {
        try write(try IntakeFrame.encode(part), to: socket)
        (part, byteCount) = ([], 0)
      }
      part.append(line)
      byteCount += line.utf8.count
    }
    if !part.isEmpty { try write(try IntakeFrame.encode(part), to: socket) }
    try write(try IntakeFrame.encode([String]()), to: socket)
  }

  /// A daemon that hangs up on us has said why.
  private func write(_ bytes: [UInt8], to socket: LocalSocket) throws(IntakeError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count: Int
      do throws(HostError) { count = try socket.send(rest) } catch { return }
      rest = rest.dropFirst(count)
      if count == 0, !socket.waitUntilWritable(by: .now + Self.silenceMax) { throw .silent(path) }
    }
  }
}

extension PushRequest {
  /// To ask for it twice sends nothing twice.
  fileprivate var isRepeatable: Bool {
    if case .branch(_, let start, _) = subject { start == .whereRecipientsAre } else { true }
  }
}
