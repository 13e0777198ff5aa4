import GitModel
import Testing

@Suite struct ObjectIDTests {
  private let digits = "0123456789abcdef0123456789abcdef01234567"

  @Test func `digits and bytes are the same ID`() throws {
    let id = try #require(ObjectID(hex: digits))
    #expect(id.hex == digits)
    #expect(id.description == digits)
    #expect(id.abbreviated == "0123456789ab")
    #expect(id.bytes.count == ObjectID.byteCount)
    #expect(Array(id.bytes.prefix(4)) == [0x01, 0x23, 0x45, 0x67])
    #expect(ObjectID(bytes: id.bytes) == id)
    #expect(ObjectID(hexBytes: Array(digits.utf8)) == id)
  }

  /// Every byte of the three words.
  @Test(arguments: 0..<20)
  func `every byte counts`(_ place: Int) throws {
    var bytes = [UInt8](repeating: 0, count: 20)
    bytes[place] = 0x80
    let id = try #require(ObjectID(bytes: bytes))
    #expect(id.bytes == bytes)
    #expect(id != .zero)
    #expect(ObjectID.zero < id)
    #expect(!id.isZero)
  }

  @Test func `lengths other than twenty bytes are refused`() {
    for count in [0, 1, 19, 21, 32] {
      #expect(ObjectID(bytes: [UInt8](repeating: 1, count: count)) == nil, "\(count)")
    }
    for count in [0, 39, 41, 64] {
      #expect(ObjectID(hex: String(repeating: "1", count: count)) == nil, "\(count)")
    }
  }

  @Test(arguments: ["A", "g", " ", "-", "é", "/", ":", "`", "\0"])
  func `digits other than lower case hexadecimal are refused`(_ digit: String) {
    #expect(ObjectID(hex: digit + digits.dropFirst(digit.utf8.count)) == nil)
    #expect(ObjectID(hex: digits.dropLast(digit.utf8.count) + digit) == nil)
  }

  @Test func `ids are ordered as their digits`() {
    let texts = [digits, String(digits.reversed()), String(repeating: "0", count: 39) + "1"]
    let ids = texts.compactMap { ObjectID(hex: $0) }
    #expect(ids.sorted().map(\.hex) == texts.sorted())
  }

  @Test func `zero stands for no object`() {
    #expect(ObjectID.zero.isZero)
    #expect(ObjectID.zero.hex == String(repeating: "0", count: 40))
  }
}

@Suite struct FileModeTests {
  @Test(arguments: [
    (FileMode.regular, "100644"), (.executable, "100755"), (.symbolicLink, "120000"),
    (.submodule, "160000"),
  ])
  func `mode is six octal digits`(_ mode: FileMode, _ digits: String) {
    #expect(mode.octal == digits)
    #expect(FileMode(octal: Array(digits.utf8)) == mode)
  }

  @Test(arguments: [
    "", "0", "100664", "100600", "040000", "40000", "0100644", "100644 ", "1006444", "10064", "777",
  ])
  func `other modes are refused`(_ digits: String) {
    #expect(FileMode(octal: Array(digits.utf8)) == nil)
  }
}
