import FoundationEssentials
import SwiftProtobuf

/// Strict decoding: the bytes must be exactly those that encoding what they say gives, so that there are no unknown
/// fields, no repeated or reordered ones, no defaults written out, and one signature covers one meaning.
func decodeCanonically<Wire: SwiftProtobuf.Message>(
  _ type: Wire.Type, from bytes: some RandomAccessCollection<UInt8>, named name: String,
  byteCountMax: Int
) throws(FormatError) -> Wire {
  guard bytes.count <= byteCountMax else {
    throw .overLimit(field: name, limit: UInt64(byteCountMax), actual: UInt64(bytes.count))
  }
  let data = Data(bytes)
  // Kept, they would come out again as they went in, and pass for canonical.
  var options = BinaryDecodingOptions()
  options.discardUnknownFields = true
  do {
    let wire = try Wire(serializedBytes: data, options: options)
    let again: Data = try wire.serializedBytes()
    guard again == data else { throw FormatError.notCanonical(name) }
    return wire
  } catch {
    throw .notCanonical(name)
  }
}

/// Encoding cannot fail: our structures have no required fields and their text is valid UTF-8.
func encodeCanonically(_ wire: some SwiftProtobuf.Message) -> [UInt8] {
  do {
    return try wire.serializedBytes()
  } catch {
    preconditionFailure("a structure of ours does not serialize: \(error)")
  }
}

func requireVersion(_ version: UInt32, of name: String) throws(FormatError) {
  guard version == formatVersion else { throw .unknownVersion(version, of: name) }
}

func name<Thing>(_ data: Data, field: String) throws(FormatError) -> Name<Thing> {
  guard let name = Name<Thing>(Array(data)) else {
    throw .wrongLength(field: field, expected: nameByteCount, actual: data.count)
  }
  return name
}

func requireLimit(_ actual: Int, _ limit: Int, field: String) throws(FormatError) {
  guard actual <= limit else {
    throw .overLimit(field: field, limit: UInt64(limit), actual: UInt64(actual))
  }
}

func requireLimit(_ actual: UInt64, _ limit: UInt64, field: String) throws(FormatError) {
  guard actual <= limit else { throw .overLimit(field: field, limit: limit, actual: actual) }
}

func time(_ milliseconds: UInt64, field: String) throws(FormatError) -> Timestamp {
  try requireLimit(milliseconds, Limits.numberMax, field: field)
  return Timestamp(milliseconds: milliseconds)
}

/// In ascending order of their bytes, each once, at least one.
func decodeRecipients(_ wire: [Data], of structure: String) throws(FormatError) -> [Mailbox] {
  let field = "\(structure).recipients"
  try requireLimit(wire.count, Limits.recipientCountMax, field: field)
  var recipients: [Mailbox] = []
  for data in wire {
    let mailbox: Mailbox = try name(data, field: field)
    if let last = recipients.last {
      guard last.bytes.lexicographicallyPrecedes(mailbox.bytes) else { throw .notCanonical(field) }
    }
    recipients.append(mailbox)
  }
  guard !recipients.isEmpty else { throw .invalid(field: field) }
  return recipients
}

func requireSequence(_ sequence: UInt64, of structure: String) throws(FormatError) {
  let field = "\(structure).sequence"
  guard sequence >= 1 else { throw .invalid(field: field) }
  try requireLimit(sequence, Limits.numberMax, field: field)
}

/// The number of a chunk that a message may have.
func chunkIndex(_ index: UInt32, field: String) throws(FormatError) -> UInt32 {
  try requireLimit(UInt64(index), UInt64(Limits.chunkCountMax - 1), field: field)
  return index
}

/// Text that people get to see holds nothing that a terminal or a log would act on.
func requirePrintable(_ text: String, field: String) throws(FormatError) {
  guard !text.unicodeScalars.contains(where: isControl) else { throw .invalid(field: field) }
}

/// For people: cut at a character to what the reader takes, with a space for each control character.
func printableDetail(_ detail: String, byteCountMax: Int) -> String {
  var text = ""
  for scalar in detail.unicodeScalars {
    text.unicodeScalars.append(isControl(scalar) ? " " : scalar)
  }
  while text.utf8.count > byteCountMax { text.removeLast() }
  return text
}

/// What an applier says to people.
func detail(_ text: String, field: String) throws(FormatError) -> String {
  try requireLimit(text.utf8.count, Limits.detailByteCountMax, field: field)
  try requirePrintable(text, field: field)
  return text
}

/// C0, DEL and C1: Unicode's general category Cc.
private func isControl(_ scalar: Unicode.Scalar) -> Bool {
  scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
}
