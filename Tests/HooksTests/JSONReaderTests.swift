import Foundation
import Hooks
import TestSupport
import Testing

/// The reader of payloads takes what is JSON, keeps little of it, and ends on everything else.
@Suite struct JSONReaderTests {
  private static let keys: Set<String> = ["a", "b", "text"]

  private static func read(_ text: String) throws -> JSONValue {
    try JSONReader.read(Array(text.utf8), keeping: keys)
  }

  @Test func `keeps the values of its keys, and checks the others`() throws {
    let value = try Self.read(
      #" {"x":[1,{"a":"no"}],"a":{"b":[true,null,"é"],"c":{"a":1}},"b":-1.5e+3} "#)
    #expect(
      value
        == .object([
          "a": .object(["b": .array([.bool(true), .null, .string("é")])]), "b": .other,
        ]))
  }

  @Test(arguments: [
    (#""a\"b\\c\/d""#, "a\"b\\c/d"), (#""\b\f\n\r\t""#, "\u{8}\u{c}\n\r\t"),
    (#""\u00e9\u20ac""#, "é€"), (#""\ud83d\ude00""#, "😀"), (#""\ud83dx""#, "\u{fffd}x"),
    (#""\udc00""#, "\u{fffd}"), (#""\ud83d\u0041""#, "\u{fffd}A"),
  ])
  func `texts are unescaped`(json: String, text: String) throws {
    #expect(try Self.read(#"{"text":\#(json)}"#) == .object(["text": .string(text)]))
  }

  @Test(arguments: [
    "", " ", "{", "}", "[1,]", "{\"a\":}", "{\"a\" 1}", "{a:1}", "{'a':1}", "[1 2]", "01", "1.",
    "-",
    "1e", "+1", ".5", "tru", "nul", "NaN", "\"a", "\"\u{1}\"", "\"\\", "{\"text\":\"\\u12\"}",
    "{\"text\":\"\\x\"}", "[1]]", "{\"a\":1}}", "{\"a\":1,}", "[,1]", "{,}", "//", "{\"a\":1}//",
  ])
  func `what is not JSON is refused`(text: String) {
    #expect(throws: PayloadFlaw.self) { try Self.read(text) }
  }

  @Test func `a text that is not UTF-8 is refused where it is kept`() {
    let bytes = Array(#"{"text":""#.utf8) + [0xff, 0xfe] + Array(#""}"#.utf8)
    #expect(throws: PayloadFlaw.self) { try JSONReader.read(bytes, keeping: Self.keys) }
  }

  @Test func `a nesting without end ends`() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{\"x\":", "}")] {
      let deep = String(repeating: open, count: 1_000_000)
      #expect(throws: PayloadFlaw.notJSON("nested too deeply")) { try Self.read(deep) }
      let whole = String(repeating: open, count: 60) + "1" + String(repeating: close, count: 60)
      #expect(throws: Never.self) { try Self.read(whole) }
    }
  }

  @Test func `values without end are counted where they are kept`() throws {
    let many = String(repeating: "1,", count: 60_000) + "1"
    #expect(throws: PayloadFlaw.notJSON("too many values")) { try Self.read("{\"a\":[\(many)]}") }
    #expect(try Self.read("{\"x\":[\(many)]}") == .object([:]))
  }

  @Test func `a text that is too long to be a name is not kept`() throws {
    let long = String(repeating: "x", count: 5_000)
    #expect(try Self.read(#"{"text":"\#(long)"}"#) == .object(["text": .other]))
  }

  /// Foundation's parser says which bytes are JSON.
  @Test func `agrees with another parser on damaged payloads`() throws {
    var generator = SeededGenerator(seed: 10)
    let bodies = try ["github-push", "bitbucket-cloud-push-several"].map(HookSample.body)
    let count = ProcessInfo.processInfo.environment["DISTRO_FUZZ_COUNT"].flatMap { Int($0) } ?? 300
    for _ in 0..<count {
      var body = bodies[Int.random(in: 0..<bodies.count, using: &generator)]
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let place = Int.random(in: 0..<body.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: body[place] = UInt8.random(in: 0x20..<0x7f, using: &generator)
        case 1: body.remove(at: place)
        default: body.removeLast(min(body.count - 1, place))
        }
      }
      let isOurs = (try? JSONReader.read(body, keeping: [])) != nil
      let isTheirs =
        (try? JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)) != nil
      // Escapes in texts that are not kept are not looked at.
      #expect(isOurs || !isTheirs, "\(String(decoding: body, as: UTF8.self))")
    }
  }
}
