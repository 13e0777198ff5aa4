import MessageFormat
import Testing

/// What holds for every structure: one meaning has one form, and no other is read.
@Suite struct CanonicalTests {
  @Test(arguments: Structure.all) func `reads and gives the bytes written by hand`(
    structure: Structure
  ) throws {
    let bytes = structure.fields.encoded
    #expect(try structure.reencode(bytes) == bytes)
  }

  private func expectNotCanonical(
    _ structure: Structure, _ fields: [Field], at location: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: FormatError.notCanonical(structure.title), sourceLocation: location) {
      try structure.reencode(fields.encoded)
    }
  }

  @Test(arguments: Structure.all, [17, 99, 536_870_911]) func `refuses unknown field`(
    structure: Structure, number: Int
  ) {
    for unknown in [Field.number(number, 1), .bytes(number, []), .bytes(number, [1, 2])] {
      expectNotCanonical(structure, structure.fields + [unknown])
      expectNotCanonical(structure, [unknown] + structure.fields)
    }
  }

  @Test(arguments: Structure.all) func `refuses unknown field inside another`(structure: Structure)
  {
    for (index, field) in structure.fields.enumerated() {
      guard case .bytes(let number, let content) = field, isNested(structure.title, number) else {
        continue
      }
      var fields = structure.fields
      fields[index] = .bytes(number, content + [Field.number(99, 1)].encoded)
      expectNotCanonical(structure, fields)
    }
  }

  private func isNested(_ name: String, _ number: Int) -> Bool {
    switch name {
    case "message": number == 15
    case "statement", "header": number == 3
    case "request", "reply": number >= 2
    default: false
    }
  }

  @Test(arguments: Structure.all) func `refuses fields in another order`(structure: Structure) {
    for index in structure.fields.indices.dropFirst() {
      guard structure.fields[index].number != structure.fields[index - 1].number else { continue }
      var fields = structure.fields
      fields.swapAt(index, index - 1)
      expectNotCanonical(structure, fields)
    }
  }

  @Test(arguments: Structure.all) func `refuses repeated field`(structure: Structure) {
    expectNotCanonical(structure, [structure.fields[0]] + structure.fields)
    if structure.title == "request" || structure.title == "reply" {
      expectNotCanonical(structure, structure.fields + [structure.fields[1]])
    }
  }

  @Test(arguments: Structure.all) func `refuses defaults that are written`(structure: Structure) {
    guard structure.title != "statement" else {
      expectNotCanonical(structure, structure.fields.with(2, .bytes(2, [])))
      return
    }
    expectNotCanonical(structure, structure.fields.with(1, .number(1, 0)))
  }

  @Test(arguments: Structure.all) func `refuses numbers spelled the long way`(structure: Structure)
  {
    guard structure.title != "statement" else { return }
    for byteCount in [2, 5, 10] {
      let long = Field.raw(varint(1 << 3) + varint(1, byteCount: byteCount))
      expectNotCanonical(structure, [long] + structure.fields.dropFirst())
    }
    // 2^32 + 1 is 1 in 32 bits.
    expectNotCanonical(structure, structure.fields.with(1, .number(1, 1 << 32 | 1)))
  }

  @Test(arguments: Structure.all) func `refuses lengths spelled the long way`(structure: Structure)
  {
    for (index, field) in structure.fields.enumerated() {
      guard case .bytes(let number, let content) = field else { continue }
      var fields = structure.fields
      fields[index] = .raw(
        varint(UInt64(number) << 3 | 2) + varint(UInt64(content.count), byteCount: 4) + content)
      expectNotCanonical(structure, fields)
    }
  }

  @Test(arguments: Structure.all) func `refuses to end inside field`(structure: Structure) throws {
    let bytes = structure.fields.encoded
    let ends = structure.fields.indices.map { structure.fields[..<$0].map { $0 }.encoded.count }
    for count in bytes.indices {
      let beginning = Array(bytes.prefix(count))
      guard ends.contains(count) else {
        #expect(throws: FormatError.notCanonical(structure.title), "the first \(count) bytes") {
          try structure.reencode(beginning)
        }
        continue
      }
      // Well-formed, and whole where only fields are missing that need not be there.
      do { #expect(try structure.reencode(beginning) == beginning) } catch is FormatError {}
    }
  }

  @Test(arguments: Structure.all) func `refuses bytes behind the end`(structure: Structure) {
    for rest: [UInt8] in [[0], [0xff], [0x08], [0x0a], [0, 0]] {
      expectNotCanonical(structure, structure.fields + [.raw(rest)])
    }
  }

  @Test(arguments: Structure.all) func `refuses other versions`(structure: Structure) {
    guard structure.title != "statement" else { return }
    for version: UInt32 in [0, 2, .max] {
      let fields =
        version == 0
        ? structure.fields.with(1) : structure.fields.with(1, .number(1, UInt64(version)))
      #expect(throws: FormatError.unknownVersion(version, of: structure.title)) {
        try structure.reencode(fields.encoded)
      }
    }
  }

  @Test func `refuses text that is not UTF8`() {
    for (structure, number) in [(Structure.signed[0], 4), (Structure.signed[3], 11)] {
      expectNotCanonical(structure, structure.fields.with(number, .bytes(number, [0xff, 0x41])))
    }
  }
}
