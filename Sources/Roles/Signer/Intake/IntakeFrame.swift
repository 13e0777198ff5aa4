import Foundation
import Host

/// Frames of the signer's socket: the number of bytes as four bytes, the highest first, then so many bytes of JSON.
enum IntakeFrame {
  /// Of what a knocker says.
  static let questionByteCountMax = 64 << 10
  /// Of what the daemon says; a refusal's detail is the longest part.
  static let answerByteCountMax = 1 << 20
  private static let headByteCount = 4

  static func encode(_ value: some Encodable) throws(IntakeError) -> [UInt8] {
    let body: Data
    do {
      body = try JSONEncoder().encode(value)
    } catch {
      throw .invalid("cannot be written as JSON: \(error)")
    }
    let count = UInt32(body.count)
    return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + body
  }

  static func decode<Value: Decodable>(
    _ type: Value.Type, from bytes: [UInt8]
  ) throws(IntakeError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch {
      throw .invalid("a frame is not in the documented form")
    }
  }

  /// Takes frames out of what comes.
  struct Reader {
    let byteCountMax: Int
    private var buffer: [UInt8] = []

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// The next frame; `nil`: it has not come by then. Throws `ended` where the other side ends between frames or in one.
    mutating func next(
      from socket: LocalSocket, by end: ContinuousClock.Instant
    ) throws(IntakeError) -> [UInt8]? {
      while true {
        if let frame = try take() { return frame }
        guard socket.waitUntilReadable(by: end) else { return nil }
        let bytes: [UInt8]?
        do throws(HostError) { bytes = try socket.receive() } catch { throw .ended("") }
        guard let bytes else { continue }
        guard !bytes.isEmpty else { throw .ended("") }
        buffer += bytes
      }
    }

    private mutating func take() throws(IntakeError) -> [UInt8]? {
      guard buffer.count >= headByteCount else { return nil }
      let count = buffer.prefix(headByteCount).reduce(0) { $0 << 8 | Int($1) }
      guard count <= byteCountMax else {
        throw .invalid("a frame of \(count) bytes is over the limit of \(byteCountMax)")
      }
      guard buffer.count >= headByteCount + count else { return nil }
      defer { buffer.removeFirst(headByteCount + count) }
      return Array(buffer[headByteCount..<headByteCount + count])
    }
  }
}
