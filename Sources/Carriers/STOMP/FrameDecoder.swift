/// Frames out of bytes that come in pieces. Pure: no socket, no clock; memory is bounded whatever comes.
///
/// Headers that nobody asked for are passed over, whatever they are and however many: a stranger's message may have them.
package struct FrameDecoder {
  /// What is kept of a frame.
  package struct Limits: Sendable {
    /// `nil`: all.
    package var headers: Set<String>?
    package var headerCountMax = 64
    /// Of a header's line; a longer one is passed over.
    package var lineByteCountMax = 8 << 10
    /// Of a longer body nothing is kept.
    package var bodyByteCountMax: Int
    /// A longer one is no body: more than a broker takes.
    package var passedByteCountMax = 1 << 30

    package init(headers: Set<String>? = nil, bodyByteCountMax: Int) {
      (self.headers, self.bodyByteCountMax) = (headers, bodyByteCountMax)
    }
  }

  /// After it nothing of the stream can be understood.
  package enum Fault: String, Error, Sendable {
    case command = "what begins a frame is no command"
    case header = "a header has no colon, an unknown escape, or is no text"
    case length = "'content-length:' is no number that a body may have"
    case end = "a body does not end with a zero byte"
  }

  private enum State {
    case command
    case headers
    /// So many bytes are to come.
    case body(Int)
    /// No length was said: up to the first zero.
    case unmeasuredBody
    case end
  }

  private static let commandByteCountMax = 16

  private let limits: Limits
  private var state = State.command
  private var line: [UInt8] = []
  private var isLineCut = false
  private var command = ""
  private var headers: [STOMPFrame.Header] = []
  private var body: [UInt8]? = []
  private var bodyByteCount = 0

  package init(_ limits: Limits) { self.limits = limits }

  /// The headers of a frame that has begun and not ended; `nil`: there is none.
  package var unfinished: STOMPFrame? {
    if case .command = state { nil } else { STOMPFrame(command, headers) }
  }

  /// Hands over each frame that is whole. What is between frames, a peer's heart-beats, is passed over.
  package mutating func decode(
    _ bytes: [UInt8], _ take: (STOMPFrame) -> Void
  ) throws(Fault) {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch state {
      case .command: if let line = nextLine(&rest) { try beginFrame(line) }
      case .headers: if let line = nextLine(&rest) { try takeHeader(line) }
      case .body(let count):
        let part = rest.prefix(count)
        keep(part)
        rest = rest.dropFirst(part.count)
        state = part.count == count ? .end : .body(count - part.count)
      case .unmeasuredBody:
        let part = rest.prefix { $0 != 0 }
        keep(part)
        rest = rest.dropFirst(part.count)
        guard bodyByteCount <= limits.passedByteCountMax else { throw .length }
        if !rest.isEmpty { state = .end }
      case .end:
        guard rest.popFirst() == 0 else { throw .end }
        take(STOMPFrame(command, headers, body: body))
        (state, headers, body, bodyByteCount) = (.command, [], [], 0)
      }
    }
  }

  /// Up to a line feed, without it and a carriage return before it; `nil`: more has to come.
  private mutating func nextLine(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
    let part = rest.prefix { $0 != Octet.lineFeed }
    if line.count + part.count > limits.lineByteCountMax + 1 {
      isLineCut = true
      line = []
    }
    if !isLineCut { line += part }
    rest = rest.dropFirst(part.count)
    guard rest.popFirst() != nil else { return nil }
    defer { line = [] }
    if !isLineCut, line.last == Octet.carriageReturn { line.removeLast() }
    return line
  }

  private mutating func beginFrame(_ line: [UInt8]) throws(Fault) {
    guard !isLineCut else { throw .command }
    if line.isEmpty { return }
    let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
    guard line.count <= Self.commandByteCountMax, line.allSatisfy(letters.contains) else {
      throw .command
    }
    command = String(decoding: line, as: UTF8.self)
    state = .headers
  }

  private mutating func takeHeader(_ line: [UInt8]) throws(Fault) {
    guard !isLineCut else {
      isLineCut = false
      return
    }
    guard !line.isEmpty else { return try beginBody() }
    guard let colon = line.firstIndex(of: Octet.colon) else { throw .header }
    let isEscaped = HeaderText.isEscaped(in: command)
    let (rawName, rawValue) = (line[..<colon], line[(colon + 1)...])
    if let kept = limits.headers {
      guard let name = HeaderText.decoded(rawName, escaped: isEscaped), kept.contains(name) else {
        return
      }
    }
    guard let name = HeaderText.decoded(rawName, escaped: isEscaped),
      let value = HeaderText.decoded(rawValue, escaped: isEscaped)
    else { throw .header }
    if headers.count < limits.headerCountMax { headers.append((name, value)) }
  }

  private mutating func beginBody() throws(Fault) {
    guard let text = headers.first(where: { $0.name == "content-length" })?.value else {
      state = .unmeasuredBody
      return
    }
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard text.utf8.allSatisfy(digits.contains), let count = Int(text),
      count <= limits.passedByteCountMax
    else { throw .length }
    if count > limits.bodyByteCountMax { body = nil }
    state = count == 0 ? .end : .body(count)
  }

  private mutating func keep(_ part: ArraySlice<UInt8>) {
    bodyByteCount += part.count
    if bodyByteCount > limits.bodyByteCountMax { body = nil }
    body?.append(contentsOf: part)
  }
}
