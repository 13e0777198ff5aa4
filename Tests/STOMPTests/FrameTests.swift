import STOMP
import Testing

/// The STOMP 1.2 specification, section by section.
@Suite struct FrameTests {
  private static func decode(
    _ bytes: [UInt8], _ limits: FrameDecoder.Limits = .init(bodyByteCountMax: 1_000)
  ) throws -> [STOMPFrame] {
    var decoder = FrameDecoder(limits)
    var frames: [STOMPFrame] = []
    try decoder.decode(bytes) { frames.append($0) }
    return frames
  }

  private static func decode(_ text: String) throws -> [STOMPFrame] { try decode(Array(text.utf8)) }

  private static func expect(
    _ fault: FrameDecoder.Fault, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: fault, sourceLocation: sourceLocation) { try decode(text) }
  }

  // MARK: - Writing

  @Test func `a frame is its command, headers, a length and a body up to a zero`() {
    let frame = STOMPFrame("SEND", [("destination", "/queue/a")], body: Array("hello".utf8))
    #expect(
      frame.encoded()
        == Array("SEND\ndestination:/queue/a\ncontent-length:5\n\nhello\0".utf8))
    #expect(STOMPFrame("BEGIN").encoded() == Array("BEGIN\n\n\0".utf8))
  }

  @Test func `colons, line feeds, carriage returns and backslashes are escaped`() throws {
    let frame = STOMPFrame("SEND", [("a:b", "\\ \n \r :")])
    #expect(frame.encoded() == Array("SEND\na\\cb:\\\\ \\n \\r \\c\n\n\0".utf8))
    #expect(try Self.decode(frame.encoded()) == [frame])
  }

  @Test func `the headers of CONNECT and CONNECTED are not escaped`() throws {
    let frame = STOMPFrame("CONNECT", [("passcode", "a:b\\c")])
    #expect(frame.encoded() == Array("CONNECT\npasscode:a:b\\c\n\n\0".utf8))
    #expect(try Self.decode("CONNECTED\nsession:x\\y\n\n\0")[0]["session"] == "x\\y")
  }

  // MARK: - Reading

  @Test func `lines may end with a carriage return, and line feeds stand between frames`() throws {
    let frames = try Self.decode("\n\r\n\nRECEIPT\r\nreceipt-id:1\r\n\r\n\0\n\n\nRECEIPT\n\n\0\n")
    #expect(frames.map(\.command) == ["RECEIPT", "RECEIPT"])
    #expect(frames[0]["receipt-id"] == "1")
  }

  @Test func `a body with a length may hold zeros, and one without ends at the first`() throws {
    let frames = try Self.decode("MESSAGE\ncontent-length:3\n\na\0b\0MESSAGE\n\nab\0")
    #expect(frames.map(\.body) == [[97, 0, 98], [97, 98]])
  }

  @Test func `of a header that comes again, the first counts`() throws {
    #expect(try Self.decode("MESSAGE\nfoo:World\nfoo:Hello\n\n\0")[0]["foo"] == "World")
  }

  @Test func `spaces belong to a header, and so do colons behind the first`() throws {
    let frame = try Self.decode("MESSAGE\n a : b:c \n\n\0")[0]
    #expect(frame[" a "] == " b:c ")
  }

  @Test func `frames are the same in whatever pieces they come`() throws {
    let frames = [
      STOMPFrame("MESSAGE", [("ack", "1:2"), ("x", "é\n")], body: [0, 10, 13, 0]),
      STOMPFrame("RECEIPT", [("receipt-id", "7")]),
      STOMPFrame("ERROR", [("message", "m")], body: Array("text".utf8)),
    ]
    let bytes = frames.map { $0.encoded() + [UInt8(10)] }.reduce([], +)
    for count in [1, 2, 3, 7, bytes.count] {
      var decoder = FrameDecoder(.init(bodyByteCountMax: 100))
      var found: [STOMPFrame] = []
      for start in stride(from: 0, to: bytes.count, by: count) {
        try decoder.decode(Array(bytes[start..<min(start + count, bytes.count)])) {
          found.append($0)
        }
      }
      #expect(found.map(\.command) == frames.map(\.command))
      #expect(found.map(\.body) == frames.map(\.body))
      #expect(found[0]["x"] == "é\n")
      #expect(decoder.unfinished == nil)
    }
  }

  // MARK: - What is malformed

  @Test func `an escape that there is not ends the stream`() {
    Self.expect(.header, "MESSAGE\na:\\t\n\n\0")
    Self.expect(.header, "MESSAGE\na:b\\\n\n\0")
    Self.expect(.header, "MESSAGE\nno colon\n\n\0")
  }

  @Test func `what is no command ends the stream`() {
    Self.expect(.command, "HTTP/1.1 400 Bad Request\r\n")
    Self.expect(.command, "\u{16}\u{3}\u{1}\n")
    Self.expect(.command, String(repeating: "A", count: 17) + "\n")
  }

  @Test(arguments: ["-1", "+1", "1 ", "x", "", "99999999999999999999", "1073741825"])
  func `a length that no body has ends the stream`(text: String) {
    Self.expect(.length, "MESSAGE\ncontent-length:\(text)\n\n\0")
  }

  @Test func `a body that is longer than its length ends the stream`() {
    Self.expect(.end, "MESSAGE\ncontent-length:1\n\nab\0")
  }

  @Test func `the message at which a stream ends is known`() {
    var decoder = FrameDecoder(.init(headers: ["ack", "content-length"], bodyByteCountMax: 9))
    #expect(throws: FrameDecoder.Fault.end) {
      try decoder.decode(Array("MESSAGE\nack:7\ncontent-length:1\n\nab\0".utf8)) { _ in }
    }
    #expect(decoder.unfinished?["ack"] == "7")
  }

  // MARK: - Limits

  @Test func `of a body over the limit nothing is kept, and the next frame comes`() throws {
    let long = [UInt8](repeating: 1, count: 1_001)
    let bytes =
      STOMPFrame("MESSAGE", [("ack", "1")], body: long).encoded()
      + Array("MESSAGE\nack:2\n\n".utf8) + long + [0]
      + STOMPFrame("MESSAGE", [("ack", "3")], body: Array(long.dropLast())).encoded()
    let frames = try Self.decode(bytes)
    #expect(frames.map { $0["ack"] } == ["1", "2", "3"])
    #expect(frames.map { $0.body?.count } == [nil, nil, 1_000])
  }

  @Test func `headers that nobody asked for are passed over, whatever they hold`() throws {
    let limits = FrameDecoder.Limits(headers: ["ack"], bodyByteCountMax: 10)
    let many = (0..<10_000).map { "h\($0):v\\q\n" }.joined()
    let long = "x:" + String(repeating: "y", count: 1_000_000) + "\n"
    let bytes = Array(("MESSAGE\n" + many + long + "ack:5\n\nbody\0").utf8)
    let frame = try Self.decode(bytes, limits)[0]
    #expect(frame.headers.map(\.name) == ["ack"])
    #expect(frame["ack"] == "5")
    #expect(frame.body == Array("body".utf8))
  }

  @Test func `no more headers are kept than the limit`() throws {
    let many = (0..<1_000).map { "h\($0):v\n" }.joined()
    #expect(try Self.decode("MESSAGE\n" + many + "\n\0")[0].headers.count == 64)
  }

  @Test func `mutated frames are read or end the stream`() {
    let good = STOMPFrame("MESSAGE", [("ack", "a:b"), ("content-type", "x")], body: [1, 0, 2])
      .encoded()
    for index in good.indices {
      for byte in [UInt8(0), 10, 13, 58, 92, 65, 255] {
        var bytes = good
        bytes[index] = byte
        do {
          _ = try Self.decode(bytes)
        } catch {
          #expect(error is FrameDecoder.Fault)
        }
      }
    }
  }
}
